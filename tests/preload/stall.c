/* A disk that tries for long to read a sector, put before the C library (LD_PRELOAD) by
 * scripts.
 *
 * STALL_AT       which long read (64 KiB and more) is the first that takes long; the next
 *                one does, too
 * STALL_SECONDS  how long */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

enum { LONG = 64 * 1024 };

static _Atomic int count;

static void stall(void)
{
	const struct timespec pause = {.tv_sec = atoi(getenv("STALL_SECONDS"))};

	nanosleep(&pause, NULL);
}

ssize_t pread64(int fd, void *buf, size_t len, off_t off);
ssize_t pread64(int fd, void *buf, size_t len, off_t off)
{
	ssize_t (*real)(int, void *, size_t, off_t) =
		(ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
	int at = atoi(getenv("STALL_AT"));

	if (len >= LONG) {
		int now = atomic_fetch_add(&count, 1) + 1;

		if (now == at || now == at + 1)
			stall();
	}
	return real(fd, buf, len, off);
}
