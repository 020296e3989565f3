/* Under valgrind: it makes calls of its own, which no filter foresees. */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_load(void *filter);

int seccomp_load(void *filter)
{
	(void)filter;
	return 0;
}

int prctl(int option, ...)
{
	unsigned long argument[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		argument[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_SECCOMP)
		return 0;
	return (int)syscall(SYS_prctl, option, argument[0], argument[1], argument[2], argument[3]);
}
