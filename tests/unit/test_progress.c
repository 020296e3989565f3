#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "common/diag.h"
#include "common/progress.h"
#include "common/status.h"

enum { MB = 1000000 };

/* The clock stands until a test moves it. */
static atomic_long now_ms = 1000;

int clock_gettime(clockid_t id, struct timespec *time)
{
	(void)id;
	time->tv_sec = now_ms / 1000;
	time->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

/* Where standard output and standard error go meanwhile. */
static int out_end, err_end, old_out, old_err;

static int redirect(int fd, int *end)
{
	int ends[2], before = dup(fd);

	if (before < 0 || pipe2(ends, O_NONBLOCK) || dup2(ends[1], fd) < 0)
		return -1;
	*end = ends[0];
	close(ends[1]);
	return before;
}

static int capture(void **state)
{
	(void)state;
	diag_init("program");
	fflush(stdout);
	old_out = redirect(STDOUT_FILENO, &out_end);
	old_err = redirect(STDERR_FILENO, &err_end);
	return old_out < 0 || old_err < 0 ? -1 : 0;
}

static int release(void **state)
{
	(void)state;
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	close(out_end);
	close(err_end);
	return close(old_out) | close(old_err);
}

/* What came out at end since the last look. */
static const char *shown(int end)
{
	static char text[65536];
	ssize_t got = read(end, text, sizeof text - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* The same for a terminal, where it arrives a little later. */
static const char *drawn(int master)
{
	struct pollfd ready = {.fd = master, .events = POLLIN};
	static char text[65536];
	size_t used = 0;

	while (poll(&ready, 1, 50) == 1) {
		ssize_t got = read(master, text + used, sizeof text - 1 - used);

		used += got > 0 ? (size_t)got : 0;
	}
	text[used] = '\0';
	return text;
}

/* Standard error becomes a terminal of some columns; its keeper's end. */
static int use_terminal(unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;

	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
	assert_true(dup2(slave, STDERR_FILENO) >= 0);
	close(slave);
	setenv("TERM", "xterm", 1);
	return master;
}

static struct progress *begin(enum progress_mode mode, const char *phase, uint64_t total)
{
	struct progress *p = NULL;

	assert_int_equal(progress_new(&p, mode), STATUS_OK);
	progress_start(p, phase, total);
	return p;
}

/* ms pass in steps of a tick, bytes grow by per_tick in each. */
static uint64_t run(struct progress *p, uint64_t bytes, unsigned ms, uint64_t per_tick)
{
	for (unsigned i = 0; i < ms; i += 250) {
		now_ms += 250;
		bytes += per_tick;
		progress_update(p, bytes);
	}
	return bytes;
}

static void a_line_every_five_seconds_in_a_log(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "writing", 100 * MB);
	uint64_t bytes;

	(void)state;
	bytes = run(p, 0, 4750, MB / 4);
	assert_string_equal(shown(err_end), "");
	bytes = run(p, bytes, 250, MB / 4);
	assert_string_equal(shown(err_end),
	                    "program: writing 5%, 5.0 MB of 100.0 MB, 1.0 MB/s, 1:35 left\n");
	bytes = run(p, bytes, 4750, MB / 4);
	assert_string_equal(shown(err_end), "");
	run(p, bytes, 250, MB / 4);
	assert_string_equal(shown(err_end),
	                    "program: writing 10%, 10.0 MB of 100.0 MB, 1.0 MB/s, 1:30 left\n");
	progress_update(p, 100 * MB);
	progress_finish(p);
	assert_string_equal(shown(err_end),
	                    "program: writing 100%, 100.0 MB of 100.0 MB, 10.0 MB/s, in 0:10\n");
	progress_free(p);
	assert_string_equal(shown(err_end), "");
	assert_string_equal(shown(out_end), "");
}

static void the_rate_is_that_of_the_last_seconds(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "writing", 1000 * MB);
	uint64_t bytes = run(p, 0, 5000, 25 * MB);

	(void)state;
	shown(err_end);
	run(p, bytes, 5000, 250000); /* the stick's fast memory is full */
	assert_string_equal(shown(err_end),
	                    "program: writing 50%, 505.0 MB of 1.0 GB, 1.0 MB/s, 8:15 left\n");
	progress_free(p);
}

static void a_total_that_nobody_knows(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "staging", 0);

	(void)state;
	run(p, 0, 5000, 50000);
	assert_string_equal(shown(err_end), "program: staging 1.0 MB, 200.0 kB/s\n");
	progress_free(p);
}

