#include "common/seal_heap.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/seal.h"
#include "common/status.h"

/* Blocks are powers of two, each with its class in front; those given back wait
 * in a list for each class. */
enum {
	CLASS_MIN = 6, /* 64 bytes */
	CLASS_MAX = 13,
	HEADER = 16,
	SEAL_BYTES = 8192,  /* one struct seal takes about half of it */
	BASE_BYTES = 65536, /* what libcrypto and libarchive keep for a while */
};

struct block {
	uint8_t class;
	struct block *next;
};

static struct {
	pthread_mutex_t lock;
	uint8_t *base; /* NULL: not yet in the arena */
	size_t len, used;
	struct block *spare[CLASS_MAX + 1];
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

_Static_assert(sizeof(struct block) <= HEADER, "a block's head fits in front of it");

static unsigned class_of(size_t len)
{
	unsigned class = CLASS_MIN;

	while (class <= CLASS_MAX && ((size_t)1 << class) < len + HEADER)
		class ++;
	return class;
}

static struct block *cut(unsigned class)
{
	struct block *b = heap.spare[class];

	if (b) {
		heap.spare[class] = b->next;
		return b;
	}
	if (heap.len - heap.used < (size_t)1 << class)
		return NULL;
	b = (struct block *)(heap.base + heap.used);
	heap.used += (size_t)1 << class;
	return b;
}

/* libcrypto keeps no secret that is larger than the largest class. */
static void *take(size_t len, const char *file, int line)
{
	unsigned class = class_of(len);
	struct block *b;

	(void)file;
	(void)line;
	if (!heap.base || class > CLASS_MAX)
		return malloc(len);
	pthread_mutex_lock(&heap.lock);
	b = cut(class);
	if (b)
		b->class = (uint8_t) class;
	pthread_mutex_unlock(&heap.lock);
	return b ? (uint8_t *)b + HEADER : NULL;
}

static struct block *block_of(void *p)
{
	uintptr_t at = (uintptr_t)p, base = (uintptr_t)heap.base;

	return heap.base && at - base < heap.len ? (struct block *)((uint8_t *)p - HEADER) : NULL;
}

static void give_back(void *p, const char *file, int line)
{
	struct block *b = p ? block_of(p) : NULL;

	(void)file;
	(void)line;
	if (!b) {
		free(p);
		return;
	}
	pthread_mutex_lock(&heap.lock);
	/* After a wipe the class is gone, and so is what was to be reused. */
	if (b->class >= CLASS_MIN && b->class <= CLASS_MAX) {
		explicit_bzero(p, ((size_t)1 << b->class) - HEADER);
		b->next = heap.spare[b->class];
		heap.spare[b->class] = b;
	}
	pthread_mutex_unlock(&heap.lock);
}

static void *resize(void *p, size_t len, const char *file, int line)
{
	struct block *b = p ? block_of(p) : NULL;
	size_t room;
	void *fresh;

	if (p && !b)
		return realloc(p, len);
	room = b ? ((size_t)1 << b->class) - HEADER : 0;
	if (b && len <= room)
		return p;
	fresh = take(len, file, line);
	if (fresh && b) {
		memcpy(fresh, p, room);
		give_back(p, file, line);
	}
	return fresh;
}

int seal_heap_init(void)
{
	struct seal *seal;

	if (!CRYPTO_set_mem_functions(take, resize, give_back) || seal_new(&seal))
		return STATUS_NOMEM;
	seal_free(seal);
	return STATUS_OK;
}

size_t seal_heap_bytes(unsigned seals)
{
	return BASE_BYTES + seals * (size_t)SEAL_BYTES;
}

int seal_heap_move_in(struct arena *arena, size_t len)
{
	heap.base = arena_alloc(arena, len);
	heap.len = heap.base ? len : 0;
	return heap.base ? STATUS_OK : STATUS_NOMEM;
}
