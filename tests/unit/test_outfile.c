#include "tests/unit/unit.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "common/outfile.h"
#include "common/status.h"

enum { MIB = 1 << 20 };

/* Of the calls below, in front of the C library's, so many are interrupted,
 * or so many from the first sync of a folder on. */
static int interruptions, folder_interruptions;

static bool interrupted(void)
{
	errno = EINTR;
	return interruptions > 0 && interruptions--;
}

int fsync(int fd)
{
	struct stat st;

	if (folder_interruptions && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		interruptions = folder_interruptions;
		folder_interruptions = 0;
	}
	return interrupted() ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t len)
{
	return interrupted() ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

/* Each test gets an empty folder, d, inside the group's. */
static int fresh(void **state)
{
	(void)state;
	return system("rm -rf d && mkdir d");
}

/* How many names d holds; the last one seen that is not but lies in name. */
static unsigned names(char name[static 256], const char *but)
{
	DIR *dir = opendir("d");
	unsigned count = 0;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		count++;
		if (strcmp(e->d_name, but))
			snprintf(name, 256, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return count;
}

static unsigned count_names(void)
{
	char name[256];

	return names(name, "");
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The content of a short file is text. */
static bool holds(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, buf, sizeof buf - 1);

	if (fd >= 0)
		close(fd);
	return got == (ssize_t)strlen(text) && !strcmp(buf, text);
}

static bool neutral(const char *temp, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t ext_len = dot && dot != name ? strlen(dot) : 0;
	size_t own_len = strlen(name) - ext_len, stem_len = own_len < 8 ? 8 : own_len;

	if (strlen(temp) != stem_len + ext_len || !strcmp(temp, name))
		return false;
	for (size_t i = 0; i < stem_len; i++)
		if (!islower((unsigned char)temp[i]))
			return false;
	return !strcmp(temp + stem_len, name + own_len);
}

static void nothing_has_the_final_name_before_commit(void **state)
{
	static const char *const name[] = {
		"films-2026.tar.bin",          "Magazine", ".hidden", "a.b.", "X",
		"\xea\xb0\x80\xeb\x82\x98.zip"};
	struct outfile *out = NULL;
	char path[64], temp[256];
	struct stat st;

	(void)state;
	umask(022);
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		snprintf(path, sizeof path, "d/%s", name[i]);
		assert_int_equal(outfile_open(&out, path, false), STATUS_OK);
		assert_int_equal(outfile_write(out, "content", 7), STATUS_OK);
		assert_int_equal(outfile_sync(out), STATUS_OK);
		assert_false(exists(path));
		assert_int_equal(names(temp, ""), 1);
		assert_true(neutral(temp, name[i]));
		assert_int_equal(outfile_commit(out, true), STATUS_OK);
		assert_true(holds(path, "content"));
		assert_int_equal(count_names(), 1);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(unlink(path), 0);
	}
}

static void a_name_as_long_as_names_may_be(void **state)
{
	struct outfile *out = NULL;
	char path[2 + 255 + 1] = "d/", temp[256];

	(void)state;
	memset(path + 2, 'x', 255);
	memcpy(path + 2 + 251, ".bin", 4);
	assert_int_equal(outfile_open(&out, path, false), STATUS_OK);
	assert_int_equal(names(temp, ""), 1);
	assert_true(neutral(temp, path + 2));
	assert_int_equal(outfile_commit(out, false), STATUS_OK);
	assert_true(exists(path));
}

static void an_existing_file_is_kept(void **state)
{
	struct outfile *out = NULL;

	(void)state;
	unit_put("d/final", "old");
	assert_int_equal(outfile_open(&out, "d/final", false), STATUS_EXISTS);
	assert_null(out);
	assert_int_equal(count_names(), 1);
	assert_true(holds("d/final", "old"));
}

static void replacing_happens_at_commit(void **state)
{
	struct outfile *out = NULL;

	(void)state;
	unit_put("d/final", "old");
	assert_int_equal(outfile_open(&out, "d/final", true), STATUS_OK);
	assert_int_equal(outfile_write(out, "new", 3), STATUS_OK);
	assert_true(holds("d/final", "old"));
	assert_int_equal(outfile_commit(out, true), STATUS_OK);
	assert_true(holds("d/final", "new"));
	assert_int_equal(count_names(), 1);
	/* A discarded one leaves it. */
	assert_int_equal(outfile_open(&out, "d/final", true), STATUS_OK);
	outfile_discard(out);
	assert_true(holds("d/final", "new"));
	assert_int_equal(count_names(), 1);
}

static void keep_the_name(void)
{
	char name[NAME_MAX + 1], temp[256], path[300];
	struct outfile *out = NULL;

	MUST(outfile_open(&out, "d/final.bin", true) == STATUS_OK);
	MUST(outfile_write(out, "first", 5) == STATUS_OK);
	MUST(outfile_commit_beside(out, name) == STATUS_OK);
	MUST(!strcmp(name, ""));
	MUST(holds("d/final.bin", "first"));
	MUST(count_names() == 1);
	MUST(outfile_open(&out, "d/final.bin", true) == STATUS_OK);
	MUST(outfile_write(out, "second", 6) == STATUS_OK);
	MUST(outfile_commit_beside(out, name) == STATUS_OK);
	MUST(holds("d/final.bin", "first"));
	MUST(names(temp, "final.bin") == 2);
	MUST(!strcmp(name, temp));
	MUST(neutral(name, "final.bin"));
	snprintf(path, sizeof path, "d/%s", name);
	MUST(holds(path, "second"));
	/* It is nobody's to remove any more. */
	outfile_discard_all();
	MUST(holds(path, "second"));
}

/* In a child, as nothing can be begun afterwards. */
static void what_has_the_name_may_keep_it(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(keep_the_name), 0);
}

