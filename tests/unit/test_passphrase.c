#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "common/passphrase.h"
#include "common/status.h"

enum { PATIENCE_S = 20 };

static int terminal, slave; /* the user's side; the program's */
static char screen[4096];   /* all that was shown, since the last type_in */
static int survived;        /* signals that a handler took */

static void open_terminal(void)
{
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal) || unlockpt(terminal), 0);
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
}

static void close_terminal(void)
{
	close(terminal);
	close(slave);
}

/* A program on the terminal that runs part. */
static pid_t start(void (*part)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(PATIENCE_S);
		MUST(setsid() > 0 && !ioctl(slave, TIOCSCTTY, 0));
		part();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

/* Collect what is shown until it ends with text. */
static void expect(const char *text)
{
	struct pollfd ready = {.fd = terminal, .events = POLLIN};
	size_t used = 0, len = strlen(text);

	memset(screen, 0, sizeof screen);
	while (used < len || strcmp(screen + used - len, text)) {
		ssize_t got = -1;

		if (poll(&ready, 1, PATIENCE_S * 1000) == 1)
			got = read(terminal, screen + used, sizeof screen - 1 - used);
		if (got <= 0)
			fail_msg("waited for \"%s\", got \"%s\"", text, screen);
		used += (size_t)got;
	}
}

static void type(const char *text)
{
	assert_int_equal(write(terminal, text, strlen(text)), strlen(text));
}

static bool echoes(void)
{
	struct termios mode;

	assert_int_equal(tcgetattr(slave, &mode), 0);
	return mode.c_lflag & ECHO;
}

static void ask_for_secret(void)
{
	struct passphrase p;

	MUST(passphrase_ask(&p, "passphrase: ", false) == STATUS_OK);
	MUST(p.len == 11 && !memcmp(p.text, "my \xea\xb0\x80 secr", 11));
	MUST(write(slave, "thanks", 6) == 6);
}

static void what_is_typed_is_not_shown(void **state)
{
	pid_t pid;

	(void)state;
	open_terminal();
	assert_true(echoes());
	pid = start(ask_for_secret);
	expect("passphrase: ");
	assert_false(echoes());
	type("  my \xe1\x84\x80\xe1\x85\xa1 secx\x7fr\n"); /* jamo, a slip and blanks */
	expect("thanks");
	assert_null(strstr(screen, "se"));
	assert_string_equal(screen, "\r\nthanks");
	assert_int_equal(unit_wait(pid), 0);
	assert_true(echoes());
	close_terminal();
}

/* Decomposed letters, blanks, bytes that are no UTF-8: as they are typed. */
static const char raw[] = "  \xe1\x84\x80\xe1\x85\xa1 \xff ";

static void ask_raw(void)
{
	struct passphrase p;

	MUST(passphrase_ask_raw(&p, "password: ") == STATUS_OK);
	MUST(p.len == sizeof raw - 1 && !memcmp(p.text, raw, p.len));
	MUST(passphrase_ask_raw(&p, "password: ") == STATUS_OK);
	MUST(p.len == 0);
	MUST(passphrase_ask_raw(&p, "password: ") == STATUS_TOOBIG);
	for (size_t i = 0; i < sizeof p; i++)
		MUST(((const char *)&p)[i] == 0);
	MUST(write(slave, "thanks", 6) == 6);
}

static void a_password_of_another_program_is_left_as_it_is(void **state)
{
	char line[KDF_PASSPHRASE_MAX + 3];
	pid_t pid;

	(void)state;
	memset(line, 'x', sizeof line);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	open_terminal();
	pid = start(ask_raw);
	expect("password: ");
	assert_false(echoes());
	type(raw);
	type("\n");
	expect("password: ");
	type("\n");
	expect("password: ");
	type(line);
	expect("thanks");
	assert_int_equal(unit_wait(pid), 0);
	assert_true(echoes());
	close_terminal();
}

static void ask_twice(void)
{
	struct passphrase p;

	MUST(passphrase_ask(&p, "new passphrase: ", true) == STATUS_OK);
	MUST(p.len == 5 && !memcmp(p.text, "right", 5));
}

static void two_that_differ_are_asked_again(void **state)
{
	pid_t pid;

	(void)state;
	open_terminal();
	pid = start(ask_twice);
	expect("new passphrase: ");
	type("right\n");
	expect("once more: ");
	type("wrong\n");
	expect("they differ\r\nnew passphrase: ");
	type("right\n");
	expect("once more: ");
	type("right \n");
	assert_int_equal(unit_wait(pid), 0);
	assert_true(echoes());
	close_terminal();
}

static bool wiped(const struct passphrase *p)
{
	const uint8_t *bytes = (const uint8_t *)p;
	uint8_t all = 0;

	for (size_t i = 0; i < sizeof *p; i++)
		all |= bytes[i];
	return all == 0;
}

static void ask_in_vain(void)
{
	struct passphrase p;

	MUST(passphrase_ask(&p, "passphrase: ", true) == STATUS_PASSPHRASE);
	MUST(wiped(&p));
}

static void three_times_is_enough(void **state)
{
	pid_t pid;

	(void)state;
	open_terminal();
	pid = start(ask_in_vain);
	for (int i = 0; i < 3; i++) {
		expect("passphrase: ");
		type("right\n");
		expect("once more: ");
		type(i == 1 ? "\n" : "wrong\n");
	}
	assert_int_equal(unit_wait(pid), 0);
	close_terminal();
}

static void empty_or_unreadable_is_refused(void **state)
{
	static const char *const bad[] = {"\n", "  \n", "\x04", "caf\xe9\n"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		pid_t pid;

		open_terminal();
		pid = start(ask_in_vain);
		expect("passphrase: ");
		type(bad[i]);
		assert_int_equal(unit_wait(pid), 0);
		assert_true(echoes());
		close_terminal();
	}
}

static void signals_restore_the_terminal_and_are_delivered(void **state)
{
	static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
		pid_t pid;

		open_terminal();
		pid = start(ask_for_secret);
		expect("passphrase: ");
		type("half a");
		if (deadly[i] == SIGINT)
			type("\x03");
		else
			kill(pid, deadly[i]);
		assert_int_equal(unit_wait(pid), 128 + deadly[i]);
		assert_true(echoes());
		close_terminal();
	}
}

