/* A clock that leaps, put before the C library (LD_PRELOAD) by scripts: five seconds after it
 * was first asked for, the clock whose number CLOCK_LEAPS says is an hour ahead, as
 * CLOCK_BOOTTIME is after the machine has slept, and CLOCK_MONOTONIC is not. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { CALM = 5, LEAP = 3600 };

static int (*real)(clockid_t clock, struct timespec *t);
static int leaper;
static _Atomic long first; /* seconds, when it was first asked for */

__attribute__((constructor)) static void begin(void)
{
	real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	leaper = atoi(getenv("CLOCK_LEAPS"));
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	long none = 0;
	int rc = real(clock, t);

	if (rc || clock != leaper)
		return rc;
	atomic_compare_exchange_strong(&first, &none, t->tv_sec);
	if (t->tv_sec >= first + CALM)
		t->tv_sec += LEAP;
	return 0;
}
