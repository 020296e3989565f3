#include "common/bundle_inner.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/cache.h"
#include "common/index.h"
#include "common/pages.h"
#include "common/squeeze.h"
#include "common/status.h"

/* --- cursors -------------------------------------------------------------- */

/* Every volume has the whole index, at its end and most often in front, too: where one copy
 * is damaged, another may serve. */
static int read_index(void *context, uint64_t off, size_t len, uint8_t *out)
{
	struct cursor *c = context;
	int status = STATUS_DAMAGED;

	for (unsigned v = 0; v < c->bundle->volume_count && status == STATUS_DAMAGED; v++) {
		const struct bundle_volume *volume = &c->bundle->volume[v];

		if (!volume->pages)
			continue;
		status = pages_read(volume->pages, &c->io, volume->index_off + off, len, out);
		if (status == STATUS_DAMAGED && volume->front)
			status = pages_read(volume->pages, &c->io, off, len, out);
	}
	return status;
}

int bundle_share_frames(struct bundle *bundle, unsigned count)
{
	return cache_new(&bundle->cache, bundle->arena, count);
}

size_t bundle_frames_size(unsigned count)
{
	return cache_size(count);
}

size_t cursor_size(void)
{
	return FORMAT_PAYLOAD + expander_size() + index_size() + FORMAT_FRAME + cache_size(1) +
	       FORMAT_LEAF_BLOCK + sizeof(struct trail) + 8 * 64;
}

/* What lies in the arena, and what takes from there. */
static int equip_cursor(struct cursor *c, struct arena *arena)
{
	struct bundle *bundle = c->bundle;
	int status;

	c->stored = arena_alloc(arena, FORMAT_FRAME);
	c->leaf_block = arena_alloc(arena, FORMAT_LEAF_BLOCK);
	c->trail = arena_alloc(arena, sizeof(*c->trail));
	if (!c->stored || !c->leaf_block || !c->trail)
		return STATUS_NOMEM;
	status = pages_io_init(&c->io, arena, bundle->repair);
	if (status == STATUS_OK && !bundle->cache)
		status = cache_new(&c->own_frames, arena, 1);
	c->frames = bundle->cache ? bundle->cache : c->own_frames;
	if (status == STATUS_OK)
		status = expander_new(&c->expander, arena);
	if (status == STATUS_OK)
		status = index_new(&c->index, arena, &bundle->inner->content, c->expander,
		                   read_index, c);
	return status;
}

int cursor_new(struct cursor **cursor, struct bundle *bundle)
{
	struct cursor *c = calloc(1, sizeof(*c));
	int status;

	if (!c)
		return STATUS_NOMEM;
	c->bundle = bundle;
	c->stored_leaf = c->leaf_block_no = UINT64_MAX;
	status = equip_cursor(c, bundle->arena);
	if (status)
		cursor_free(c);
	else
		*cursor = c;
	return status;
}

void cursor_free(struct cursor *cursor)
{
	if (!cursor)
		return;
	index_free(cursor->index);
	cache_free(cursor->own_frames);
	pages_io_fini(&cursor->io);
	free(cursor);
}

/* --- the tree ------------------------------------------------------------- */

static void copy_entry(struct bundle_entry *out, const struct format_entry *e)
{
	out->e = *e;
	memcpy(out->name, e->name, e->name_len);
	out->name[e->name_len] = '\0';
	out->e.name = out->name;
}

int bundle_entry(struct cursor *cursor, uint32_t id, struct bundle_entry *entry)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, id, &e);

	if (status == STATUS_OK)
		copy_entry(entry, e);
	return status;
}

