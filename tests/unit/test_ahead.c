#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "bundler/ahead.h"
#include "bundler/spill.h"
#include "bundler/tree.h"
#include "common/arena.h"
#include "common/status.h"

enum { COUNT = 2000 }; /* more than is under way at any time */

static struct tree *tree;
static struct ahead *ahead;

static int setup(void **state)
{
	(void)state;
	return tree_new(&tree, false);
}

static int teardown(void **state)
{
	(void)state;
	ahead_end(ahead);
	ahead = NULL;
	tree_free(tree);
	return 0;
}

/* A file that was seen with that many bytes. */
static uint32_t add(const char *name, uint64_t size)
{
	uint32_t number;

	assert_int_equal(tree_add(tree, 0, name, strlen(name), &number), STATUS_OK);
	tree->node[number].kind = KIND_FILE;
	tree->node[number].size = size;
	return number;
}

static void holds(struct ahead_file read, const char *text)
{
	char bytes[64];

	assert_non_null(read.opened.loaded);
	assert_int_equal(read.origin.size, strlen(text));
	assert_int_equal(origin_read(&read.opened, bytes, strlen(text), 0), STATUS_OK);
	assert_memory_equal(bytes, text, strlen(text));
	assert_true(origin_unchanged(&read.opened, &read.origin));
}

/* What was read stays what it was, whatever comes of the file. */
static void all_of_them_in_order(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		sprintf(name, "%04u", i);
		unit_put(name, name);
		add(name, 4);
	}
	assert_int_equal(ahead_new(&ahead, tree), STATUS_OK);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct ahead_file *read = ahead_next(ahead);

		assert_int_equal(read->node, i + 1);
		sprintf(name, "%04u", i);
		unit_put(name, "another");
		holds(*read, name);
		tree_drop(tree, read->node);
	}
	assert_null(ahead_next(ahead));
	assert_null(ahead_next(ahead));
}

/* Those are for who takes them. */
static void what_is_not_read(void **state)
{
	static char large[AHEAD_SMALL + 2];

	(void)state;
	memset(large, 'x', AHEAD_SMALL + 1);
	unit_put("a", "");
	add("a", 0);
	unit_put("b grown", "longer");
	add("b grown", 3);
	unit_put("c large", large);
	add("c large", AHEAD_SMALL + 1);
	add("d missing", 5);
	assert_int_equal(mkfifo("e pipe", 0600), 0);
	add("e pipe", 0);
	tree->node[add("f dropped", 1)].dropped = 1;
	tree->node[add("g directory", 0)].kind = KIND_DIRECTORY;
	unit_put("h shrunk", "less");
	add("h shrunk", 9);
	assert_int_equal(ahead_new(&ahead, tree), STATUS_OK);
	holds(*ahead_next(ahead), "");
	for (uint32_t number = 2; number <= 5; number++) {
		const struct ahead_file *read = ahead_next(ahead);

		assert_int_equal(read->node, number);
		assert_null(read->opened.loaded);
		assert_int_equal(read->opened.fd, -1);
	}
	holds(*ahead_next(ahead), "less");
	assert_null(ahead_next(ahead));
}

static void what_an_archive_gave(void **state)
{
	struct arena *arena;
	struct spill *kept;

	(void)state;
	assert_int_equal(arena_new(&arena, 65536, true), STATUS_OK);
	assert_int_equal(spill_new(&kept, arena, 1 << 20, "."), STATUS_OK);
	assert_int_equal(tree_keep(tree, kept), STATUS_OK);
	unit_put("a", "on disk");
	add("a", 7);
	tree->kept_at[add("b", 7)] = 0;
	assert_int_equal(ahead_new(&ahead, tree), STATUS_OK);
	holds(*ahead_next(ahead), "on disk");
	assert_null(ahead_next(ahead)->opened.loaded);
	assert_null(ahead_next(ahead));
	ahead_end(ahead);
	ahead = NULL;
	tree_free(tree);
	tree = NULL;
	arena_free(arena);
}

static void nothing_at_all_and_an_early_end(void **state)
{
	(void)state;
	assert_int_equal(ahead_new(&ahead, tree), STATUS_OK);
	assert_null(ahead_next(ahead));
	ahead_end(ahead);
	unit_put("a", "left");
	add("a", 4);
	assert_int_equal(ahead_new(&ahead, tree), STATUS_OK);
	ahead_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_them_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_an_archive_gave, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_at_all_and_an_early_end, setup, teardown),
	};

	return cmocka_run_group_tests_name("ahead", tests, unit_enter_folder, unit_leave_folder);
}
