#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "bundler/scan.h"
#include "bundler/spill.h"
#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/format.h"
#include "common/status.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct arena *arena;
static struct tree *tree;
static struct spill *heap;
static struct scan_options options;
static struct scan_report report;
static int said, before; /* what went to standard error */

static int setup(void **state)
{
	options = (struct scan_options){.one_file_system = true, .newest = INT64_MAX};
	before = dup(STDERR_FILENO);
	if (unit_enter_folder(state) || arena_new(&arena, 65536, true) ||
	    spill_new(&heap, arena, 1 << 20, "."))
		return -1;
	said = memfd_create("said", 0);
	umask(022);
	diag_init("program");
	return dup2(said, STDERR_FILENO) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	dup2(before, STDERR_FILENO);
	close(before);
	close(said);
	tree_free(tree);
	tree = NULL;
	spill_free(heap);
	arena_free(arena);
	return unit_leave_folder(state);
}

static int scan(const char *const *paths, unsigned count)
{
	tree_free(tree);
	tree = NULL;
	MUST(tree_new(&tree, options.full_metadata) == STATUS_OK);
	return scan_paths(tree, heap, paths, count, &options, &report);
}

#define SCAN(...) scan((const char *const[]){__VA_ARGS__}, COUNT(((const char *[]){__VA_ARGS__})))

/* Was text said?  Then everything is forgotten. */
static bool heard(const char *text)
{
	static char buf[65536];
	ssize_t got = pread(said, buf, sizeof buf - 1, 0);
	bool found;

	buf[got > 0 ? got : 0] = '\0';
	found = *text ? strstr(buf, text) != NULL : got == 0;
	MUST(!ftruncate(said, 0) && !lseek(said, 0, SEEK_SET));
	return found;
}

static void make(const char *path, const char *content)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	MUST(fd >= 0);
	MUST(write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

static void make_directory(const char *path)
{
	MUST(!mkdir(path, 0755));
}

/* "a/ a/b ...": all inner paths in the order of their nodes. */
static const char *everything(void)
{
	static char text[65536];
	char path[FORMAT_PATH + 1];

	text[0] = '\0';
	for (uint32_t i = 1; i < tree->count; i++) {
		const struct node *n = &tree->node[i];

		if (n->dropped)
			continue;
		MUST(!tree_inner_path(tree, i, path, sizeof path));
		sprintf(text + strlen(text), "%s%s%s", text[0] ? " " : "", path,
		        (const char *[]){"", "/", "@", "="}[n->kind]);
	}
	return text;
}

static uint32_t find(const char *wanted)
{
	char path[FORMAT_PATH + 1];

	for (uint32_t i = 0; i < tree->count; i++)
		if (!tree_inner_path(tree, i, path, sizeof path) && !strcmp(path, wanted))
			return i;
	MUST(!"found");
	return 0;
}

static void plant(void)
{
	make_directory("s");
	make_directory("s/b");
	make_directory("s/a");
	make_directory("s/a/z");
	make("s/c", "see");
	make("s/a/y", "why?");
	make("s/a/z/x", "");
	make("s/b/w", "double you");
}

/* --- what is taken in ------------------------------------------------------ */

static void everything_is_taken_in_breadth_first(void **state)
{
	(void)state;
	plant();
	assert_int_equal(SCAN("s"), STATUS_OK);
	assert_string_equal(everything(), "s/ s/a/ s/b/ s/c s/a/y s/a/z/ s/b/w s/a/z/x");
	assert_true(report.files == 4 && report.directories == 4 && report.bytes == 17);
	assert_true(!report.unreadable && !report.skipped && !report.links);
	assert_true(tree->node[find("s/a/y")].size == 4);
	assert_true(heard(""));
}

static void a_path_that_ends_in_a_dot_stands_for_what_is_in_it(void **state)
{
	static const char *const same[] = {"s/.", "./s/.", "s//.//", "s/a/.."};

	(void)state;
	plant();
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_int_equal(SCAN(same[i]), STATUS_OK);
		assert_string_equal(everything(), "a/ b/ c a/y a/z/ b/w a/z/x");
	}
	assert_int_equal(chdir("s"), 0);
	assert_int_equal(SCAN("."), STATUS_OK);
	assert_string_equal(everything(), "a/ b/ c a/y a/z/ b/w a/z/x");
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(SCAN("s/"), STATUS_OK);
	assert_string_equal(everything(), "s/ s/a/ s/b/ s/c s/a/y s/a/z/ s/b/w s/a/z/x");
}

