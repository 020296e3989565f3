/* By libsodium, which can authenticate alone; the packer and the mount open whatever they read. */
#include <sodium.h>

#include "common/seal.h"
#include "common/status.h"

int seal_check_page(const uint8_t key[static FORMAT_KEY], enum seal_domain domain, uint64_t number,
                    const uint8_t page[static FORMAT_PAGE])
{
	uint8_t nonce[SEAL_NONCE];

	seal_make_nonce(nonce, domain, number);
	return crypto_aead_chacha20poly1305_ietf_decrypt(NULL, NULL, NULL, page, FORMAT_PAGE, NULL,
	                                                 0, nonce, key)
	               ? STATUS_DAMAGED
	               : STATUS_OK;
}