static void survive(int no)
{
	struct termios mode;

	/* By now the terminal is as it was. */
	MUST(!tcgetattr(slave, &mode) && (mode.c_lflag & ECHO));
	survived = no;
}

static void ask_and_survive(void)
{
	struct sigaction action = {.sa_handler = survive}, after;
	struct passphrase p;

	MUST(!sigaction(SIGINT, &action, NULL));
	MUST(passphrase_ask(&p, "passphrase: ", false) == STATUS_CANCELLED);
	MUST(survived == SIGINT && wiped(&p));
	MUST(!sigaction(SIGINT, NULL, &after) && after.sa_handler == survive);
}

static void a_program_that_survives_is_told(void **state)
{
	pid_t pid;

	(void)state;
	open_terminal();
	pid = start(ask_and_survive);
	expect("passphrase: ");
	type("half a\x03");
	assert_int_equal(unit_wait(pid), 0);
	close_terminal();
}

static void ask_deaf(void)
{
	signal(SIGHUP, SIG_IGN);
	ask_for_secret();
}

static void what_is_ignored_stays_ignored(void **state)
{
	pid_t pid;

	(void)state;
	open_terminal();
	pid = start(ask_deaf);
	expect("passphrase: ");
	assert_int_equal(kill(pid, SIGHUP), 0);
	type("my \xea\xb0\x80 secr\n");
	expect("thanks");
	assert_int_equal(unit_wait(pid), 0);
	close_terminal();
}

