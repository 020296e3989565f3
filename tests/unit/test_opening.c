/* Options that all who open bundles have: what is taken, and what is not. */
#include "tests/unit/unit.h"

#include "common/opening.h"

static void numbers_are_digits_within_a_bound(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.", "a"};
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(opening_number(&n, bad[i], UINT64_MAX));
	assert_false(opening_number(&n, "11", 10));
	assert_false(opening_number(&n, "18446744073709551616", UINT64_MAX));
	assert_false(opening_number(&n, "99999999999999999999999", UINT64_MAX));
	assert_int_equal(n, 7);
	assert_true(opening_number(&n, "0", 0));
	assert_int_equal(n, 0);
	assert_true(opening_number(&n, "0010", 10));
	assert_int_equal(n, 10);
	assert_true(opening_number(&n, "18446744073709551615", UINT64_MAX));
	assert_true(n == UINT64_MAX);
}

static void lists_have_room_for_so_many(void **state)
{
	struct opening o;

	(void)state;
	opening_init(&o);
	for (unsigned i = 0; i < HEADER_MAX_IDENTITIES; i++)
		assert_true(opening_take(&o, OPENING_IDENTITY, "identity"));
	assert_false(opening_take(&o, OPENING_IDENTITY, "one more"));
	assert_int_equal(o.identity_count, HEADER_MAX_IDENTITIES);
	for (unsigned i = 0; i < FORMAT_MAX_VOLUMES; i++)
		assert_true(opening_take(&o, OPENING_VOLUME, "volume"));
	assert_false(opening_take(&o, OPENING_VOLUME, "one more"));
	assert_int_equal(o.volume_count, FORMAT_MAX_VOLUMES);
}

static void what_is_of_no_use_is_not_taken(void **state)
{
	struct opening o;

	(void)state;
	opening_init(&o);
	assert_false(opening_take(&o, OPENING_PASSPHRASE_FD, "2147483648"));
	assert_false(opening_take(&o, OPENING_PASSPHRASE_FD, "2147483647")); /* not open */
	assert_false(opening_take(&o, OPENING_LENGTH, "much"));
	assert_false(opening_take(&o, OPENING_MIN_EDITION, "9223372036854775808"));
	assert_false(opening_take(&o, OPENING_END, "nobody's"));
	assert_false(opening_take(&o, 'q', NULL));
	assert_int_equal(o.passphrase_fd, -1);
	assert_int_equal(o.length, 0);
	assert_true(opening_take(&o, OPENING_PASSPHRASE_FD, "2"));
	assert_int_equal(o.passphrase_fd, 2);
}

static void what_contradicts_is_said(void **state)
{
	const char *which = "untouched";
	struct opening o;

	(void)state;
	opening_init(&o);
	assert_null(opening_flaw(&o, &which));
	opening_take(&o, OPENING_PUBLISHER, "key");
	opening_take(&o, OPENING_PASSPHRASE_FILE, "file");
	assert_null(opening_flaw(&o, &which));
	opening_take(&o, OPENING_ANY_PUBLISHER, NULL);
	assert_string_equal(opening_flaw(&o, &which), "not together");
	assert_string_equal(which, "--publisher, --any-publisher");
	opening_take(&o, OPENING_PASSPHRASE_FD, "0");
	assert_string_equal(opening_flaw(&o, &which), "one passphrase is enough");
	assert_null(which);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_digits_within_a_bound),
		cmocka_unit_test(lists_have_room_for_so_many),
		cmocka_unit_test(what_is_of_no_use_is_not_taken),
		cmocka_unit_test(what_contradicts_is_said),
	};

	return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
