/* Time that passes, whatever the day. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}

/* Seconds that pass while the machine sleeps, too. */
static inline int64_t clock_boot_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

/* Safe in a signal handler. */
static inline void clock_pause(unsigned milliseconds)
{
	const struct timespec t = {.tv_sec = milliseconds / 1000,
	                           .tv_nsec = milliseconds % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

#endif
