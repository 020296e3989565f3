#include "common/hash4.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static void one_by_one(uint8_t out[static HASH4_LANES][HASH4_BYTES],
                       const uint8_t *const data[static HASH4_LANES], size_t len)
{
	for (int i = 0; i < HASH4_LANES; i++) {
		uint8_t sum[64];

		/* Whoever has fewer than four gives the first again. */
		if (i && data[i] == data[0]) {
			memcpy(out[i], out[0], HASH4_BYTES);
			continue;
		}
		crypto_generichash(sum, sizeof sum, data[i], len, NULL, 0);
		memcpy(out[i], sum, HASH4_BYTES);
	}
}

#if defined(__x86_64__)

#define INLINE static inline __attribute__((always_inline))

/* One word of each run. */
typedef uint64_t lanes __attribute__((vector_size(32)));

static const uint64_t iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

enum { PARAMETERS = 0x01010040 /* 64 bytes of digest, no key, no tree */ };

static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

/* What is inlined takes vectors by address: how they are passed depends on the
 * processor that is compiled for. */
INLINE void turn(lanes *x, int bits)
{
	*x = *x >> bits | *x << (64 - bits);
}

INLINE void mix(lanes *a, lanes *b, lanes *c, lanes *d, const lanes *x, const lanes *y)
{
	*a += *b + *x;
	*d ^= *a;
	turn(d, 32);
	*c += *d;
	*b ^= *c;
	turn(b, 24);
	*a += *b + *y;
	*d ^= *a;
	turn(d, 16);
	*c += *d;
	*b ^= *c;
	turn(b, 63);
}

INLINE void mix_all(lanes v[static 16], const lanes m[static 16], const uint8_t s[static 16])
{
	mix(v + 0, v + 4, v + 8, v + 12, m + s[0], m + s[1]);
	mix(v + 1, v + 5, v + 9, v + 13, m + s[2], m + s[3]);
	mix(v + 2, v + 6, v + 10, v + 14, m + s[4], m + s[5]);
	mix(v + 3, v + 7, v + 11, v + 15, m + s[6], m + s[7]);
	mix(v + 0, v + 5, v + 10, v + 15, m + s[8], m + s[9]);
	mix(v + 1, v + 6, v + 11, v + 12, m + s[10], m + s[11]);
	mix(v + 2, v + 7, v + 8, v + 13, m + s[12], m + s[13]);
	mix(v + 3, v + 4, v + 9, v + 14, m + s[14], m + s[15]);
}

/* Not a loop, so that where each word lies is known when this is compiled: a third
 * faster. */
INLINE void mix_rounds(lanes v[static 16], const lanes m[static 16])
{
	mix_all(v, m, sigma[0]);
	mix_all(v, m, sigma[1]);
	mix_all(v, m, sigma[2]);
	mix_all(v, m, sigma[3]);
	mix_all(v, m, sigma[4]);
	mix_all(v, m, sigma[5]);
	mix_all(v, m, sigma[6]);
	mix_all(v, m, sigma[7]);
	mix_all(v, m, sigma[8]);
	mix_all(v, m, sigma[9]);
	mix_all(v, m, sigma[0]);
	mix_all(v, m, sigma[1]);
}

/* Four words of each of four runs: from a run in each vector to a word in each. */
INLINE void load_words(lanes m[static 4], const uint8_t *const data[static HASH4_LANES], size_t at)
{
	lanes r[4], even[2], odd[2];

	for (int i = 0; i < 4; i++)
		memcpy(&r[i], data[i] + at, sizeof r[i]);
	for (int i = 0; i < 2; i++) {
		even[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 4, 2, 6);
		odd[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 5, 3, 7);
	}
	m[0] = __builtin_shufflevector(even[0], even[1], 0, 1, 4, 5);
	m[1] = __builtin_shufflevector(odd[0], odd[1], 0, 1, 4, 5);
	m[2] = __builtin_shufflevector(even[0], even[1], 2, 3, 6, 7);
	m[3] = __builtin_shufflevector(odd[0], odd[1], 2, 3, 6, 7);
}

/* One block of each run, at byte at of it. */
INLINE void compress(lanes h[static 8], const uint8_t *const data[static HASH4_LANES], size_t at,
                     bool last)
{
	lanes v[16], m[16];

	for (int i = 0; i < 16; i += 4)
		load_words(m + i, data, at + 8 * (size_t)i);
	for (int i = 0; i < 8; i++) {
		v[i] = h[i];
		v[i + 8] = (lanes){0} + iv[i];
	}
	v[12] ^= at + HASH4_BLOCK;
	if (last)
		v[14] = ~v[14];
	mix_rounds(v, m);
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

INLINE void run(uint8_t out[static HASH4_LANES][HASH4_BYTES],
                const uint8_t *const data[static HASH4_LANES], size_t len)
{
	lanes h[8];

	for (int i = 0; i < 8; i++)
		h[i] = (lanes){0} + iv[i];
	h[0] ^= PARAMETERS;
	for (size_t at = 0; at < len; at += HASH4_BLOCK)
		compress(h, data, at, at + HASH4_BLOCK == len);
	for (int k = 0; k < HASH4_LANES; k++)
		for (int i = 0; i < HASH4_BYTES / 8; i++) {
			uint64_t word = h[i][k];

			memcpy(out[k] + 8 * i, &word, sizeof word);
		}
}

/* A turn is one instruction there, not three. */
__attribute__((target("avx2,avx512f,avx512vl"))) static void
run_avx512(uint8_t out[static HASH4_LANES][HASH4_BYTES],
           const uint8_t *const data[static HASH4_LANES], size_t len)
{
	run(out, data, len);
}

__attribute__((target("avx2"))) static void run_avx2(uint8_t out[static HASH4_LANES][HASH4_BYTES],
                                                     const uint8_t *const data[static HASH4_LANES],
                                                     size_t len)
{
	run(out, data, len);
}

enum hash4_way hash4_best(void)
{
	if (!__builtin_cpu_supports("avx2"))
		return HASH4_ONE_BY_ONE;
	return __builtin_cpu_supports("avx512vl") ? HASH4_AVX512 : HASH4_AVX2;
}

#else

#define run_avx2 one_by_one
#define run_avx512 one_by_one

enum hash4_way hash4_best(void)
{
	return HASH4_ONE_BY_ONE;
}

#endif

void hash4_in(enum hash4_way way, uint8_t out[static HASH4_LANES][HASH4_BYTES],
              const uint8_t *const data[static HASH4_LANES], size_t len)
{
	switch (way) {
	case HASH4_ONE_BY_ONE: one_by_one(out, data, len); break;
	case HASH4_AVX2: run_avx2(out, data, len); break;
	case HASH4_AVX512: run_avx512(out, data, len); break;
	}
}

void hash4(uint8_t out[static HASH4_LANES][HASH4_BYTES],
           const uint8_t *const data[static HASH4_LANES], size_t len)
{
	hash4_in(hash4_best(), out, data, len);
}
