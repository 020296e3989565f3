#include "fusefs/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/landlock.h"

bool sandbox_files(bool signals)
{
#ifdef __SANITIZE_ADDRESS__
	(void)signals; /* at the end it opens files of /proc, for leaks */
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#else
	return landlock_restrict(NULL, 0, signals);
#endif
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
	/* What the C library of a processor of 32 bits calls instead. */
	SCMP_SYS(fadvise64_64),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat64),
	SCMP_SYS(futex_time64),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(getuid32),
	SCMP_SYS(waitpid),
	SCMP_SYS(sigreturn),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return failed;
}

/* Memory, but never code.  Where there is mmap2(2), mmap(2) has its arguments in memory, where no
 * filter sees them. */
static int allow_memory(scmp_filter_ctx filter)
{
	const int map = SCMP_SYS(mmap2) > 0 ? SCMP_SYS(mmap2) : SCMP_SYS(mmap);
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, map, 1, no_code) |
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
}

/* Errors go nowhere once the mount is ready. */
static int allow_leaving(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(dup3), 2,
	                        SCMP_A1(SCMP_CMP_EQ, STDERR_FILENO), SCMP_A2(SCMP_CMP_EQ, 0));
}

/* Its own threads, and the program. */
static int allow_kill(scmp_filter_ctx filter, pid_t program)
{
	int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));

	if (!program || failed)
		return failed;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 2,
	                        SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)program),
	                        SCMP_A1(SCMP_CMP_EQ, SIGKILL));
}

bool sandbox_calls(pid_t program)
{
#ifdef __SANITIZE_ADDRESS__
	return true; /* and traces its own process */
#endif
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed;

	if (!filter)
		return false;
	failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) |
	         allow(filter, allowed, sizeof allowed / sizeof *allowed) | allow_memory(filter) |
	         allow_kill(filter, program) | allow_leaving(filter);
	if (!failed)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	return !failed;
}

/* The kernel looks at 32 bits of it. */
static int refuse_request(scmp_filter_ctx filter, unsigned request)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
	                        SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, request));
}

void sandbox_typing(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		return;
	/* The program is any, and may be of 32 bits. */
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
#ifdef __x86_64__
	seccomp_arch_add(filter, SCMP_ARCH_X86);
	seccomp_arch_add(filter, SCMP_ARCH_X32);
#endif
	if (!refuse_request(filter, TIOCSTI) && !refuse_request(filter, TIOCLINUX))
		seccomp_load(filter);
	seccomp_release(filter);
}
