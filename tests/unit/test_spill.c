#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bundler/spill.h"
#include "common/arena.h"
#include "common/format.h"
#include "common/status.h"

enum { TOTAL = 3000000, MEMORY = 1 << 20 };

static struct arena *arena;

static int setup(void **state)
{
	return unit_enter_folder(state) || arena_new(&arena, 65536, true);
}

static int teardown(void **state)
{
	arena_free(arena);
	return unit_leave_folder(state);
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 13);
}

/* A spill of TOTAL known bytes, appended in pieces of all sizes. */
static struct spill *filled(size_t memory)
{
	struct spill *spill = NULL;
	uint8_t *bytes = malloc(TOTAL);
	size_t done = 0, piece = 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < TOTAL; i++)
		bytes[i] = byte_at(i);
	assert_int_equal(spill_new(&spill, arena, memory, "."), STATUS_OK);
	for (; done < TOTAL; done += piece, piece = piece * 3 % 100003) {
		if (piece > TOTAL - done)
			piece = TOTAL - done;
		assert_int_equal(spill_append(spill, bytes + done, piece), STATUS_OK);
		assert_true(spill_len(spill) == done + piece);
	}
	free(bytes);
	return spill;
}

static bool reads_back(struct spill *spill, size_t off, size_t len)
{
	uint8_t *bytes = malloc(len + 1);
	bool same = spill_read(spill, off, len, bytes) == STATUS_OK;

	for (size_t i = 0; same && i < len; i++)
		same = bytes[i] == byte_at(off + i);
	free(bytes);
	return same;
}

/* None, some and all; of any number of bytes, and with huge pages. */
static const size_t memory[] = {0, 5000, MEMORY, MEMORY + 12345, 3 * MEMORY, 2 * TOTAL};

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof memory / sizeof *memory; m++) {
		struct spill *spill = filled(memory[m]);
		size_t off = 12345;

		assert_true(reads_back(spill, 0, TOTAL));
		assert_true(reads_back(spill, TOTAL, 0));
		assert_true(reads_back(spill, TOTAL - 1, 1));
		assert_true(reads_back(spill, MEMORY - 1, 2));
		assert_true(reads_back(spill, MEMORY, FORMAT_PAYLOAD));
		assert_true(reads_back(spill, FORMAT_PAYLOAD, 3 * FORMAT_PAYLOAD));
		for (int i = 0; i < 500; i++, off = off * 7919 % TOTAL)
			assert_true(reads_back(spill, off,
			                       off % 40000 < TOTAL - off ? off % 40000 : 1));
		spill_free(spill);
	}
}

static void reading_and_appending_take_turns(void **state)
{
	struct spill *spill = filled(0);
	uint8_t bytes[70000];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = byte_at(TOTAL + i);
	assert_true(reads_back(spill, TOTAL - 100, 100)); /* the page that is not full yet */
	assert_int_equal(spill_append(spill, bytes, sizeof bytes), STATUS_OK);
	assert_true(reads_back(spill, TOTAL - 100, 100 + sizeof bytes));
	spill_free(spill);
}

static void *reader(void *argument)
{
	struct spill *spill = argument;
	size_t off = 1 + (size_t)&off % 1000;

	for (int i = 0; i < 300; i++, off = off * 7919 % (TOTAL - 30000))
		if (!reads_back(spill, off, 30000))
			return spill;
	return NULL;
}

static void several_threads_read(void **state)
{
	struct spill *spill = filled(MEMORY);
	pthread_t thread[4];
	void *bad;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, reader, spill), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	spill_free(spill);
}

/* The spill's own file, found among our descriptors: in this folder, and gone. */
static int own_file(void)
{
	char link[64], target[512] = "", *here = getcwd(NULL, 0);
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat st;
	int found = -1;

	while ((entry = readdir(dir))) {
		snprintf(link, sizeof link, "/proc/self/fd/%.20s", entry->d_name);
		if (readlink(link, target, sizeof target - 1) > 0 &&
		    !strncmp(target, here, strlen(here)) && !stat(link, &st) &&
		    S_ISREG(st.st_mode) && st.st_nlink == 0)
			found = atoi(entry->d_name);
	}
	closedir(dir);
	free(here);
	return found;
}

static int count_names(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void nothing_readable_is_left(void **state)
{
	static const char secret[] = "Sure what I say is between the two of us";
	struct spill *spill = NULL;
	uint8_t page[FORMAT_PAGE];
	int fd;

	(void)state;
	assert_int_equal(spill_new(&spill, arena, 0, "."), STATUS_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(spill_append(spill, secret, sizeof secret), STATUS_OK);
	assert_int_equal(count_names(), 0);
	fd = own_file();
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, page, sizeof page, 0), sizeof page);
	assert_null(memmem(page, sizeof page, secret, 8));
	spill_free(spill);
	assert_int_equal(own_file(), -1);
}

static void a_disk_that_lies_is_found_out(void **state)
{
	struct spill *spill = filled(0);
	int fd = own_file();
	uint8_t byte, out[10];

	(void)state;
	assert_int_equal(pread(fd, &byte, 1, 5 * FORMAT_PAGE + 77), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 5 * FORMAT_PAGE + 77), 1);
	assert_int_equal(spill_read(spill, 5 * FORMAT_PAYLOAD, 10, out), STATUS_DAMAGED);
	assert_int_equal(spill_read(spill, 5 * FORMAT_PAYLOAD, 10, out), STATUS_DAMAGED);
	assert_false(reads_back(spill, 0, TOTAL));
	assert_true(reads_back(spill, 0, 5 * FORMAT_PAYLOAD));
	assert_true(reads_back(spill, 6 * FORMAT_PAYLOAD, 10));
	assert_int_equal(ftruncate(fd, 20 * FORMAT_PAGE), 0);
	assert_int_equal(spill_read(spill, 20 * FORMAT_PAYLOAD, 10, out), STATUS_IO);
	spill_free(spill);
}

