#include "common/cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/format.h"
#include "common/status.h"

struct cache {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t clock;
	unsigned count;
	unsigned ahead;   /* slots filled ahead that nobody has asked for yet */
	unsigned waiting; /* threads, for one that is filled or free */
	struct cache_slot slot[];
};

size_t cache_size(unsigned count)
{
	return count * (size_t)FORMAT_FRAME + ARENA_PAGE;
}

int cache_new(struct cache **cache, struct arena *arena, unsigned count)
{
	struct cache *c = calloc(1, sizeof *c + count * sizeof *c->slot);

	if (!c)
		return STATUS_NOMEM;
	c->count = count;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	for (unsigned i = 0; i < count; i++) {
		c->slot[i].bytes = arena_alloc_page(arena, FORMAT_FRAME);
		if (!c->slot[i].bytes) {
			cache_free(c);
			return STATUS_NOMEM;
		}
	}
	*cache = c;
	return STATUS_OK;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct cache_slot *find(struct cache *c, uint64_t key)
{
	for (struct cache_slot *s = c->slot; s < c->slot + c->count; s++)
		if (s->state != CACHE_VACANT && s->key == key)
			return s;
	return NULL;
}

/* The slot that was used longest ago, of those that nobody holds; what was
 * filled ahead is spared if need be. */
static struct cache_slot *victim(struct cache *c, enum cache_want want)
{
	struct cache_slot *best = NULL;

	if (want == CACHE_AHEAD && c->ahead * 2 >= c->count)
		return NULL;
	for (struct cache_slot *s = c->slot; s < c->slot + c->count; s++)
		if (!s->pins && !(want == CACHE_AHEAD && s->ahead) &&
		    (!best || s->used < best->used))
			best = s;
	return best;
}

static void settle_ahead(struct cache *c, struct cache_slot *s)
{
	c->ahead -= s->ahead;
	s->ahead = 0;
}

static enum cache_found hit(struct cache *c, struct cache_slot *s)
{
	s->pins++;
	s->used = ++c->clock;
	settle_ahead(c, s);
	return CACHE_READY;
}

static enum cache_found take(struct cache *c, struct cache_slot *s, uint64_t key,
                             enum cache_want want)
{
	settle_ahead(c, s);
	s->key = key;
	s->pins = 1;
	s->used = ++c->clock;
	s->state = CACHE_FILLING;
	s->ahead = want == CACHE_AHEAD;
	c->ahead += s->ahead;
	return CACHE_FILL;
}

/* With the lock held. */
static void wait_for_change(struct cache *c)
{
	c->waiting++;
	pthread_cond_wait(&c->changed, &c->lock);
	c->waiting--;
}

static void tell_of_change(struct cache *c)
{
	if (c->waiting)
		pthread_cond_broadcast(&c->changed);
}

/* With the lock held.  Who holds a slot does not wait for another, so there is
 * always one that moves on. */
static enum cache_found pin(struct cache *c, uint64_t key, enum cache_want want,
                            struct cache_slot **slot)
{
	for (;;) {
		struct cache_slot *s = find(c, key);

		if (s && s->state == CACHE_FILLED && want != CACHE_AHEAD) {
			*slot = s;
			return hit(c, s);
		}
		if (s && want != CACHE_GET)
			return CACHE_BUSY;
		if (want == CACHE_PEEK)
			return CACHE_MISS;
		if (!s) {
			s = victim(c, want);
			if (s) {
				*slot = s;
				return take(c, s, key, want);
			}
			if (want == CACHE_AHEAD)
				return CACHE_MISS;
		}
		wait_for_change(c);
	}
}

enum cache_found cache_pin(struct cache *cache, uint64_t key, enum cache_want want,
                           struct cache_slot **slot)
{
	enum cache_found found;

	pthread_mutex_lock(&cache->lock);
	found = pin(cache, key, want, slot);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

int cache_filled(struct cache *cache, struct cache_slot *slot, int status)
{
	pthread_mutex_lock(&cache->lock);
	slot->state = CACHE_FILLED;
	if (status) {
		settle_ahead(cache, slot);
		slot->state = CACHE_VACANT;
		slot->used = 0;
		slot->pins--;
	}
	tell_of_change(cache);
	pthread_mutex_unlock(&cache->lock);
	return status;
}

void cache_unpin(struct cache *cache, struct cache_slot *slot)
{
	pthread_mutex_lock(&cache->lock);
	if (--slot->pins == 0)
		tell_of_change(cache);
	pthread_mutex_unlock(&cache->lock);
}
