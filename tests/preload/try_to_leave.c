/* For a test: what somebody who has taken over one of the programs through what it
 * reads would try.  Loaded in front of it; begins when something that begins with
 * "TRY TO LEAVE" is compressed, or has been decompressed.  On file descriptor 9, behind
 * the kernel's version of Landlock, a line for each: "open" or "shut" as it worked or
 * not, and by what it is held back:
 *
 *   files   by Landlock
 *   calls   by the filter of system calls
 *   rights  by that, where the machine does not refuse it to this user anyway
 *
 * TRY_BESIDE, TRY_SPILL, TRY_ELSEWHERE   files that are not there yet, where the program
 *                                        may write, and where it may not
 * TRY_EXISTING                           one that is there
 * TRY_LANDLOCK  as on a kernel with this version of Landlock, 0 for none
 * TRY_SECCOMP   no: as on one without filters */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/preload/words.h"

static const char mark[] = "TRY TO LEAVE";

enum { REPORT = 9 }; /* the descriptor */

/* What stands behind the functions here. */
static size_t (*compress)(ZSTD_CCtx *, void *, size_t, const void *, size_t);
static size_t (*decompress)(ZSTD_DCtx *, void *, size_t, const void *, size_t);
static long (*call)(long, ...);
static int (*control)(int, ...);
static int (*shut)(int);

/* The kernel did it, or would have: it found something wrong with what was asked, not
 * with who asked. */
static int reached(long answer)
{
	return answer >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS);
}

static const char *there(void)
{
	const char *path = getenv("TRY_EXISTING");

	return path ? path : "";
}

/* What was opened is closed. */
static int held(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* --- files -------------------------------------------------------------------------- */

static int reads(void)
{
	return held(open("/etc/passwd", O_RDONLY));
}

static int makes(const char *variable)
{
	const char *path = getenv(variable);

	return path && held(open(path, O_WRONLY | O_CREAT, 0600));
}

static int makes_beside(void)
{
	return makes("TRY_BESIDE");
}

static int makes_in_spill(void)
{
	return makes("TRY_SPILL");
}

static int makes_elsewhere(void)
{
	return makes("TRY_ELSEWHERE");
}

static int overwrites(void)
{
	return held(open(there(), O_WRONLY));
}

/* The last to be tried of what is there. */
static int removes(void)
{
	return !unlink(there());
}

static int makes_directory(void)
{
	char path[4096];

	snprintf(path, sizeof path, "%s-directory", there());
	return !mkdir(path, 0700) && !rmdir(path);
}

static int empties(void)
{
	return !truncate(there(), 0);
}

static int empties_by_opening(void)
{
	return held(open(there(), O_RDONLY | O_TRUNC));
}

static int changes_mode(void)
{
	return !chmod(there(), 0644);
}

static int changes_mode_at(void)
{
	return !syscall(SYS_fchmodat, AT_FDCWD, there(), 0600);
}

static int changes_mode_of_open(void)
{
	int fd = open(there(), O_RDONLY), answer = fd < 0 ? -1 : fchmod(fd, 0600);

	held(fd);
	return !answer;
}

static int changes_owner(void)
{
	return !chown(there(), getuid(), getgid());
}

static int changes_owner_of_link(void)
{
	return !lchown(there(), getuid(), getgid());
}

static int changes_owner_at(void)
{
	return !fchownat(AT_FDCWD, there(), getuid(), getgid(), 0);
}

static int changes_times(void)
{
	return !utimensat(AT_FDCWD, there(), NULL, 0);
}

static int changes_attribute(void)
{
	return reached(setxattr(there(), "user.try", "x", 1, 0));
}

static int changes_attribute_of_link(void)
{
	return reached(lsetxattr(there(), "user.try", "x", 1, 0));
}

static int removes_attribute(void)
{
	return reached(removexattr(there(), "user.none"));
}

static int changes_flags(void)
{
	int fd = open(there(), O_RDONLY), flags = 0, answer = -1;

	if (fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &flags))
		answer = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	answer = reached(answer);
	held(fd);
	return answer;
}

static int makes_pipe(void)
{
	char path[4096];

	snprintf(path, sizeof path, "%s-pipe", there());
	return !mkfifo(path, 0600) && !unlink(path);
}

static int opens_by_handle(void)
{
	return reached(syscall(SYS_open_by_handle_at, -1, NULL, 0));
}

static int opens_in_new_ways(void)
{
	uint64_t how[3] = {O_RDONLY | O_TRUNC, 0, 0};

	return held((int)syscall(SYS_openat2, AT_FDCWD, there(), how, sizeof how));
}

/* --- processes ----------------------------------------------------------------------- */

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

	return reached(execve("/nonexistent/true", argv, envp));
}

static int kills(void)
{
	return !kill(getppid(), 0);
}

