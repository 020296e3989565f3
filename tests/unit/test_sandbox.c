/* In a child each: what the serving process can still do in its sandbox. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fusefs/sandbox.h"

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void open_no_files(void)
{
	char name[] = "/tmp/satchel-sandbox-XXXXXX", byte;
	int held = open("/etc/passwd", O_RDONLY);

	MUST(held >= 0);
	MUST(mkdtemp(name) && !rmdir(name)); /* a name that nobody has */
	MUST(sandbox_files(false));
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	MUST(open(name, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
	MUST(unlink("/etc/passwd") < 0 && errno == EACCES);
	MUST(mkdir(name, 0700) < 0 && errno == EACCES);
	execl("/bin/true", "true", (char *)NULL);
	MUST(errno == EACCES);
	/* What is open stays so. */
	MUST(pread(held, &byte, 1, 0) == 1);
}

static void *idle(void *argument)
{
	return argument;
}

static void make_no_calls(void)
{
	pthread_t thread;
	char byte;
	int held = open("/dev/zero", O_RDWR);

	MUST(held >= 0);
	MUST(sandbox_calls(0));
	MUST(open("/dev/zero", O_RDONLY) < 0 && errno == EPERM);
	MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
	MUST(send(held, "", 1, 0) < 0 && errno == EPERM);
	MUST(fork() < 0 && errno == EPERM);
	MUST(pthread_create(&thread, NULL, idle, NULL) == EPERM);
	MUST(kill(getppid(), SIGCONT) < 0 && errno == EPERM);
	MUST(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 && errno == EPERM);
	MUST(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
	MUST(prctl(PR_SET_DUMPABLE, 1) < 0 && errno == EPERM);
	MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	     MAP_FAILED);
	MUST(pread(held, &byte, 1, 0) == 1 && write(held, &byte, 1) == 1);
	/* Errors can be led elsewhere, nothing else. */
	MUST(dup3(held, STDIN_FILENO, 0) < 0 && errno == EPERM);
	MUST(dup3(held, STDOUT_FILENO, 0) < 0 && errno == EPERM);
	MUST(dup3(STDOUT_FILENO, held, 0) < 0 && errno == EPERM);
	MUST(dup3(held, STDERR_FILENO, O_CLOEXEC) < 0 && errno == EPERM);
	MUST(dup3(held, STDERR_FILENO, 0) == STDERR_FILENO);
	free(malloc(1 << 20));
}

static pid_t program;

static void kill_one_only(void)
{
	MUST(sandbox_calls(program));
	MUST(kill(program, SIGTERM) < 0 && errno == EPERM);
	MUST(kill(getppid(), SIGCONT) < 0 && errno == EPERM);
	MUST(kill(program, SIGKILL) == 0);
}

static void no_file_is_opened_or_changed(void **state)
{
	(void)state;
	unit_skip_without_filter();
	if (!has_landlock())
		skip();
	assert_int_equal(unit_in_child(open_no_files), 0);
}

static void no_socket_process_thread_or_code_is_made(void **state)
{
	(void)state;
	unit_skip_without_filter();
	assert_int_equal(unit_in_child(make_no_calls), 0);
}

static void one_program_can_be_killed(void **state)
{
	(void)state;
	unit_skip_without_filter();
	program = fork();
	if (program == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(unit_in_child(kill_one_only), 0);
	assert_int_equal(unit_wait(program), 128 + SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_is_opened_or_changed),
		cmocka_unit_test(no_socket_process_thread_or_code_is_made),
		cmocka_unit_test(one_program_can_be_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