int bundle_inode(struct cursor *cursor, uint32_t id, struct bundle_entry *entry, uint32_t *inode)
{
	const struct format_entry *target;
	int status = bundle_entry(cursor, id, entry);
	uint32_t parent;
	uint8_t name_len;

	if (status)
		return status;
	*inode = id;
	if (entry->e.kind != KIND_HARDLINK)
		return STATUS_OK;
	parent = entry->e.parent;
	name_len = entry->e.name_len;
	*inode = (uint32_t)entry->e.place;
	status = index_entry(cursor->index, *inode, &target);
	if (status)
		return status;
	if (target->kind != KIND_FILE && target->kind != KIND_SYMLINK)
		return STATUS_INVALID;
	entry->e = *target;
	entry->e.id = id;
	entry->e.parent = parent;
	entry->e.name = entry->name;
	entry->e.name_len = name_len;
	return STATUS_OK;
}

int bundle_lookup(struct cursor *cursor, uint32_t directory, const char *name, size_t len,
                  uint32_t *id)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, directory, &e);

	if (status)
		return status;
	return index_lookup(cursor->index, e, name, len, id);
}

static int parent_of(struct cursor *cursor, uint32_t id, uint32_t *parent)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, id, &e);

	if (status == STATUS_OK)
		*parent = e->parent;
	return status;
}

int bundle_resolve(struct cursor *cursor, const char *path, uint32_t *id)
{
	uint32_t at = 0;
	int status = STATUS_OK;

	while (*path && status == STATUS_OK) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			status = parent_of(cursor, at, &at);
		else if (len && !(len == 1 && path[0] == '.'))
			status = bundle_lookup(cursor, at, path, len, &at);
		path += len + (path[len] == '/');
	}
	if (status == STATUS_OK)
		*id = at;
	return status;
}

/* How many steps of the trail lead to id; 0: it is not on it. */
static unsigned trail_to(const struct trail *t, uint32_t id)
{
	unsigned depth = t->depth;

	while (depth && t->id[depth - 1] != id)
		depth--;
	return depth;
}

/* What is behind its first depth steps is now id, count of them, the last one first, of which the
 * uppermost are there: number n at n modulo TRAIL_DEPTH.  The path as a whole is at path. */
static void trail_turn(struct trail *t, unsigned depth, const uint32_t *id, unsigned count,
                       const char *path)
{
	size_t len = depth ? t->len[depth - 1] + 1u : 0;

	t->depth = depth;
	while (count-- > 0 && t->depth < TRAIL_DEPTH) {
		size_t end = len + strcspn(path + len, "/");

		if (end > TRAIL_PATH)
			return;
		memcpy(t->path + len, path + len, end - len);
		if (len)
			t->path[len - 1] = '/';
		t->id[t->depth] = id[count % TRAIL_DEPTH];
		t->len[t->depth++] = (uint16_t)end;
		len = end + 1;
	}
}

/* Put name in front of what begins at *at.  False: there is no room. */
static bool prepend(char *out, size_t *at, const char *name, size_t len)
{
	bool slash = out[*at] != '\0';

	if (*at < len + slash)
		return false;
	if (slash)
		out[--*at] = '/';
	*at -= len;
	memcpy(out + *at, name, len);
	return true;
}

/* From the last component to the first, or to those that are known, then moved to the front. */
int bundle_path(struct cursor *cursor, uint32_t id, char out[static FORMAT_PATH + 1])
{
	struct trail *trail = cursor->trail;
	uint32_t step[TRAIL_DEPTH];
	unsigned count = 0, known = trail_to(trail, id);
	size_t at = FORMAT_PATH;

	out[0] = out[at] = '\0'; /* nothing, should it fail */
	while (id && !known) {
		const struct format_entry *e;
		int status = index_entry(cursor->index, id, &e);

		if (status)
			return status;
		if (!prepend(out, &at, e->name, e->name_len))
			return STATUS_INVALID;
		step[count++ % TRAIL_DEPTH] = id;
		id = e->parent; /* less than id: this ends */
		known = trail_to(trail, id);
	}
	if (known && !prepend(out, &at, trail->path, trail->len[known - 1]))
		return STATUS_INVALID;
	memmove(out, out + at, FORMAT_PATH + 1 - at);
	trail_turn(trail, known, step, count, out);
	return STATUS_OK;
}
