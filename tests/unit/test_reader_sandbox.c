/* What somebody who has taken over the reader could still do.  Each question is asked
 * in a child that is confined, and in one that is not: there the answer is yes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader/sandbox.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/test-sandbox-XXXXXX";

static bool can_open(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool reads(void)
{
	return can_open("/etc/passwd", O_RDONLY);
}

static bool lists_there(void)
{
	return can_open(directory, O_RDONLY | O_DIRECTORY);
}

static bool writes_there(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s/there", directory);
	return can_open(path, O_WRONLY | O_CREAT);
}

static bool writes_elsewhere(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s-elsewhere", directory);
	return can_open(path, O_WRONLY | O_CREAT) && !unlink(path);
}

static bool forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

/* What is not there is not run, but only what is allowed is looked for. */
static bool runs(void)
{
	char *argv[] = {NULL};

	execve("/nonexistent/program", argv, argv);
	return errno == ENOENT;
}

static bool connects(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool kills(void)
{
	return !kill(getppid(), 0);
}

static bool traces(void)
{
	return !ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* A file of its own: its mode. */
static bool changes_what_is_open(void)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY);

	return fd >= 0 && !fchmod(fd, 0700) && !futimens(fd, NULL);
}

static bool changes_by_name(void)
{
	return !chmod(directory, 0700);
}

static bool kills_thread_of_others(void)
{
	return !syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static bool kills_own_thread(void)
{
	return !syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0);
}

enum how { FREE, READING, WRITING, CLOSED, CLOSED_BUT_THERE };

/* In a child that is confined like that. */
static bool can(bool (*what)(void), enum how how)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (how != FREE)
			sandbox_begin(how == READING || how == CLOSED ? NULL : directory);
		if (how >= CLOSED)
			sandbox_close(how == CLOSED ? NULL : directory);
		_exit(what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void no_program_no_process_no_network(void **state)
{
	static bool (*const what[])(void) = {
		forks, runs, connects, kills, traces, changes_by_name, kills_thread_of_others,
	};

	(void)state;
	unit_skip_without_filter();
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		assert_true(can(what[i], FREE));
		assert_false(can(what[i], READING));
		assert_false(can(what[i], WRITING));
		assert_false(can(what[i], CLOSED));
	}
}

/* The numbers of calls that are refused must not be those of others. */
static void what_extracting_takes(void **state)
{
	(void)state;
	unit_skip_without_filter();
	assert_true(can(changes_what_is_open, FREE) && can(kills_own_thread, FREE));
	assert_true(can(changes_what_is_open, WRITING));
	assert_true(can(changes_what_is_open, CLOSED_BUT_THERE));
	assert_false(can(changes_what_is_open, READING));
	assert_true(can(kills_own_thread, WRITING) && can(kills_own_thread, CLOSED));
}

static void files_as_far_as_they_are_needed(void **state)
{
	(void)state;
	assert_true(can(reads, FREE) && can(writes_there, FREE) && can(writes_elsewhere, FREE));
	if (can(reads, CLOSED))
		skip(); /* a kernel without Landlock */
	assert_true(can(reads, READING) && can(reads, WRITING));
	assert_true(can(writes_there, WRITING));
	assert_false(can(writes_elsewhere, WRITING));
	assert_false(can(writes_there, READING) || can(writes_elsewhere, READING));
	assert_false(can(writes_there, CLOSED) || can(writes_elsewhere, CLOSED));
	assert_true(can(writes_there, CLOSED_BUT_THERE) && can(lists_there, CLOSED_BUT_THERE));
	assert_false(can(reads, CLOSED_BUT_THERE) || can(writes_elsewhere, CLOSED_BUT_THERE));
}

static int set_up(void **state)
{
	(void)state;
	return !mkdtemp(directory);
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "%s/there", directory);
	unlink(path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_program_no_process_no_network),
		cmocka_unit_test(what_extracting_takes),
		cmocka_unit_test(files_as_far_as_they_are_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
