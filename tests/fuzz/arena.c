/* In place of the arena of common/: the same memory for one input after the other,
 * which saves most of the time that an input takes, and what lies between two
 * allocations is nobody's, so that AddressSanitizer sees who writes there. */
#include "common/arena.h"

#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "tests/fuzz/fuzz.h"

/* What is handed out is aligned to GAP and has as much behind it. */
enum { GAP = 64, PARTS = 4096 };

struct arena {
	uint8_t *base;
	size_t len, used; /* as the real one counts */
	size_t at;        /* with the gaps */
	struct arena *next;
};

static struct arena *spare;

static size_t round_up(size_t len, size_t unit)
{
	return (len + unit - 1) / unit * unit;
}

static struct arena *take_spare(void)
{
	static const size_t all = ARENA_MAX_BYTES + (size_t)PARTS * GAP;
	struct arena *a = spare;

	if (a) {
		spare = a->next;
		return a;
	}
	a = calloc(1, sizeof *a);
	MUST(a);
	a->base = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(a->base != MAP_FAILED);
	ASAN_POISON_MEMORY_REGION(a->base, all);
	return a;
}

int arena_new(struct arena **arena, size_t len, bool allow_unlocked)
{
	(void)allow_unlocked;
	if (len < 1 || len > ARENA_MAX_BYTES)
		return STATUS_NOMEM;
	*arena = take_spare();
	(*arena)->len = (len + 4095) / 4096 * 4096;
	(*arena)->used = (*arena)->at = 0;
	return STATUS_OK;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	uint8_t *p = arena->base + arena->at;

	if (len > arena->len - arena->used)
		return NULL;
	arena->used += round_up(len, GAP);
	arena->at += round_up(len, GAP) + GAP;
	MUST(arena->at <= ARENA_MAX_BYTES + (size_t)PARTS * GAP);
	ASAN_UNPOISON_MEMORY_REGION(p, len);
	memset(p, 0, len);
	return p;
}

void *arena_alloc_page(struct arena *arena, size_t len)
{
	size_t used = round_up(arena->used, ARENA_PAGE);

	if (used > arena->len || len > arena->len - used)
		return NULL;
	arena->used = used;
	arena->at = round_up(arena->at, ARENA_PAGE);
	return arena_alloc(arena, len);
}

size_t arena_room(const struct arena *arena)
{
	return arena->len - arena->used;
}

bool arena_locked(const struct arena *arena)
{
	(void)arena;
	return true;
}

void arena_wipe(struct arena *arena)
{
	ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->at);
	memset(arena->base, 0, arena->at);
}

/* Nothing ends at once here. */
void arena_wipe_all(void)
{
	abort();
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	ASAN_POISON_MEMORY_REGION(arena->base, arena->at);
	arena->next = spare;
	spare = arena;
}

void arena_harden_process(void)
{
}
