#include "bundler/large.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *large_new(size_t len)
{
	void *p;

	if (posix_memalign(&p, HUGE_PAGE, len))
		return NULL;
	/* Whole ones only: what lies behind is not ours. */
	madvise(p, len / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return p;
}
