#include "tests/unit/unit.h"

#include "reader/ranges.h"

enum { SPACE = 2000 };

static bool holds(const struct ranges *r, uint64_t n)
{
	const struct range *found = ranges_find(r, n, n + 1);

	return found && found->begin <= n && n < found->end;
}

static void check_shape(const struct ranges *r)
{
	assert_true(r->count <= RANGES_MAX);
	for (size_t i = 0; i < r->count; i++) {
		assert_true(r->range[i].begin < r->range[i].end);
		assert_true(i == 0 || r->range[i - 1].end < r->range[i].begin);
	}
}

static void a_set_is_a_set(void **state)
{
	struct ranges *r = calloc(1, sizeof *r);
	bool in[SPACE] = {false};

	(void)state;
	srand(2);
	for (int i = 0; i < 300; i++) {
		unsigned begin = (unsigned)rand() % (SPACE - 20),
			 end = begin + 1 + (unsigned)rand() % 19;

		ranges_add(r, begin, end);
		for (unsigned n = begin; n < end; n++)
			in[n] = true;
		check_shape(r);
		for (unsigned n = 0; n < SPACE; n++)
			assert_int_equal(holds(r, n), in[n]);
	}
	assert_null(ranges_find(r, 5, 5));
	free(r);
}

/* The first that touches, not any. */
static void the_first_is_found(void **state)
{
	struct ranges *r = calloc(1, sizeof *r);

	(void)state;
	assert_null(ranges_find(r, 0, UINT64_MAX));
	ranges_add(r, 100, 200);
	ranges_add(r, 300, 400);
	assert_null(ranges_find(r, 0, 100));
	assert_int_equal(ranges_find(r, 0, 101)->begin, 100);
	assert_int_equal(ranges_find(r, 199, 1000)->begin, 100);
	assert_int_equal(ranges_find(r, 200, 1000)->begin, 300);
	assert_null(ranges_find(r, 400, 1000));
	free(r);
}

/* Too many: more is held than was given, and never less. */
static void nothing_is_forgotten(void **state)
{
	struct ranges *r = calloc(1, sizeof *r);
	const uint64_t count = 3 * RANGES_MAX;

	(void)state;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t n = i * 7919 % count;

		ranges_add(r, 100 * n, 100 * n + 1 + n % 7);
		assert_true(r->count <= RANGES_MAX);
	}
	check_shape(r);
	for (uint64_t n = 0; n < count; n++)
		assert_true(holds(r, 100 * n + n % 7));
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_a_set),
		cmocka_unit_test(the_first_is_found),
		cmocka_unit_test(nothing_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
