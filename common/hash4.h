/* BLAKE2b-512 of many runs of bytes, four at a time, one in each lane of a vector: two
 * to three times as fast as one after another, where the processor has the vectors.  What is
 * left over is libsodium's: libcrypto's is plain C, and takes a sixth to a third longer where
 * there is AVX2 ("make bench SECTIONS=limits"). */
#ifndef COMMON_HASH4_H
#define COMMON_HASH4_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

enum { HASH4_LANES = 4, HASH4_BLOCK = 128, HASH4_BYTES = FORMAT_DIGEST };

/* len bytes at data, of any number, and room for the HASH4_BYTES first bytes of their
 * digest, which is in nobody's data. */
struct hash4_run {
	const uint8_t *data;
	size_t len;
	uint8_t *digest;
};

/* All digests of count runs.  Fastest where the lengths of those that follow each other
 * are much the same.  RFC 7693. */
void hash4(const struct hash4_run *runs, size_t count);

/* The same of one: D(x) of bundle(5). */
void hash4_one(uint8_t digest[static HASH4_BYTES], const void *data, size_t len);

/* For tests: the same in one way, of those up to the best that this processor has. */
enum hash4_way { HASH4_ONE_BY_ONE, HASH4_AVX2, HASH4_AVX512 };
enum hash4_way hash4_best(void);
void hash4_in(enum hash4_way way, const struct hash4_run *runs, size_t count);

#endif
