#include "tests/unit/unit.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "common/arena.h"
#include "common/status.h"

enum { LEN = 1 << 20, NOBODY = 65534 };

/* Locked memory of this process, in KiB. */
static long locked_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		sscanf(line, "VmLck: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/* Does the mapping that p lies in carry the flag, as smaps names it? */
static bool has_flag(const void *p, const char *flag)
{
	char line[512];
	bool inside = false, found = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof line, f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (unsigned long)p >= from && (unsigned long)p < to;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag);
	}
	if (f)
		fclose(f);
	return found;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static void memory_is_locked_and_kept_out_of_cores_and_children(void **state)
{
	struct arena *arena = NULL;
	long before = locked_kib();
	void *p;

	if (unit_sanitized())
		skip();
	assert_int_equal(arena_new(&arena, LEN, false), STATUS_OK);
	assert_true(arena_locked(arena));
	assert_int_equal(locked_kib() - before, LEN / 1024);
	p = arena_alloc(arena, 1);
	assert_true(has_flag(p, " lo"));
	assert_true(has_flag(p, " dd"));
	assert_true(has_flag(p, " wf"));
	/* Never put together anew, which would leave a copy behind. */
	assert_true(has_flag(p, " nh"));
	/* The control: an ordinary page has none of them. */
	assert_false(has_flag(state, " dd"));
	arena_free(arena);
	assert_int_equal(locked_kib(), before);
}

static void allocations_are_aligned_zero_and_bounded(void **state)
{
	struct arena *arena = NULL;
	uint8_t *a, *b;

	(void)state;
	assert_int_equal(arena_new(&arena, 4096, false), STATUS_OK);
	assert_int_equal(arena_room(arena), 4096);
	a = arena_alloc(arena, 1);
	b = arena_alloc(arena, 100);
	assert_int_equal((uintptr_t)a % 64, 0);
	assert_ptr_equal(b, a + 64);
	assert_true(all_zero(a, 4096));
	assert_int_equal(arena_room(arena), 4096 - 64 - 128);
	assert_null(arena_alloc(arena, 4096 - 64 - 128 + 1));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_non_null(arena_alloc(arena, 4096 - 64 - 128));
	assert_int_equal(arena_room(arena), 0);
	assert_null(arena_alloc(arena, 1));
	arena_free(arena);
}

static void pages_are_their_own_and_bounded(void **state)
{
	struct arena *arena;
	uint8_t *a, *b;

	(void)state;
	assert_int_equal(arena_new(&arena, 4 * ARENA_PAGE, true), STATUS_OK);
	assert_non_null(arena_alloc(arena, 1));
	a = arena_alloc_page(arena, 100);
	b = arena_alloc_page(arena, ARENA_PAGE);
	assert_int_equal((uintptr_t)a % ARENA_PAGE, 0);
	assert_ptr_equal(b, a + ARENA_PAGE);
	assert_null(arena_alloc_page(arena, ARENA_PAGE + 1));
	assert_null(arena_alloc_page(arena, SIZE_MAX));
	assert_int_equal(arena_room(arena), ARENA_PAGE);
	assert_ptr_equal(arena_alloc_page(arena, ARENA_PAGE), b + ARENA_PAGE);
	assert_null(arena_alloc_page(arena, 1));
	arena_free(arena);
}

static void sizes_are_rounded_up_and_limited(void **state)
{
	struct arena *arena = NULL;

	(void)state;
	assert_int_equal(arena_new(&arena, 0, true), STATUS_NOMEM);
	assert_int_equal(arena_new(&arena, ARENA_MAX_BYTES + 1, true), STATUS_NOMEM);
	assert_null(arena);
	assert_int_equal(arena_new(&arena, 1, false), STATUS_OK);
	assert_int_equal(arena_room(arena), sysconf(_SC_PAGESIZE));
	arena_free(arena);
	assert_int_equal(arena_new(&arena, ARENA_MAX_BYTES, false), STATUS_OK);
	arena_free(arena);
	arena_free(NULL);
}

