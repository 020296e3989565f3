#include "common/hash4.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static void one_by_one(const struct hash4_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t sum[64];

		crypto_generichash(sum, sizeof sum, runs[i].data, runs[i].len, NULL, 0);
		memcpy(runs[i].digest, sum, HASH4_BYTES);
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

/* Four words of each of four blocks: from a block in each vector to a word in each. */
INLINE void load_words(lanes m[static 4], const uint8_t *const block[static HASH4_LANES], size_t at)
{
	lanes r[4], even[2], odd[2];

	for (int i = 0; i < 4; i++)
		memcpy(&r[i], block[i] + at, sizeof r[i]);
	for (int i = 0; i < 2; i++) {
		even[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 4, 2, 6);
		odd[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 5, 3, 7);
	}
	m[0] = __builtin_shufflevector(even[0], even[1], 0, 1, 4, 5);
	m[1] = __builtin_shufflevector(odd[0], odd[1], 0, 1, 4, 5);
	m[2] = __builtin_shufflevector(even[0], even[1], 2, 3, 6, 7);
	m[3] = __builtin_shufflevector(odd[0], odd[1], 2, 3, 6, 7);
}

/* A block of each run.  upto: how many of its bytes are hashed then; last: all bits
 * set in those that end with it. */
INLINE void compress(lanes h[static 8], const uint8_t *const block[static HASH4_LANES],
                     const lanes *upto, const lanes *last)
{
	lanes v[16], m[16];

	for (int i = 0; i < 16; i += 4)
		load_words(m + i, block, 8 * (size_t)i);
	for (int i = 0; i < 8; i++) {
		v[i] = h[i];
		v[i + 8] = (lanes){0} + iv[i];
	}
	v[12] ^= *upto;
	v[14] ^= *last;
	mix_rounds(v, m);
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

/* What is in the lanes. */
struct work {
	const struct hash4_run *next, *behind;    /* that nobody has begun */
	const struct hash4_run *run[HASH4_LANES]; /* NULL: there is none any more */
	size_t at[HASH4_LANES];                   /* how many bytes of it are hashed, or taken */
	uint8_t filled[HASH4_LANES][HASH4_BLOCK]; /* a copy of its last block */
	lanes h[8];
};

INLINE void begin(struct work *w, int k)
{
	w->run[k] = w->next == w->behind ? NULL : w->next++;
	w->at[k] = 0;
	for (int i = 0; i < 8; i++)
		w->h[i][k] = iv[i];
	w->h[0][k] ^= PARAMETERS;
}

INLINE void finish(struct work *w, int k)
{
	for (int i = 0; i < HASH4_BYTES / 8; i++) {
		uint64_t word = w->h[i][k];

		memcpy(w->run[k]->digest + 8 * i, &word, sizeof word);
	}
	begin(w, k);
}

/* Blocks before the last one. */
static size_t blocks_before_last(const struct work *w, int k)
{
	size_t left = w->run[k]->len - w->at[k];

	return left ? (left - 1) / HASH4_BLOCK : 0;
}

/* The fewest that any has; SIZE_MAX: all is done. */
static size_t blocks_before_any_ends(const struct work *w)
{
	size_t fewest = SIZE_MAX;

	for (int k = 0; k < HASH4_LANES; k++)
		if (w->run[k] && blocks_before_last(w, k) < fewest)
			fewest = blocks_before_last(w, k);
	return fewest;
}

/* The last block of lane k, with zeros behind what there is of it. */
static const uint8_t *fill_up(struct work *w, int k)
{
	size_t left = w->run[k]->len - w->at[k];

	memset(w->filled[k], 0, HASH4_BLOCK);
	if (left)
		memcpy(w->filled[k], w->run[k]->data + w->at[k], left);
	return w->filled[k];
}

/* What is hashed next: one of each lane.  A lane that has nothing any more does as
 * another does, and never ends: last stays 0. */
struct blocks {
	const uint8_t *of[HASH4_LANES];
	lanes upto, last;
};

/* The first of so many blocks of lane k, or its last one. */
INLINE void take(struct work *w, struct blocks *b, int k, size_t blocks)
{
	bool ends = !blocks_before_last(w, k);
	size_t len = ends ? w->run[k]->len - w->at[k] : HASH4_BLOCK;

	b->of[k] = ends ? fill_up(w, k) : w->run[k]->data + w->at[k];
	b->upto[k] = w->at[k] + len;
	b->last[k] = ends ? UINT64_MAX : 0;
	w->at[k] += blocks * len; /* who ends gets one */
}

INLINE void take_all(struct work *w, struct blocks *b, size_t blocks)
{
	const uint8_t *any = NULL;

	for (int k = 0; k < HASH4_LANES; k++) {
		if (!w->run[k])
			continue;
		take(w, b, k, blocks);
		any = b->of[k];
	}
	for (int k = 0; k < HASH4_LANES; k++)
		if (!w->run[k])
			b->of[k] = any;
}

/* So many blocks of each; 1, if that is the last one of any. */
INLINE void step(struct work *w, size_t blocks)
{
	struct blocks b = {0};

	take_all(w, &b, blocks);
	while (blocks--) {
		compress(w->h, b.of, &b.upto, &b.last);
		b.upto += HASH4_BLOCK;
		for (int k = 0; k < HASH4_LANES; k++)
			b.of[k] += HASH4_BLOCK;
	}
	for (int k = 0; k < HASH4_LANES; k++)
		if (b.last[k])
			finish(w, k);
}

INLINE void hash_all(const struct hash4_run *runs, size_t count)
{
	struct work w = {.next = runs, .behind = runs + count};

	for (int k = 0; k < HASH4_LANES; k++)
		begin(&w, k);
	for (size_t n; (n = blocks_before_any_ends(&w)) != SIZE_MAX;)
		step(&w, n ? n : 1);
	explicit_bzero(w.filled, sizeof w.filled); /* the ends of what was hashed */
}

/* A turn is one instruction there, not three. */
__attribute__((target("avx2,avx512f,avx512vl"))) static void
run_avx512(const struct hash4_run *runs, size_t count)
{
	hash_all(runs, count);
}

__attribute__((target("avx2"))) static void run_avx2(const struct hash4_run *runs, size_t count)
{
	hash_all(runs, count);
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

void hash4_in(enum hash4_way way, const struct hash4_run *runs, size_t count)
{
	switch (way) {
	case HASH4_ONE_BY_ONE: one_by_one(runs, count); break;
	case HASH4_AVX2: run_avx2(runs, count); break;
	case HASH4_AVX512: run_avx512(runs, count); break;
	}
}

/* A step takes up to twice as long in the lanes as alone, for as long as the longest run
 * does. */
static bool is_worth_it(const struct hash4_run *runs, size_t count)
{
	size_t all = 0, longest = 0;

	for (size_t i = 0; i < count; i++) {
		all += runs[i].len;
		longest = runs[i].len > longest ? runs[i].len : longest;
	}
	return all / 2 >= longest;
}

void hash4(const struct hash4_run *runs, size_t count)
{
	hash4_in(count > 1 && is_worth_it(runs, count) ? hash4_best() : HASH4_ONE_BY_ONE, runs,
	         count);
}

void hash4_one(uint8_t digest[static HASH4_BYTES], const void *data, size_t len)
{
	hash4(&(struct hash4_run){data, len, digest}, 1);
}
