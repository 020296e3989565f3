/* A disk that tries for long to read a sector, put before the C library (LD_PRELOAD) by
 * scripts.
 *
 * STALL_AT     which long read (200 KiB and more) is the first that takes long
 * STALL_COUNT  how many do
 * STALL_MS     how long, in milliseconds
 * STALL_LEAST  if set: what is a long read, in bytes
 * STALL_END    if set: so many milliseconds after it began to take long the process is sent
 *              SIGTERM, and no signal makes the disk hurry */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { LONG = 200 * 1024 };

static _Atomic int count;

static void pause_for(int ms, int firmly)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&pause, &pause) && firmly)
		;
}

static void stall(void)
{
	const char *end = getenv("STALL_END");
	int ms = atoi(getenv("STALL_MS"));

	if (!end) {
		pause_for(ms, 0);
		return;
	}
	pause_for(atoi(end), 1);
	syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
	pause_for(ms - atoi(end), 1);
}

ssize_t pread64(int fd, void *buf, size_t len, off_t off);
ssize_t pread64(int fd, void *buf, size_t len, off_t off)
{
	ssize_t (*real)(int, void *, size_t, off_t) =
		(ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
	const char *least = getenv("STALL_LEAST");
	int at = atoi(getenv("STALL_AT")), now = 0;

	if (len >= (least ? (size_t)atoi(least) : LONG))
		now = atomic_fetch_add(&count, 1) + 1;

	if (now >= at && now < at + atoi(getenv("STALL_COUNT")))
		stall();
	return real(fd, buf, len, off);
}
