/* A machine with four processors, put before the C library (LD_PRELOAD) by scripts: a mount
 * has as many workers as it ever has. */
#include <sched.h>

int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
	(void)process;
	CPU_ZERO_S(size, set);
	for (int i = 0; i < 4; i++)
		CPU_SET_S(i, size, set);
	return 0;
}