static void several_sources_are_sorted_into_one_root(void **state)
{
	struct way way = WAY_NONE;
	struct stat st, opened;
	int fd;

	(void)state;
	plant();
	make_directory("t");
	make("t/bb", "bb");
	assert_int_equal(SCAN("t/.", "s/c", "s/a"), STATUS_OK);
	assert_string_equal(everything(), "a/ bb c a/y a/z/ a/z/x");
	assert_int_equal(stat("s/a/z/x", &st), 0);
	assert_int_equal(way_open(&way, tree, find("a/z/x"), O_RDONLY, &fd), STATUS_OK);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_true(st.st_ino == opened.st_ino);
	close(fd);
	assert_int_equal(way_open(&way, tree, find("bb"), O_RDONLY, &fd), STATUS_OK);
	close(fd);
	way_end(&way);
}

static void two_sources_of_one_name_are_refused(void **state)
{
	(void)state;
	plant();
	make_directory("t");
	make("t/a", "");
	assert_int_equal(SCAN("s/.", "t/."), STATUS_EXISTS);
	assert_true(heard("program: t/a: s/a has this name, too"));
	assert_int_equal(SCAN("s", "s/"), STATUS_EXISTS);
}

static void names_of_any_bytes_are_kept(void **state)
{
	char longest[256], path[300];
	static const char *const odd[] = {"s/\xff\xfe",    "s/new\nline",    "s/ ",  "s/-o",
	                                  "s/\x01\x1b[2J", "s/\xed\x95\x9c", "s/..."};

	(void)state;
	make_directory("s");
	memset(longest, 'l', 255);
	longest[255] = '\0';
	snprintf(path, sizeof path, "s/%s", longest);
	make(path, "");
	for (size_t i = 0; i < COUNT(odd); i++)
		make(odd[i], "");
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_int_equal(tree->count, 1 + 1 + COUNT(odd));
	for (size_t i = 0; i < COUNT(odd); i++)
		find(odd[i] + 2);
	find(longest);
	for (uint32_t i = 2; i < tree->count; i++)
		assert_true(strcmp(tree_name(tree, i - 1), tree_name(tree, i)) < 0);
}

static void symbolic_links_are_stored_and_given_ones_followed(void **state)
{
	char target[16] = {0};
	const struct node *n;

	(void)state;
	plant();
	assert_int_equal(symlink("../c/nowhere", "s/a/link") | symlink("s/a", "given"), 0);
	assert_int_equal(SCAN("given"), STATUS_OK);
	assert_string_equal(everything(), "given/ given/link@ given/y given/z/ given/z/x");
	n = &tree->node[find("given/link")];
	assert_int_equal(n->size, 12);
	assert_int_equal(spill_read(heap, n->place, n->size, target), STATUS_OK);
	assert_string_equal(target, "../c/nowhere");
	assert_int_equal(report.links, 1);
}

static void the_first_name_is_the_file_and_others_are_links(void **state)
{
	(void)state;
	plant();
	assert_int_equal(link("s/a/z/x", "s/b/x") | link("s/a/z/x", "s/a/z/x2"), 0);
	assert_int_equal(symlink("target", "s/sym") | link("s/sym", "s/a/sym"), 0);
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_string_equal(everything(), "a/ b/ c sym@ a/sym= a/y a/z/ b/w b/x a/z/x= a/z/x2=");
	assert_int_equal(tree->node[find("b/x")].links, 3);
	assert_int_equal(tree->node[find("a/z/x")].place, find("b/x"));
	assert_int_equal(tree->node[find("a/sym")].place, find("sym"));
	assert_int_equal(tree->node[find("sym")].links, 2);
	assert_true(report.links == 4 && report.files == 4);
}

static int number_of(uint32_t node)
{
	return atoi(tree_name(tree, node));
}

static void many_links_are_found(void **state)
{
	char name[32], other[32];

	(void)state;
	make_directory("s");
	make_directory("s/t");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "s/%d", i);
		snprintf(other, sizeof other, "s/t/%d", 999 - i);
		make(name, "");
		assert_int_equal(link(name, other), 0);
	}
	assert_int_equal(SCAN("s"), STATUS_OK);
	assert_true(report.links == 1000 && report.files == 1000);
	for (uint32_t i = 1; i < tree->count; i++)
		if (tree->node[i].kind == KIND_HARDLINK)
			assert_int_equal(number_of(i) + number_of((uint32_t)tree->node[i].place),
			                 999);
}

