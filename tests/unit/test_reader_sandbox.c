/* What somebody who has taken over the reader could still do.  Each question is asked
 * in a child that is confined, and in one that is not: there the answer is yes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
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

enum how { FREE, READING, WRITING, CLOSED };

/* In a child that is confined like that. */
static bool can(bool (*what)(void), enum how how)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (how != FREE)
			sandbox_begin(how == WRITING ? directory : NULL);
		if (how == CLOSED)
			sandbox_close();
		_exit(what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void no_program_no_process_no_network(void **state)
{
	static bool (*const what[])(void) = {forks, runs, connects, kills, traces};

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* no filter then */
#endif
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		assert_true(can(what[i], FREE));
		assert_false(can(what[i], READING));
		assert_false(can(what[i], WRITING));
		assert_false(can(what[i], CLOSED));
	}
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
		cmocka_unit_test(files_as_far_as_they_are_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
