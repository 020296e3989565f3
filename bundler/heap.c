#include "bundler/heap.h"

#include <stdlib.h>

#include "bundler/spill.h"
#include "bundler/tree.h"
#include "common/status.h"

struct copying {
	struct spill *from, *to;
	uint8_t *buf;              /* the longest that there is, a set */
	uint64_t old_off, new_off; /* of the last set: neighbours mostly share one */
	uint32_t len;
};

static int copy_bytes(struct copying *c, uint64_t off, size_t len, uint64_t *new_off)
{
	int status = spill_read(c->from, off, len, c->buf);

	*new_off = spill_len(c->to);
	return status ? status : spill_append(c->to, c->buf, len);
}

static int copy_set(struct copying *c, struct node_extra *extra)
{
	int status = STATUS_OK;

	if (!extra->xattr_len)
		return STATUS_OK;
	if (extra->xattr_off != c->old_off || extra->xattr_len != c->len) {
		c->old_off = extra->xattr_off;
		c->len = extra->xattr_len;
		status = copy_bytes(c, c->old_off, c->len, &c->new_off);
	}
	extra->xattr_off = c->new_off;
	return status;
}

static int copy_node(struct copying *c, struct tree *tree, uint32_t number)
{
	struct node *n = &tree->node[number];
	int status = STATUS_OK;

	if (n->dropped)
		return STATUS_OK;
	if (n->kind == KIND_SYMLINK)
		status = copy_bytes(c, n->place, (size_t)n->size, &n->place);
	if (status == STATUS_OK && tree->extra)
		status = copy_set(c, &tree->extra[number]);
	return status;
}

int heap_copy_without_dropped(struct spill **copy, struct arena *arena, struct tree *tree,
                              struct spill *heap)
{
	struct copying c = {.from = heap, .buf = malloc(FORMAT_XATTRS)};
	int status = c.buf ? spill_new(&c.to, arena, 0, spill_directory(heap)) : STATUS_NOMEM;

	for (uint32_t i = 0; i < tree->count && status == STATUS_OK; i++)
		status = copy_node(&c, tree, i);
	free(c.buf);
	if (status == STATUS_OK)
		*copy = c.to;
	else
		spill_free(c.to);
	return status;
}
