#include "common/gf.h"

#include <string.h>

enum { POLYNOMIAL = 0x11d, MAX_ORDER = 16 };

uint8_t gf_mul(uint8_t a, uint8_t b)
{
	unsigned product = 0, factor = a;

	for (; b; b >>= 1) {
		product ^= factor & -(unsigned)(b & 1);
		factor = factor << 1 ^ (POLYNOMIAL & -(factor >> 7));
	}
	return (uint8_t)product;
}

/* a^254: the group has 255 elements. */
uint8_t gf_inv(uint8_t a)
{
	uint8_t square = gf_mul(a, a), result = 1;

	for (int i = 1; i < 8; i++) {
		result = gf_mul(result, square);
		square = gf_mul(square, square);
	}
	return result;
}

uint8_t gf_coefficient(unsigned q, unsigned row)
{
	return gf_inv((uint8_t)((64 + q) ^ row));
}

/* Products of c with every low and every high half of a byte. */
struct halves {
	uint8_t low[16], high[16];
};

static void make_halves(struct halves *h, uint8_t c)
{
	for (unsigned i = 0; i < 16; i++) {
		h->low[i] = gf_mul(c, (uint8_t)i);
		h->high[i] = gf_mul(c, (uint8_t)(i << 4));
	}
}

static void muladd_portable(uint8_t *dst, const uint8_t *src, const struct halves *h, size_t len)
{
	uint8_t table[256];

	for (unsigned i = 0; i < 256; i++)
		table[i] = h->low[i & 15] ^ h->high[i >> 4];
	for (size_t i = 0; i < len; i++)
		dst[i] ^= table[src[i]];
}

static bool only_portable;

void gf_force_portable(bool only)
{
	only_portable = only;
}

#if defined(__x86_64__) || defined(__i386__)
#include <tmmintrin.h>

__attribute__((target("ssse3"))) static size_t muladd_ssse3(uint8_t *dst, const uint8_t *src,
                                                            const struct halves *h, size_t len)
{
	const __m128i low = _mm_loadu_si128((const __m128i *)h->low);
	const __m128i high = _mm_loadu_si128((const __m128i *)h->high);
	const __m128i nibble = _mm_set1_epi8(15);
	size_t i;

	for (i = 0; i + 16 <= len; i += 16) {
		__m128i s = _mm_loadu_si128((const __m128i *)(src + i));
		__m128i d = _mm_loadu_si128((const __m128i *)(dst + i));
		__m128i lo = _mm_shuffle_epi8(low, _mm_and_si128(s, nibble));
		__m128i hi = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi64(s, 4), nibble));

		_mm_storeu_si128((__m128i *)(dst + i), _mm_xor_si128(d, _mm_xor_si128(lo, hi)));
	}
	return i;
}

static size_t muladd_fast(uint8_t *dst, const uint8_t *src, const struct halves *h, size_t len)
{
	return !only_portable && __builtin_cpu_supports("ssse3") ? muladd_ssse3(dst, src, h, len)
	                                                         : 0;
}
#else
static size_t muladd_fast(uint8_t *dst, const uint8_t *src, const struct halves *h, size_t len)
{
	(void)dst, (void)src, (void)h, (void)len;
	return 0;
}
#endif

void gf_muladd(uint8_t *dst, const uint8_t *src, uint8_t c, size_t len)
{
	struct halves h;
	size_t done;

	if (c == 0)
		return;
	make_halves(&h, c);
	done = muladd_fast(dst, src, &h, len);
	if (done < len)
		muladd_portable(dst + done, src + done, &h, len - done);
}

static void scale_row(uint8_t *row, uint8_t c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		row[i] = gf_mul(row[i], c);
}

static void add_row(uint8_t *row, const uint8_t *other, uint8_t c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		row[i] ^= gf_mul(other[i], c);
}

static void swap_rows(uint8_t *a, uint8_t *b, unsigned n)
{
	uint8_t t[2 * MAX_ORDER];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

/* Gauss and Jordan, on the matrix with the identity beside it. */
int gf_invert(uint8_t *m, unsigned n)
{
	uint8_t wide[MAX_ORDER][2 * MAX_ORDER] = {0};

	for (unsigned r = 0; r < n; r++) {
		memcpy(wide[r], m + r * n, n);
		wide[r][n + r] = 1;
	}
	for (unsigned c = 0; c < n; c++) {
		unsigned pivot = c;

		while (pivot < n && wide[pivot][c] == 0)
			pivot++;
		if (pivot == n)
			return -1;
		if (pivot != c)
			swap_rows(wide[c], wide[pivot], 2 * n);
		scale_row(wide[c], gf_inv(wide[c][c]), 2 * n);
		for (unsigned r = 0; r < n; r++)
			if (r != c)
				add_row(wide[r], wide[c], wide[r][c], 2 * n);
	}
	for (unsigned r = 0; r < n; r++)
		memcpy(m + r * n, wide[r] + n, n);
	return 0;
}