static int kills_thread(void)
{
	return !syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int kills_thread_of_any(void)
{
	return !syscall(SYS_tkill, getppid(), 0);
}

static int queues_signal(void)
{
	siginfo_t about = {.si_code = SI_QUEUE};

	return !syscall(SYS_rt_sigqueueinfo, getppid(), 0, &about);
}

static int queues_signal_to_thread(void)
{
	siginfo_t about = {.si_code = SI_QUEUE};

	return !syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &about);
}

static int signals_by_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getppid(), 0);
	int answer = fd < 0 ? -1 : (int)syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);

	return held(fd) && !answer;
}

static int signals_by_file(void)
{
	int fd = eventfd(0, 0), answer = fcntl(fd < 0 ? REPORT : fd, F_SETOWN, getppid());

	held(fd);
	return !answer;
}

/* With options that there are not: nobody is stopped. */
static int traces(void)
{
	return reached(ptrace(PTRACE_SEIZE, getppid(), NULL, -1l));
}

static int reads_memory(void)
{
	return !syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static int writes_memory(void)
{
	return !syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0);
}

static int limits_others(void)
{
	struct rlimit limit;

	return !syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, NULL, &limit);
}

static int slows_others(void)
{
	return !setpriority(PRIO_PROCESS, (id_t)getppid(),
	                    getpriority(PRIO_PROCESS, (id_t)getppid()));
}

/* --- others, through the kernel --------------------------------------------------------- */

static int makes_socket(void)
{
	return held(socket(AF_INET, SOCK_STREAM, 0));
}

