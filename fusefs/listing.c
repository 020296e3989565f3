#include "fusefs/listing.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/status.h"
#include "fusefs/answer.h"
#include "fusefs/attributes.h"
#include "fusefs/loop.h"
#include "fusefs/view.h"

/* Offsets in a directory: 0 ".", 1 "..", then the children.  Where some of them
 * cannot be read the others are still listed, and the error comes behind the
 * last; until there the offset carries this mark. */
static const off_t hole_mark = (off_t)1 << 62;

struct listing {
	struct worker *w;
	fuse_req_t req;
	bool plus;
	size_t size, used;
	int failed; /* status, where children were left out */
};

/* Add one name.  False: it does not fit. */
static bool list_name(struct listing *l, const char *name, const struct fuse_entry_param *entry,
                      off_t next)
{
	char *at = (char *)l->w->buffer + l->used;
	size_t room = l->size - l->used, took;

	if (l->failed)
		next |= hole_mark;
	took = l->plus ? fuse_add_direntry_plus(l->req, at, room, name, entry, next)
	               : fuse_add_direntry(l->req, at, room, name, &entry->attr, next);
	if (took > room)
		return false;
	l->used += took;
	return true;
}

/* "." or "..": of them only the number and the kind are looked at. */
static bool list_dot(struct listing *l, const char *name, fuse_ino_t node, off_t next)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = node, .st_mode = S_IFDIR}};

	return list_name(l, name, &entry, next);
}

/* Where to go on behind a child that cannot be had: behind the blocks that are lost
 * with its own, or behind it alone if it is another's name that is lost. */
static uint64_t behind(struct listing *l, const struct format_entry *directory, uint64_t child)
{
	struct cursor *cursor = l->w->cursor;
	uint64_t id = directory->place + child, block = id / FORMAT_ENTRIES_PER_BLOCK;

	if (bundle_entry(cursor, (uint32_t)id, l->w->entry) == STATUS_OK)
		return l->w->entry->e.parent == directory->id ? child + 1 : directory->size;
	block = bundle_next_block(cursor, TABLE_ENTRIES, block);
	return min_u64(block * FORMAT_ENTRIES_PER_BLOCK - directory->place, directory->size);
}

static bool list_child(struct listing *l, uint32_t directory, uint32_t id, off_t next, int *status)
{
	struct fuse_entry_param entry = {0};
	struct bundle_entry *e = l->w->entry;
	uint32_t inode;

	*status = bundle_inode(l->w->cursor, id, e, &inode);
	if (*status == STATUS_OK && e->e.parent != directory)
		*status = STATUS_INVALID;
	if (*status)
		return true;
	attributes_entry(l->w->view, &e->e, inode, &entry);
	return list_name(l, e->name, &entry, next);
}

static void list_children(struct listing *l, const struct format_entry *directory, uint64_t child)
{
	while (child < directory->size && !loop_is_refusing(l->w)) {
		uint32_t id = (uint32_t)(directory->place + child);
		int status;

		if (!list_child(l, directory->id, id, (off_t)child + 3, &status))
			return;
		if (status) {
			loop_pass_turn(l->w, LOOP_LONG);
			l->failed = status;
			child = behind(l, directory, child);
		} else {
			child++;
		}
	}
}

void listing_answer(fuse_req_t req, fuse_ino_t node, size_t size, off_t off, bool plus)
{
	struct worker *w = loop_begin(req);
	struct listing l = {.w = w, .req = req, .plus = plus};
	struct format_entry directory;
	fuse_ino_t up;
	int status;

	if (!w)
		return;
	atomic_store(&w->view->last_read, clock_boot_s());
	l.size = min_u64(size, w->view->read_max);
	l.failed = off & hole_mark ? STATUS_DAMAGED : STATUS_OK;
	off &= ~hole_mark;
	status = answer_load(w, node);
	if (status == STATUS_OK && w->entry->e.kind != KIND_DIRECTORY)
		status = STATUS_NOTDIR;
	if (status) {
		answer_failure(w, req, view_entry(w->view, node), status);
		return;
	}
	directory = w->entry->e;
	up = node == FUSE_ROOT_ID ? node : view_node(w->view, directory.parent);
	if ((off > 0 || list_dot(&l, ".", node, 1)) && (off > 1 || list_dot(&l, "..", up, 2)))
		list_children(&l, &directory, off > 2 ? (uint64_t)off - 2 : 0);
	if (loop_is_refusing(w))
		answer_error(w, req, EIO);
	else if (l.used || !l.failed)
		answer_bytes(w, req, w->buffer, l.used);
	else
		answer_failure(w, req, directory.id, l.failed);
}
