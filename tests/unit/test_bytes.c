#include "tests/unit/unit.h"

#include "common/bytes.h"

static void little_endian(void **state)
{
	const uint8_t in[8] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xf8};
	uint8_t out[8] = {0};

	(void)state;
	assert_int_equal(load_le16(in), 0x0201);
	assert_int_equal(load_le32(in), 0x04030201);
	assert_true(load_le64(in) == 0xf807060504030201);
	assert_true(load_le16(in + 6) == 0xf807);
	assert_true(load_le32(in + 4) == 0xf8070605);
	store_le64(out, 0xf807060504030201);
	assert_memory_equal(out, in, 8);
	store_le16(out + 1, 0xaabb);
	store_le32(out + 4, 0xccddeeff);
	assert_memory_equal(out, ((uint8_t[]){0x01, 0xbb, 0xaa, 0x04, 0xff, 0xee, 0xdd, 0xcc}), 8);
}

static void sums_do_not_wrap(void **state)
{
	uint64_t sum = 7;

	(void)state;
	assert_false(add_u64(UINT64_MAX, 1, &sum));
	assert_false(add_u64(1, UINT64_MAX, &sum));
	assert_true(sum == 7);
	assert_true(add_u64(UINT64_MAX - 1, 1, &sum));
	assert_true(sum == UINT64_MAX);
}

static void ranges(void **state)
{
	(void)state;
	assert_true(range_within(0, 10, 10));
	assert_true(range_within(10, 0, 10));
	assert_false(range_within(1, 10, 10));
	assert_false(range_within(11, 0, 10));
	assert_false(range_within(5, UINT64_MAX, 10));
	assert_false(range_within(UINT64_MAX, UINT64_MAX, UINT64_MAX));
}

static void division_rounds_up(void **state)
{
	(void)state;
	assert_true(div_ceil(0, 16) == 0);
	assert_true(div_ceil(16, 16) == 1);
	assert_true(div_ceil(17, 16) == 2);
	assert_true(div_ceil(UINT64_MAX, 2) == (uint64_t)1 << 63);
	assert_true(min_u64(3, UINT64_MAX) == 3);
	assert_true(max_u64(3, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_endian),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(ranges),
		cmocka_unit_test(division_rounds_up),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