/* A job of its own in the foreground, as a shell would start it. */
static void ask_as_a_job(void)
{
	pid_t job = fork();
	int status;

	if (job == 0) {
		alarm(PATIENCE_S);
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		MUST(!tcsetpgrp(slave, getpid()));
		signal(SIGTTOU, SIG_DFL);
		ask_for_secret();
		_exit(0);
	}
	MUST(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
	MUST(write(slave, "stopped", 7) == 7);
	sleep(1);
	MUST(!kill(job, SIGCONT));
	MUST(waitpid(job, &status, 0) == job && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void after_a_stop_it_asks_again(void **state)
{
	pid_t pid;

	(void)state;
	if (RUNNING_ON_VALGRIND) /* which does not stop */
		skip();
	open_terminal();
	pid = start(ask_as_a_job);
	expect("passphrase: ");
	type("half a\x1a");
	expect("stopped");
	assert_true(echoes());
	expect("passphrase: ");
	assert_false(echoes());
	type("my \xea\xb0\x80 secr\n");
	expect("thanks");
	assert_int_equal(unit_wait(pid), 0);
	close_terminal();
}

static void ask_without_terminal(void)
{
	struct passphrase p;

	MUST(setsid() > 0);
	errno = 0;
	MUST(passphrase_ask(&p, "passphrase: ", false) == STATUS_IO && errno == ENXIO);
}

static void without_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(ask_without_terminal), 0);
}

static void put(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void assert_from_file(const char *bytes, int status, const char *text)
{
	struct passphrase p;

	memset(&p, 'x', sizeof p);
	put("file", bytes, strlen(bytes));
	assert_int_equal(passphrase_read_file(&p, "file"), status);
	if (status) {
		assert_true(wiped(&p));
		return;
	}
	assert_int_equal(p.len, strlen(text));
	assert_memory_equal(p.text, text, p.len);
}

static void a_file_holds_one_passphrase(void **state)
{
	(void)state;
	assert_from_file("secret words", STATUS_OK, "secret words");
	assert_from_file("secret words\n", STATUS_OK, "secret words");
	assert_from_file("\n secret words \r\n\n", STATUS_OK, "secret words");
	assert_from_file("cafe\xcc\x81\n", STATUS_OK, "caf\xc3\xa9");
	assert_from_file("one\ntwo\n", STATUS_PASSPHRASE, NULL);
	assert_from_file("one\rtwo", STATUS_PASSPHRASE, NULL);
	assert_from_file("\n", STATUS_PASSPHRASE, NULL);
	assert_from_file("", STATUS_PASSPHRASE, NULL);
}

static void files_of_any_length(void **state)
{
	char bytes[1 << 16];
	struct passphrase p;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	put("file", bytes, KDF_PASSPHRASE_MAX);
	assert_int_equal(passphrase_read_file(&p, "file"), STATUS_OK);
	assert_int_equal(p.len, KDF_PASSPHRASE_MAX);
	bytes[KDF_PASSPHRASE_MAX] = '\n';
	put("file", bytes, KDF_PASSPHRASE_MAX + 1);
	assert_int_equal(passphrase_read_file(&p, "file"), STATUS_OK);
	bytes[KDF_PASSPHRASE_MAX] = 'x';
	put("file", bytes, KDF_PASSPHRASE_MAX + 1);
	assert_int_equal(passphrase_read_file(&p, "file"), STATUS_TOOBIG);
	put("file", bytes, sizeof bytes);
	assert_int_equal(passphrase_read_file(&p, "file"), STATUS_TOOBIG);
	assert_true(wiped(&p));
	errno = 0;
	assert_int_equal(passphrase_read_file(&p, "missing"), STATUS_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(passphrase_read_file(&p, "."), STATUS_IO);
}

static void read_standard_input(void)
{
	struct passphrase p;
	int ends[2];

	MUST(!pipe(ends) && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	MUST(write(ends[1], "sec", 3) == 3);
	if (fork() == 0) {
		usleep(50000); /* it comes in pieces */
		MUST(write(ends[1], "ret\n", 4) == 4);
		_exit(0);
	}
	close(ends[1]);
	MUST(passphrase_read_file(&p, "-") == STATUS_OK);
	MUST(p.len == 6 && !memcmp(p.text, "secret", 6));
}

static void standard_input_up_to_its_end(void **state)
{
	(void)state;
	assert_int_equal(unit_in_child(read_standard_input), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_not_shown),
		cmocka_unit_test(two_that_differ_are_asked_again),
		cmocka_unit_test(three_times_is_enough),
		cmocka_unit_test(empty_or_unreadable_is_refused),
		cmocka_unit_test(a_password_of_another_program_is_left_as_it_is),
		cmocka_unit_test(signals_restore_the_terminal_and_are_delivered),
		cmocka_unit_test(a_program_that_survives_is_told),
		cmocka_unit_test(what_is_ignored_stays_ignored),
		cmocka_unit_test(after_a_stop_it_asks_again),
		cmocka_unit_test(without_a_terminal),
		cmocka_unit_test(a_file_holds_one_passphrase),
		cmocka_unit_test(files_of_any_length),
		cmocka_unit_test(standard_input_up_to_its_end),
	};

	return cmocka_run_group_tests_name("passphrase", tests, unit_enter_folder,
	                                   unit_leave_folder);
}
