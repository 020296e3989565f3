/* For a test: what somebody who has taken over the packer through its sources would
 * try.  Loaded in front of it; begins when the first thing is compressed.  One line
 * on file descriptor 9 for each: what worked. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

static void say(const char *what, int worked)
{
	dprintf(9, "%s %s\n", worked ? "open" : "shut", what);
}

static int writes(const char *variable)
{
	const char *path = getenv(variable);
	int fd = path ? open(path, O_WRONLY | O_CREAT, 0600) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0;
}

static int runs(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};

	/* Only a refusal comes back with EPERM or EACCES: nothing is there to run. */
	execve("/nonexistent/true", argv, envp);
	return errno != EPERM && errno != EACCES;
}

static void try_all(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	say("reading", fd >= 0);
	say("writing beside the output", writes("TRY_BESIDE"));
	say("writing to the spill", writes("TRY_SPILL"));
	say("writing elsewhere", writes("TRY_ELSEWHERE"));
	say("overwriting", writes("TRY_EXISTING"));
	say("removing", getenv("TRY_EXISTING") && !unlink(getenv("TRY_EXISTING")));
	say("a new process", forks());
	say("another program", runs());
	say("a socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	say("a unix socket", socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	say("killing", !kill(getppid(), 0));
	say("tracing", !ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
	say("memory of others", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) == 0);
}

size_t ZSTD_compress2(ZSTD_CCtx *context, void *out, size_t room, const void *in, size_t len)
{
	static size_t (*compress)(ZSTD_CCtx *, void *, size_t, const void *, size_t);
	static int tried;

	if (!compress)
		*(void **)&compress = dlsym(RTLD_NEXT, "ZSTD_compress2");
	if (!__sync_fetch_and_add(&tried, 1))
		try_all();
	return compress(context, out, room, in, len);
}
