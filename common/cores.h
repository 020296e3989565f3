/* The cores that this process may use. */
#ifndef COMMON_CORES_H
#define COMMON_CORES_H

#include <sched.h>

/* From 1 to most. */
static inline unsigned cores_count(unsigned most)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return count < 1 ? 1 : (unsigned)count < most ? (unsigned)count : most;
}

#endif