static void times_and_modes_are_kept_and_clamped(void **state)
{
	struct timespec times[2] = {{1000, 5}, {1000, 5}};
	uint32_t n;

	(void)state;
	plant();
	options.full_metadata = true;
	assert_int_equal(utimensat(AT_FDCWD, "s/c", times, 0) | chmod("s/c", 04751), 0);
	assert_int_equal(SCAN("s/."), STATUS_OK);
	n = find("c");
	assert_int_equal(tree->node[n].mode, 04751);
	assert_true(tree->node[n].mtime == 1000 && tree->extra[n].mtime_nsec == 5);
	assert_int_equal(tree->extra[n].uid, getuid());
	options.newest = 1000;
	assert_int_equal(SCAN("s/."), STATUS_OK);
	for (uint32_t i = 0; i < tree->count; i++)
		assert_true(tree->node[i].mtime == 1000 && tree->extra[i].mtime_nsec == 0);
}

/* --- what is not ------------------------------------------------------------ */

static void what_has_no_content_is_named_and_skipped(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s/socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	plant();
	assert_int_equal(mkfifo("s/pipe", 0600), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_string_equal(everything(), "a/ b/ c a/y a/z/ b/w a/z/x");
	assert_true(report.skipped == 2 && !report.unreadable);
	assert_true(heard("program: s/pipe: is a pipe: left out\n"
	                  "program: s/socket: is a socket: left out\n"));
	assert_int_equal(SCAN("s/pipe"), STATUS_INVALID);
	assert_true(heard("program: s/pipe: is a pipe\n"));
}

static void globs_match_names_and_paths(void **state)
{
	static const char *const globs[][2] = {
		{"z", "?"}, {"a/z", "b"}, {"*/w", "a"}, {"[ab]", "nothing"}, {"a/*", "a/"}};
	static const char *const left[] = {"", "a/ c a/y", "b/ c", "c", "a/ b/ c b/w"};

	(void)state;
	plant();
	options.exclude_count = 2;
	for (size_t i = 0; i < COUNT(globs); i++) {
		options.exclude = globs[i];
		assert_int_equal(SCAN("s/."), STATUS_OK);
		assert_string_equal(everything(), left[i]);
	}
	make("s/.hidden", "");
	options.exclude = (const char *const[]){"*hid*", "a"};
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_string_equal(everything(), "b/ c b/w");
	assert_true(heard(""));
}

static void outputs_are_not_sources(void **state)
{
	struct scan_output output;
	struct stat st;

	(void)state;
	plant();
	assert_int_equal(stat("s/a/y", &st), 0);
	output = (struct scan_output){st.st_dev, st.st_ino};
	options.output = &output;
	options.output_count = 1;
	assert_int_equal(SCAN("s/."), STATUS_EXISTS);
	assert_true(heard("program: s/a/y: lies in what is packed, and --force would replace it; "
	                  "name another file, or leave it out with --exclude\n"));
	assert_int_equal(SCAN("s/a/y"), STATUS_EXISTS);
	options.exclude = (const char *const[]){"y"};
	options.exclude_count = 1;
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_string_equal(everything(), "a/ b/ c a/z/ b/w a/z/x");
}

static void what_was_given_must_be_there(void **state)
{
	(void)state;
	plant();
	assert_int_equal(SCAN("s", "absent"), STATUS_IO);
	assert_true(heard("program: absent: No such file or directory\n"));
	assert_int_equal(SCAN("absent/."), STATUS_IO);
	assert_true(heard("program: absent: No such file or directory\n"));
	assert_int_equal(SCAN("absent/x"), STATUS_IO);
	assert_int_equal(SCAN("s/c/."), STATUS_IO);
	assert_int_equal(SCAN(""), STATUS_IO);
}

static void scan_as_nobody(void)
{
	MUST(!chmod(".", 0755) && !chmod("s/a", 0) && !setresuid(65534, 65534, 65534));
	MUST(SCAN("s") == STATUS_OK);
	MUST(!strcmp(everything(), "s/ s/b/ s/c s/b/w"));
	MUST(report.unreadable == 1 && report.directories == 2);
	MUST(heard("program: s/a: Permission denied: left out\n"));
	MUST(SCAN("s/a") == STATUS_IO);
	MUST(heard("program: s/a: Permission denied\n"));
	MUST(SCAN("s/a/.") == STATUS_IO);
	MUST(!strcmp(everything(), ""));
}

static void directories_that_cannot_be_read_are_named_and_dropped(void **state)
{
	(void)state;
	if (getuid())
		skip();
	plant();
	assert_int_equal(unit_in_child(scan_as_nobody), 0);
}

static void scan_over_a_mount(void)
{
	MUST(!unshare(CLONE_NEWNS) && !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL));
	MUST(!mount("none", "s/a", "tmpfs", 0, NULL));
	make("s/a/on-mount", "");
	MUST(SCAN("s") == STATUS_OK);
	MUST(!strcmp(everything(), "s/ s/a/ s/b/ s/c s/b/w"));
	MUST(report.skipped == 1 && heard("program: s/a: holds another file system"));
	MUST(SCAN("s/a") == STATUS_OK);
	MUST(!strcmp(everything(), "a/ a/on-mount"));
	options.one_file_system = false;
	MUST(SCAN("s") == STATUS_OK);
	MUST(!strcmp(everything(), "s/ s/a/ s/b/ s/c s/a/on-mount s/b/w"));
	MUST(heard(""));
}

