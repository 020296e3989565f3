/* Calls that fail, put before the C library (LD_PRELOAD) by scripts.
 *
 * NTH_CALL   memory   malloc and what is like it
 *            map      mmap, mlock
 *            thread   pthread_create, fork
 *            open     open, opendir, fopen, pipe, signalfd
 *            stat     stat, readdir, readlink
 *            read     read, pread
 *            write    write, pwrite, ftruncate
 *            sync     fsync, syncfs, sync_file_range
 *            rename   rename, link
 *            short    none fails, but of three reads or writes of a file or a pipe
 *                     one is interrupted, and one does half of what is asked for
 * NTH_AT     the one to fail, from 1, whoever calls; all processes are counted
 *            together
 * NTH_ALL    if set, all after it fail too
 * NTH_SEEN   a file, made here: "n", or "y" when that one is reached; and at byte 8
 *            how many there were
 *
 * Messages, what goes to standard error, are not touched. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shared by all processes. */
static struct shared {
	char seen;
	_Atomic long count;
} * shared;

static const char *call;
static long at;
static int all;
static atomic_int turn;

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
	call = getenv("NTH_CALL");
	shared = page;
	if (!shared->seen)
		shared->seen = 'n';
}

/* libseccomp 2.5.4 goes round for ever where it gets no memory for its filter: a
 * bug that is not ours. */
static int is_spared(void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "libseccomp");
}

/* Is this the call that fails? */
static int fails(const char *kind, int error, void *caller)
{
	long n;

	if (!shared || strcmp(kind, call) || is_spared(caller))
		return 0;
	n = atomic_fetch_add(&shared->count, 1) + 1;
	if (n < at || (n > at && !all))
		return 0;
	shared->seen = 'y';
	errno = error;
	return 1;
}

/* A function of the C library that fails so, when it is its turn. */
#define FAILING(kind, error, type, failure, name, parameters, arguments) \
	type name parameters;                                            \
	type name parameters                                             \
	{                                                                \
		static type(*real) parameters;                           \
                                                                         \
		if (fails(kind, error, __builtin_return_address(0)))     \
			return failure;                                  \
		if (!real)                                               \
			*(void **)&real = dlsym(RTLD_NEXT, #name);       \
		return real arguments;                                   \
	}

FAILING("memory", ENOMEM, void *, NULL, malloc, (size_t len), (len))
FAILING("memory", ENOMEM, void *, NULL, calloc, (size_t count, size_t len), (count, len))
FAILING("memory", ENOMEM, void *, NULL, realloc, (void *p, size_t len), (p, len))
FAILING("memory", ENOMEM, void *, NULL, aligned_alloc, (size_t unit, size_t len), (unit, len))
FAILING("memory", 0, int, ENOMEM, posix_memalign, (void **p, size_t unit, size_t len),
        (p, unit, len))

FAILING("map", ENOMEM, void *, MAP_FAILED, mmap,
        (void *p, size_t len, int protection, int flags, int fd, off_t off),
        (p, len, protection, flags, fd, off))
FAILING("map", ENOMEM, void *, MAP_FAILED, mmap64,
        (void *p, size_t len, int protection, int flags, int fd, off64_t off),
        (p, len, protection, flags, fd, off))
FAILING("map", ENOMEM, int, -1, mlock, (const void *p, size_t len), (p, len))

FAILING("thread", 0, int, EAGAIN, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *about),
        (thread, attributes, start, about))
FAILING("thread", EAGAIN, pid_t, -1, fork, (void), ())

FAILING("open", EMFILE, int, -1, open, (const char *path, int flags, ...), (path, flags, 0600))
FAILING("open", EMFILE, int, -1, open64, (const char *path, int flags, ...), (path, flags, 0600))
FAILING("open", EMFILE, int, -1, openat, (int dir, const char *path, int flags, ...),
        (dir, path, flags, 0600))
FAILING("open", EMFILE, int, -1, openat64, (int dir, const char *path, int flags, ...),
        (dir, path, flags, 0600))
