#include "tests/unit/unit.h"

#include "common/amount.h"
#include "common/drive.h"

static const char *of(uint64_t bytes)
{
	static char out[AMOUNT_ROOM];

	amount_of_bytes(out, bytes);
	return out;
}

static const char *needed(uint64_t bytes)
{
	static char out[AMOUNT_ROOM];

	amount_needed(out, bytes);
	return out;
}

static void what_is_there_is_rounded_down(void **state)
{
	(void)state;
	assert_string_equal(of(0), "0 bytes");
	assert_string_equal(of(1), "1 byte");
	assert_string_equal(of(999), "999 bytes");
	assert_string_equal(of(1000), "1.0 kB");
	assert_string_equal(of(999999), "999.9 kB");
	assert_string_equal(of(DRIVE_FAT_LONGEST), "4.2 GB");
	assert_string_equal(of(UINT64_MAX), "18.4 EB");
}

static void what_is_needed_is_rounded_up(void **state)
{
	(void)state;
	assert_string_equal(needed(0), "0 bytes");
	assert_string_equal(needed(999), "999 bytes");
	assert_string_equal(needed(1000), "1.0 kB");
	assert_string_equal(needed(1001), "1.1 kB");
	assert_string_equal(needed(10001), "10.1 kB");
	assert_string_equal(needed(999901), "1.0 MB");
	assert_string_equal(needed(UINT64_C(4200000000)), "4.2 GB");
	assert_string_equal(needed(DRIVE_FAT_LONGEST + UINT64_C(1)), "4.3 GB");
	assert_string_equal(needed(UINT64_MAX - UINT64_MAX % 100000000000000000), "18.4 EB");
}

static void one_byte_more_is_seen(void **state)
{
	(void)state;
	for (uint64_t bytes = 1; bytes < UINT64_C(1) << 62; bytes = bytes * 3 + 1)
		assert_string_not_equal(of(bytes), needed(bytes + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_rounded_down),
		cmocka_unit_test(what_is_needed_is_rounded_up),
		cmocka_unit_test(one_byte_more_is_seen),
	};

	return cmocka_run_group_tests_name("amount", tests, NULL, NULL);
}
