/* What packer and reader take away from themselves before they take apart what others
 * have written: ways to another program, process, machine or key, and to files that
 * Landlock does not stand in front of everywhere (until its version 3 any file could
 * be emptied; modes, owners, times and attributes are no concern of it).
 *
 * What the C library and libarchive may want no list of ours has, so what is denied is
 * listed and not what is left.  The packer makes its filter of these with libseccomp,
 * the reader by hand. */
#ifndef COMMON_DENIED_H
#define COMMON_DENIED_H

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* From this call on numbers are the same everywhere, but for where they begin; and it
 * and all behind it, whatever kernels to come make of them, are answered as a kernel of
 * before would (ENOSYS): clone3, openat2, pidfds, io_uring, mounts... The C library
 * knows the older ways.  But Landlock's three are left. */
enum {
	DENIED_BASE = __NR_landlock_create_ruleset - 444,
	DENIED_FROM = DENIED_BASE + 424,
};

/* Who needs it nevertheless. */
enum denied_unless {
	DENIED_ALWAYS,
	DENIED_UNLESS_PLACING, /* files that are extracted have modes and times, */
	DENIED_UNLESS_OWNER,   /* and if root extracts them, owners */
};

struct denied_call {
	int call;
	enum denied_unless unless;
};

/* clang-format off */
static const struct denied_call denied_calls[] = {
	/* programs and processes */
	{__NR_execve, 0}, {__NR_execveat, 0},
#ifdef __NR_fork
	{__NR_fork, 0}, {__NR_vfork, 0},
#endif
	{__NR_ptrace, 0}, {__NR_process_vm_readv, 0}, {__NR_process_vm_writev, 0}, {__NR_kcmp, 0},
	{__NR_kill, 0}, {__NR_tkill, 0}, {__NR_rt_sigqueueinfo, 0}, {__NR_rt_tgsigqueueinfo, 0},
	{__NR_setpriority, 0}, {__NR_ioprio_set, 0}, {__NR_sched_setparam, 0},
	{__NR_sched_setscheduler, 0}, {__NR_sched_setaffinity, 0}, {__NR_sched_setattr, 0},
#ifdef __NR_migrate_pages
	{__NR_migrate_pages, 0}, {__NR_move_pages, 0},
#endif
	/* sockets, and what else processes talk through */
#ifdef __NR_socketcall
	{__NR_socketcall, 0},
#endif
#ifdef __NR_accept
	{__NR_accept, 0},
#endif
	{__NR_socket, 0}, {__NR_socketpair, 0}, {__NR_connect, 0}, {__NR_bind, 0},
	{__NR_listen, 0}, {__NR_accept4, 0}, {__NR_sendto, 0}, {__NR_sendmsg, 0},
	{__NR_sendmmsg, 0}, {__NR_mq_open, 0}, {__NR_mq_unlink, 0},
#ifdef __NR_ipc
	{__NR_ipc, 0},
#endif
#ifdef __NR_shmget
	{__NR_shmget, 0}, {__NR_shmat, 0}, {__NR_shmctl, 0}, {__NR_semget, 0}, {__NR_semctl, 0},
	{__NR_msgget, 0}, {__NR_msgsnd, 0}, {__NR_msgrcv, 0}, {__NR_msgctl, 0},
#endif
#ifdef __NR_semop
	{__NR_semop, 0},
#endif
#ifdef __NR_semtimedop
	{__NR_semtimedop, 0},
#endif
	/* the machine */
	{__NR_mount, 0}, {__NR_umount2, 0}, {__NR_pivot_root, 0}, {__NR_chroot, 0},
	{__NR_setns, 0}, {__NR_unshare, 0}, {__NR_personality, 0}, {__NR_bpf, 0},
	{__NR_perf_event_open, 0}, {__NR_userfaultfd, 0}, {__NR_memfd_create, 0},
	{__NR_keyctl, 0}, {__NR_add_key, 0}, {__NR_request_key, 0}, {__NR_init_module, 0},
	{__NR_finit_module, 0}, {__NR_delete_module, 0}, {__NR_kexec_load, 0}, {__NR_reboot, 0},
	{__NR_swapon, 0}, {__NR_swapoff, 0}, {__NR_acct, 0}, {__NR_quotactl, 0},
#ifdef __NR_kexec_file_load
	{__NR_kexec_file_load, 0},
#endif
	/* files */
	{__NR_open_by_handle_at, 0}, {__NR_fanotify_init, 0}, {__NR_mknodat, 0},
	{__NR_truncate, 0}, {__NR_fchmodat, 0}, {__NR_setxattr, 0}, {__NR_removexattr, 0},
	{__NR_lremovexattr, 0}, {__NR_fremovexattr, 0},
#ifdef __NR_creat
	{__NR_creat, 0}, {__NR_mknod, 0}, {__NR_chmod, 0}, {__NR_chown, 0}, {__NR_lchown, 0},
	{__NR_utimes, 0}, {__NR_futimesat, 0},
#endif
#ifdef __NR_utime
	{__NR_utime, 0},
#endif
#ifdef __NR_truncate64
	{__NR_truncate64, 0},
#endif
#ifdef __NR_chown32
	{__NR_chown32, 0}, {__NR_lchown32, 0}, {__NR_fchown32, DENIED_UNLESS_OWNER},
#endif
#ifdef __NR_utimensat_time64
	{__NR_utimensat_time64, DENIED_UNLESS_PLACING},
#endif
	{__NR_utimensat, DENIED_UNLESS_PLACING}, {__NR_fchmod, DENIED_UNLESS_PLACING},
	{__NR_fsetxattr, DENIED_UNLESS_PLACING}, {__NR_lsetxattr, DENIED_UNLESS_OWNER},
	{__NR_fchown, DENIED_UNLESS_OWNER}, {__NR_fchownat, DENIED_UNLESS_OWNER},
};
/* clang-format on */

