#include "bundler/twins.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/origin.h"
#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/bytes.h"
#include "common/status.h"

enum {
	PIECE = 262144, /* compared at a time */
	TRIES = 4,      /* files with the same samples that a file is compared with */
	FIRST_ROOM = 1024,
	ROOM_MAX = 1 << 30,
};

/* A file that is the first of its content. */
struct first {
	uint32_t node;
	uint32_t sketch; /* of size and samples */
	uint32_t state;  /* of its origin: the same only if it has not changed */
};

struct twins {
	const struct tree *tree;
	struct way way;
	uint8_t *shared; /* a bit for each node: another file has its size */
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct first *first;
	uint32_t count, room;
	uint32_t *slot; /* 2 * room, a power of two: number in first and one more, by sketch */
	uint8_t *mine, *other;
};

static int by_size(const void *a, const void *b, void *nodes)
{
	const struct node *node = nodes;
	uint64_t x = node[*(const uint32_t *)a].size, y = node[*(const uint32_t *)b].size;

	return (x > y) - (x < y);
}

static bool counts(const struct node *n)
{
	return n->kind == KIND_FILE && !n->dropped && n->size;
}

static void mark_shared(struct twins *t, const uint32_t *sorted, uint32_t count)
{
	const struct node *node = t->tree->node;

	for (uint32_t i = 1; i < count; i++) {
		uint32_t a = sorted[i - 1], b = sorted[i];

		if (node[a].size == node[b].size) {
			t->shared[a / 8] |= (uint8_t)(1 << a % 8);
			t->shared[b / 8] |= (uint8_t)(1 << b % 8);
		}
	}
}

static int find_shared(struct twins *t)
{
	uint32_t *sorted = malloc(t->tree->count * sizeof(*sorted)), count = 0;

	if (!sorted)
		return STATUS_NOMEM;
	for (uint32_t i = 0; i < t->tree->count; i++)
		if (counts(&t->tree->node[i]))
			sorted[count++] = i;
	if (count)
		qsort_r(sorted, count, sizeof(*sorted), by_size, t->tree->node);
	mark_shared(t, sorted, count);
	free(sorted);
	return STATUS_OK;
}

int twins_new(struct twins **twins, const struct tree *tree)
{
	struct twins *t = calloc(1, sizeof(*t));
	int status = STATUS_NOMEM;

	if (!t)
		return status;
	t->tree = tree;
	t->way = WAY_NONE;
	t->shared = calloc(tree->count / 8 + 1, 1);
	t->mine = malloc(PIECE);
	t->other = malloc(PIECE);
	randombytes_buf(t->key, sizeof(t->key));
	if (t->shared && t->mine && t->other)
		status = find_shared(t);
	if (status == STATUS_OK)
		*twins = t;
	else
		twins_free(t);
	return status;
}

void twins_free(struct twins *t)
{
	if (!t)
		return;
	way_end(&t->way);
	free(t->other);
	free(t->mine);
	free(t->slot);
	free(t->first);
	free(t->shared);
	free(t);
}

bool twins_possible(const struct twins *t, uint32_t node)
{
	return t->shared[node / 8] >> node % 8 & 1;
}

static uint32_t short_hash(const struct twins *t, const void *data, size_t len, uint64_t more)
{
	uint8_t hash[crypto_shorthash_BYTES], both[sizeof(hash) + 8];

	crypto_shorthash(hash, data, len, t->key);
	memcpy(both, hash, sizeof(hash));
	store_le64(both + sizeof(hash), more);
	crypto_shorthash(hash, both, sizeof(both), t->key);
	return load_le32(hash);
}

static uint32_t state_of(const struct twins *t, const struct origin *o)
{
	const uint64_t parts[] = {
		o->dev,        o->ino,        o->size, (uint64_t)o->mtime, (uint64_t)o->ctime,
		o->mtime_nsec, o->ctime_nsec, o->node};

	return short_hash(t, parts, sizeof(parts), 0);
}

/* The data that is next in a file. */
struct extent {
	struct origin_file *file;
	uint64_t begin, end;
};

