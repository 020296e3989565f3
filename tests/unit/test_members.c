/* Names as archives give them: in any order, more than once, and not always meant
 * well. */
#include "tests/unit/unit.h"

#include "bundler/members.h"
#include "bundler/scan.h"
#include "common/format.h"
#include "common/status.h"

static struct members *members;
static const char *const pattern[] = {"*.tmp", "a/secret"};
static const struct scan_options options = {.exclude = pattern, .exclude_count = 2};

static int setup(void **state)
{
	(void)state;
	return members_new(&members, &options);
}

static int teardown(void **state)
{
	(void)state;
	members_free(members);
	return 0;
}

/* The cleaned path, or why there is none. */
static const char *clean(const char *path)
{
	static char out[FORMAT_PATH + 1];
	const char *why = members_clean(path, out, sizeof out);

	return why ? why : out;
}

static uint32_t add(const char *path, enum format_kind kind)
{
	const struct member_file file = {.kind = (uint8_t)kind};
	const char *why;
	uint32_t number;

	assert_int_equal(members_add(members, path, 0, &number, &why), STATUS_OK);
	if (why)
		return 0;
	if (kind != KIND_DIRECTORY || members_get(members, number)->file == MEMBERS_NONE)
		assert_int_equal(members_set(members, number, &file), STATUS_OK);
	return number;
}

static void paths_are_cleaned(void **state)
{
	char longest[300];

	(void)state;
	assert_string_equal(clean("a/b"), "a/b");
	assert_string_equal(clean("./a//b/."), "a/b");
	assert_string_equal(clean("///a/"), "a");
	assert_string_equal(clean("./"), "");
	assert_string_equal(clean(""), "");
	assert_string_equal(clean("..."), "...");
	assert_string_equal(clean("a/.."), "would lie outside of the bundle");
	assert_string_equal(clean(".."), "would lie outside of the bundle");
	memset(longest, 'x', sizeof longest);
	longest[255] = '\0';
	assert_string_equal(clean(longest), longest);
	longest[255] = 'x';
	longest[256] = '\0';
	assert_string_equal(clean(longest), "a part of its name is longer than 255 bytes");
}

static void a_path_has_room(void **state)
{
	static char path[2 * FORMAT_PATH];

	(void)state;
	for (size_t i = 0; i < FORMAT_PATH; i++)
		path[i] = i % 2 ? '/' : 'x';
	path[FORMAT_PATH] = '\0';
	assert_string_equal(clean(path), path);
	strcat(path, "y");
	assert_string_equal(clean(path), "its path is longer than a bundle can hold");
}

static void what_is_missing_is_made(void **state)
{
	uint32_t number = add("p/q/r", KIND_FILE), parent;

	(void)state;
	assert_true(number && members_find(members, "p/q/r") == number);
	assert_int_equal(members_find(members, "p/q/s"), 0);
	assert_int_equal(members_find(members, "p/q/r/s"), 0);
	parent = members_get(members, number)->parent;
	assert_int_equal(members_find(members, "p/q"), parent);
	assert_true(members_file(members, parent)->invented);
	assert_string_equal(members_name(members, parent), "q");
}

static void what_stands_in_the_way_is_said(void **state)
{
	const char *why;
	uint32_t number;

	(void)state;
	add("file", KIND_FILE);
	add("link", KIND_SYMLINK);
	assert_int_equal(members_add(members, "file/x", 0, &number, &why), STATUS_OK);
	assert_string_equal(why, "would lie in a file of the archive");
	assert_int_equal(members_add(members, "link/x/y", 0, &number, &why), STATUS_OK);
	assert_string_equal(why, "would lie behind a symbolic link of the archive");
	assert_int_equal(members_find(members, "link/x"), 0);
}

static void names_and_files_are_counted(void **state)
{
	uint32_t a = add("one", KIND_FILE), b = add("two", KIND_FILE);
	uint32_t first = members_get(members, a)->file;

	(void)state;
	members_link(members, b, first);
	assert_int_equal(members_file(members, a)->names, 2);
	assert_int_equal(members_get(members, b)->file, first);
	members_link(members, b, first);
	assert_int_equal(members_file(members, a)->names, 2);
	add("one", KIND_FILE);
	assert_int_equal(members_file(members, b)->names, 1);
	assert_true(members_get(members, a)->file != first);
}

static void patterns_exclude_what_is_below(void **state)
{
	(void)state;
	assert_false(members_get(members, add("a/open", KIND_FILE))->excluded);
	assert_true(members_get(members, add("a/secret/deep/er", KIND_FILE))->excluded);
	assert_true(members_get(members, add("b/x.tmp", KIND_FILE))->excluded);
	assert_false(members_get(members, add("b/secret", KIND_FILE))->excluded);
}

static void many_are_found_again(void **state)
{
	enum { MANY = 50000 };
	char path[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		sprintf(path, "many/%d/%d", i % 100, i);
		assert_true(add(path, KIND_FILE) != 0);
	}
	for (int i = 0; i < MANY; i++) {
		sprintf(path, "many/%d/%d", i % 100, i);
		assert_true(members_find(members, path) != 0);
		sprintf(path, "many/%d/%d", (i + 1) % 100, i);
		assert_int_equal(members_find(members, path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_cleaned),
		cmocka_unit_test(a_path_has_room),
		cmocka_unit_test(what_is_missing_is_made),
		cmocka_unit_test(what_stands_in_the_way_is_said),
		cmocka_unit_test(names_and_files_are_counted),
		cmocka_unit_test(patterns_exclude_what_is_below),
		cmocka_unit_test(many_are_found_again),
	};

	return cmocka_run_group_tests_name("members", tests, setup, teardown);
}
