/* Decoded frames, and pieces of extents that were read ahead, in a fixed number
 * of slots in the arena, for the threads that read one bundle: what one has
 * decoded the others need not.  No lock is held while a slot is filled. */
#ifndef COMMON_CACHE_H
#define COMMON_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct cache;

/* Bytes of arena that cache_new takes. */
size_t cache_size(unsigned count);

/* count: slots of FORMAT_FRAME bytes, at least one for each thread.
 * STATUS_NOMEM. */
int cache_new(struct cache **cache, struct arena *arena, unsigned count);

/* What the slots hold is the arena's to wipe.  NULL is fine. */
void cache_free(struct cache *cache);

struct cache_slot {
	uint8_t *bytes;
	/* the cache's own */
	uint64_t key, used;
	unsigned pins;
	enum { CACHE_VACANT, CACHE_FILLING, CACHE_FILLED } state;
	unsigned ahead;
};

enum cache_want {
	CACHE_PEEK,  /* only what is there, or will be */
	CACHE_GET,   /* what is there, or a slot to put it into; waits for other threads */
	CACHE_AHEAD, /* a slot for what is not there and will be wanted, if one can be spared */
};

enum cache_found {
	CACHE_MISS,  /* nothing; *slot is untouched, here and below */
	CACHE_BUSY,  /* another thread is filling it; CACHE_AHEAD: or has filled it */
	CACHE_READY, /* *slot holds it */
	CACHE_FILL,  /* *slot is the caller's to fill: cache_filled must follow */
};

/* Find what key stands for.  A slot that was found stays until cache_unpin.  Who
 * holds one may only peek for more.  CACHE_GET does not miss, and does not find
 * busy. */
enum cache_found cache_pin(struct cache *cache, uint64_t key, enum cache_want want,
                           struct cache_slot **slot);

/* The caller has filled the slot, or (status not 0) could not: then it is no
 * longer pinned.  Returns status. */
int cache_filled(struct cache *cache, struct cache_slot *slot, int status);

void cache_unpin(struct cache *cache, struct cache_slot *slot);

#endif