static void only_files_are_replaced(void **state)
{
	static const struct {
		const char *path;
		int error;
	} row[] = {
		{"d/folder", EISDIR}, {"d/fifo", EINVAL}, {"missing/file", ENOENT}, {"d/", EINVAL}};
	struct outfile *out = NULL;

	(void)state;
	assert_int_equal(mkdir("d/folder", 0700) || mkfifo("d/fifo", 0600), 0);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		errno = 0;
		assert_int_equal(outfile_open(&out, row[i].path, true), STATUS_IO);
		assert_int_equal(errno, row[i].error);
		assert_null(out);
	}
	assert_int_equal(count_names(), 2);
}

static void a_directory_and_one_component(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/a"};
	int dirfd = open("d", O_PATH | O_DIRECTORY);
	struct outfile *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		errno = 0;
		assert_int_equal(outfile_open_at(&out, dirfd, bad[i], OUTFILE_REFUSE), STATUS_IO);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_REFUSE), STATUS_OK);
	assert_int_equal(outfile_write(out, "x", 1), STATUS_OK);
	assert_int_equal(outfile_commit(out, true), STATUS_OK);
	assert_true(holds("d/name", "x"));
	/* That it is taken is said at once, or at the end. */
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_REFUSE), STATUS_EXISTS);
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_REFUSE_LATE), STATUS_OK);
	assert_int_equal(outfile_write(out, "y", 1), STATUS_OK);
	assert_int_equal(outfile_commit(out, false), STATUS_EXISTS);
	assert_true(holds("d/name", "x"));
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_REPLACE), STATUS_OK);
	assert_int_equal(outfile_write(out, "z", 1), STATUS_OK);
	assert_int_equal(outfile_commit(out, false), STATUS_OK);
	assert_true(holds("d/name", "z"));
	assert_int_equal(count_names(), 1);
	close(dirfd);
}

static void in_place_there_is_one_name(void **state)
{
	int dirfd = open("d", O_PATH | O_DIRECTORY);
	struct outfile *out = NULL;

	(void)state;
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_IN_PLACE), STATUS_OK);
	assert_true(exists("d/name"));
	assert_int_equal(outfile_write(out, "x", 1), STATUS_OK);
	assert_int_equal(outfile_commit(out, false), STATUS_OK);
	assert_true(holds("d/name", "x"));
	assert_int_equal(outfile_open_at(&out, dirfd, "name", OUTFILE_IN_PLACE), STATUS_EXISTS);
	assert_true(holds("d/name", "x"));
	assert_int_equal(outfile_open_at(&out, dirfd, "other", OUTFILE_IN_PLACE), STATUS_OK);
	outfile_discard(out);
	assert_int_equal(count_names(), 1);
	close(dirfd);
}

/* Publish d/free, and d/taken where somebody came first; then the same with
 * leave to replace. */
