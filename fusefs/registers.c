#include "fusefs/registers.h"

/* (clang 14 has no such attribute.) */
#if __has_attribute(zero_call_used_regs)
#define CLEARS __attribute__((noinline, zero_call_used_regs("all")))
#else
#define CLEARS __attribute__((noinline))
#endif

#ifdef __x86_64__

#include <cpuid.h>
#include <stdint.h>

/* What the compiler clears ends with the low half of sixteen of them: the rest may
 * not be there.  XRSTOR clears what there is: a state of which nothing was saved. */
enum { SSE = 1 << 1, AVX = 1 << 2, AVX512 = 1 << 5 | 1 << 6 | 1 << 7 };
enum { MXCSR = 24 / 4, MXCSR_INITIAL = 0x1f80 };

static const struct {
	_Alignas(64) uint32_t legacy[512 / 4];
	uint64_t header[8];
} initial = {.legacy[MXCSR] = MXCSR_INITIAL};

static uint32_t vectors(void)
{
	uint32_t a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return a & (SSE | AVX | AVX512);
}

CLEARS void registers_clear(void)
{
	static _Atomic uint32_t known;
	uint32_t mask = known;

	if (!mask)
		known = mask = vectors();
	if (mask)
		__asm__ volatile("xrstor64 %0"
		                 :
		                 : "m"(initial), "a"(mask), "d"(0)
		                 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
		                   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
		                   "xmm14", "xmm15");
}

#else

CLEARS void registers_clear(void)
{
	__asm__ volatile("" ::: "memory");
}

#endif