FAILING("open", EMFILE, int, -1, __open64_2, (const char *path, int flags), (path, flags))
FAILING("open", EMFILE, int, -1, __openat64_2, (int dir, const char *path, int flags),
        (dir, path, flags))
FAILING("open", EMFILE, FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode))
FAILING("open", EMFILE, DIR *, NULL, opendir, (const char *path), (path))
FAILING("open", EMFILE, DIR *, NULL, fdopendir, (int fd), (fd))
FAILING("open", EMFILE, int, -1, pipe2, (int fd[2], int flags), (fd, flags))
FAILING("open", EMFILE, int, -1, socketpair, (int domain, int type, int protocol, int fd[2]),
        (domain, type, protocol, fd))
FAILING("open", EMFILE, int, -1, signalfd, (int fd, const sigset_t *set, int flags),
        (fd, set, flags))
FAILING("open", EMFILE, int, -1, eventfd, (unsigned first, int flags), (first, flags))

FAILING("stat", EIO, int, -1, stat64, (const char *path, struct stat64 *st), (path, st))
FAILING("stat", EIO, int, -1, fstat64, (int fd, struct stat64 *st), (fd, st))
FAILING("stat", EIO, int, -1, fstatat64, (int dir, const char *path, struct stat64 *st, int flags),
        (dir, path, st, flags))
FAILING("stat", EIO, int, -1, fstatfs64, (int fd, struct statfs64 *st), (fd, st))
FAILING("stat", EIO, struct dirent64 *, NULL, readdir64, (DIR * dir), (dir))
FAILING("stat", EIO, ssize_t, -1, readlinkat, (int dir, const char *path, char *to, size_t len),
        (dir, path, to, len))
FAILING("stat", EIO, char *, NULL, __realpath_chk, (const char *path, char *to, size_t room),
        (path, to, room))

FAILING("write", EIO, int, -1, ftruncate64, (int fd, off64_t len), (fd, len))

FAILING("sync", EIO, int, -1, fsync, (int fd), (fd))
FAILING("sync", EIO, int, -1, syncfs, (int fd), (fd))
FAILING("sync", EIO, int, -1, sync_file_range, (int fd, off64_t off, off64_t len, unsigned flags),
        (fd, off, len, flags))

FAILING("rename", EIO, int, -1, renameat, (int from, const char *name, int to, const char *other),
        (from, name, to, other))
FAILING("rename", EIO, int, -1, linkat,
        (int from, const char *name, int to, const char *other, int flags),
        (from, name, to, other, flags))

/* The C library has no other way to call renameat2 than by its number. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long word[6];
	va_list more;

	if (number == SYS_renameat2 && fails("rename", EIO, __builtin_return_address(0)))
		return -1;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	va_start(more, number);
	for (int i = 0; i < 6; i++)
		word[i] = va_arg(more, long);
	va_end(more);
	return real(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}

/* --- what may do less than is asked for ---------------------------------------------- */

/* Calls by turns: interrupted, then cut; whole.  Devices and sockets know no halves,
 * and what is read past the page cache is read in whole sectors. */
static int interrupted(int fd, size_t *len)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (!shared || strcmp(call, "short") || fd == STDERR_FILENO || fstat(fd, &st) ||
	    (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)))
		return 0;
	switch (atomic_fetch_add(&turn, 1) % 3) {
	case 0: errno = EINTR; return 1;
	case 1:
		if (*len > 1 && (flags < 0 || !(flags & O_DIRECT)))
			*len /= 2;
	}
	shared->seen = 'y';
	return 0;
}

#define PARTIAL(kind, error, name, parameters, arguments)                                   \
	ssize_t name parameters;                                                            \
	ssize_t name parameters                                                             \
	{                                                                                   \
		static ssize_t(*real) parameters;                                           \
                                                                                            \
		if (fd != STDERR_FILENO && fails(kind, error, __builtin_return_address(0))) \
			return -1;                                                          \
		if (interrupted(fd, &len))                                                  \
			return -1;                                                          \
		if (!real)                                                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                          \
		return real arguments;                                                      \
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
