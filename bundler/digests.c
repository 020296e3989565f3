#include "bundler/digests.h"

#include "common/bytes.h"
#include "common/format.h"
#include "common/seal.h"

#ifdef __x86_64__

enum { BLOCK = 128, ROUNDS = 12 };

/* RFC 7693, 2.6 and 2.7. */
static const uint64_t start[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};
static const uint8_t order[ROUNDS][16] = {
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
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

#define WAYS 4
#define TARGET "avx2"
#define NAMED(what) what##_4
#include "bundler/digests_ways.h"
#undef WAYS
#undef TARGET
#undef NAMED

#define WAYS 8
#define TARGET "avx512f"
#define NAMED(what) what##_8
#include "bundler/digests_ways.h"

/* As many as are possible side by side; how many that were. */
static size_t make_side_by_side(uint8_t *out, const uint8_t *leaves, size_t count)
{
	size_t done = 0;

	if (__builtin_cpu_supports("avx512f"))
		for (; count - done >= 8; done += 8)
			digest_8(out + done * FORMAT_DIGEST, leaves + done * FORMAT_LEAF);
	if (__builtin_cpu_supports("avx2"))
		for (; count - done >= 4; done += 4)
			digest_4(out + done * FORMAT_DIGEST, leaves + done * FORMAT_LEAF);
	return done;
}

#else

static size_t make_side_by_side(uint8_t *out, const uint8_t *leaves, size_t count)
{
	(void)out, (void)leaves, (void)count;
	return 0;
}

#endif

void digests_make(struct seal *seal, uint8_t *out, const uint8_t *leaves, size_t count)
{
	for (size_t i = make_side_by_side(out, leaves, count); i < count; i++)
		seal_digest(seal, out + i * FORMAT_DIGEST, leaves + i * FORMAT_LEAF, FORMAT_LEAF);
}
