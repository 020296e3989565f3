#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "common/arena.h"
#include "common/cache.h"
#include "common/format.h"
#include "common/status.h"

enum { SLOTS = 4, THREADS = 4, ROUNDS = 3000, KEYS = 9 };

static struct arena *arena;
static struct cache *cache;

static int setup(void **state)
{
	(void)state;
	return arena_new(&arena, cache_size(SLOTS), true) || cache_new(&cache, arena, SLOTS);
}

static int teardown(void **state)
{
	(void)state;
	cache_free(cache);
	arena_free(arena);
	return 0;
}

/* Put key there, as a reader would. */
static void fill(uint64_t key, enum cache_want want)
{
	struct cache_slot *slot;

	assert_int_equal(cache_pin(cache, key, want, &slot), CACHE_FILL);
	slot->bytes[0] = (uint8_t)key;
	slot->bytes[FORMAT_FRAME - 1] = (uint8_t)key;
	assert_int_equal(cache_filled(cache, slot, STATUS_OK), STATUS_OK);
	cache_unpin(cache, slot);
}

static bool holds(uint64_t key)
{
	struct cache_slot *slot;

	if (cache_pin(cache, key, CACHE_PEEK, &slot) != CACHE_READY)
		return false;
	assert_int_equal(slot->bytes[0], key);
	cache_unpin(cache, slot);
	return true;
}

static void what_was_filled_is_found(void **state)
{
	(void)state;
	assert_false(holds(1));
	fill(1, CACHE_GET);
	assert_true(holds(1));
	assert_false(holds(2));
}

static void the_oldest_gives_way(void **state)
{
	(void)state;
	for (uint64_t key = 1; key <= SLOTS; key++)
		fill(key, CACHE_GET);
	assert_true(holds(1)); /* used again */
	fill(SLOTS + 1, CACHE_GET);
	assert_true(holds(1));
	assert_false(holds(2));
	assert_true(holds(3));
}

static void what_is_pinned_stays(void **state)
{
	struct cache_slot *pinned;

	(void)state;
	fill(1, CACHE_GET);
	assert_int_equal(cache_pin(cache, 1, CACHE_GET, &pinned), CACHE_READY);
	for (uint64_t key = 2; key < 20; key++)
		fill(key, CACHE_GET);
	assert_int_equal(pinned->bytes[0], 1);
	assert_true(holds(1));
	cache_unpin(cache, pinned);
}

static void what_could_not_be_filled_is_not_there(void **state)
{
	struct cache_slot *slot;

	(void)state;
	assert_int_equal(cache_pin(cache, 1, CACHE_GET, &slot), CACHE_FILL);
	assert_int_equal(cache_filled(cache, slot, STATUS_DAMAGED), STATUS_DAMAGED);
	assert_false(holds(1));
	fill(1, CACHE_GET);
	assert_true(holds(1));
}

static void what_is_being_filled_is_busy(void **state)
{
	struct cache_slot *slot, *other;

	(void)state;
	assert_int_equal(cache_pin(cache, 1, CACHE_GET, &slot), CACHE_FILL);
	assert_int_equal(cache_pin(cache, 1, CACHE_PEEK, &other), CACHE_BUSY);
	assert_int_equal(cache_pin(cache, 1, CACHE_AHEAD, &other), CACHE_BUSY);
	cache_filled(cache, slot, STATUS_OK);
	assert_int_equal(cache_pin(cache, 1, CACHE_AHEAD, &other), CACHE_BUSY);
	cache_unpin(cache, slot);
}

/* Reading ahead takes at most half of the slots, until they are asked for. */
static void ahead_is_bounded(void **state)
{
	struct cache_slot *slot;

	(void)state;
	for (uint64_t key = 1; key <= SLOTS / 2; key++)
		fill(key, CACHE_AHEAD);
	assert_int_equal(cache_pin(cache, 9, CACHE_AHEAD, &slot), CACHE_MISS);
	assert_true(holds(1));
	fill(9, CACHE_AHEAD);
	assert_true(holds(2));
	assert_true(holds(9));
}

static void *want_another(void *argument)
{
	(void)argument;
	fill(SLOTS + 1, CACHE_GET);
	return NULL;
}

/* One thread has lent all that there is; another one gets the first that comes back. */
static void who_waits_gets_what_is_given_back(void **state)
{
	const struct timespec moment = {.tv_nsec = 50000000};
	struct cache_slot *slot[SLOTS];
	struct timespec soon;
	pthread_t thread;

	(void)state;
	for (uint64_t key = 1; key <= SLOTS; key++)
		fill(key, CACHE_GET);
	for (uint64_t key = 1; key <= SLOTS; key++)
		assert_int_equal(cache_pin(cache, key, CACHE_PEEK, &slot[key - 1]), CACHE_READY);
	assert_int_equal(pthread_create(&thread, NULL, want_another, NULL), 0);
	assert_int_equal(nanosleep(&moment, NULL), 0);
	assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
	cache_unpin(cache, slot[1]);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec += 60;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &soon), 0);
	assert_false(holds(2));
	assert_true(holds(1));
}

static _Atomic unsigned filling[KEYS];

/* Wants one key after another; nobody may be filling what another one fills. */
static void *want_many(void *argument)
{
	uint32_t x = (uint32_t)(uintptr_t)argument;

	for (int i = 0; i < ROUNDS; i++) {
		struct cache_slot *slot;
		uint64_t key;

		x = x * 1664525 + 1013904223;
		key = (x >> 16) % KEYS;
		if (cache_pin(cache, key, CACHE_GET, &slot) == CACHE_FILL) {
			if (atomic_fetch_add(&filling[key], 1))
				return argument;
			memset(slot->bytes, (int)key, 64);
			atomic_fetch_sub(&filling[key], 1);
			if (cache_filled(cache, slot, i % 7 ? STATUS_OK : STATUS_DAMAGED))
				continue;
		}
		for (int at = 0; at < 64; at++)
			if (slot->bytes[at] != key)
				return argument;
		cache_unpin(cache, slot);
	}
	return NULL;
}

static void threads_fill_each_once_and_see_their_own(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, want_many, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(thread[i], &result);
		assert_null(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_filled_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_pinned_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_filled_is_not_there, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(what_is_being_filled_is_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(ahead_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_gets_what_is_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_fill_each_once_and_see_their_own, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
