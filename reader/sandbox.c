#include "reader/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/landlock.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#endif

/* AddressSanitizer traces its own process at the end, for leaks. */
#if defined(ARCH) && !defined(__SANITIZE_ADDRESS__)

/* Ways to another program, process, machine or key. */
static const uint32_t denied[] = {
	__NR_execve,
	__NR_execveat,
#ifdef __NR_fork
	__NR_fork,
	__NR_vfork,
#endif
#ifdef __NR_socketcall
	__NR_socketcall,
#endif
	__NR_socket,
	__NR_socketpair,
	__NR_connect,
	__NR_bind,
	__NR_listen,
	__NR_sendto,
	__NR_sendmsg,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_kill,
	__NR_mount,
	__NR_umount2,
	__NR_chroot,
	__NR_pivot_root,
	__NR_setns,
	__NR_unshare,
	__NR_bpf,
	__NR_userfaultfd,
	__NR_perf_event_open,
	__NR_keyctl,
	__NR_add_key,
	__NR_request_key,
	__NR_io_uring_setup,
	__NR_memfd_create,
	__NR_open_by_handle_at,
};

enum { COUNT = sizeof denied / sizeof *denied };

#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off))
#define IF_IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_ARGUMENT offsetof(struct seccomp_data, args)
#else
#define FIRST_ARGUMENT (offsetof(struct seccomp_data, args) + 4)
#endif

/* Another architecture's calls have other numbers: none of them.  (Bit 30: x32.) */
static const struct sock_filter head[] = {
	LOAD(offsetof(struct seccomp_data, arch)), IF_IS(ARCH, 1, 0),        REFUSE,
	LOAD(offsetof(struct seccomp_data, nr)),   IF_HAS(0x40000000, 0, 1), REFUSE,
};

/* Threads, but no processes: clone's flags are looked at; clone3's cannot be, and the
 * C library knows the older way. */
static const struct sock_filter tail[] = {
#ifdef __NR_clone3
	IF_IS(__NR_clone3, 0, 1),
#else
	IF_IS(UINT32_MAX, 0, 1),
#endif
	ANSWER(SECCOMP_RET_ERRNO | ENOSYS), IF_IS(__NR_clone, 0, 2),   LOAD(FIRST_ARGUMENT),
	IF_HAS(CLONE_THREAD, 0, 1),         ANSWER(SECCOMP_RET_ALLOW), REFUSE,
};

enum { HEAD = sizeof head / sizeof *head, TAIL = sizeof tail / sizeof *tail };

/* Where a kernel has no filters, there is none. */
static void filter_calls(void)
{
	struct sock_filter code[HEAD + COUNT + TAIL];
	struct sock_fprog program = {.len = HEAD + COUNT + TAIL, .filter = code};

	memcpy(code, head, sizeof head);
	memcpy(code + HEAD + COUNT, tail, sizeof tail);
	for (unsigned i = 0; i < COUNT; i++) /* to the last line, which refuses */
		code[HEAD + i] = (struct sock_filter)IF_IS(denied[i],
		                                           (uint8_t)(COUNT - 1 - i + TAIL - 1), 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

static void filter_calls(void)
{
}

#endif

/* The directory that place is, or that it is or will be in. */
static const char *directory_of(const char *place, char *room, size_t size)
{
	size_t len = strlen(place);
	struct stat st;

	if (!stat(place, &st) && S_ISDIR(st.st_mode))
		return place;
	while (len > 1 && place[len - 1] == '/')
		len--;
	while (len && place[len - 1] != '/')
		len--;
	snprintf(room, size, "%.*s", (int)len, place);
	return len ? room : ".";
}

void sandbox_begin(const char *place)
{
	char room[PATH_MAX];
	const struct landlock_place places[] = {
		{"/", false},
		{place ? directory_of(place, room, sizeof room) : "", true},
	};

	landlock_restrict(places, place ? 2 : 1);
	filter_calls();
}

void sandbox_close(void)
{
#ifndef __SANITIZE_ADDRESS__ /* which opens files of /proc, too */
	landlock_restrict(NULL, 0);
#endif
}
