/* BLAKE2b-512 of four runs of bytes at once, one in each lane of a vector: two to
 * three times as fast as one after another, where the processor has the vectors. */
#ifndef COMMON_HASH4_H
#define COMMON_HASH4_H

#include <stddef.h>
#include <stdint.h>

enum { HASH4_LANES = 4, HASH4_BLOCK = 128, HASH4_BYTES = 32 };

/* out[i]: the first 32 bytes of the digest of len bytes at data[i].
 * len: a multiple of HASH4_BLOCK, not 0.  RFC 7693. */
void hash4(uint8_t out[static HASH4_LANES][HASH4_BYTES],
           const uint8_t *const data[static HASH4_LANES], size_t len);

/* For tests: the same in one way, of those up to the best that this processor has. */
enum hash4_way { HASH4_ONE_BY_ONE, HASH4_AVX2, HASH4_AVX512 };
enum hash4_way hash4_best(void);
void hash4_in(enum hash4_way way, uint8_t out[static HASH4_LANES][HASH4_BYTES],
              const uint8_t *const data[static HASH4_LANES], size_t len);

#endif
