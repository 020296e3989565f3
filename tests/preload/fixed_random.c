/* For a test that compares bytes: libsodium's random bytes are the same in every
 * run.  Loaded in front of a program; no program has a way to ask for it. */
#include <sodium.h>
#include <stdint.h>

static uint64_t count;

static const char *name(void)
{
	return "fixed";
}

static void fill(void *const out, const size_t len)
{
	uint8_t seed[randombytes_SEEDBYTES] = {0};

	count++;
	for (size_t i = 0; i < sizeof count; i++)
		seed[i] = (uint8_t)(count >> 8 * i);
	randombytes_buf_deterministic(out, len, seed);
}

static uint32_t number(void)
{
	uint32_t value;

	fill(&value, sizeof value);
	return value;
}

__attribute__((constructor)) static void fix(void)
{
	static randombytes_implementation fixed = {
		.implementation_name = name, .random = number, .buf = fill};

	randombytes_set_implementation(&fixed);
}
