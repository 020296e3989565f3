/* What the unit tests share. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

/* In a child, where a cmocka assertion would jump into the parent's stack. */
#define MUST(x) unit_must((x), #x, __FILE__, __LINE__)

static inline void unit_must(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "# %s:%d: %s (errno %d)\n", file, line, what, errno);
	_exit(1);
}

/* How the child pid ended: its exit status, or 128 and the signal. */
static inline int unit_wait(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Run part in a child, for what cannot be undone in the parent. */
static inline int unit_in_child(void (*part)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		part();
		_exit(0);
	}
	assert_true(pid > 0);
	return unit_wait(pid);
}

/* AddressSanitizer's builds have no filter of system calls. */
static inline void unit_skip_without_filter(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	if (RUNNING_ON_VALGRIND) /* which knows neither Landlock nor filters */
		skip();
}

/* Sanitizers make mlock(2) a no-op and take terabytes of address space. */
static inline bool unit_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* From now on the system call fails with error. */
static inline void unit_refuse(int call, int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static inline bool unit_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A file with that text, instead of what was there. */
static inline void unit_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Who is not root becomes it, in a user namespace. */
static inline bool unit_private_users(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
	return !unshare(CLONE_NEWUSER) && unit_write("/proc/self/uid_map", users) &&
	       unit_write("/proc/self/setgroups", "deny") &&
	       unit_write("/proc/self/gid_map", groups);
}

/* Mounts of one's own, for a child; false where that is not allowed. */
static inline bool unit_private_mounts(void)
{
	if (geteuid() && !unit_private_users())
		return false;
	return !unshare(CLONE_NEWNS) && !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
}

/* Group fixtures: an empty folder of its own as the current one. */
static inline int unit_enter_folder(void **state)
{
	char name[] = "/tmp/satchel-unit-XXXXXX";

	*state = mkdtemp(name) ? strdup(name) : NULL;
	return *state ? chdir(*state) : -1;
}

static inline int unit_leave_folder(void **state)
{
	char command[64];
	int rc = chdir("/");

	snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
	rc |= system(command);
	free(*state);
	return rc;
}

#endif
