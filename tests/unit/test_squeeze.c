/* One frame, and nothing else that libzstd would take. */
#include "tests/unit/unit.h"

#include "common/arena.h"
#include "common/format.h"
#include "common/squeeze.h"
#include "common/status.h"

static void a_frame_comes_back_and_only_with_its_own_length(void **state)
{
	uint8_t plain[5000], frame[5000], out[5001];
	struct arena *arena = NULL;
	struct expander *e = NULL;
	struct squeezer *s = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i * i >> 8);
	assert_int_equal(arena_new(&arena, expander_size(), true), STATUS_OK);
	assert_int_equal(expander_new(&e, arena), STATUS_OK);
	assert_int_equal(squeezer_new(&s, 3), STATUS_OK);
	len = squeezer_run(s, frame, plain, sizeof plain);
	assert_true(len > 0 && len < sizeof plain);
	assert_int_equal(expander_run(e, out, sizeof plain, frame, len), STATUS_OK);
	assert_memory_equal(out, plain, sizeof plain);
	assert_int_equal(expander_run(e, out, sizeof plain + 1, frame, len), STATUS_INVALID);
	assert_int_equal(expander_run(e, out, sizeof plain, frame, len - 1), STATUS_INVALID);
	assert_int_equal(expander_run(e, out, sizeof plain, frame, 3), STATUS_INVALID);
	frame[0] ^= 1;
	assert_int_equal(expander_run(e, out, sizeof plain, frame, len), STATUS_INVALID);
	squeezer_free(s);
	arena_free(arena);
}

static void what_gets_no_shorter_is_left(void **state)
{
	uint8_t plain[64], frame[64];
	struct squeezer *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(i * 167 + i * i * 31);
	assert_int_equal(squeezer_new(&s, 19), STATUS_OK);
	assert_int_equal(squeezer_run(s, frame, plain, sizeof plain), 0);
	assert_int_equal(squeezer_run(s, frame, plain, 1), 0);
	assert_int_equal(squeezer_run(s, frame, plain, 0), 0);
	squeezer_free(s);
	squeezer_free(NULL);
}

static void an_expander_stays_within_its_arena(void **state)
{
	size_t room[] = {64, expander_size() / 2};

	(void)state;
	for (size_t i = 0; i < sizeof room / sizeof *room; i++) {
		struct expander *e = NULL;
		struct arena *arena = NULL;

		assert_int_equal(arena_new(&arena, room[i], true), STATUS_OK);
		assert_int_equal(expander_new(&e, arena), STATUS_NOMEM);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_back_and_only_with_its_own_length),
		cmocka_unit_test(what_gets_no_shorter_is_left),
		cmocka_unit_test(an_expander_stays_within_its_arena),
	};

	return cmocka_run_group_tests_name("squeeze", tests, NULL, NULL);
}
