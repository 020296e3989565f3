#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "common/source.h"
#include "common/status.h"

enum { LEN = 100000, NOBODY = 65534, READS = 1000 };

static uint8_t content[LEN];

static int make_content(void **state)
{
	int fd;

	if (unit_enter_folder(state))
		return -1;
	for (size_t i = 0; i < LEN; i++)
		content[i] = (uint8_t)(i * 7 + i / 256);
	fd = open("file", O_WRONLY | O_CREAT, 0644);
	if (fd < 0 || write(fd, content, LEN) != LEN)
		return -1;
	return close(fd);
}

static void check_reads(const struct source *source)
{
	uint8_t buf[1000];

	assert_int_equal(source_len(source), LEN);
	for (uint64_t off = 0; off <= LEN - sizeof buf; off += 997) {
		assert_int_equal(source_read_at(source, buf, sizeof buf, off), STATUS_OK);
		assert_memory_equal(buf, content + off, sizeof buf);
	}
	assert_int_equal(source_read_at(source, buf, sizeof buf, LEN - sizeof buf), STATUS_OK);
	assert_memory_equal(buf, content + LEN - sizeof buf, sizeof buf);
	assert_int_equal(source_read_at(source, buf, 0, LEN), STATUS_OK);
}

static void check_end(const struct source *source)
{
	uint8_t buf[10];
	static const struct {
		size_t len;
		uint64_t off;
	} beyond[] = {{10, LEN - 9}, {1, LEN}, {0, LEN + 1}, {10, UINT64_MAX - 5}, {1, INT64_MAX}};

	for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
		errno = 0;
		assert_int_equal(source_read_at(source, buf, beyond[i].len, beyond[i].off),
		                 STATUS_IO);
		assert_int_equal(errno, EIO);
	}
}

static void a_file(void **state)
{
	struct source *source = NULL;

	(void)state;
	assert_int_equal(source_open_file(&source, "file"), STATUS_OK);
	assert_int_equal(fcntl(source_fd(source), F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(fcntl(source_fd(source), F_GETFD) & FD_CLOEXEC);
	check_reads(source);
	check_end(source);
	source_will_need(source, 0, UINT64_MAX);
	source_will_need(source, UINT64_MAX, 1);
	source_close(source);
	source_close(NULL);
}

static void memory(void **state)
{
	struct source *source = NULL;

	(void)state;
	assert_int_equal(source_open_memory(&source, content, LEN), STATUS_OK);
	assert_int_equal(source_fd(source), -1);
	check_reads(source);
	check_end(source);
	source_will_need(source, 0, LEN);
	source_close(source);
	assert_int_equal(source_open_memory(&source, NULL, 0), STATUS_OK);
	assert_int_equal(source_read_at(source, NULL, 0, 0), STATUS_OK);
	source_close(source);
}

static void other_things_are_refused(void **state)
{
	static const struct {
		const char *path;
		int error;
	} row[] = {{".", EISDIR}, {"fifo", EINVAL}, {"/dev/null", EINVAL}, {"missing", ENOENT}};
	struct source *source = NULL;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(10); /* a FIFO must not block */
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		errno = 0;
		assert_int_equal(source_open_file(&source, row[i].path), STATUS_IO);
		assert_int_equal(errno, row[i].error);
		assert_null(source);
	}
	alarm(0);
}

static void a_file_that_shrank_is_an_error_not_a_signal(void **state)
{
	struct source *source = NULL;
	uint8_t buf[100];

	(void)state;
	assert_int_equal(system("cp file shrinking"), 0);
	assert_int_equal(source_open_file(&source, "shrinking"), STATUS_OK);
	assert_int_equal(truncate("shrinking", 50), 0);
	errno = 0;
	assert_int_equal(source_read_at(source, buf, sizeof buf, 0), STATUS_IO);
	assert_int_equal(errno, EIO);
	assert_int_equal(source_read_at(source, buf, 50, 0), STATUS_OK);
	source_close(source);
}

static const struct source *gone;
static unsigned gone_count;

static void on_gone(const struct source *source)
{
	gone = source;
	gone_count++;
}

static void what_could_be_read_and_cannot_any_more_is_gone(void **state)
{
	struct source *source = NULL, *healthy = NULL;
	uint8_t buf[100];

	(void)state;
	assert_int_equal(system("cp file going"), 0);
	assert_int_equal(source_open_file(&source, "going"), STATUS_OK);
	assert_int_equal(source_open_file(&healthy, "file"), STATUS_OK);
	source_watch(on_gone);
	/* Of what was never read nobody knows. */
	assert_int_equal(truncate("going", 0), 0);
	assert_int_equal(source_read_at(source, buf, sizeof buf, 0), STATUS_IO);
	assert_int_equal(gone_count, 0);
	assert_int_equal(system("cat file >going"), 0);
	for (uint64_t off = 0; off + sizeof buf <= LEN; off += sizeof buf)
		assert_int_equal(source_read_at(source, buf, sizeof buf, off), STATUS_OK);
	/* The beginning can still be read. */
	assert_int_equal(truncate("going", LEN / 2), 0);
	assert_int_equal(source_read_at(source, buf, sizeof buf, LEN - sizeof buf), STATUS_IO);
	assert_int_equal(errno, EIO);
	assert_int_equal(source_read_at(source, buf, sizeof buf, LEN), STATUS_IO);
	assert_int_equal(gone_count, 0);
	assert_int_equal(truncate("going", 0), 0);
	assert_int_equal(source_read_at(source, buf, sizeof buf, 0), STATUS_IO);
	assert_int_equal(errno, EIO);
	assert_int_equal(gone_count, 1);
	assert_ptr_equal(gone, source);
	assert_int_equal(source_read_at(healthy, buf, sizeof buf, 0), STATUS_OK);
	source_watch(NULL);
	assert_int_equal(source_read_at(source, buf, sizeof buf, 0), STATUS_IO);
	assert_int_equal(gone_count, 1);
	source_close(source);
	source_close(healthy);
}

static void reading_leaves_the_access_time(void **state)
{
	/* Older than the last change: relatime would renew it. */
	const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_nsec = UTIME_OMIT}};
	struct source *source = NULL;
	struct stat st;
	uint8_t buf[100];

	(void)state;
	assert_int_equal(utimensat(AT_FDCWD, "file", old, 0), 0);
	assert_int_equal(source_open_file(&source, "file"), STATUS_OK);
	assert_int_equal(source_read_at(source, buf, sizeof buf, 0), STATUS_OK);
	source_close(source);
	assert_int_equal(stat("file", &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1000000);
}

