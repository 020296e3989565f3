#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "bundler/origin.h"
#include "bundler/tree.h"
#include "bundler/twins.h"
#include "bundler/way.h"
#include "common/status.h"

static struct tree *tree;
static struct twins *twins;
static struct way way = {.fd = -1};

/* Files of the tree: node 1 is "1", and so on. */
static void make(const char *const *text, uint32_t count)
{
	char name[12];
	uint32_t number;

	assert_int_equal(tree_new(&tree, false), STATUS_OK);
	for (uint32_t i = 0; i < count; i++) {
		sprintf(name, "%u", i + 1);
		unit_put(name, text[i]);
		assert_int_equal(tree_add(tree, 0, name, strlen(name), &number), STATUS_OK);
		tree->node[number].size = strlen(text[i]);
	}
	assert_int_equal(twins_new(&twins, tree), STATUS_OK);
}

static int teardown(void **state)
{
	(void)state;
	twins_free(twins);
	tree_free(tree);
	return 0;
}

/* Samples are the first two bytes. */
static uint32_t note(uint32_t node)
{
	struct origin origin;
	uint8_t sample[2];
	uint32_t first = 0;
	struct origin_file file;

	assert_int_equal(origin_open(&way, tree, node, &file, &origin), STATUS_OK);
	assert_int_equal(origin_read(&file, sample, sizeof sample, 0), STATUS_OK);
	assert_int_equal(twins_note(twins, &file, &origin, sample, sizeof sample, &first),
	                 STATUS_OK);
	origin_close(&file);
	way_end(&way);
	return first;
}

static void only_where_sizes_meet(void **state)
{
	static const char *const text[] = {"abcd", "", "xyz", "efgh", ""};

	(void)state;
	make(text, 5);
	assert_true(twins_possible(twins, 1));
	assert_false(twins_possible(twins, 2)); /* empty */
	assert_false(twins_possible(twins, 3));
	assert_true(twins_possible(twins, 4));
	assert_false(twins_possible(twins, 0));
}

static void the_same_and_not_the_same(void **state)
{
	static const char *const text[] = {"abcd", "abcd", "abxy", "zzzz", "abxy", "abcd"};

	(void)state;
	make(text, 6);
	assert_int_equal(note(1), 1);
	assert_int_equal(note(2), 1);
	assert_int_equal(note(3), 3); /* the same sample, and another content */
	assert_int_equal(note(4), 4);
	assert_int_equal(note(5), 3);
	assert_int_equal(note(6), 1);
	assert_int_equal(note(1), 1); /* read again, it is not its own twin */
}

static void a_first_one_that_is_gone(void **state)
{
	static const char *const text[] = {"abcd", "abcd", "efgh", "efgh",
	                                   "ijkl", "ijkl", "mnop", "mnop"};

	(void)state;
	make(text, 8);
	for (uint32_t i = 1; i < 8; i += 2)
		assert_int_equal(note(i), i);
	tree_drop(tree, 1);
	assert_int_equal(note(2), 2);
	assert_int_equal(unlink("3"), 0);
	assert_int_equal(note(4), 4);
	unit_put("5.new", "ijkl"); /* the same bytes, and not the file that was staged */
	assert_int_equal(rename("5.new", "5"), 0);
	assert_int_equal(note(6), 6);
	assert_int_equal(note(8), 7);
}

/* More than a handful that only look alike: none is lost, no time either. */
static void many_that_look_alike(void **state)
{
	enum { COUNT = 3000 };
	static char text[COUNT][8];
	const char *list[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		sprintf(text[i], "ab%04d", i / 2);
		list[i] = text[i];
	}
	make(list, COUNT);
	assert_int_equal(note(1), 1);
	assert_int_equal(note(2), 1);
	for (uint32_t i = 3; i <= COUNT; i++)
		assert_in_range(note(i), (i - 1) / 2 * 2 + 1, i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_where_sizes_meet),
		TEST(the_same_and_not_the_same),
		TEST(a_first_one_that_is_gone),
		TEST(many_that_look_alike),
	};

	return sodium_init() < 0 ||
	       cmocka_run_group_tests_name("twins", tests, unit_enter_folder, unit_leave_folder);
}
