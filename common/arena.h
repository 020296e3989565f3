/* One locked, bounded, wiped block of memory: keys, passphrases and plaintext
 * live here and nowhere else (design: promise 5).
 *
 * The block is mapped once, mlock(2)ed, excluded from core files
 * (MADV_DONTDUMP) and emptied in children (MADV_WIPEONFORK).  It is handed out
 * front to back and taken back only as a whole, so nothing fragments and
 * nothing is forgotten.  Every byte starts as zero. */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* RLIMIT_MEMLOCK is 8 MiB by default; the rest of it is for the stack of a
 * password prompt and the like. */
#define ARENA_MAX_BYTES ((size_t)15 << 19) /* 7.5 MiB */

struct arena;

/* At a time. */
enum { ARENA_MOST = 4 };

/* Map len bytes (1 to ARENA_MAX_BYTES, rounded up to whole pages).
 * allow_unlocked: go on, swappable, where locking is refused.
 * STATUS_NOMEM (or there are ARENA_MOST), STATUS_UNLOCKED (errno says why). *arena untouched on
 * failure. */
int arena_new(struct arena **arena, size_t len, bool allow_unlocked);

/* len bytes, aligned to 64; NULL when the arena is exhausted.  Borrowed: they
 * live as long as the arena. Not for several threads at once. */
void *arena_alloc(struct arena *arena, size_t len);

/* The same on a page of its own: where the pages of both sides lie alike, the kernel
 * copies in half as many pieces.  Takes up to ARENA_PAGE bytes more. */
enum { ARENA_PAGE = 4096 };
void *arena_alloc_page(struct arena *arena, size_t len);

/* How many bytes arena_alloc can still give. */
size_t arena_room(const struct arena *arena);

/* Was it really locked? False only after allow_unlocked. */
bool arena_locked(const struct arena *arena);

/* Overwrite everything with zeros; what was handed out stays mapped, so that a
 * thread that still reads meets zeros.  Safe in a signal handler. */
void arena_wipe(struct arena *arena);

/* All that there are, at an end that does not wait.  Safe in a signal handler. */
void arena_wipe_all(void);

/* Wipe and unmap.  NULL is fine. */
void arena_free(struct arena *arena);

/* For the whole process, before the first secret: no core files
 * (RLIMIT_CORE, PR_SET_DUMPABLE), so no ptrace and no /proc/PID/mem either. */
void arena_harden_process(void);

#endif
