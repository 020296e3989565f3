/* Seal and open one page; the only place where nonces are built.  Two doors with the same
 * bytes behind them: seal_openssl.c (packer, mount), seal_sodium.c (the small static reader).
 * bundle(5), "Pages". */
#ifndef COMMON_SEAL_H
#define COMMON_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/format.h"

enum seal_domain { SEAL_PAGE = 0, SEAL_ROOT = 2 };

/* What a thread needs to seal and open: one for each. */
struct seal;

/* STATUS_NOMEM. */
int seal_new(struct seal **seal);

/* Wipes. NULL is fine. */
void seal_free(struct seal *seal);

/* Payload -> page.  They must not overlap. */
void seal_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
               uint64_t number, const uint8_t payload[static FORMAT_PAYLOAD],
               uint8_t page[static FORMAT_PAGE]);

/* Page -> payload.  STATUS_DAMAGED: the tag does not match, payload is zeroed. */
int seal_open_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
                   uint64_t number, const uint8_t page[static FORMAT_PAGE],
                   uint8_t payload[static FORMAT_PAYLOAD]);

/* Does the page authenticate?  As seal_open_page, for who does not want what is in it, which is
 * not decrypted.  The same behind both doors: seal_check.c. */
int seal_check_page(const uint8_t key[static FORMAT_KEY], enum seal_domain domain, uint64_t number,
                    const uint8_t page[static FORMAT_PAGE]);

/* For the doors. */
enum { SEAL_NONCE = 12 };

static inline void seal_make_nonce(uint8_t nonce[static SEAL_NONCE], enum seal_domain domain,
                                   uint64_t number)
{
	store_le64(nonce, number);
	store_le32(nonce + 8, domain);
}

#endif