static void wiping_leaves_zeros_where_they_can_be_read(void **state)
{
	struct arena *arena = NULL;
	uint8_t *p;

	(void)state;
	assert_int_equal(arena_new(&arena, LEN, false), STATUS_OK);
	p = arena_alloc(arena, LEN);
	memset(p, 0x5a, LEN);
	arena_wipe(arena);
	assert_true(all_zero(p, LEN));
	arena_free(arena);
}

static void all_that_there_are_can_be_wiped(void **state)
{
	struct arena *arena[ARENA_MOST + 1] = {NULL};
	uint8_t *p[ARENA_MOST];

	(void)state;
	for (size_t i = 0; i < ARENA_MOST; i++) {
		assert_int_equal(arena_new(&arena[i], LEN, true), STATUS_OK);
		p[i] = arena_alloc(arena[i], LEN);
		memset(p[i], 0x5a, LEN);
	}
	assert_int_equal(arena_new(&arena[ARENA_MOST], LEN, true), STATUS_NOMEM);
	assert_null(arena[ARENA_MOST]);
	arena_free(arena[2]);
	assert_int_equal(arena_new(&arena[2], LEN, true), STATUS_OK);
	p[2] = arena_alloc(arena[2], LEN);
	memset(p[2], 0x5a, LEN);
	arena_wipe_all();
	for (size_t i = 0; i < ARENA_MOST; i++) {
		assert_true(all_zero(p[i], LEN));
		arena_free(arena[i]);
	}
	arena_wipe_all();
}

static void a_child_sees_zeros(void **state)
{
	struct arena *arena = NULL;
	uint8_t *p;
	pid_t pid;

	(void)state;
	assert_int_equal(arena_new(&arena, 4096, false), STATUS_OK);
	p = arena_alloc(arena, 4096);
	memset(p, 0x5a, 4096);
	pid = fork();
	if (pid == 0)
		_exit(all_zero(p, 4096) ? 0 : 1);
	assert_int_equal(unit_wait(pid), 0);
	assert_false(all_zero(p, 4096));
	arena_free(arena);
}

static void unlocked_memory_only_where_allowed(void)
{
	const struct rlimit none = {0, 0};
	struct arena *arena = NULL;
	uint8_t *p;

	MUST(!setrlimit(RLIMIT_MEMLOCK, &none));
	MUST(geteuid() != 0 || !seteuid(NOBODY));
	errno = 0;
	MUST(arena_new(&arena, LEN, false) == STATUS_UNLOCKED);
	MUST(errno == EPERM || errno == ENOMEM || errno == EAGAIN);
	MUST(!arena);
	MUST(arena_new(&arena, LEN, true) == STATUS_OK);
	MUST(!arena_locked(arena));
	p = arena_alloc(arena, LEN);
	MUST(p && all_zero(p, LEN));
	MUST(has_flag(p, " dd"));
	MUST(!has_flag(p, " lo"));
	memset(p, 1, LEN);
	arena_free(arena);
}

static void where_locking_is_refused(void **state)
{
	(void)state;
	if (unit_sanitized())
		skip();
	assert_int_equal(unit_in_child(unlocked_memory_only_where_allowed), 0);
}

static void hardened(void)
{
	struct rlimit core;

	MUST(prctl(PR_GET_DUMPABLE) == 1);
	arena_harden_process();
	MUST(prctl(PR_GET_DUMPABLE) == 0);
	MUST(!getrlimit(RLIMIT_CORE, &core));
	MUST(core.rlim_cur == 0 && core.rlim_max == 0);
}

static void a_hardened_process_leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(hardened), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_locked_and_kept_out_of_cores_and_children),
		cmocka_unit_test(allocations_are_aligned_zero_and_bounded),
		cmocka_unit_test(pages_are_their_own_and_bounded),
		cmocka_unit_test(sizes_are_rounded_up_and_limited),
		cmocka_unit_test(wiping_leaves_zeros_where_they_can_be_read),
		cmocka_unit_test(all_that_there_are_can_be_wiped),
		cmocka_unit_test(a_child_sees_zeros),
		cmocka_unit_test(where_locking_is_refused),
		cmocka_unit_test(a_hardened_process_leaves_no_core),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
