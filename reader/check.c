#include "reader/check.h"

#include <stdlib.h>

#include "common/arena.h"
#include "common/bundle.h"
#include "common/path.h"
#include "common/status.h"

enum { FIRST_ROOM = 1024 };

/* In the arena. */
struct check_room {
	struct bundle_entry entry, before, parent, target;
	char link[FORMAT_LINK + 1];
	uint8_t xattrs[FORMAT_XATTRS];
};

struct check {
	struct cursor *cursor;
	struct check_room *room;
	const char *what;
	uint64_t next_child; /* the number that the next child of anything has */
	uint64_t parent_end; /* where the children of room->parent end */
	uint64_t runs_left;  /* that are no file's yet */

	/* Bytes of paths, with a slash behind: of room->parent, and a queue of those of the
	 * directories that will be it. */
	uint16_t parent_len, *len;
	size_t first, count, room_len; /* of len, whose room is a power of two */
};

size_t check_size(void)
{
	return sizeof(struct check_room) + 64;
}

static int broken(struct check *c, const char *what)
{
	c->what = what;
	return STATUS_INVALID;
}

/* --- lengths of paths ------------------------------------------------------------- */

static int grow_queue(struct check *c)
{
	size_t room = c->room_len ? 2 * c->room_len : FIRST_ROOM;
	uint16_t *len = malloc(room * sizeof *len);

	if (!len)
		return STATUS_NOMEM;
	for (size_t i = 0; i < c->count; i++)
		len[i] = c->len[(c->first + i) % c->room_len];
	free(c->len);
	c->len = len;
	c->first = 0;
	c->room_len = room;
	return STATUS_OK;
}

/* The entry, which is in room->parent, will be that one day. */
static int put_length(struct check *c, const struct format_entry *e)
{
	int status = c->count == c->room_len ? grow_queue(c) : STATUS_OK;

	if (status == STATUS_OK)
		c->len[(c->first + c->count++) % c->room_len] =
			(uint16_t)(c->parent_len + e->name_len + 1);
	return status;
}

/* Copies of the index need not be the same, and now another one may have been read. */
static int take_length(struct check *c)
{
	if (!c->count)
		return broken(c, "the entries of a directory are elsewhere");
	c->parent_len = c->len[c->first];
	c->first = (c->first + 1) % c->room_len;
	c->count--;
	return STATUS_OK;
}

/* --- entries ---------------------------------------------------------------------- */

/* Both in the order of their numbers: the directory whose children have come to
 * id. */
static int find_parent(struct check *c, uint32_t id)
{
	struct bundle_entry *parent = &c->room->parent;
	int status = STATUS_OK;

	while (id >= c->parent_end && status == STATUS_OK) {
		uint32_t next = parent->e.id + 1;

		if (next >= id)
			return broken(c, "an entry is in no directory");
		status = bundle_entry(c->cursor, next, parent);
		if (status || parent->e.kind != KIND_DIRECTORY || !parent->e.size)
			continue;
		c->parent_end = parent->e.place + parent->e.size;
		status = take_length(c);
	}
	return status;
}

static int check_place(struct check *c, uint32_t id)
{
	const struct bundle_entry *e = &c->room->entry, *before = &c->room->before;
	int status = find_parent(c, id);

	if (status)
		return status;
	if (e->e.parent != c->room->parent.e.id)
		return broken(c, "an entry is not where its directory says");
	if (before->e.id && before->e.parent == e->e.parent &&
	    path_name_compare(before->name, before->e.name_len, e->name, e->e.name_len) >= 0)
		return broken(c, "names of a directory are not in order");
	return c->parent_len + e->e.name_len > FORMAT_PATH ? broken(c, "a path is too long")
	                                                   : STATUS_OK;
}

static int check_directory(struct check *c, const struct format_entry *e)
{
	if (!e->size)
		return STATUS_OK;
	if (e->place != c->next_child)
		return broken(c, "the entries of a directory are elsewhere");
	c->next_child += e->size;
	return e->id ? put_length(c, e) : STATUS_OK;
}

static int check_hard_link(struct check *c, const struct format_entry *e)
{
	const struct format_entry *target = &c->room->target.e;
	int status = bundle_entry(c->cursor, (uint32_t)e->place, &c->room->target);

	if (status)
		return status;
	if ((target->kind != KIND_FILE && target->kind != KIND_SYMLINK) || target->links < 2)
		return broken(c, "a hard link is one of nothing that has several names");
	return STATUS_OK;
}

static int check_runs(struct check *c, const struct format_entry *e)
{
	uint64_t off = 0, begin;
	int status = STATUS_OK;

	/* Or what there is to do would be files by runs. */
	if (e->runs > c->runs_left)
		return broken(c, "a run is of several files");
	c->runs_left -= e->runs;
	while (e->sparse && off < e->size && status == STATUS_OK)
		status = bundle_data_range(c->cursor, e, off, &begin, &off);
	return status == STATUS_INVALID ? broken(c, "the runs of a sparse file are not in order")
	                                : status;
}

static int check_symlink(struct check *c, const struct format_entry *e)
{
	int status = bundle_readlink(c->cursor, e, c->room->link);

	return status == STATUS_INVALID ? broken(c, "a symbolic link is invalid") : status;
}

static int check_xattrs(struct check *c, const struct format_entry *e)
{
	struct format_xattr x, before = {.name_len = 0};
	size_t pos = 0;
	int status;

	if (!e->xattr_len)
		return STATUS_OK;
	status = bundle_xattrs(c->cursor, e, c->room->xattrs);
	if (status)
		return status;
	while ((status = format_xattr_next(c->room->xattrs, e->xattr_len, &pos, &x)) == 1) {
		if (before.name_len &&
		    path_name_compare(before.name, before.name_len, x.name, x.name_len) >= 0)
			return broken(c, "extended attributes are not in order");
		before = x;
	}
	return status ? broken(c, "extended attributes are invalid") : STATUS_OK;
}

static int check_entry(struct check *c, uint32_t id)
{
	const struct format_entry *e = &c->room->entry.e;
	int status = bundle_entry(c->cursor, id, &c->room->entry);

	if (status == STATUS_OK && id)
		status = check_place(c, id);
	if (status)
		return status;
	switch (e->kind) {
	case KIND_DIRECTORY: status = check_directory(c, e); break;
	case KIND_HARDLINK: status = check_hard_link(c, e); break;
	case KIND_SYMLINK: status = check_symlink(c, e); break;
	case KIND_FILE: status = check_runs(c, e); break;
	}
	if (status == STATUS_OK)
		status = check_xattrs(c, e);
	return status;
}

int check_tree(struct arena *arena, struct cursor *cursor, const struct format_content *content,
               const char **what)
{
	struct check c = {
		.cursor = cursor, .next_child = 1, .runs_left = content->table[TABLE_RUNS].records};
	uint64_t count = content->table[TABLE_ENTRIES].records;
	int status;

	c.room = arena_alloc(arena, sizeof *c.room);
	if (!c.room)
		return STATUS_NOMEM;
	status = bundle_entry(cursor, 0, &c.room->parent);
	c.parent_end = 1 + c.room->parent.e.size;
	for (uint32_t id = 0; id < count && status == STATUS_OK; id++) {
		status = check_entry(&c, id);
		c.room->before = c.room->entry;
	}
	if (status == STATUS_OK && c.next_child != count)
		status = broken(&c, "there are entries in no directory");
	free(c.len);
	*what = c.what ? c.what : "an entry is invalid";
	return status;
}