static void write_nothing(void)
{
	static uint8_t page[FORMAT_PAYLOAD];
	struct spill *spill = NULL;

	MUST(spill_new(&spill, arena, 0, ".") == STATUS_OK);
	unit_refuse(SYS_pwrite64, 0);
	alarm(10);
	MUST(spill_append(spill, page, sizeof page) == STATUS_IO && errno == EIO);
	spill_free(spill);
}

static void a_disk_that_takes_nothing_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(write_nothing), 0);
}

/* Cut anywhere, in memory, in the middle of a sealed page, at its ends: what is left
 * is there, and what is appended then. */
static void what_is_cut_off_is_forgotten(void **state)
{
	static const size_t cut[] = {TOTAL - 1,
	                             MEMORY + 7 * FORMAT_PAYLOAD + 5,
	                             MEMORY + 7 * FORMAT_PAYLOAD,
	                             MEMORY + 3 * FORMAT_PAYLOAD - 1,
	                             MEMORY + 1,
	                             MEMORY,
	                             MEMORY - 1,
	                             70000,
	                             65536,
	                             0};
	uint8_t *bytes = malloc(TOTAL);

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		bytes[i] = byte_at(i);
	for (size_t m = 0; m < sizeof memory / sizeof *memory; m++) {
		struct spill *spill = filled(memory[m]);

		for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
			assert_int_equal(spill_append(spill, "other bytes, cut again", 22),
			                 STATUS_OK);
			assert_int_equal(spill_cut(spill, cut[i]), STATUS_OK);
			assert_true(spill_len(spill) == cut[i]);
			assert_true(reads_back(spill, 0, cut[i]));
			/* Half of what is gone comes again: pages are sealed anew. */
			assert_int_equal(spill_append(spill, bytes + cut[i], (TOTAL - cut[i]) / 2),
			                 STATUS_OK);
			assert_true(reads_back(spill, 0, cut[i] + (TOTAL - cut[i]) / 2));
		}
		assert_int_equal(spill_cut(spill, UINT64_MAX), STATUS_OK);
		assert_true(spill_len(spill) == TOTAL / 2);
		spill_free(spill);
	}
	free(bytes);
}

/* A page that is written again has another key stream: two payloads under one would
 * give each other away. */
static void no_page_is_sealed_twice_alike(void **state)
{
	static const uint8_t zeros[FORMAT_PAYLOAD];
	uint8_t page[4][FORMAT_PAGE];
	struct spill *spill = NULL;
	int fd;

	(void)state;
	assert_int_equal(spill_new(&spill, arena, 0, "."), STATUS_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(spill_append(spill, zeros, sizeof zeros), STATUS_OK);
		assert_int_equal(spill_append(spill, zeros, sizeof zeros), STATUS_OK);
		fd = own_file();
		assert_true(fd >= 0);
		assert_int_equal(pread(fd, page[i], FORMAT_PAGE, FORMAT_PAGE), FORMAT_PAGE);
		for (int j = 0; j < i; j++)
			for (size_t at = 0; at < FORMAT_PAGE; at += 16)
				assert_memory_not_equal(page[i] + at, page[j] + at, 16);
		/* To its middle, its beginning, and the one before. */
		assert_int_equal(spill_cut(spill, (size_t)(2 - i) * FORMAT_PAYLOAD / 2 * (i < 2)),
		                 STATUS_OK);
		assert_int_equal(spill_append(spill, zeros,
		                              FORMAT_PAYLOAD - spill_len(spill) % FORMAT_PAYLOAD),
		                 STATUS_OK);
		assert_int_equal(spill_cut(spill, 0), STATUS_OK);
	}
	spill_free(spill);
}

static void fill_up(void)
{
	const struct rlimit limit = {1 << 20, 1 << 20};
	struct spill *spill = NULL;
	uint8_t bytes[65536] = {0};
	int status = STATUS_OK;

	signal(SIGXFSZ, SIG_IGN);
	MUST(!setrlimit(RLIMIT_FSIZE, &limit));
	MUST(spill_new(&spill, arena, 65536, ".") == STATUS_OK);
	for (int i = 0; i < 20 && status == STATUS_OK; i++)
		status = spill_append(spill, bytes, sizeof bytes);
	MUST(status == STATUS_IO && errno == EFBIG);
	spill_free(spill);
	MUST(spill_new(&spill, arena, 0, "./missing") == STATUS_OK);
	MUST(spill_append(spill, bytes, 1) == STATUS_IO && errno == ENOENT);
	spill_free(spill);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(fill_up), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(reading_and_appending_take_turns),
		cmocka_unit_test(several_threads_read),
		cmocka_unit_test(nothing_readable_is_left),
		cmocka_unit_test(a_disk_that_lies_is_found_out),
		cmocka_unit_test(what_is_cut_off_is_forgotten),
		cmocka_unit_test(no_page_is_sealed_twice_alike),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(a_disk_that_takes_nothing_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("spill", tests, setup, teardown);
}
