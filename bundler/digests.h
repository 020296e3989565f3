/* The digests of many leaves: several side by side, where the processor has registers
 * for that. */
#ifndef BUNDLER_DIGESTS_H
#define BUNDLER_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

struct seal;

/* As seal_digest of each of count leaves of FORMAT_LEAF bytes that lie end to end.  The
 * stack has bytes of them afterwards.  out: room for count * FORMAT_DIGEST. */
void digests_make(struct seal *seal, uint8_t *out, const uint8_t *leaves, size_t count);

#endif