static void other_file_systems_are_entered_only_if_asked(void **state)
{
	(void)state;
	if (getuid())
		skip();
	plant();
	assert_int_equal(unit_in_child(scan_over_a_mount), 0);
}

/* 66 names of 250 bytes are 16,565: more than a path may have. */
static void paths_past_the_limit_are_named_and_left_out(void **state)
{
	char name[251];
	int here = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	memset(name, 'n', 250);
	name[250] = '\0';
	for (int i = 0; i < 66; i++)
		assert_int_equal(mkdir(name, 0755) | chdir(name), 0);
	assert_int_equal(fchdir(here), 0);
	close(here);
	assert_int_equal(SCAN(name), STATUS_OK);
	assert_int_equal(tree->count, 1 + 65);
	assert_int_equal(report.unreadable, 1);
	assert_true(heard("its path is longer than a bundle can hold: left out"));
}

static bool yes(void)
{
	return true;
}

static void it_stops_when_asked_to(void **state)
{
	(void)state;
	plant();
	options.cancelled = yes;
	assert_int_equal(SCAN("s"), STATUS_CANCELLED);
	assert_true(heard(""));
}

/* --- what changes under the eyes of the scan ----------------------------------- */

static pthread_t scanning;
static unsigned asked;
static void (*meddle)(void);

/* Asked once before s is entered, and then when its first name has been looked at. */
static bool meddle_in_between(void)
{
	if (pthread_equal(pthread_self(), scanning) && ++asked == 2)
		meddle();
	return false;
}

/* More than what one thread looks at by itself; what is meddled with comes first. */
static void plant_many(void)
{
	char path[16];

	make_directory("s");
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof path, "s/%03d", i);
		make(path, "");
	}
}

static const struct node *scan_and_meddle(void (*how)(void))
{
	scanning = pthread_self();
	asked = 0;
	meddle = how;
	options.cancelled = meddle_in_between;
	assert_int_equal(SCAN("s"), STATUS_OK);
	assert_true(asked >= 200);
	return &tree->node[2];
}

static void link_becomes_file(void)
{
	MUST(!unlink("s/+"));
	make("s/+", "no link");
}

static void link_becomes_directory(void)
{
	MUST(!unlink("s/+"));
	make_directory("s/+");
	make("s/+/in", "");
}

static void link_goes(void)
{
	MUST(!unlink("s/+"));
}

static void a_link_that_is_replaced_is_what_it_is_now(void **state)
{
	const struct node *n;

	(void)state;
	plant_many();
	assert_int_equal(symlink("nowhere", "s/+"), 0);
	n = scan_and_meddle(link_becomes_file);
	assert_true(n->kind == KIND_FILE && n->size == 7);
	MUST(!unlink("s/+"));
	assert_int_equal(symlink("nowhere", "s/+"), 0);
	assert_int_equal(scan_and_meddle(link_becomes_directory)->kind, KIND_DIRECTORY);
	find("s/+/in");
	assert_true(heard(""));
}

static void a_link_that_goes_is_left_out(void **state)
{
	(void)state;
	plant_many();
	assert_int_equal(symlink("nowhere", "s/+"), 0);
	scan_and_meddle(link_goes);
	assert_int_equal(tree->count, 1 + 1 + 200);
	assert_int_equal(report.unreadable, 1);
	assert_true(heard("program: s/+: No such file or directory: left out"));
}

/* --- attributes ------------------------------------------------------------- */

static bool set(const char *path, const char *name, size_t len)
{
	static char value[FORMAT_XATTR_VALUE];

	memset(value, name[5], sizeof value);
	return !setxattr(path, name, value, len, 0);
}