static void publish(void)
{
	struct outfile *a = NULL, *b = NULL, *c = NULL;

	MUST(outfile_open(&a, "d/free", false) == STATUS_OK);
	MUST(outfile_open(&b, "d/taken", false) == STATUS_OK);
	MUST(outfile_write(a, "ours", 4) == STATUS_OK && outfile_write(b, "ours", 4) == STATUS_OK);
	MUST(!close(open("d/taken", O_WRONLY | O_CREAT, 0600)));
	MUST(outfile_commit(a, true) == STATUS_OK);
	MUST(outfile_commit(b, true) == STATUS_EXISTS);
	MUST(holds("d/free", "ours") && holds("d/taken", ""));
	MUST(count_names() == 2);
	MUST(outfile_open(&c, "d/taken", true) == STATUS_OK);
	MUST(outfile_commit(c, false) == STATUS_OK);
	MUST(count_names() == 2);
}

static void publish_without_noreplace(void)
{
	unit_refuse(SYS_renameat2, EINVAL);
	publish();
}

static void publish_without_links(void)
{
	unit_refuse(SYS_linkat, EPERM);
	publish_without_noreplace();
}

static void nobody_is_overwritten_on_any_file_system(void **state)
{
	static void (*const way[])(void) = {publish, publish_without_noreplace,
	                                    publish_without_links};

	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
		assert_int_equal(fresh(state), 0);
		assert_int_equal(unit_in_child(way[i]), 0);
	}
}

static void failing_sync(void)
{
	struct outfile *out = NULL;

	unit_refuse(SYS_fsync, EIO);
	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	MUST(outfile_write(out, "x", 1) == STATUS_OK);
	MUST(outfile_sync(out) == STATUS_IO && errno == EIO);
	MUST(outfile_synced_len(out) == 0);
	errno = 0;
	MUST(outfile_commit(out, true) == STATUS_IO && errno == EIO);
	MUST(count_names() == 0);
}

static void what_cannot_be_synced_is_not_published(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(failing_sync), 0);
}

static void what_is_interrupted_is_asked_again(void **state)
{
	struct outfile *out = NULL;

	(void)state;
	assert_int_equal(outfile_open(&out, "d/final", false), STATUS_OK);
	assert_int_equal(outfile_write(out, "x", 1), STATUS_OK);
	interruptions = 2;
	assert_int_equal(outfile_skip(out, MIB), STATUS_OK);
	interruptions = 2;
	assert_int_equal(outfile_sync(out), STATUS_OK);
	folder_interruptions = 2;
	assert_int_equal(outfile_commit(out, true), STATUS_OK);
	assert_int_equal(interruptions + folder_interruptions, 0);
	assert_true(exists("d/final"));
}

static void unsyncable_folder(void)
{
	struct outfile *out = NULL;

	unit_refuse(SYS_syncfs, EIO);
	MUST(!chmod("d", 0333));
	MUST(geteuid() != 0 || (!chown("d", 65534, 65534) && !seteuid(65534)));
	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	errno = 0;
	MUST(outfile_commit(out, true) == STATUS_IO && errno == EIO);
	MUST(!exists("d/final"));
	/* Nobody asked for durability: nothing to fail. */
	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	MUST(outfile_commit(out, false) == STATUS_OK);
	MUST(exists("d/final"));
	MUST(!chmod("d", 0700));
}

static void a_name_that_may_be_gone_tomorrow_is_taken_back(void **state)
{
	(void)state;
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(unit_in_child(unsyncable_folder), 0);
}

static void over_the_limit(void)
{
	const struct rlimit limit = {3 * MIB, 3 * MIB};
	struct outfile *out = NULL;
	char *buf = calloc(1, 2 * MIB);

	signal(SIGXFSZ, SIG_IGN);
	MUST(!setrlimit(RLIMIT_FSIZE, &limit));
	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	MUST(outfile_write(out, buf, 2 * MIB) == STATUS_OK);
	errno = 0;
	MUST(outfile_write(out, buf, 2 * MIB) == STATUS_IO && errno == EFBIG);
	outfile_discard(out);
	MUST(count_names() == 0);
	free(buf);
}

static void full_disk(void)
{
	struct outfile *out = NULL;
	char *buf = calloc(1, 2 * MIB);

	if (!unit_private_mounts() || mount("none", "d", "tmpfs", 0, "size=1m"))
		_exit(77);
	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	errno = 0;
	MUST(outfile_write(out, buf, 2 * MIB) == STATUS_IO && errno == ENOSPC);
	outfile_discard(out);
	MUST(count_names() == 0);
	free(buf);
}

