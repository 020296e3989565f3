#include "tests/unit/unit.h"

#include <sodium.h>
#include <string.h>

#include "common/hash4.h"

enum { LEN_MAX = 65536, OFF = 3 /* data need not be aligned */ };

static uint8_t data[HASH4_LANES * LEN_MAX + OFF];

/* Four runs of len bytes, end to end. */
static const uint8_t *const *runs(size_t len)
{
	static const uint8_t *run[HASH4_LANES];

	for (size_t i = 0; i < HASH4_LANES; i++)
		run[i] = data + OFF + i * len;
	return run;
}

static bool is_right(enum hash4_way way, size_t len)
{
	uint8_t out[HASH4_LANES][HASH4_BYTES], sum[64];
	bool right = true;

	hash4_in(way, out, runs(len), len);
	for (size_t i = 0; i < HASH4_LANES; i++) {
		crypto_generichash(sum, sizeof sum, data + OFF + i * len, len, NULL, 0);
		right &= !memcmp(sum, out[i], HASH4_BYTES);
	}
	return right;
}

static void every_way_gives_what_libsodium_does(void **state)
{
	(void)state;
	randombytes_buf(data, sizeof data);
	for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++) {
		for (size_t len = HASH4_BLOCK; len <= 32 * HASH4_BLOCK; len += HASH4_BLOCK)
			assert_true(is_right((enum hash4_way)way, len));
		assert_true(is_right((enum hash4_way)way, LEN_MAX));
	}
}

/* Words at either end of what they can be. */
static void carries_and_bounds(void **state)
{
	(void)state;
	for (int byte = 0; byte <= 0xff; byte += 0xff) {
		memset(data, byte, sizeof data);
		for (int way = HASH4_ONE_BY_ONE; way <= (int)hash4_best(); way++)
			assert_true(is_right((enum hash4_way)way, 2 * HASH4_BLOCK));
	}
}

static void each_lane_sees_its_own_run_alone(void **state)
{
	uint8_t before[HASH4_LANES][HASH4_BYTES], after[HASH4_LANES][HASH4_BYTES];

	(void)state;
	randombytes_buf(data, sizeof data);
	hash4(before, runs(LEN_MAX), LEN_MAX);
	for (size_t i = 0; i < HASH4_LANES; i++) {
		data[OFF + (i + 1) * LEN_MAX - 1] ^= 1;
		hash4(after, runs(LEN_MAX), LEN_MAX);
		data[OFF + (i + 1) * LEN_MAX - 1] ^= 1;
		for (size_t k = 0; k < HASH4_LANES; k++)
			assert_int_equal(memcmp(before[k], after[k], HASH4_BYTES) != 0, k == i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_gives_what_libsodium_does),
		cmocka_unit_test(carries_and_bounds),
		cmocka_unit_test(each_lane_sees_its_own_run_alone),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
