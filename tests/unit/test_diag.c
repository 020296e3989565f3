#include "tests/unit/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

enum { THREADS = 4, LINES = 200 };

/* Standard error goes into a pipe that keeps each write(2) apart. */
static int packets[2], before;

static int capture(void **state)
{
	(void)state;
	before = dup(STDERR_FILENO);
	if (pipe2(packets, O_DIRECT | O_NONBLOCK))
		return -1;
	diag_init("program");
	diag_set_quiet(false);
	return dup2(packets[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int release(void **state)
{
	(void)state;
	diag_set_hook(NULL);
	dup2(before, STDERR_FILENO);
	return close(before) | close(packets[0]) | close(packets[1]);
}

/* The next single write, "" if there was none. */
static const char *next(void)
{
	static char text[16384];
	ssize_t got = read(packets[0], text, sizeof text - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* Nobody may read it: what a caller is about to report is another failure. */
static void errno_outlives_a_message(void **state)
{
	int kept = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	errno = ENOSPC;
	diag_note("by the way");
	assert_int_equal(errno, ENOSPC);
	dup2(kept, STDERR_FILENO);
	close(kept);
}

static void messages_are_one_line_and_one_write(void **state)
{
	(void)state;
	diag_error("file", "number %d of %s", 7, "them");
	assert_string_equal(next(), "program: file: number 7 of them\n");
	diag_warn(NULL, "careful");
	assert_string_equal(next(), "program: careful\n");
	diag_note("by the way");
	assert_string_equal(next(), "program: by the way\n");
	assert_string_equal(next(), "");
}

static void quiet_leaves_errors(void **state)
{
	(void)state;
	diag_set_quiet(true);
	diag_note("not this");
	diag_warn("file", "nor this");
	assert_string_equal(next(), "");
	diag_error(NULL, "this");
	assert_string_equal(next(), "program: this\n");
}

static void statuses_become_words_and_exit_codes(void **state)
{
	(void)state;
	errno = ENOSPC;
	assert_int_equal(diag_status("drive", STATUS_IO), 1);
	assert_string_equal(next(), "program: drive: No space left on device\n");
	assert_int_equal(diag_status("bundle", STATUS_NOKEY), 12);
	assert_string_equal(next(), "program: bundle: no key fits: wrong passphrase, not a bundle, "
	                            "or not for this key\n");
}

static void hostile_names_do_not_drive_the_terminal(void **state)
{
	static const struct {
		const char *name, *shown;
	} row[] = {
		{"plain name.txt", "plain name.txt"},
		{"\xea\xb0\x80 caf\xc3\xa9 \xf0\x9f\x98\x80",
	         "\xea\xb0\x80 caf\xc3\xa9 \xf0\x9f\x98\x80"},
		{"a\x1b[2Jb\nc\td\x7f", "a\\x1b[2Jb\\x0ac\\x09d\\x7f"},
		{"csi \xc2\x9b", "csi \\xc2\\x9b"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"cut \xe2\x82", "cut \\xe2\\x82"},
		{"overlong \xc0\xaf", "overlong \\xc0\\xaf"},
		{"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
		{"beyond \xf4\x90\x80\x80", "beyond \\xf4\\x90\\x80\\x80"},
		{"gpj.\xe2\x80\xae"
	         "exe",
	         "gpj.\\xe2\\x80\\xae"
	         "exe"},
		{"\xe2\x81\xa6\xe2\x80\xa8", "\\xe2\\x81\\xa6\\xe2\\x80\\xa8"},
	};
	char expected[256], escaped[256];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		size_t len = diag_escape(escaped, sizeof escaped, row[i].name, strlen(row[i].name));

		assert_string_equal(escaped, row[i].shown);
		assert_int_equal(len, strlen(row[i].shown));
		diag_error(row[i].name, "and %s", row[i].name);
		snprintf(expected, sizeof expected, "program: %s: and %s\n", row[i].shown,
		         row[i].shown);
		assert_string_equal(next(), expected);
	}
}

static void escaping_ends_where_the_room_does(void **state)
{
	char out[8] = "unused!";

	(void)state;
	assert_int_equal(diag_escape(out, 0, "abc", 3), 0);
	assert_string_equal(out, "unused!");
	assert_int_equal(diag_escape(out, 1, "abc", 3), 0);
	assert_string_equal(out, "");
	assert_int_equal(diag_escape(out, 8, "\n\n", 2), 4);
	assert_string_equal(out, "\\x0a");
	assert_int_equal(diag_escape(out, 8, "abcde\xea\xb0\x80", 8), 5);
	assert_string_equal(out, "abcde");
	assert_int_equal(diag_escape(out, 8, "a\0b", 3), 6);
	assert_string_equal(out, "a\\x00b");
}

static void a_long_name_leaves_room_for_what_is_wrong(void **state)
{
	char name[16383];
	const char *line;

	(void)state;
	memset(name, '\n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	diag_error(name, "is too long");
	line = next();
	assert_true(strlen(line) <= PIPE_BUF);
	assert_string_equal(line + strlen(line) - strlen(": is too long\n"), ": is too long\n");
	diag_error("file", "%s", name);
	line = next();
	assert_true(strlen(line) <= PIPE_BUF);
	assert_true(line[strlen(line) - 1] == '\n');
}

static void messages_leave_nothing_in_the_arena(void **state)
{
	enum { LEN = 1 << 16 };
	struct arena *arena = NULL;
	uint8_t *bytes, left = 0;

	(void)state;
	assert_int_equal(arena_new(&arena, LEN, false), STATUS_OK);
	bytes = arena_alloc(arena, 64);
	diag_use(arena);
	assert_true(arena_room(arena) < LEN - 64);
	diag_error("a name from the bundle", "and its %s", "secrets");
	assert_string_equal(next(), "program: a name from the bundle: and its secrets\n");
	for (size_t i = 0; i < LEN; i++)
		left |= bytes[i];
	assert_int_equal(left, 0);
	diag_init("program");
	arena_free(arena);
}

static unsigned steps;

static void aside(bool first)
{
	/* The line is written between the two. */
	assert_string_equal(next(), first ? "" : "program: message\n");
	steps = steps * 10 + (first ? 1 : 2);
}

static void the_hook_is_called_around_each_line(void **state)
{
	(void)state;
	steps = 0;
	diag_set_hook(aside);
	diag_note("message");
	assert_int_equal(steps, 12);
	diag_set_quiet(true);
	diag_note("message");
	assert_int_equal(steps, 12);
	diag_set_quiet(false);
	diag_set_hook(NULL);
	diag_note("message");
	assert_int_equal(steps, 12);
}

static void *chatter(void *arg)
{
	for (int i = 0; i < LINES; i++)
		diag_error("thread", "%s", (const char *)arg);
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
	static char text[THREADS][32];
	unsigned seen[THREADS] = {0};
	pthread_t thread[THREADS];
	char line[64];

	(void)state;
	assert_true(fcntl(packets[1], F_SETPIPE_SZ, 1 << 20) > 0);
	assert_int_equal(fcntl(packets[1], F_SETFL, O_DIRECT), 0);
	for (int i = 0; i < THREADS; i++) {
		memset(text[i], 'a' + i, sizeof text[i] - 1);
		assert_int_equal(pthread_create(&thread[i], NULL, chatter, text[i]), 0);
	}
	for (int n = 0; n < THREADS * LINES; n++) {
		ssize_t got;

		while ((got = read(packets[0], line, sizeof line - 1)) < 0)
			usleep(100);
		line[got] = '\0';
		for (int i = 0; i < THREADS; i++)
			seen[i] += !strncmp(line + strlen("program: thread: "), text[i], 31) &&
			           got == 17 + 31 + 1;
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(seen[i], LINES);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, capture, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_one_line_and_one_write),
		TEST(errno_outlives_a_message),
		TEST(quiet_leaves_errors),
		TEST(statuses_become_words_and_exit_codes),
		TEST(hostile_names_do_not_drive_the_terminal),
		TEST(escaping_ends_where_the_room_does),
		TEST(a_long_name_leaves_room_for_what_is_wrong),
		TEST(messages_leave_nothing_in_the_arena),
		TEST(the_hook_is_called_around_each_line),
		TEST(threads_do_not_mix_their_lines),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