static void a_write_that_fails_leaves_nothing(void **state)
{
	int rc;

	(void)state;
	assert_int_equal(unit_in_child(over_the_limit), 0);
	rc = unit_in_child(full_disk);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

static void discard_and_die(int no)
{
	(void)no;
	outfile_discard_all();
	_exit(55);
}

static void stopped_while_writing(void)
{
	struct outfile *a = NULL, *b = NULL, *c = NULL, *done = NULL;

	signal(SIGTERM, discard_and_die);
	MUST(outfile_open(&done, "d/done", false) == STATUS_OK);
	MUST(outfile_open(&a, "d/final", false) == STATUS_OK);
	MUST(outfile_open(&b, "d/second.bin", false) == STATUS_OK);
	MUST(outfile_open_at(&c, open("d", O_PATH | O_DIRECTORY), "third", OUTFILE_IN_PLACE) ==
	     STATUS_OK);
	MUST(outfile_commit(done, false) == STATUS_OK);
	MUST(count_names() == 4);
	raise(SIGTERM);
}

static void a_signal_handler_removes_what_is_not_committed(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(stopped_while_writing), 55);
	assert_int_equal(count_names(), 1);
	assert_true(exists("d/done"));
}

static atomic_uint begun;

/* Begins files and gives them up, until that is refused. */
static void *begin_files(void *unused)
{
	int dirfd = open("d", O_PATH | O_DIRECTORY);
	struct outfile *out = NULL;

	(void)unused;
	while (outfile_open_at(&out, dirfd, "a", OUTFILE_REFUSE_LATE) == STATUS_OK) {
		atomic_fetch_add(&begun, 1);
		outfile_discard(out);
	}
	atomic_store(&begun, 200); /* nobody waits in vain */
	pause();
	return NULL;
}

static void stopped_while_others_begin(void)
{
	pthread_t thread;
	sigset_t term;

	signal(SIGTERM, discard_and_die);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	MUST(!pthread_sigmask(SIG_BLOCK, &term, NULL));
	for (int i = 0; i < 3; i++)
		MUST(!pthread_create(&thread, NULL, begin_files, NULL));
	MUST(!pthread_sigmask(SIG_UNBLOCK, &term, NULL));
	while (atomic_load(&begun) < 200)
		;
	raise(SIGTERM);
}

static void what_other_threads_begin_is_removed(void **state)
{
	(void)state;
	if (RUNNING_ON_VALGRIND) /* which counts threads that it ends as leaks */
		skip();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(unit_in_child(stopped_while_others_begin), 55);
		assert_int_equal(count_names(), 0);
	}
}

static void commit_what_was_discarded(void)
{
	struct outfile *out = NULL, *more = NULL;

	MUST(outfile_open(&out, "d/final", false) == STATUS_OK);
	outfile_discard_all();
	MUST(count_names() == 0);
	MUST(outfile_open(&more, "d/more", false) == STATUS_CANCELLED);
	MUST(outfile_commit(out, true) == STATUS_CANCELLED);
	MUST(count_names() == 0);
}

static void what_was_discarded_cannot_be_committed(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(commit_what_was_discarded), 0);
	outfile_discard(NULL);
}

static void as_many_as_there_are_places(void **state)
{
	enum { PLACES = 1088 };
	static struct outfile *out[PLACES + 1];
	struct rlimit limit = {4096, 4096};
	size_t count = 0;
	char path[32];

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		skip();
	for (; count < PLACES + 1; count++) {
		snprintf(path, sizeof path, "d/file-%zu", count);
		errno = 0;
		if (outfile_open(&out[count], path, false))
			break;
	}
	assert_int_equal(count, PLACES);
	assert_int_equal(errno, EMFILE);
	for (size_t i = 0; i < count; i++)
		outfile_discard(out[i]);
	assert_int_equal(count_names(), 0);
	/* And places are given back. */
	for (size_t i = 0; i < 200; i++) {
		assert_int_equal(outfile_open(&out[0], "d/file", true), STATUS_OK);
		assert_int_equal(outfile_commit(out[0], false), STATUS_OK);
	}
}

/* Does the page cache hold the page at off?  True on a file system that lives
 * in memory. */