/* The set of a node; system ones are passed over. */
static const char *attributes(uint32_t number)
{
	static char text[1024];
	uint8_t *bytes = malloc(FORMAT_XATTRS);
	const struct node_extra *extra = &tree->extra[number];
	struct format_xattr x;
	size_t pos = 0;
	int more;

	assert_non_null(bytes);
	assert_int_equal(spill_read(heap, extra->xattr_off, extra->xattr_len, bytes), STATUS_OK);
	text[0] = '\0';
	while (extra->xattr_len && (more = format_xattr_next(bytes, extra->xattr_len, &pos, &x))) {
		assert_true(more > 0);
		if (!memcmp(x.name, "user.", 5))
			sprintf(text + strlen(text), "%.*s=%u*%c ", x.name_len, x.name, x.value_len,
			        x.value_len ? x.value[0] : '-');
	}
	free(bytes);
	return text;
}

static void attributes_are_sorted_into_sets_and_stored_once(void **state)
{
	uint64_t len;

	(void)state;
	plant();
	if (!set("s/c", "user.b", 3) || !set("s/c", "user.a", 0) || !set("s/c", "user.ab", 300) ||
	    !set("s/b", "user.b", 3) || !set("s/b", "user.ab", 300) || !set("s/b", "user.a", 0) ||
	    !set("s", "user.root", 1))
		skip();
	options.full_metadata = true;
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_string_equal(attributes(find("c")), "user.a=0*- user.ab=300*a user.b=3*b ");
	assert_string_equal(attributes(find("b")), "user.a=0*- user.ab=300*a user.b=3*b ");
	assert_string_equal(attributes(0), "user.root=1*r ");
	assert_int_equal(tree->extra[find("b")].xattr_off, tree->extra[find("c")].xattr_off);
	assert_true(heard(""));
	options.full_metadata = false;
	len = spill_len(heap);
	assert_int_equal(SCAN("s/."), STATUS_OK);
	assert_true(spill_len(heap) == len);
}

/* No file system of ours takes sets as large as some do: attributes_read meets
 * these instead of the C library's.  value_len: of each of four attributes, 0 for
 * the real ones. */
static size_t value_len;

ssize_t llistxattr(const char *path, char *list, size_t size)
{
	static const char names[] = "user.d\0user.b\0user.a\0user.c";

	if (!value_len)
		return syscall(SYS_llistxattr, path, list, size);
	memcpy(list, names, sizeof names);
	return sizeof names;
}

ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	if (!value_len)
		return syscall(SYS_lgetxattr, path, name, value, size);
	memset(value, name[5], size < value_len ? size : value_len);
	return (ssize_t)value_len;
}

static void sets_that_are_too_large_are_named_and_left_out(void **state)
{
	(void)state;
	make("c", "");
	make_directory("s");
	assert_int_equal(rename("c", "s/c"), 0);
	options.full_metadata = true;
	value_len = 30000;
	assert_int_equal(SCAN("s"), STATUS_OK);
	assert_true(heard(""));
	assert_string_equal(attributes(find("s/c")),
	                    "user.a=30000*a user.b=30000*b user.c=30000*c user.d=30000*d ");
	value_len = 33000;
	assert_int_equal(SCAN("s"), STATUS_OK);
	assert_int_equal(report.unreadable, 1);
	assert_int_equal(tree->extra[find("s/c")].xattr_len, 0);
	assert_true(heard("program: s/c: its extended attributes are too large: left out\n"));
	value_len = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_is_taken_in_breadth_first),
		TEST(a_path_that_ends_in_a_dot_stands_for_what_is_in_it),
		TEST(several_sources_are_sorted_into_one_root),
		TEST(two_sources_of_one_name_are_refused),
		TEST(names_of_any_bytes_are_kept),
		TEST(symbolic_links_are_stored_and_given_ones_followed),
		TEST(the_first_name_is_the_file_and_others_are_links),
		TEST(many_links_are_found),
		TEST(times_and_modes_are_kept_and_clamped),
		TEST(what_has_no_content_is_named_and_skipped),
		TEST(globs_match_names_and_paths),
		TEST(outputs_are_not_sources),
		TEST(what_was_given_must_be_there),
		TEST(directories_that_cannot_be_read_are_named_and_dropped),
		TEST(other_file_systems_are_entered_only_if_asked),
		TEST(paths_past_the_limit_are_named_and_left_out),
		TEST(it_stops_when_asked_to),
		TEST(a_link_that_is_replaced_is_what_it_is_now),
		TEST(a_link_that_goes_is_left_out),
		TEST(attributes_are_sorted_into_sets_and_stored_once),
		TEST(sets_that_are_too_large_are_named_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
