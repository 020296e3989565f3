#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/status.h"

enum { TOPS = 3 };

static struct tree *tree;
static struct way way;

static int setup(void **state)
{
	way = WAY_NONE;
	return unit_enter_folder(state) || tree_new(&tree, false);
}

static int teardown(void **state)
{
	way_end(&way);
	tree_free(tree);
	return unit_leave_folder(state);
}

/* That lies in directory on disk ("" for the current one). */
static uint32_t add_top(const char *directory, const char *name, enum format_kind kind, bool given)
{
	uint32_t number;

	assert_int_equal(tree_add(tree, 0, name, strlen(name), &number), STATUS_OK);
	tree->node[number].kind = kind;
	tree->node[number].given = given;
	if (!tree->base) {
		tree->base = malloc(TOPS * sizeof *tree->base);
		assert_non_null(tree->base);
	}
	tree->base[number - tree->node[0].first_child] = (char *)directory;
	return number;
}

static uint32_t add(uint32_t parent, const char *name, enum format_kind kind)
{
	uint32_t number;

	assert_int_equal(tree_add(tree, parent, name, strlen(name), &number), STATUS_OK);
	tree->node[number].kind = kind;
	return number;
}

/* 0, or errno. */
static int try(uint32_t number)
{
	int fd;

	if (way_open(&way, tree, number, O_RDONLY, &fd))
		return errno;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	return 0;
}

static bool opens(uint32_t number, const char *path)
{
	struct stat there, opened;
	int fd, status = way_open(&way, tree, number, O_RDONLY, &fd);

	if (status)
		return false;
	assert_int_equal(fstat(fd, &opened) | stat(path, &there), 0);
	close(fd);
	return opened.st_ino == there.st_ino;
}

/* 60 names of 250 bytes: four times PATH_MAX. */
static void paths_of_any_length_are_opened(void **state)
{
	char name[251];
	uint32_t at;
	int here = open(".", O_RDONLY | O_DIRECTORY), fd;
	struct stat st, opened;

	(void)state;
	memset(name, 'n', 250);
	name[250] = '\0';
	at = add_top("", name, KIND_DIRECTORY, false);
	assert_int_equal(mkdir(name, 0755) | chdir(name), 0);
	for (int i = 1; i < 60; i++) {
		at = add(at, name, KIND_DIRECTORY);
		assert_int_equal(mkdir(name, 0755) | chdir(name), 0);
	}
	at = add(at, "file", KIND_FILE);
	unit_put("file", "");
	assert_int_equal(stat("file", &st) | fchdir(here), 0);
	assert_int_equal(way_open(&way, tree, at, O_RDONLY, &fd), STATUS_OK);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_true(st.st_ino == opened.st_ino);
	close(fd);
	assert_int_equal(try(add(at, "absent", KIND_FILE)), ENOTDIR);
	close(here);
}

/* What was given is followed, and nothing else, wherever it stands. */
static void no_link_is_followed_but_what_was_given(void **state)
{
	uint32_t given, top, within, file;

	(void)state;
	assert_int_equal(mkdir("d", 0755) | mkdir("d/sub", 0755) | symlink("d", "given") |
	                         symlink("/dev/null", "d/link") | symlink("sub", "d/way"),
	                 0);
	unit_put("d/file", "");
	unit_put("d/sub/file", "");
	given = add_top("", "given", KIND_DIRECTORY, true);
	top = add_top("d", "link", KIND_FILE, false);
	within = add_top("d", "way", KIND_DIRECTORY, false);
	file = add(given, "file", KIND_FILE);
	assert_true(opens(given, "d"));
	assert_true(opens(file, "d/file"));
	assert_int_equal(try(top), ELOOP);
	assert_int_equal(try(add(given, "link", KIND_FILE)), ELOOP);
	assert_int_equal(try(add(within, "file", KIND_FILE)), ENOTDIR);
	assert_true(opens(file, "d/file"));
	assert_true(opens(given, "d"));
}

/* One that is replaced by a link later. */
static void a_directory_that_becomes_a_link_is_none(void **state)
{
	uint32_t top, sub, file;

	(void)state;
	assert_int_equal(mkdir("d", 0755) | mkdir("d/sub", 0755) | mkdir("other", 0755), 0);
	unit_put("d/sub/file", "");
	unit_put("other/file", "");
	top = add_top("", "d", KIND_DIRECTORY, true);
	sub = add(top, "sub", KIND_DIRECTORY);
	file = add(sub, "file", KIND_FILE);
	assert_true(opens(file, "d/sub/file"));
	way_end(&way);
	assert_int_equal(rename("d/sub", "was") | symlink("../other", "d/sub"), 0);
	assert_int_equal(try(file), ENOTDIR);
	assert_int_equal(try(sub), ELOOP);
}

/* From everywhere to everywhere. */
static void any_order_will_do(void **state)
{
	static const char *const path[] = {"a",     "b",     "x/c",     "a/f",    "a/d",
	                                   "b/d",   "x/c/f", "a/d/f",   "a/d/g",  "b/d/e",
	                                   "x/c/d", "b/d/f", "b/d/e/f", "x/c/d/f"};
	uint32_t a, b, c, ad, bd, cd, number[sizeof path / sizeof *path];

	(void)state;
	assert_int_equal(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("x", 0755) |
	                         mkdir("x/c", 0755) | mkdir("a/d", 0755) | mkdir("b/d", 0755) |
	                         mkdir("b/d/e", 0755) | mkdir("x/c/d", 0755),
	                 0);
	for (size_t i = 0; i < sizeof path / sizeof *path; i++)
		if (strchr("fg", path[i][strlen(path[i]) - 1]))
			unit_put(path[i], "");
	number[0] = a = add_top("", "a", KIND_DIRECTORY, true);
	number[1] = b = add_top("", "b", KIND_DIRECTORY, false);
	number[2] = c = add_top("x", "c", KIND_DIRECTORY, false);
	number[3] = add(a, "f", KIND_FILE);
	number[4] = ad = add(a, "d", KIND_DIRECTORY);
	number[5] = bd = add(b, "d", KIND_DIRECTORY);
	number[6] = add(c, "f", KIND_FILE);
	number[10] = cd = add(c, "d", KIND_DIRECTORY);
	number[7] = add(ad, "f", KIND_FILE);
	number[8] = add(ad, "g", KIND_FILE);
	number[9] = add(bd, "e", KIND_DIRECTORY);
	number[11] = add(bd, "f", KIND_FILE);
	number[13] = add(cd, "f", KIND_FILE);
	number[12] = add(number[9], "f", KIND_FILE);
	for (int i = 0; i < 2000; i++) {
		uint32_t it = randombytes_uniform(sizeof path / sizeof *path);

		assert_true(opens(number[it], path[it]));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_of_any_length_are_opened),
		TEST(no_link_is_followed_but_what_was_given),
		TEST(a_directory_that_becomes_a_link_is_none),
		TEST(any_order_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