static void read_of_a_stranger(void)
{
	struct source *source = NULL;
	uint8_t buf[100];

	MUST(!seteuid(NOBODY));
	MUST(open("file", O_RDONLY | O_NOATIME) < 0 && errno == EPERM);
	MUST(source_open_file(&source, "file") == STATUS_OK);
	MUST(source_read_at(source, buf, sizeof buf, 0) == STATUS_OK);
	source_close(source);
}

static void a_file_of_somebody_else(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(unit_in_child(read_of_a_stranger), 0);
}

static void *read_many(void *arg)
{
	const struct source *source = arg;
	uint8_t buf[64];
	uintptr_t bad = 0;

	for (uint64_t i = 0; i < READS; i++) {
		uint64_t off = i * 7919 % (LEN - sizeof buf);

		bad += source_read_at(source, buf, sizeof buf, off) != STATUS_OK;
		bad += memcmp(buf, content + off, sizeof buf) != 0;
	}
	return (void *)bad;
}

static void threads_share_it_and_reads_are_counted(void **state)
{
	struct source *source = NULL;
	pthread_t thread[3];
	void *bad;

	(void)state;
	assert_int_equal(source_open_file(&source, "file"), STATUS_OK);
	assert_int_equal(source_read_count(source), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_many, source), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	assert_int_equal(source_read_count(source), 3 * READS);
	source_close(source);
}

static unsigned halts;

static void count_halt(void)
{
	halts++;
}

static void whoever_comes_back_is_halted(void **state)
{
	struct source *source = NULL;
	uint8_t byte;

	(void)state;
	assert_int_equal(source_open_file(&source, "file"), STATUS_OK);
	assert_int_equal(source_read_at(source, &byte, 1, 0), STATUS_OK);
	assert_int_equal(halts, 0);
	source_halt(count_halt);
	assert_int_equal(source_read_at(source, &byte, 1, 0), STATUS_OK);
	assert_int_equal(halts, 1);
	source_halt(NULL);
	source_close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file),
		cmocka_unit_test(memory),
		cmocka_unit_test(other_things_are_refused),
		cmocka_unit_test(a_file_that_shrank_is_an_error_not_a_signal),
		cmocka_unit_test(what_could_be_read_and_cannot_any_more_is_gone),
		cmocka_unit_test(reading_leaves_the_access_time),
		cmocka_unit_test(a_file_of_somebody_else),
		cmocka_unit_test(threads_share_it_and_reads_are_counted),
		cmocka_unit_test(whoever_comes_back_is_halted),
	};

	return cmocka_run_group_tests_name("source", tests, make_content, unit_leave_folder);
}
