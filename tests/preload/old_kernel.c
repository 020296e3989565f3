/* Linux before 4.14, put before the C library (LD_PRELOAD) by scripts: it cannot wipe memory in
 * a process that is forked, and says so. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>

int madvise(void *memory, size_t len, int advice)
{
	int (*next)(void *, size_t, int) =
		(int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "madvise");

	if (advice != MADV_WIPEONFORK)
		return next(memory, len, advice);
	errno = EINVAL;
	return -1;
}
