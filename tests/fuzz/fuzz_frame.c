/* A frame: the first bytes say how long it is to be. */
#include "common/arena.h"
#include "common/format.h"
#include "common/squeeze.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct expander *expander;
	static uint8_t out[FORMAT_FRAME];
	static struct arena *arena;
	size_t want;

	if (!arena) {
		MUST(!arena_new(&arena, expander_size() + 4096, true));
		MUST(!expander_new(&expander, arena));
	}
	if (len < 3)
		return 0;
	want = (data[0] | data[1] << 8 | (size_t)data[2] << 16) % FORMAT_FRAME + 1;
	fuzz_good += !expander_run(expander, out, want, data + 3, len - 3);
	return 0;
}