static bool cached(int fd, off_t off)
{
	unsigned char resident = 0;
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, off);

	assert_true(page != MAP_FAILED);
	assert_int_equal(mincore(page, 4096, &resident), 0);
	munmap(page, 4096);
	return resident & 1;
}

static bool in_memory_only(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) || fs.f_type == TMPFS_MAGIC;
}

static void writing_is_paced_and_read_back(void **state)
{
	struct outfile *out = NULL;
	uint8_t *buf = malloc(MIB), *back = malloc(MIB);

	(void)state;
	assert_true(buf && back);
	assert_int_equal(outfile_open(&out, "d/final", false), STATUS_OK);
	for (unsigned i = 0; i < 28; i++) {
		memset(buf, (int)i + 1, MIB);
		assert_int_equal(outfile_write(out, buf, MIB), STATUS_OK);
		assert_true(outfile_len(out) == (uint64_t)(i + 1) * MIB);
		/* At most the window being filled and the one being written. */
		assert_true(outfile_len(out) - outfile_synced_len(out) < 24 * MIB);
	}
	assert_true(outfile_synced_len(out) == 16 * MIB);
	assert_int_equal(outfile_sync(out), STATUS_OK);
	assert_true(outfile_synced_len(out) == 28 * MIB);
	assert_true(cached(outfile_fd(out), 27 * MIB));
	assert_int_equal(outfile_read_back(out, back, MIB, 0), STATUS_OK);
	assert_true(in_memory_only(outfile_fd(out)) || !cached(outfile_fd(out), 27 * MIB));
	for (unsigned i = 0; i < 28; i += 9) {
		memset(buf, (int)i + 1, MIB);
		assert_int_equal(outfile_read_back(out, back, MIB, (uint64_t)i * MIB), STATUS_OK);
		assert_memory_equal(back, buf, MIB);
	}
	errno = 0;
	assert_int_equal(outfile_read_back(out, back, 2, 28 * MIB - 1), STATUS_IO);
	assert_int_equal(errno, EIO);
	outfile_discard(out);
	free(buf);
	free(back);
}

static void holes(void **state)
{
	struct outfile *out = NULL;
	uint8_t back[3] = {1, 1, 1};
	struct stat st;

	(void)state;
	assert_int_equal(outfile_open(&out, "d/final", false), STATUS_OK);
	assert_int_equal(outfile_write(out, "a", 1), STATUS_OK);
	assert_int_equal(outfile_skip(out, 64 * MIB), STATUS_OK);
	assert_int_equal(outfile_write(out, "b", 1), STATUS_OK);
	assert_int_equal(outfile_skip(out, MIB), STATUS_OK);
	errno = 0;
	assert_int_equal(outfile_skip(out, INT64_MAX), STATUS_IO);
	assert_int_equal(errno, EFBIG);
	assert_true(outfile_len(out) == 65 * MIB + 2);
	assert_int_equal(outfile_read_back(out, back, 3, 64 * MIB), STATUS_OK);
	assert_memory_equal(back, "\0b\0", 3);
	assert_int_equal(fstat(outfile_fd(out), &st), 0);
	assert_true(st.st_size == 65 * MIB + 2);
	assert_true(st.st_blocks < 64 * MIB / 512);
	assert_int_equal(outfile_commit(out, false), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_has_the_final_name_before_commit),
		TEST(a_name_as_long_as_names_may_be),
		TEST(an_existing_file_is_kept),
		TEST(replacing_happens_at_commit),
		TEST(what_has_the_name_may_keep_it),
		TEST(only_files_are_replaced),
		TEST(a_directory_and_one_component),
		TEST(in_place_there_is_one_name),
		TEST(nobody_is_overwritten_on_any_file_system),
		TEST(what_cannot_be_synced_is_not_published),
		TEST(what_is_interrupted_is_asked_again),
		TEST(a_name_that_may_be_gone_tomorrow_is_taken_back),
		TEST(a_write_that_fails_leaves_nothing),
		TEST(a_signal_handler_removes_what_is_not_committed),
		TEST(what_other_threads_begin_is_removed),
		TEST(what_was_discarded_cannot_be_committed),
		TEST(as_many_as_there_are_places),
		TEST(writing_is_paced_and_read_back),
		TEST(holes),
	};

	return cmocka_run_group_tests_name("outfile", tests, unit_enter_folder, unit_leave_folder);
}
