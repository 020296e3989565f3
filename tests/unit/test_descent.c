/* The way down, and how few directories are opened for it. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/format.h"
#include "reader/descent.h"

enum { DEEP = 3000 };

static unsigned opened;

static int open_counted(void *context, int dirfd, const char *name, int flags)
{
	(void)context;
	opened++;
	return openat(dirfd, strcmp(name, "refused") ? name : "b", flags);
}

static struct descent here(void)
{
	static char path[FORMAT_PATH + 1];

	return (struct descent){
		.root = open(".", O_PATH | O_DIRECTORY), .open = open_counted, .path = path};
}

static void leave(struct descent *d)
{
	descent_fini(d);
	close(d->root);
}

/* Is it the directory that it should be?  Each holds a file with its own name. */
static void leads_to(struct descent *d, const char *path, const char *own)
{
	int fd = descent_to(d, path);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstatat(fd, own, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void make(int dirfd, const char *name, const char *own)
{
	int fd, file;

	assert_int_equal(mkdirat(dirfd, name, 0700), 0);
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY);
	file = openat(fd, own, O_CREAT | O_WRONLY, 0600);
	assert_true(file >= 0);
	close(file);
	close(fd);
}

static void neighbours_are_near(void **state)
{
	struct descent d = here();

	(void)state;
	make(d.root, "a", "in-a");
	make(d.root, "a/b", "in-b");
	make(d.root, "a/bc", "in-bc");
	make(d.root, "a/b/c", "in-c");
	make(d.root, "e", "in-e");
	opened = 0;
	leads_to(&d, "a/b/c", "in-c");
	assert_int_equal(opened, 3);
	leads_to(&d, "a/b/c", "in-c");
	leads_to(&d, "a/b", "in-b");
	assert_int_equal(opened, 3);
	leads_to(&d, "a/bc", "in-bc"); /* which only begins as a/b does */
	assert_int_equal(opened, 4);
	leads_to(&d, "e", "in-e");
	assert_int_equal(opened, 5);
	leads_to(&d, "a", "in-a");
	assert_int_equal(opened, 6);
	assert_int_equal(descent_to(&d, ""), d.root);
	leave(&d);
}

static void links_and_files_are_no_way(void **state)
{
	struct descent d = here();

	(void)state;
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(descent_to(&d, "link/b"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(descent_to(&d, "a/in-a"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(descent_to(&d, "a/missing/b"), -1);
	assert_int_equal(errno, ENOENT);
	/* And what is behind them is found all the same. */
	leads_to(&d, "a/b", "in-b");
	leave(&d);
}

/* Another name, where it is asked for by the one that is refused, stays in the way. */
static void what_has_another_name_is_found_by_its_own(void **state)
{
	struct descent d = here();

	(void)state;
	opened = 0;
	leads_to(&d, "a/refused/c", "in-c");
	leads_to(&d, "a/refused", "in-b");
	assert_int_equal(opened, 3);
	leads_to(&d, "a/b/c", "in-c");
	assert_int_equal(opened, 5);
	leave(&d);
}

/* Down, and up again: never from the beginning for each. */
static void a_path_of_thousands(void **state)
{
	struct descent d = here();
	static char path[2 * DEEP + 1];
	int fd = d.root, rc = 0;

	(void)state;
	opened = 0;
	for (unsigned i = 0; i < DEEP; i++) {
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		strcpy(path + 2 * i - (i > 0), i ? "/d" : "d");
		fd = descent_to(&d, path);
		assert_true(fd >= 0);
	}
	assert_int_equal(opened, DEEP);
	assert_in_range(d.kept, 8, DESCENT_KEPT - 1);
	for (unsigned i = DEEP; i-- > 0 && rc == 0;) {
		char *last = strrchr(path, '/');

		*(last ? last : path) = '\0';
		fd = descent_to(&d, path);
		assert_true(fd >= 0);
		rc = unlinkat(fd, "d", AT_REMOVEDIR); /* the right one: it is empty */
	}
	assert_int_equal(rc, 0);
	assert_int_equal(path[0], '\0');
	assert_in_range(opened, DEEP, 12 * DEEP);
	leave(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_near),
		cmocka_unit_test(links_and_files_are_no_way),
		cmocka_unit_test(what_has_another_name_is_found_by_its_own),
		cmocka_unit_test(a_path_of_thousands),
	};

	return cmocka_run_group_tests_name("descent", tests, unit_enter_folder, unit_leave_folder);
}
