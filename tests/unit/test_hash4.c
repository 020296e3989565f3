#include "tests/unit/unit.h"

#include <sodium.h>
#include <string.h>

#include "common/hash4.h"

enum { RUNS = 23, LEN_MAX = 65536 };

static uint8_t data[RUNS * LEN_MAX];
static uint8_t digest[RUNS][HASH4_BYTES];
static struct hash4_run runs[RUNS];

/* Run number i, up to the end of its place; that of number 0 is the last one there is. */
static void lay(size_t i, size_t len)
{
	runs[i] = (struct hash4_run){data + sizeof data - i * LEN_MAX - len, len, digest[i]};
}

/* Are those of the first count runs right, and is nothing else written? */
static bool are_right(enum hash4_way way, size_t count)
{
	bool right = true;

	memset(digest, 0, sizeof digest);
	hash4_in(way, runs, count);
	for (size_t i = 0; i < RUNS; i++) {
		uint8_t sum[64] = {0};

		if (i < count)
			crypto_generichash(sum, sizeof sum, runs[i].data, runs[i].len, NULL, 0);
		right &= !memcmp(sum, digest[i], HASH4_BYTES);
	}
	return right;
}

static void every_length_in_every_way(void **state)
{
	(void)state;
	randombytes_buf(data, sizeof data);
	for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++) {
		for (size_t len = 0; len <= 8 * HASH4_BLOCK; len++) {
			for (size_t i = 0; i < HASH4_LANES; i++)
				lay(i, len);
			assert_true(are_right((enum hash4_way)way, HASH4_LANES));
		}
		lay(0, LEN_MAX);
		assert_true(are_right((enum hash4_way)way, 1));
	}
}

static void any_lengths_beside_each_other(void **state)
{
	(void)state;
	randombytes_buf(data, sizeof data);
	for (int round = 0; round < 400; round++) {
		uint32_t most = 1U << randombytes_uniform(17);

		for (size_t i = 0; i < RUNS; i++)
			lay(i, randombytes_uniform(most + 1));
		for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++)
			assert_true(are_right((enum hash4_way)way, randombytes_uniform(RUNS + 1)));
	}
}

static void a_long_one_among_short_ones(void **state)
{
	(void)state;
	randombytes_buf(data, sizeof data);
	for (size_t which = 0; which < RUNS; which++) {
		for (size_t i = 0; i < RUNS; i++)
			lay(i, i == which ? LEN_MAX : i);
		for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++)
			assert_true(are_right((enum hash4_way)way, RUNS));
	}
}

/* Words at either end of what they can be. */
static void carries_and_bounds(void **state)
{
	(void)state;
	for (int byte = 0; byte <= 0xff; byte += 0xff) {
		memset(data, byte, sizeof data);
		for (size_t i = 0; i < RUNS; i++)
			lay(i, 2 * HASH4_BLOCK);
		for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++)
			assert_true(are_right((enum hash4_way)way, RUNS));
	}
}

static void nothing_at_all(void **state)
{
	(void)state;
	for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++) {
		for (size_t i = 0; i < HASH4_LANES; i++)
			runs[i] = (struct hash4_run){NULL, 0, digest[i]};
		assert_true(are_right((enum hash4_way)way, HASH4_LANES));
	}
	hash4(NULL, 0);
}

/* Whichever way that is. */
static void as_a_caller_does(void **state)
{
	static const size_t lens[][2] = {{LEN_MAX, 0}, {LEN_MAX, 1}, {LEN_MAX, LEN_MAX}, {0, 0}};

	(void)state;
	randombytes_buf(data, sizeof data);
	for (size_t n = 0; n < sizeof lens / sizeof *lens; n++) {
		uint8_t sum[64];

		lay(0, lens[n][0]);
		lay(1, lens[n][1]);
		hash4(runs, 2);
		for (size_t i = 0; i < 2; i++) {
			crypto_generichash(sum, sizeof sum, runs[i].data, runs[i].len, NULL, 0);
			assert_memory_equal(digest[i], sum, HASH4_BYTES);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_in_every_way),
		cmocka_unit_test(any_lengths_beside_each_other),
		cmocka_unit_test(a_long_one_among_short_ones),
		cmocka_unit_test(carries_and_bounds),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(as_a_caller_does),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
