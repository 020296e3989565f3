/* One line for each file that cannot be read, not before its time. */
#include "tests/unit/unit.h"

#include "common/status.h"
#include "fusefs/reports.h"

enum { HOUR_MS = 3600000, MANY = 3000 };

static struct reports *made(unsigned hold_ms)
{
	struct reports *r = NULL;

	assert_int_equal(reports_new(&r, hold_ms), STATUS_OK);
	return r;
}

static void a_file_is_told_of_once(void **state)
{
	struct reports *r = made(0);
	struct report got;

	(void)state;
	assert_false(reports_has_due(r));
	assert_false(reports_take(r, true, &got));
	reports_add(r, 7, STATUS_DAMAGED);
	reports_add(r, 8, STATUS_VOLUME);
	reports_add(r, 7, STATUS_VOLUME);
	assert_true(reports_has_due(r));
	assert_true(reports_take(r, false, &got));
	assert_int_equal(got.entry, 7);
	assert_int_equal(got.status, STATUS_DAMAGED);
	assert_true(reports_take(r, false, &got));
	assert_int_equal(got.entry, 8);
	assert_int_equal(got.status, STATUS_VOLUME);
	reports_add(r, 8, STATUS_DAMAGED);
	assert_false(reports_has_due(r));
	assert_false(reports_take(r, true, &got));
	free(r);
}

static void what_is_held_back_waits_for_its_time_or_the_end(void **state)
{
	struct reports *r = made(HOUR_MS);
	struct report got;

	(void)state;
	reports_add(r, 1, STATUS_DAMAGED);
	assert_false(reports_has_due(r));
	assert_false(reports_take(r, false, &got));
	assert_true(reports_take(r, true, &got));
	assert_int_equal(got.entry, 1);
	assert_false(reports_take(r, true, &got));
	free(r);
}

/* Nothing is told twice as long as it is remembered, and who found no room comes with a later
 * failure. */
static void where_there_is_no_room_it_comes_later(void **state)
{
	struct reports *r = made(0);
	bool told[MANY] = {false};
	struct report got;

	(void)state;
	for (int round = 0; round < MANY; round++) {
		unsigned before = 0;

		for (uint32_t i = 0; i < MANY; i++)
			reports_add(r, i, STATUS_DAMAGED);
		while (reports_take(r, false, &got)) {
			assert_true(got.entry < MANY && !told[got.entry]);
			told[got.entry] = true;
			before++;
		}
		if (!before)
			break;
	}
	for (int i = 0; i < MANY; i++)
		assert_true(told[i]);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_told_of_once),
		cmocka_unit_test(what_is_held_back_waits_for_its_time_or_the_end),
		cmocka_unit_test(where_there_is_no_room_it_comes_later),
	};

	return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
