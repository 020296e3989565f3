/* The portable door: libsodium, for the small static reader. */
#include <sodium.h>

#include "common/seal.h"
#include "common/status.h"

struct seal {
	char none;
};

/* libsodium's functions need no state. */
static struct seal stateless;

int seal_new(struct seal **seal)
{
	*seal = &stateless;
	return STATUS_OK;
}

void seal_free(struct seal *seal)
{
	(void)seal;
}

void seal_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
               uint64_t number, const uint8_t payload[static FORMAT_PAYLOAD],
               uint8_t page[static FORMAT_PAGE])
{
	uint8_t nonce[SEAL_NONCE];

	(void)seal;
	seal_make_nonce(nonce, domain, number);
	crypto_aead_chacha20poly1305_ietf_encrypt(page, NULL, payload, FORMAT_PAYLOAD, NULL, 0,
	                                          NULL, nonce, key);
}

int seal_open_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
                   uint64_t number, const uint8_t page[static FORMAT_PAGE],
                   uint8_t payload[static FORMAT_PAYLOAD])
{
	uint8_t nonce[SEAL_NONCE];

	(void)seal;
	seal_make_nonce(nonce, domain, number);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(payload, NULL, NULL, page, FORMAT_PAGE, NULL,
	                                              0, nonce, key) == 0)
		return STATUS_OK;
	sodium_memzero(payload, FORMAT_PAYLOAD);
	return STATUS_DAMAGED;
}