static int makes_unix_socket(void)
{
	return held(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* Through what is open: it need not be a socket to get as far. */
static int sends_message(void)
{
	struct msghdr nothing = {0};

	return reached(sendmsg(REPORT, &nothing, 0));
}

static int shares_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	return id >= 0 && !shmctl(id, IPC_RMID, NULL);
}

static int opens_queue(void)
{
	return reached(syscall(SYS_mq_open, "none", O_RDONLY, 0, NULL));
}

static int makes_memory_file(void)
{
	return held((int)syscall(SYS_memfd_create, "x", 0));
}

static int types(void)
{
	return reached(ioctl(REPORT, TIOCSTI, "x"));
}

static int asks_for_key(void)
{
	return reached(syscall(SYS_keyctl, -1, 0, 0, 0, 0));
}

static int mounts(void)
{
	return reached(syscall(SYS_mount, "none", "/nonexistent/place", "ramfs", 0, NULL));
}

static int unmounts(void)
{
	return reached(syscall(SYS_umount2, "/nonexistent/place", 0));
}

static int leaves_namespace(void)
{
	return reached(syscall(SYS_unshare, 0));
}

static int enters_namespace(void)
{
	return reached(syscall(SYS_setns, -1, 0));
}

static int changes_root(void)
{
	return reached(chroot("/nonexistent/place"));
}

static int loads_bpf(void)
{
	return reached(syscall(SYS_bpf, -1, NULL, 0));
}

static int makes_ring(void)
{
	return reached(syscall(SYS_io_uring_setup, 0, NULL));
}

static int counts_events(void)
{
	return reached(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int faults_itself(void)
{
	return reached(syscall(SYS_userfaultfd, 1));
}

static int changes_personality(void)
{
	return personality(0xffffffff) >= 0;
}

/* What has no right is refused before anything is looked at: nothing here is valid. */
static int loads_module(void)
{
	return reached(syscall(SYS_init_module, NULL, 0, NULL));
}

static int loads_kernel(void)
{
	return reached(syscall(SYS_kexec_load, 0, 0, NULL, -1ul));
}

static int restarts(void)
{
	return reached(syscall(SYS_reboot, 0, 0, 0, NULL));
}

static int swaps(void)
{
	return reached(syscall(SYS_swapon, NULL, 0));
}

/* --- all of it --------------------------------------------------------------------------- */

static const struct attempt {
	const char *by, *name;
	int (*works)(void);
} attempts[] = {
	{"files", "reading", reads},
	{"files", "making a file beside the output", makes_beside},
	{"files", "making a file beside the spill", makes_in_spill},
	{"files", "making a file elsewhere", makes_elsewhere},
	{"files", "making a directory", makes_directory},
	{"files", "overwriting", overwrites},
	{"calls", "emptying", empties},
	{"calls", "emptying by opening", empties_by_opening},
	{"calls", "opening in new ways", opens_in_new_ways},
	{"calls", "a mode", changes_mode},
	{"calls", "a mode, at", changes_mode_at},
	{"calls", "a mode, of what is open", changes_mode_of_open},
	{"calls", "an owner", changes_owner},
	{"calls", "an owner, of a link", changes_owner_of_link},
	{"calls", "an owner, at", changes_owner_at},
	{"calls", "times", changes_times},
	{"calls", "an attribute", changes_attribute},
	{"calls", "an attribute, of a link", changes_attribute_of_link},
	{"calls", "an attribute less", removes_attribute},
	{"calls", "flags", changes_flags},
	{"calls", "a named pipe", makes_pipe},
	{"files", "removing", removes},
	{"calls", "a new process", forks},
	{"calls", "another program", runs},
	{"calls", "killing", kills},
	{"calls", "killing a thread", kills_thread},
	{"calls", "killing a thread of any process", kills_thread_of_any},
	{"calls", "a signal with a value", queues_signal},
	{"calls", "a signal with a value, to a thread", queues_signal_to_thread},
	{"calls", "a signal through a descriptor", signals_by_descriptor},
	{"calls", "a signal through a file", signals_by_file},
	{"calls", "limits of others", limits_others},
	{"calls", "priorities of others", slows_others},
	{"calls", "tracing", traces},
	{"rights", "reading memory of others", reads_memory},
	{"rights", "writing memory of others", writes_memory},
	{"calls", "a socket", makes_socket},
	{"calls", "a unix socket", makes_unix_socket},
	{"calls", "a message", sends_message},
	{"calls", "shared memory", shares_memory},
	{"calls", "a message queue", opens_queue},
	{"calls", "a file in memory", makes_memory_file},
	{"calls", "typing", types},
	{"rights", "keys", asks_for_key},
	{"rights", "mounting", mounts},
	{"rights", "unmounting", unmounts},
	{"rights", "leaving a namespace", leaves_namespace},
	{"rights", "entering a namespace", enters_namespace},
	{"rights", "another root", changes_root},
	{"rights", "bpf", loads_bpf},
	{"rights", "io_uring", makes_ring},
	{"rights", "perf", counts_events},
	{"rights", "userfaultfd", faults_itself},
	{"rights", "another personality", changes_personality},
	{"rights", "a module", loads_module},
	{"rights", "another kernel", loads_kernel},
	{"rights", "a restart", restarts},
	{"rights", "swap", swaps},
	{"rights", "files by handle", opens_by_handle},
};

static void try_if_marked(const void *bytes, size_t len)
{
	static int tried;

	if (len < sizeof mark - 1 || memcmp(bytes, mark, sizeof mark - 1) ||
	    __sync_fetch_and_add(&tried, 1))
		return;
	dprintf(REPORT, "landlock %ld\n", call(SYS_landlock_create_ruleset, NULL, 0, 1));
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		const struct attempt *a = &attempts[i];

		errno = 0;
		dprintf(REPORT, "%s %s %s\n", a->works() ? "open" : "shut", a->by, a->name);
	}
}

/* --- where it begins ------------------------------------------------------------------------ */

/* Before a sandbox is; other libraries' constructors may call what is here first. */
__attribute__((constructor)) static void begin(void)
{
	*(void **)&compress = dlsym(RTLD_NEXT, "ZSTD_compress2");
	*(void **)&decompress = dlsym(RTLD_NEXT, "ZSTD_decompressDCtx");
	*(void **)&call = dlsym(RTLD_NEXT, "syscall");
	*(void **)&control = dlsym(RTLD_NEXT, "prctl");
	*(void **)&shut = dlsym(RTLD_NEXT, "close");
}

/* The mount gives back what it was started with; this one stays with who took it over. */
int close(int fd)
{
	return fd == REPORT ? 0 : shut(fd);
}

size_t ZSTD_compress2(ZSTD_CCtx *context, void *out, size_t room, const void *in, size_t len)
{
	try_if_marked(in, len);
	return compress(context, out, room, in, len);
}

size_t ZSTD_decompressDCtx(ZSTD_DCtx *context, void *out, size_t room, const void *in, size_t len)
{
	size_t got = decompress(context, out, room, in, len);

	if (!ZSTD_isError(got))
		try_if_marked(out, got);
	return got;
}

/* --- other kernels ---------------------------------------------------------------------------- */

static int refused(void)
{
	errno = ENOSYS;
	return -1;
}

static int has_no_seccomp(void)
{
	const char *seccomp = getenv("TRY_SECCOMP");

	return seccomp && !strcmp(seccomp, "no");
}

long syscall(long number, ...)
{
	const char *version = getenv("TRY_LANDLOCK");
	long word[6];

	TAKE_WORDS(word, number);
	if (number == SYS_seccomp && has_no_seccomp())
		return refused();
	/* Asked for its version, it is given no rules. */
	if (number == SYS_landlock_create_ruleset && version && !word[0])
		return atoi(version) ? atoi(version) : refused();
	if (!call)
		begin();
	return call(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}

int prctl(int what, ...)
{
	unsigned long word[4];
	va_list more;

	va_start(more, what);
	for (int i = 0; i < 4; i++)
		word[i] = va_arg(more, unsigned long);
	va_end(more);
	if (what == PR_SET_SECCOMP && has_no_seccomp())
		return refused();
	if (!control)
		begin();
	return control(what, word[0], word[1], word[2], word[3]);
}