static void a_standstill_promises_no_end(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "writing", 10 * MB);

	(void)state;
	run(p, 5 * MB, 5000, 0);
	assert_string_equal(shown(err_end), "program: writing 50%, 5.0 MB of 10.0 MB\n");
	run(p, 999, 5000, 0); /* and backwards is no rate either */
	assert_string_equal(shown(err_end), "program: writing 0%, 999 bytes of 10.0 MB\n");
	progress_free(p);
}

static void short_work_says_nothing(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "reading", 10);

	(void)state;
	progress_update(p, 10);
	progress_finish(p);
	progress_free(p);
	progress_free(NULL);
	assert_string_equal(shown(err_end), "");
}

static void silence(void **state)
{
	struct progress *p = begin(PROGRESS_SILENT, "writing", 100 * MB);

	(void)state;
	run(p, 0, 20000, MB);
	progress_finish(p);
	progress_free(p);
	assert_string_equal(shown(err_end), "");
	assert_string_equal(shown(out_end), "");
}

static void json_lines(void **state)
{
	struct progress *p = begin(PROGRESS_JSON, "staging", 0);

	(void)state;
	run(p, 0, 750, 10);
	assert_string_equal(shown(out_end), "");
	run(p, 30, 250, 10);
	assert_string_equal(shown(out_end), "{\"type\":\"progress\",\"phase\":\"staging\","
	                                    "\"bytes\":40,\"total\":null,\"seconds_left\":null}\n");
	progress_start(p, "writing", 10 * MB);
	run(p, 0, 1000, MB / 4);
	assert_string_equal(shown(out_end),
	                    "{\"type\":\"progress\",\"phase\":\"writing\",\"bytes\":"
	                    "1000000,\"total\":10000000,\"seconds_left\":9}\n");
	progress_update(p, 10 * MB);
	progress_finish(p);
	assert_string_equal(shown(out_end),
	                    "{\"type\":\"progress\",\"phase\":\"writing\",\"bytes\":"
	                    "10000000,\"total\":10000000,\"seconds_left\":0}\n");
	progress_free(p);
	assert_string_equal(shown(out_end), "");
	assert_string_equal(shown(err_end), "");
}

#define CLEAR "\r\033[K"

/* A bar of 80 characters: its beginning and its end. */
/* Keys take seconds each: how many, and how long it will take, but no rate. */
static void steps_are_no_bytes(void **state)
{
	struct progress *p = NULL;

	(void)state;
	assert_int_equal(progress_new(&p, PROGRESS_TEXT), STATUS_OK);
	progress_start_steps(p, "making keys", 62);
	for (int i = 0; i < 5; i++) {
		now_ms += 2000;
		progress_step(p);
	}
	assert_string_equal(shown(err_end), "program: making keys 4%, 3 of 62, 1:58 left\n");
	progress_free(p);
}

static void assert_bar(const char *line, const char *first, const char *last)
{
	assert_int_equal(strncmp(line, CLEAR, strlen(CLEAR)), 0);
	line += strlen(CLEAR);
	assert_int_equal(strlen(line), 80);
	assert_int_equal(strncmp(line, first, strlen(first)), 0);
	assert_string_equal(line + 80 - strlen(last), last);
}

static void a_bar_four_times_a_second(void **state)
{
	int master = use_terminal(81);
	struct progress *p = begin(PROGRESS_TEXT, "writing", 10 * MB);

	(void)state;
	progress_update(p, 0);
	now_ms += 249;
	progress_update(p, MB);
	assert_string_equal(drawn(master), "");
	now_ms += 1;
	progress_update(p, MB);
	assert_bar(drawn(master), "writing  10% [===> ", " ] 1.0 MB of 10.0 MB, 4.0 MB/s");
	progress_update(p, 2 * MB);
	assert_string_equal(drawn(master), "");
	run(p, MB, 500, MB);
	drawn(master);
	run(p, 3 * MB, 250, 2 * MB);
	assert_bar(drawn(master), "writing  50% [=============> ",
	           " ] 5.0 MB of 10.0 MB, 5.0 MB/s, 0:01 left");
	progress_update(p, 10 * MB);
	now_ms += 1000;
	progress_finish(p);
	assert_string_equal(drawn(master), CLEAR "writing 100% [===========================] "
	                                         "10.0 MB of 10.0 MB, 5.0 MB/s, in 0:02\r\n");
	progress_free(p);
	close(master);
}

