/* A whole bundle, from the header to the last byte of every file, with the seal
 * open (door.c).  Inputs are those of shape.h. */
#include <sodium.h>

#include "common/arena.h"
#include "common/bundle.h"
#include "common/source.h"
#include "tests/fuzz/look.h"
#include "tests/fuzz/shape.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	return shape_mutate(data, len, room, seed);
}

static void read_it(const uint8_t *volume)
{
	uint8_t key[KDF_KEYBYTES];
	const struct header_keys keys = {.key_file = key};
	struct arena *arena = NULL;
	struct source *source = NULL;
	struct bundle *bundle = NULL;
	struct cursor *cursor = NULL;

	shape_key(key);
	MUST(!arena_new(&arena, bundle_size() + cursor_size() + 65536, true));
	MUST(!source_open_memory(&source, volume, SHAPE_FILE));
	if (!bundle_open(&bundle, arena, &source, 1, 0, &keys)) {
		MUST(!cursor_new(&cursor, bundle));
		fuzz_good++;
		look_at_everything(bundle, cursor);
	}
	cursor_free(cursor);
	bundle_close(bundle);
	source_close(source);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t volume[SHAPE_FILE];
	struct format_content content;

	MUST(sodium_init() >= 0);
	if (shape_lay_out(volume, &content, data, len))
		read_it(volume);
	return 0;
}
