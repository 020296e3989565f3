/* A medium with places that cannot be read, put before the C library (LD_PRELOAD) by
 * scripts.
 *
 * BAD_FILE   the file it is about
 * BAD_AT     where: OFFSET+LENGTH,OFFSET+LENGTH...
 * BAD_AFTER  only after so many reads of it
 *
 * As from the kernel, what lies before such a place is given, and then EIO. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PLACES = 4096 };

static struct stat file;
static off_t begin[PLACES], end[PLACES];
static int count;
static long good_reads;

__attribute__((constructor)) static void learn(void)
{
	const char *path = getenv("BAD_FILE"), *at = getenv("BAD_AT");
	const char *after = getenv("BAD_AFTER");
	long long off, len;
	int used;

	if (!path || !at || stat(path, &file))
		return;
	good_reads = after ? atol(after) : 0;
	while (count < PLACES && sscanf(at, "%lld+%lld%n", &off, &len, &used) == 2) {
		begin[count] = off;
		end[count++] = off + len;
		at += used;
		at += *at == ',';
	}
}

/* fstat(2) itself: the C library's may be a system call that a sandbox does not know. */
static int is_meant(int fd)
{
	struct stat st;

	return count && !syscall(SYS_fstat, fd, &st) && st.st_dev == file.st_dev &&
	       st.st_ino == file.st_ino;
}

ssize_t pread64(int fd, void *buf, size_t len, off_t off);
ssize_t pread64(int fd, void *buf, size_t len, off_t off)
{
	off_t stop = off + (off_t)len;

	if (is_meant(fd) && __atomic_fetch_sub(&good_reads, 1, __ATOMIC_RELAXED) <= 0)
		for (int i = 0; i < count; i++)
			if (begin[i] < stop && end[i] > off)
				stop = begin[i] > off ? begin[i] : off;
	if (stop == off && len) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, (size_t)(stop - off), off);
}
