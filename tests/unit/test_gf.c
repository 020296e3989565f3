/* Both ways to multiply and add, by the one that goes byte by byte. */
#include "tests/unit/unit.h"

#include "common/gf.h"

enum { ROOM = 300, AT_MOST = 70 };

/* By the definition, bit by bit: nothing of gf.c is asked. */
static uint8_t product(unsigned a, unsigned b)
{
	unsigned sum = 0;

	for (unsigned bit = 0; bit < 8; bit++)
		if (b >> bit & 1)
			sum ^= a << bit;
	for (unsigned bit = 14; bit >= 8; bit--)
		if (sum >> bit & 1)
			sum ^= 0x11du << (bit - 8);
	return (uint8_t)sum;
}

static void products_are_those_of_the_field(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++)
			assert_int_equal(gf_mul((uint8_t)a, (uint8_t)b), product(a, b));
	for (unsigned a = 1; a < 256; a++)
		assert_int_equal(product(gf_inv((uint8_t)a), a), 1);
	for (unsigned q = 0; q < 16; q++)
		for (unsigned row = 0; row < 64; row++)
			assert_int_equal(product(gf_coefficient(q, row), (64 + q) ^ row), 1);
}

static void fill(uint8_t *bytes)
{
	for (unsigned i = 0; i < ROOM; i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8) * 91 + 13);
}

/* Bytes from at on are changed as they must, and no other. */
static void check(unsigned c, unsigned to, unsigned from, unsigned len)
{
	uint8_t src[ROOM], dst[ROOM], before[ROOM];

	fill(src);
	for (unsigned i = 0; i < ROOM; i++)
		dst[i] = before[i] = (uint8_t)(i * 59 + 7);
	gf_muladd(dst + to, src + from, (uint8_t)c, len);
	for (unsigned i = 0; i < ROOM; i++) {
		bool within = i >= to && i < to + len;
		uint8_t more = within ? product(c, src[i - to + from]) : 0;

		assert_int_equal(dst[i], before[i] ^ more);
	}
}

/* Every coefficient times every byte, every length about the width of a vector,
 * every place within one. */
static void sums_are_right_on(bool portable)
{
	gf_force_portable(portable);
	for (unsigned c = 0; c < 256; c++) {
		check(c, 0, 0, 256);
		check(c, 3, 5, 37);
	}
	for (unsigned len = 0; len <= AT_MOST; len++)
		check(0x8e, 1, 2, len);
	for (unsigned at = 0; at < 16; at++) {
		check(0xb7, at, 0, 49);
		check(0xb7, 0, at, 49);
	}
	gf_force_portable(false);
}

static void portable_sums_are_right(void **state)
{
	(void)state;
	sums_are_right_on(true);
}

static void fast_sums_are_right(void **state)
{
	(void)state;
	sums_are_right_on(false);
}

/* A matrix times its inverse is the identity; one with two equal rows has none. */
static void matrices_are_inverted(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 16; n++) {
		uint8_t m[256], inverse[256];

		for (unsigned q = 0; q < n; q++)
			for (unsigned r = 0; r < n; r++)
				m[q * n + r] = gf_coefficient(q, r * 3);
		memcpy(inverse, m, n * n);
		assert_int_equal(gf_invert(inverse, n), 0);
		for (unsigned i = 0; i < n; i++)
			for (unsigned k = 0; k < n; k++) {
				uint8_t sum = 0;

				for (unsigned j = 0; j < n; j++)
					sum ^= product(m[i * n + j], inverse[j * n + k]);
				assert_int_equal(sum, i == k);
			}
		memcpy(m + (n - 1) * n, m, n);
		if (n > 1)
			assert_int_equal(gf_invert(m, n), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_those_of_the_field),
		cmocka_unit_test(portable_sums_are_right),
		cmocka_unit_test(fast_sums_are_right),
		cmocka_unit_test(matrices_are_inverted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
