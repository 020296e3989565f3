/* Calls that fail, put before the C library (LD_PRELOAD) by scripts.
 *
 * NTH_CALL   memory   malloc and what is like it
 *            crypto   the same, asked for by libcrypto: thousands
 *            archive  the same, asked for by libarchive
 *            map      mmap, mlock, madvise
 *            thread   pthread_create, fork, clone
 *            open     open, opendir, fopen, pipe, signalfd, socket, dup
 *            stat     stat, access, readdir, readlink, getcwd
 *            read     read, pread
 *            write    write, writev, pwrite, ftruncate
 *            sync     fsync, syncfs, sync_file_range
 *            rename   rename, link
 *            make     mkdir, symlink, unlink
 *            note     what a file is given beside its content: mode, owner, times, xattrs
 *            close    close, which closes and then fails
 *            wait     poll
 *            control  ioctl, mount, umount, unshare
 *            short    none fails, but of three reads or writes of a file or a pipe
 *                     one is interrupted, and one does half of what is asked for;
 *                     of sockets, devices, syncs, polls and waits every other one is
 *                     interrupted.  (Not open: every handler has SA_RESTART.)
 * NTH_AT     the one to fail, from 1, whoever calls; all processes are counted
 *            together
 * NTH_ALL    if set, all after it fail too
 * NTH_OLD    if set, there is no renameat2, as on many a file system and old kernels
 * NTH_SEEN   a file, made here: "n", or "y" when that one is reached; at byte 8 how
 *            many there were; from byte 16 on the name of the one that failed first,
 *            a space and the file that it was about, as far as that is known
 *
 * Messages, what goes to standard error, are not touched. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/preload/words.h"

/* Shared by all processes. */
static struct shared {
	char seen;
	_Atomic long count;
	char what[4096 + 256];
} * shared;

static const char *call;
static long at;
static int all, old;

/* Where libraries lie. */
static struct place {
	const char *name;
	uintptr_t from, to;
} crypto = {"libcrypto", 0, 0}, archive = {"libarchive", 0, 0}, seccomp = {"libseccomp", 0, 0};

static int is_from(void *caller, const struct place *place)
{
	return (uintptr_t)caller >= place->from && (uintptr_t)caller < place->to;
}

static int look(struct dl_phdr_info *library, size_t len, void *argument)
{
	struct place *place = argument;

	(void)len;
	if (!strstr(library->dlpi_name, place->name))
		return 0;
	place->from = library->dlpi_addr;
	for (int i = 0; i < library->dlpi_phnum; i++)
		if (library->dlpi_phdr[i].p_type == PT_LOAD) /* ascending */
			place->to = library->dlpi_addr + library->dlpi_phdr[i].p_vaddr +
			            library->dlpi_phdr[i].p_memsz;
	return 1;
}

/* A sandbox comes later: what is needed is fetched now. */
__attribute__((constructor)) static void begin(void)
{
	const char *seen = getenv("NTH_SEEN"), *number = getenv("NTH_AT");
	int fd = seen ? open(seen, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *page = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, sizeof *shared))
		page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (page == MAP_FAILED)
		return;
	at = number ? atol(number) : 0;
	all = getenv("NTH_ALL") != NULL;
	old = getenv("NTH_OLD") != NULL;
	call = getenv("NTH_CALL");
	dl_iterate_phdr(look, &crypto);
	dl_iterate_phdr(look, &archive);
	dl_iterate_phdr(look, &seccomp);
	shared = page;
	if (!shared->seen)
		shared->seen = 'n';
}

/* libseccomp 2.5.4 goes round for ever where it gets no memory for its filter: a
 * bug that is not ours. */
static int is_meant(const char *kind, void *caller)
{
	if (!shared || is_from(caller, &seccomp))
		return 0;
	if (!strcmp(kind, "memory"))
		kind = is_from(caller, &crypto)    ? "crypto"
		       : is_from(caller, &archive) ? "archive"
		                                   : kind;
	return !strcmp(kind, call);
}