static void a_narrow_terminal(void **state)
{
	static const unsigned short columns[] = {1, 2, 20, 40, 50, 60, 70, 200, 999};

	(void)state;
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		int master = use_terminal(columns[i]);
		struct progress *p = begin(PROGRESS_TEXT, "writing", 10 * MB);
		const char *bar;

		run(p, 0, 250, MB);
		bar = drawn(master);
		assert_int_equal(strncmp(bar, CLEAR, strlen(CLEAR)), 0);
		assert_true(strlen(bar) - strlen(CLEAR) < columns[i]);
		progress_free(p);
		close(master);
	}
}

static void messages_do_not_tear_the_bar(void **state)
{
	int master = use_terminal(40);
	struct progress *p = begin(PROGRESS_TEXT, "staging", 0);

	(void)state;
	diag_note("before");
	assert_string_equal(drawn(master), "program: before\r\n");
	run(p, 0, 250, MB);
	assert_string_equal(drawn(master), CLEAR "staging 1.0 MB, 4.0 MB/s");
	diag_warn("file", "odd");
	assert_string_equal(drawn(master),
	                    CLEAR "program: file: odd\r\n" CLEAR "staging 1.0 MB, 4.0 MB/s");
	progress_free(p);
	assert_string_equal(drawn(master), CLEAR "staging 1.0 MB, 4.0 MB/s, in 0:00\r\n");
	diag_note("after");
	assert_string_equal(drawn(master), "program: after\r\n");
	close(master);
}

static void a_dumb_terminal_gets_lines(void **state)
{
	int master = use_terminal(80);
	struct progress *p;

	(void)state;
	setenv("TERM", "dumb", 1);
	p = begin(PROGRESS_TEXT, "staging", 0);
	run(p, 0, 5000, MB);
	assert_string_equal(drawn(master), "program: staging 20.0 MB, 4.0 MB/s\r\n");
	progress_free(p);
	close(master);
}

static void large_numbers(void **state)
{
	struct progress *p = begin(PROGRESS_TEXT, "writing", UINT64_MAX);

	(void)state;
	run(p, 0, 5000, UINT64_C(1) << 40);
	assert_non_null(strstr(shown(err_end), "0%, 21.9 TB of 18.4 EB, 4.3 TB/s, 1165:0"));
	progress_free(p);
}

static atomic_bool stop;

static void *update_often(void *arg)
{
	for (uint64_t bytes = 0; !stop; bytes++)
		progress_update(arg, bytes);
	return NULL;
}

static void *talk(void *arg)
{
	(void)arg;
	while (!stop)
		diag_note("a message");
	return NULL;
}

/* For the thread sanitizer, and for a deadlock to show. */
static void threads_update_and_talk(void **state)
{
	int master = use_terminal(80);
	struct progress *p = begin(PROGRESS_TEXT, "writing", 10 * MB);
	pthread_t thread[3];

	(void)state;
	stop = false;
	assert_int_equal(pthread_create(&thread[0], NULL, update_often, p), 0);
	assert_int_equal(pthread_create(&thread[1], NULL, update_often, p), 0);
	assert_int_equal(pthread_create(&thread[2], NULL, talk, NULL), 0);
	for (int i = 0; i < 200; i++) {
		now_ms += 250;
		usleep(500);
		shown(master);
	}
	stop = true;
	for (int i = 0; i < 3; i++) {
		while (pthread_tryjoin_np(thread[i], NULL))
			shown(master);
	}
	progress_free(p);
	close(master);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, capture, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_every_five_seconds_in_a_log),
		TEST(the_rate_is_that_of_the_last_seconds),
		TEST(a_total_that_nobody_knows),
		TEST(a_standstill_promises_no_end),
		TEST(short_work_says_nothing),
		TEST(silence),
		TEST(json_lines),
		TEST(steps_are_no_bytes),
		TEST(a_bar_four_times_a_second),
		TEST(a_narrow_terminal),
		TEST(messages_do_not_tear_the_bar),
		TEST(a_dumb_terminal_gets_lines),
		TEST(large_numbers),
		TEST(threads_update_and_talk),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