/* As it was found before, as long as off lies before its end. */
static int find_data(struct extent *data, uint64_t size, uint64_t off)
{
	return off < data->end ? STATUS_OK
	                       : origin_next_data(data->file, size, off, &data->begin, &data->end);
}

/* Are the next len bytes the same, as far as the other can be read? */
static int compare_piece(struct twins *t, struct origin_file *file, struct origin_file *other,
                         uint64_t off, size_t len, bool *same)
{
	int status = origin_read(file, t->mine, len, off);

	*same = status == STATUS_OK && origin_read(other, t->other, len, off) == STATUS_OK &&
	        memcmp(t->mine, t->other, len) == 0;
	return status;
}

/* Both of size bytes, to their ends.  Where neither has data nothing is read: a few bytes of an
 * archive can claim more than a life is long enough to compare. */
static int compare(struct twins *t, struct origin_file *file, struct origin_file *other,
                   uint64_t size, bool *same)
{
	struct extent mine = {.file = file}, theirs = {.file = other};
	int status = STATUS_OK;
	size_t len;

	*same = true;
	for (uint64_t off = 0; off < size && *same && status == STATUS_OK; off += len) {
		if (cancel_asked())
			return STATUS_CANCELLED;
		status = find_data(&mine, size, off);
		if (status || find_data(&theirs, size, off)) {
			*same = false;
			break;
		}
		off = max_u64(off, min_u64(mine.begin, theirs.begin));
		len = min_u64(size - off, PIECE);
		status = compare_piece(t, file, other, off, len, same);
	}
	return status;
}

/* Only if the first one was staged and is still what it was, before and behind. */
static int compare_with(struct twins *t, struct origin_file *file, const struct origin *origin,
                        const struct first *first, bool *same)
{
	struct origin_file other;
	struct origin now;
	int status = STATUS_OK;

	*same = false;
	if (first->node == origin->node || t->tree->node[first->node].dropped ||
	    origin_open(&t->way, t->tree, first->node, &other, &now))
		return STATUS_OK;
	if (now.size == origin->size && state_of(t, &now) == first->state)
		status = compare(t, file, &other, now.size, same);
	if (!origin_unchanged(&other, &now))
		*same = false;
	origin_close(&other);
	return status;
}

static uint32_t *free_slot(struct twins *t, uint32_t sketch)
{
	uint32_t mask = 2 * t->room - 1, at = sketch & mask;

	while (t->slot[at])
		at = (at + 1) & mask;
	return &t->slot[at];
}

static int grow(struct twins *t)
{
	uint32_t room = t->room ? 2 * t->room : FIRST_ROOM;
	struct first *first;
	uint32_t *slot;

	if (t->count < t->room)
		return STATUS_OK;
	if (room > ROOM_MAX)
		return STATUS_NOMEM;
	first = realloc(t->first, room * sizeof(*first));
	if (!first)
		return STATUS_NOMEM;
	t->first = first;
	slot = calloc(2 * (size_t)room, sizeof(*slot));
	if (!slot)
		return STATUS_NOMEM;
	free(t->slot);
	t->slot = slot;
	t->room = room;
	for (uint32_t i = 0; i < t->count; i++)
		*free_slot(t, first[i].sketch) = i + 1;
	return STATUS_OK;
}

int twins_note(struct twins *t, struct origin_file *file, const struct origin *origin,
               const uint8_t *samples, size_t len, uint32_t *first)
{
	uint32_t sketch = short_hash(t, samples, len, origin->size), mask, at;
	int status = grow(t), tries = 0;
	bool same = false;

	if (status)
		return status;
	mask = 2 * t->room - 1;
	for (at = sketch & mask; t->slot[at] && tries < TRIES; at = (at + 1) & mask) {
		const struct first *f = &t->first[t->slot[at] - 1];

		if (f->sketch != sketch)
			continue;
		tries++;
		status = compare_with(t, file, origin, f, &same);
		if (status)
			return status;
		if (same) {
			*first = f->node;
			return STATUS_OK;
		}
	}
	*first = origin->node;
	if (t->slot[at])
		return STATUS_OK; /* too many that only look like it */
	t->first[t->count] = (struct first){origin->node, sketch, state_of(t, origin)};
	t->slot[at] = ++t->count;
	return STATUS_OK;
}
