/* Seal and open one page; the digest of everything signed; the only place where
 * nonces are built.  Two doors with the same bytes behind them:
 * seal_openssl.c (packer, mount), seal_sodium.c (the small static reader).
 * bundle(5), "Pages". */
#ifndef COMMON_SEAL_H
#define COMMON_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"
#include "common/hash4.h"

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

/* The first 32 bytes of BLAKE2b-512: D(x) of bundle(5). */
void seal_digest(struct seal *seal, uint8_t out[static FORMAT_DIGEST], const void *data,
                 size_t len);

/* The same of many: of four in the time of one or two. */
_Static_assert((int)HASH4_BYTES == (int)FORMAT_DIGEST, "as many bytes as the format has");
void seal_digests(struct seal *seal, const struct hash4_run *runs, size_t count);

#endif
