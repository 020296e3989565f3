#include "fusefs/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What later kernels add to linux/landlock.h of Debian 12 (version 2). */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define ACCESS_NET (UINT64_C(3))                /* 4: bind and connect */
#define SCOPED (UINT64_C(3))                    /* 6: abstract sockets, signals */

/* The whole of what the kernel may know by version 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static void plan_rules(struct ruleset *rules, size_t *len, int version, bool signals)
{
	rules->fs = (UINT64_C(1) << 13) - 1; /* LANDLOCK_ACCESS_FS_EXECUTE to _MAKE_SYM */
	if (version >= 2)
		rules->fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rules->fs |= ACCESS_FS_TRUNCATE;
	if (version >= 5)
		rules->fs |= ACCESS_FS_IOCTL_DEV;
	rules->net = version >= 4 ? ACCESS_NET : 0;
	rules->scoped = version >= 6 && !signals ? SCOPED : 0;
	*len = version >= 6 ? sizeof *rules : version >= 4 ? 16 : 8;
}

bool sandbox_files(bool signals)
{
	int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules;
	size_t len;
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (version < 1)
		return false;
	plan_rules(&rules, &len, version, signals);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, len, 0);
	if (fd < 0)
		return false;
	len = (size_t)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return len == 0;
}

/* Whatever the arguments. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(fadvise64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(nanosleep),
	SCMP_SYS(sched_yield),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(munlock),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(tgkill),
	SCMP_SYS(wait4),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(membarrier),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static const int bus_calls[] = {
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),  SCMP_SYS(geteuid),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return failed;
}

/* Memory, but never code. */
static int allow_memory(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code) |
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
}

static int allow_kill(scmp_filter_ctx filter, pid_t program)
{
	if (!program)
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 2,
	                        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)program),
	                        SCMP_A1(SCMP_CMP_EQ, SIGKILL));
}

bool sandbox_calls(pid_t program, bool bus)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed;

	if (!filter)
		return false;
	failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) |
	         allow(filter, allowed, sizeof allowed / sizeof *allowed) | allow_memory(filter) |
	         allow_kill(filter, program);
	if (bus)
		failed |= allow(filter, bus_calls, sizeof bus_calls / sizeof *bus_calls);
	if (!failed)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return !failed;
}