/* Descriptors and paths that a call is about. */
#define NONE -1, NULL
#define FILE_NO(fd) fd, NULL
#define AT(dir, path) dir, path
#define PATH(path) AT_FDCWD, path

/* By system calls alone: nothing of this is to be counted. */
static void note(const char *name, int fd, const char *path)
{
	char link[64], place[2048] = "";
	ssize_t len;

	if (fd >= 0 && (!path || path[0] != '/')) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		len = syscall(SYS_readlink, link, place, sizeof place - 1);
		place[len < 0 ? 0 : len] = '\0';
	}
	snprintf(shared->what, sizeof shared->what, "%s %s%s%.2000s\n", name, place,
	         place[0] && path ? "/" : "", path ? path : "");
}

/* Is this the call that fails? */
static int fails(const char *kind, int error, const char *name, int fd, const char *path,
                 void *caller)
{
	long n;

	if (!is_meant(kind, caller))
		return 0;
	n = atomic_fetch_add(&shared->count, 1) + 1;
	if (n < at || (n > at && !all))
		return 0;
	if (n == at)
		note(name, fd, path);
	shared->seen = 'y';
	errno = error;
	return 1;
}

/* A function of the C library that fails so, when it is its turn. */
#define FAILING(kind, error, type, failure, name, about, parameters, arguments)    \
	type name parameters;                                                      \
	type name parameters                                                       \
	{                                                                          \
		static type(*real) parameters;                                     \
                                                                                   \
		if (fails(kind, error, #name, about, __builtin_return_address(0))) \
			return failure;                                            \
		if (!real)                                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                 \
		return real arguments;                                             \
	}

FAILING("memory", ENOMEM, void *, NULL, malloc, NONE, (size_t len), (len))
FAILING("memory", ENOMEM, void *, NULL, calloc, NONE, (size_t count, size_t len), (count, len))
FAILING("memory", ENOMEM, void *, NULL, realloc, NONE, (void *p, size_t len), (p, len))
FAILING("memory", ENOMEM, void *, NULL, aligned_alloc, NONE, (size_t unit, size_t len), (unit, len))
FAILING("memory", 0, int, ENOMEM, posix_memalign, NONE, (void **p, size_t unit, size_t len),
        (p, unit, len))

FAILING("map", ENOMEM, void *, MAP_FAILED, mmap, FILE_NO(fd),
        (void *p, size_t len, int protection, int flags, int fd, off_t off),
        (p, len, protection, flags, fd, off))
FAILING("map", ENOMEM, void *, MAP_FAILED, mmap64, FILE_NO(fd),
        (void *p, size_t len, int protection, int flags, int fd, off64_t off),
        (p, len, protection, flags, fd, off))
FAILING("map", ENOMEM, int, -1, mlock, NONE, (const void *p, size_t len), (p, len))

FAILING("map", EINVAL, int, -1, madvise, NONE, (void *p, size_t len, int advice), (p, len, advice))

FAILING("thread", 0, int, EAGAIN, pthread_create, NONE,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *about),
        (thread, attributes, start, about))
FAILING("thread", EAGAIN, pid_t, -1, fork, NONE, (void), ())

FAILING("open", EMFILE, int, -1, open, PATH(path), (const char *path, int flags, ...),
        (path, flags, 0600))
FAILING("open", EMFILE, int, -1, open64, PATH(path), (const char *path, int flags, ...),
        (path, flags, 0600))
FAILING("open", EMFILE, int, -1, openat, AT(dir, path), (int dir, const char *path, int flags, ...),
        (dir, path, flags, 0600))
FAILING("open", EMFILE, int, -1, openat64, AT(dir, path),
        (int dir, const char *path, int flags, ...), (dir, path, flags, 0600))
FAILING("open", EMFILE, int, -1, __open64_2, PATH(path), (const char *path, int flags),
        (path, flags))
FAILING("open", EMFILE, int, -1, __openat64_2, AT(dir, path),
        (int dir, const char *path, int flags), (dir, path, flags))
FAILING("open", EMFILE, FILE *, NULL, fopen64, PATH(path), (const char *path, const char *mode),
        (path, mode))
FAILING("open", EMFILE, DIR *, NULL, opendir, PATH(path), (const char *path), (path))
FAILING("open", EMFILE, DIR *, NULL, fdopendir, FILE_NO(fd), (int fd), (fd))
FAILING("open", EMFILE, int, -1, pipe2, NONE, (int fd[2], int flags), (fd, flags))
FAILING("open", EMFILE, int, -1, socketpair, NONE, (int domain, int type, int protocol, int fd[2]),
        (domain, type, protocol, fd))
FAILING("open", EMFILE, int, -1, signalfd, NONE, (int fd, const sigset_t *set, int flags),
        (fd, set, flags))
FAILING("open", EMFILE, int, -1, eventfd, NONE, (unsigned first, int flags), (first, flags))

FAILING("open", EMFILE, int, -1, socket, NONE, (int domain, int type, int protocol),
        (domain, type, protocol))
FAILING("open", EMFILE, int, -1, dup3, FILE_NO(from), (int from, int to, int flags),
        (from, to, flags))

FAILING("stat", EIO, char *, NULL, getcwd, NONE, (char *to, size_t len), (to, len))
FAILING("stat", EIO, int, -1, faccessat, AT(dir, path),
        (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
FAILING("stat", EIO, int, -1, access, PATH(path), (const char *path, int mode), (path, mode))
FAILING("stat", EIO, int, -1, stat64, PATH(path), (const char *path, struct stat64 *st), (path, st))
FAILING("stat", EIO, int, -1, lstat64, PATH(path), (const char *path, struct stat64 *st),
        (path, st))
FAILING("stat", EIO, int, -1, fstat64, FILE_NO(fd), (int fd, struct stat64 *st), (fd, st))
FAILING("stat", EIO, int, -1, fstatat64, AT(dir, path),
        (int dir, const char *path, struct stat64 *st, int flags), (dir, path, st, flags))
FAILING("stat", EIO, int, -1, fstatfs64, FILE_NO(fd), (int fd, struct statfs64 *st), (fd, st))
FAILING("stat", EIO, int, -1, fstatvfs64, FILE_NO(fd), (int fd, struct statvfs64 *st), (fd, st))
FAILING("stat", EIO, struct dirent64 *, NULL, readdir64, FILE_NO(dirfd(dir)), (DIR * dir), (dir))
FAILING("stat", EIO, ssize_t, -1, readlinkat, AT(dir, path),
        (int dir, const char *path, char *to, size_t len), (dir, path, to, len))
FAILING("stat", EIO, char *, NULL, realpath, PATH(path), (const char *path, char *to), (path, to))
FAILING("stat", EIO, char *, NULL, __realpath_chk, PATH(path),
        (const char *path, char *to, size_t room), (path, to, room))

FAILING("sync", EIO, int, -1, sync_file_range, FILE_NO(fd),
        (int fd, off64_t off, off64_t len, unsigned flags), (fd, off, len, flags))

FAILING("rename", EIO, int, -1, renameat, AT(to, other),
        (int from, const char *name, int to, const char *other), (from, name, to, other))
FAILING("rename", EIO, int, -1, linkat, AT(to, other),
        (int from, const char *name, int to, const char *other, int flags),
        (from, name, to, other, flags))

FAILING("make", ENOSPC, int, -1, mkdir, PATH(path), (const char *path, mode_t mode), (path, mode))
FAILING("make", ENOSPC, int, -1, mkdirat, AT(dir, path), (int dir, const char *path, mode_t mode),
        (dir, path, mode))
FAILING("make", ENOSPC, int, -1, symlinkat, AT(dir, path),
        (const char *target, int dir, const char *path), (target, dir, path))
FAILING("make", EIO, int, -1, unlink, PATH(path), (const char *path), (path))
FAILING("make", EIO, int, -1, unlinkat, AT(dir, path), (int dir, const char *path, int flags),
        (dir, path, flags))

FAILING("note", EPERM, int, -1, fchmod, FILE_NO(fd), (int fd, mode_t mode), (fd, mode))
FAILING("note", EPERM, int, -1, fchown, FILE_NO(fd), (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
FAILING("note", EPERM, int, -1, fchownat, AT(dir, path),
        (int dir, const char *path, uid_t uid, gid_t gid, int flags), (dir, path, uid, gid, flags))
FAILING("note", EPERM, int, -1, futimens, FILE_NO(fd), (int fd, const struct timespec time[2]),
        (fd, time))
FAILING("note", EPERM, int, -1, utimensat, AT(dir, path),
        (int dir, const char *path, const struct timespec time[2], int flags),
        (dir, path, time, flags))
FAILING("note", EPERM, int, -1, fsetxattr, FILE_NO(fd),
        (int fd, const char *name, const void *value, size_t len, int flags),
        (fd, name, value, len, flags))
FAILING("note", EPERM, int, -1, lsetxattr, PATH(path),
        (const char *path, const char *name, const void *value, size_t len, int flags),
        (path, name, value, len, flags))
FAILING("note", EIO, ssize_t, -1, getxattr, PATH(path),
        (const char *path, const char *name, void *value, size_t len), (path, name, value, len))
FAILING("note", EIO, ssize_t, -1, lgetxattr, PATH(path),
        (const char *path, const char *name, void *value, size_t len), (path, name, value, len))
FAILING("note", EIO, ssize_t, -1, listxattr, PATH(path), (const char *path, char *list, size_t len),
        (path, list, len))
FAILING("note", EIO, ssize_t, -1, llistxattr, PATH(path),
        (const char *path, char *list, size_t len), (path, list, len))

FAILING("control", EPERM, int, -1, mount, PATH(to),
        (const char *from, const char *to, const char *type, unsigned long flags, const void *data),
        (from, to, type, flags, data))
FAILING("control", EPERM, int, -1, mount_setattr, AT(dir, path),
        (int dir, const char *path, unsigned flags, struct mount_attr *attributes, size_t len),
        (dir, path, flags, attributes, len))
FAILING("control", EPERM, int, -1, umount2, PATH(path), (const char *path, int flags),
        (path, flags))
FAILING("control", EPERM, int, -1, unshare, NONE, (int flags), (flags))
int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int fd, unsigned long request, ...);
	va_list more;
	void *about;

	va_start(more, request);
	about = va_arg(more, void *);
	va_end(more);
	if (fails("control", EIO, "ioctl", FILE_NO(fd), __builtin_return_address(0)))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, about);
}

int close(int fd)
{
	static int (*real)(int fd);
	int failed = fails("close", EIO, "close", FILE_NO(fd), __builtin_return_address(0));

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "close");
	if (!failed)
		return real(fd);
	real(fd);
	errno = EIO;
	return -1;
}

/* The C library has no other way to call renameat2 than by its number. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long word[6];

	TAKE_WORDS(word, number);
	if (number == SYS_renameat2 && old) {
		errno = EINVAL;
		return -1;
	}
	if (number == SYS_renameat2 &&
	    fails("rename", EIO, "renameat2", AT((int)word[2], (const char *)word[3]),
	          __builtin_return_address(0)))
		return -1;
	if (number == SYS_clone &&
	    fails("thread", EAGAIN, "clone", NONE, __builtin_return_address(0)))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}

/* --- what may be interrupted, or do less than is asked for ----------------------------- */

static int is_short_run(void)
{
	return shared && !strcmp(call, "short");
}

/* Every other call. */
static int interrupted(atomic_int *turns)
{
	if (!is_short_run() || atomic_fetch_add(turns, 1) % 2)
		return 0;
	shared->seen = 'y';
	errno = EINTR;
	return 1;
}

#define INTERRUPTED(kind, error, type, name, about, parameters, arguments)         \
	type name parameters;                                                      \
	type name parameters                                                       \
	{                                                                          \
		static type(*real) parameters;                                     \
		static atomic_int turns;                                           \
                                                                                   \
		if (fails(kind, error, #name, about, __builtin_return_address(0))) \
			return -1;                                                 \
		if (interrupted(&turns))                                           \
			return -1;                                                 \
		if (!real)                                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                 \
		return real arguments;                                             \
	}

INTERRUPTED("write", EIO, int, ftruncate64, FILE_NO(fd), (int fd, off64_t len), (fd, len))
INTERRUPTED("sync", EIO, int, fsync, FILE_NO(fd), (int fd), (fd))
INTERRUPTED("sync", EIO, int, syncfs, FILE_NO(fd), (int fd), (fd))
INTERRUPTED("wait", ENOMEM, int, poll, NONE, (struct pollfd * fd, nfds_t count, int wait),
            (fd, count, wait))

/* One that does not wait is not interrupted. */
pid_t waitpid(pid_t pid, int *status, int options)
{
	static pid_t (*real)(pid_t pid, int *status, int options);
	static atomic_int turns;

	if (!(options & WNOHANG) && interrupted(&turns))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "waitpid");
	return real(pid, status, options);
}

static int is_setting(int fd, int flags)
{
	struct statfs fs;

	return (flags & O_ACCMODE) == O_WRONLY && !syscall(SYS_fstatfs, fd, &fs) &&
	       fs.f_type == PROC_SUPER_MAGIC;
}

/* Calls by turns: interrupted, then cut; whole.  Devices and sockets know no halves, nor what
 * is set under /proc, and what is read past the page cache is read in whole sectors. */
static int cut(int fd, size_t *len)
{
	static atomic_int turn, other_turns;
	struct stat st;
	int flags;

	if (!is_short_run() || fd == STDERR_FILENO || fstat(fd, &st))
		return 0;
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return interrupted(&other_turns);
	flags = fcntl(fd, F_GETFL);
	switch (atomic_fetch_add(&turn, 1) % 3) {
	case 0: errno = EINTR; return 1;
	case 1:
		if (*len > 1 && (flags < 0 || !(flags & O_DIRECT || is_setting(fd, flags))))
			*len /= 2;
	}
	shared->seen = 'y';
	return 0;
}

#define PARTIAL(kind, error, name, parameters, arguments)                                \
	ssize_t name parameters;                                                         \
	ssize_t name parameters                                                          \
	{                                                                                \
		static ssize_t(*real) parameters;                                        \
                                                                                         \
		if (fd != STDERR_FILENO &&                                               \
		    fails(kind, error, #name, FILE_NO(fd), __builtin_return_address(0))) \
			return -1;                                                       \
		if (cut(fd, &len))                                                       \
			return -1;                                                       \
		if (!real)                                                               \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                       \
		return real arguments;                                                   \
	}

PARTIAL("read", EIO, read, (int fd, void *buf, size_t len), (fd, buf, len))
PARTIAL("read", EIO, pread, (int fd, void *buf, size_t len, off_t off), (fd, buf, len, off))
PARTIAL("read", EIO, pread64, (int fd, void *buf, size_t len, off64_t off), (fd, buf, len, off))
PARTIAL("read", EIO, __read_chk, (int fd, void *buf, size_t len, size_t room), (fd, buf, len, room))
PARTIAL("write", ENOSPC, write, (int fd, const void *buf, size_t len), (fd, buf, len))
PARTIAL("write", ENOSPC, pwrite, (int fd, const void *buf, size_t len, off_t off),
        (fd, buf, len, off))
PARTIAL("write", ENOSPC, pwrite64, (int fd, const void *buf, size_t len, off64_t off),
        (fd, buf, len, off))

/* Of a device's answer no half is taken. */
ssize_t writev(int fd, const struct iovec *piece, int count)
{
	static ssize_t (*real)(int fd, const struct iovec *piece, int count);
	size_t len = 0;

	if (fails("write", EIO, "writev", FILE_NO(fd), __builtin_return_address(0)) ||
	    cut(fd, &len))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "writev");
	return real(fd, piece, count);
}