/* Calls that depend on an argument; of that the kernel looks at the lower half only,
 * and so must we. */
struct denied_argument {
	int call;
	unsigned no;
	uint32_t mask;
	uint32_t value; /* that of the bits in mask */
};

#ifdef __s390x__ /* clone(2) takes its stack first there */
enum { DENIED_CLONE_FLAGS = 1 };
#else
enum { DENIED_CLONE_FLAGS = 0 };
#endif

static const struct denied_argument denied_arguments[] = {
#ifdef __NR_open /* emptying what may be read */
	{__NR_open, 1, O_TRUNC, O_TRUNC},
#endif
	{__NR_openat, 2, O_TRUNC, O_TRUNC},
	{__NR_clone, DENIED_CLONE_FLAGS, CLONE_THREAD, 0}, /* threads, but no processes */
	{__NR_ioctl, 1, UINT32_MAX, TIOCSTI},              /* typing for the user */
	{__NR_ioctl, 1, UINT32_MAX, TIOCLINUX},
	{__NR_ioctl, 1, UINT32_MAX, (uint32_t)FS_IOC_SETFLAGS},
	{__NR_ioctl, 1, UINT32_MAX, (uint32_t)FS_IOC_FSSETXATTR},
	{__NR_fcntl, 1, UINT32_MAX, F_SETOWN}, /* signals by way of a file */
	{__NR_fcntl, 1, UINT32_MAX, F_SETOWN_EX},
	{__NR_fcntl, 1, UINT32_MAX, F_SETSIG},
#ifdef __NR_fcntl64
	{__NR_fcntl64, 1, UINT32_MAX, F_SETOWN},
	{__NR_fcntl64, 1, UINT32_MAX, F_SETOWN_EX},
	{__NR_fcntl64, 1, UINT32_MAX, F_SETSIG},
#endif
};

#endif
