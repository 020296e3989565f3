#include "common/arena.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/status.h"

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

struct arena {
	uint8_t *base;
	size_t len;
	size_t used;
	bool locked;
};

/* For arena_wipe_all. */
static struct arena *_Atomic live[ARENA_MOST];

static bool note_live(struct arena *arena)
{
	for (size_t i = 0; i < ARENA_MOST; i++) {
		struct arena *nobody = NULL;

		if (atomic_compare_exchange_strong(&live[i], &nobody, arena))
			return true;
	}
	return false;
}

static void forget_live(struct arena *arena)
{
	for (size_t i = 0; i < ARENA_MOST; i++) {
		struct arena *it = arena;

		atomic_compare_exchange_strong(&live[i], &it, NULL);
	}
}

static size_t round_up(size_t len, size_t unit)
{
	return (len + unit - 1) / unit * unit;
}

/* len bytes of address space that begin where a huge page may; NULL. */
static uint8_t *map(size_t len)
{
	size_t room = len + HUGE_PAGE, before;
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	before = round_up((uintptr_t)p, HUGE_PAGE) - (uintptr_t)p;
	if (before)
		munmap(p, before);
	munmap(p + before + len, HUGE_PAGE - before);
	return p + before;
}

/* Huge pages, where there are any: the kernel looks each of its pages up whenever it
 * copies out of them.  Only now, when all are filled with zeros: one that is put
 * together later would leave what was in the small ones behind. */
static bool lock(const struct arena *arena)
{
	bool locked;

	madvise(arena->base, arena->len, MADV_HUGEPAGE);
	locked = !mlock(arena->base, arena->len);
	madvise(arena->base, arena->len, MADV_NOHUGEPAGE);
	return locked;
}

/* Not memfd_secret(2): reading /dev/fuse into such memory is EFAULT, and
 * MADV_WIPEONFORK on it EINVAL (both tried on Linux 6.18). */
static bool protect(const struct arena *arena)
{
	/* Linux before 4.14 has not the latter: what libfuse forks there, to mount for who is not
	 * root, has a copy until it is another program. */
	bool hidden = !madvise(arena->base, arena->len, MADV_DONTDUMP) &&
	              (!madvise(arena->base, arena->len, MADV_WIPEONFORK) || errno == EINVAL);

	return hidden && lock(arena);
}

int arena_new(struct arena **arena, size_t len, bool allow_unlocked)
{
	struct arena *a = NULL;
	int status = STATUS_NOMEM;

	if (len < 1 || len > ARENA_MAX_BYTES)
		goto out;
	a = calloc(1, sizeof *a);
	if (!a)
		goto out;
	a->len = round_up(len, (size_t)sysconf(_SC_PAGESIZE));
	a->base = map(a->len);
	if (!a->base || !note_live(a))
		goto out;
	a->locked = protect(a);
	status = a->locked || allow_unlocked ? STATUS_OK : STATUS_UNLOCKED;
out:
	if (status == STATUS_OK)
		*arena = a;
	else
		arena_free(a);
	return status;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	uint8_t *p = arena->base + arena->used;

	if (len > arena_room(arena))
		return NULL;
	arena->used += round_up(len, ALIGNMENT);
	return p;
}

void *arena_alloc_page(struct arena *arena, size_t len)
{
	size_t skip = round_up(arena->used, ARENA_PAGE) - arena->used, room = arena_room(arena);

	if (skip > room || len > room - skip)
		return NULL;
	arena->used += skip;
	return arena_alloc(arena, len);
}

size_t arena_room(const struct arena *arena)
{
	return arena->len - arena->used;
}

bool arena_locked(const struct arena *arena)
{
	return arena->locked;
}

void arena_wipe(struct arena *arena)
{
	explicit_bzero(arena->base, arena->len);
}

void arena_wipe_all(void)
{
	for (size_t i = 0; i < ARENA_MOST; i++) {
		struct arena *arena = atomic_load(&live[i]);

		if (arena)
			arena_wipe(arena);
	}
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	if (arena->base) {
		arena_wipe(arena);
		forget_live(arena);
		munmap(arena->base, arena->len);
	}
	free(arena);
}

void arena_harden_process(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}
