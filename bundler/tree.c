#include "bundler/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundler/spill.h"
#include "common/bytes.h"
#include "common/status.h"

/* bundle(5) counts days up to 2^38 and seconds up to 2^55: this is in both. */
#define TIME_MAX (INT64_C(1) << 54)

enum { FIRST_ROOM = 256, FIRST_NAMES = 4096 };

static int grow_nodes(struct tree *tree)
{
	uint64_t room = min_u64(max_u64(2 * (uint64_t)tree->room, FIRST_ROOM), FORMAT_MAX_ENTRIES);
	struct node *node = realloc(tree->node, room * sizeof *node);
	struct node_extra *extra;
	uint64_t *kept_at;

	if (!node)
		return STATUS_NOMEM;
	tree->node = node;
	if (tree->kept_at) {
		kept_at = realloc(tree->kept_at, room * sizeof *kept_at);
		if (!kept_at)
			return STATUS_NOMEM;
		tree->kept_at = kept_at;
	}
	if (tree->extra) {
		extra = realloc(tree->extra, room * sizeof *extra);
		if (!extra)
			return STATUS_NOMEM;
		tree->extra = extra;
	}
	tree->room = (uint32_t)room;
	return STATUS_OK;
}

static int grow_names(struct tree *tree, size_t more)
{
	uint64_t room = max_u64(2 * tree->names_room, FIRST_NAMES);
	char *names;

	if (more <= tree->names_room - tree->names_len)
		return STATUS_OK;
	names = realloc(tree->names, room);
	if (!names)
		return STATUS_NOMEM;
	tree->names = names;
	tree->names_room = room;
	return STATUS_OK;
}

static int append_node(struct tree *tree, uint32_t parent, const char *name, size_t len)
{
	struct node *n;
	int status;

	if (tree->count == FORMAT_MAX_ENTRIES)
		return STATUS_TOOBIG;
	status = tree->count == tree->room ? grow_nodes(tree) : STATUS_OK;
	if (status == STATUS_OK)
		status = grow_names(tree, len + 1);
	if (status)
		return status;
	n = &tree->node[tree->count];
	*n = (struct node){.parent = parent, .links = 1, .name_off = tree->names_len};
	n->name_len = (uint8_t)len;
	if (tree->extra)
		tree->extra[tree->count] = (struct node_extra){0};
	if (tree->kept_at)
		tree->kept_at[tree->count] = TREE_ON_DISK;
	memcpy(tree->names + tree->names_len, name, len);
	tree->names[tree->names_len + len] = '\0';
	tree->names_len += len + 1;
	tree->count++;
	return STATUS_OK;
}

int tree_new(struct tree **tree, bool full_metadata)
{
	struct tree *t = calloc(1, sizeof *t);
	int status = STATUS_NOMEM;

	if (!t)
		goto out;
	if (full_metadata) {
		t->extra = malloc(sizeof *t->extra);
		if (!t->extra)
			goto out;
	}
	status = append_node(t, 0, "", 0);
	if (status)
		goto out;
	t->node[0].kind = KIND_DIRECTORY;
	t->node[0].mode = 0755;
	t->newest = INT64_MAX;
out:
	if (status == STATUS_OK)
		*tree = t;
	else
		tree_free(t);
	return status;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	free(tree->node);
	free(tree->extra);
	free(tree->names);
	free(tree->id);
	free(tree->base);
	free(tree->kept_at);
	spill_free(tree->kept);
	free(tree);
}

int tree_keep(struct tree *tree, struct spill *kept)
{
	tree->kept = kept;
	tree->kept_at = malloc(tree->room * sizeof *tree->kept_at);
	if (!tree->kept_at)
		return STATUS_NOMEM;
	for (uint32_t i = 0; i < tree->count; i++)
		tree->kept_at[i] = TREE_ON_DISK;
	return STATUS_OK;
}

bool tree_is_kept(const struct tree *tree, uint32_t number)
{
	return tree->kept_at && tree->kept_at[number] != TREE_ON_DISK;
}

void tree_set_time(struct tree *tree, uint32_t number, int64_t seconds, uint32_t nanoseconds)
{
	if (seconds >= tree->newest) {
		seconds = tree->newest;
		nanoseconds = 0;
	}
	if (seconds > TIME_MAX)
		seconds = TIME_MAX;
	if (seconds < -TIME_MAX)
		seconds = -TIME_MAX;
	tree->node[number].mtime = seconds;
	if (tree->extra)
		tree->extra[number].mtime_nsec = nanoseconds;
}

int tree_add(struct tree *tree, uint32_t parent, const char *name, size_t len, uint32_t *number)
{
	uint32_t added = tree->count;
	int status = append_node(tree, parent, name, len);

	if (status)
		return status;
	if (tree->node[parent].child_count++ == 0)
		tree->node[parent].first_child = added;
	*number = added;
	return STATUS_OK;
}

const char *tree_name(const struct tree *tree, uint32_t number)
{
	return tree->names + tree->node[number].name_off;
}

/* The bytes of the path from the root, and the root's child on it. */
static size_t measure(const struct tree *tree, uint32_t number, uint32_t *top)
{
	size_t len = 0;

	for (*top = number; number; number = tree->node[number].parent) {
		len += tree->node[number].name_len + (size_t)1;
		*top = number;
	}
	return len ? len - 1 : 0;
}

/* Names and slashes, from the last one to the first; end: behind them. */
static void fill(const struct tree *tree, uint32_t number, char *end)
{
	for (; number; number = tree->node[number].parent) {
		size_t len = tree->node[number].name_len;

		end -= len;
		memcpy(end, tree_name(tree, number), len);
		if (tree->node[number].parent)
			*--end = '/';
	}
}

static int put_path(const struct tree *tree, uint32_t number, const char *before, size_t inner_len,
                    char *out, size_t size)
{
	size_t len = strlen(before);
	bool slash = len && inner_len && before[len - 1] != '/';

	if (size)
		out[0] = '\0';
	if (len + slash + inner_len >= size)
		return STATUS_TOOBIG;
	memcpy(out, before, len);
	if (slash)
		out[len++] = '/';
	fill(tree, number, out + len + inner_len);
	out[len + inner_len] = '\0';
	return STATUS_OK;
}

int tree_inner_path(const struct tree *tree, uint32_t number, char *out, size_t size)
{
	uint32_t top;
	size_t len = measure(tree, number, &top);

	return put_path(tree, number, "", len, out, size);
}

const char *tree_base(const struct tree *tree, uint32_t top)
{
	return top && tree->base ? tree->base[top - tree->node[0].first_child] : "";
}

int tree_path(const struct tree *tree, uint32_t number, char *out, size_t size)
{
	uint32_t top;
	size_t len = measure(tree, number, &top);

	return put_path(tree, number, tree_base(tree, top), len, out, size);
}

/* --- hard links -------------------------------------------------------------- */

/* What has no children chains its links in their stead: the first and the last of a file's,
 * the next one of each. */
static uint32_t *first_link(struct node *file)
{
	return &file->first_child;
}

static uint32_t *last_link(struct node *file)
{
	return &file->child_count;
}

static uint32_t *next_link(struct node *link)
{
	return &link->first_child;
}

void tree_link(struct tree *tree, uint32_t number, uint32_t first)
{
	struct node *file = &tree->node[first], *link = &tree->node[number];

	link->kind = KIND_HARDLINK;
	link->place = first;
	file->links++;
	if (*last_link(file))
		*next_link(&tree->node[*last_link(file)]) = number;
	else
		*first_link(file) = number;
	*last_link(file) = number;
}

/* All of a file but its name and place in the tree. */
static void become(struct tree *tree, uint32_t number, uint32_t file)
{
	struct node *n = &tree->node[number], was = *n;

	*n = tree->node[file];
	n->parent = was.parent;
	n->name_off = was.name_off;
	n->name_len = was.name_len;
	n->given = was.given;
	n->dropped = 0;
	if (tree->extra)
		tree->extra[number] = tree->extra[file];
	if (tree->kept_at)
		tree->kept_at[number] = tree->kept_at[file];
}

/* The first link left of a dropped file becomes the file, to which the others lead. */
static void bequeath(struct tree *tree, uint32_t file)
{
	uint32_t heir = *first_link(&tree->node[file]), link, next;

	while (heir && tree->node[heir].dropped)
		heir = *next_link(&tree->node[heir]);
	if (!heir)
		return;
	next = *next_link(&tree->node[heir]);
	become(tree, heir, file);
	tree->node[heir].links = 1;
	*first_link(&tree->node[heir]) = *last_link(&tree->node[heir]) = 0;
	for (link = next; link; link = next) {
		next = *next_link(&tree->node[link]);
		*next_link(&tree->node[link]) = 0;
		if (!tree->node[link].dropped)
			tree_link(tree, link, heir);
	}
}

/* --- leaving out --------------------------------------------------------------- */

/* What to do with node i, which is not yet dropped or just was. */
typedef void visit_fn(struct tree *tree, uint32_t i);

static void mark(struct tree *tree, uint32_t i)
{
	struct node *n = &tree->node[i];

	if (n->dropped)
		return;
	n->dropped = 1;
	tree->dropped_count++;
	if (n->kind == KIND_HARDLINK)
		tree->node[n->place].links--;
}

/* Once: what has been left to others is nobody's any more. */
static void settle(struct tree *tree, uint32_t i)
{
	struct node *n = &tree->node[i];

	if (n->kind == KIND_DIRECTORY || n->kind == KIND_HARDLINK)
		return;
	bequeath(tree, i);
	*first_link(n) = *last_link(n) = 0;
}

/* A node and all below.  Breadth first: what one level of a directory holds is one range. */
static void visit_below(struct tree *tree, uint32_t number, visit_fn *visit)
{
	uint32_t from = number, end = number + 1, next_from, next_end;

	for (; end; from = next_from, end = next_end) {
		next_from = next_end = 0;
		for (uint32_t i = from; i < end; i++) {
			const struct node *n = &tree->node[i];

			if (n->kind == KIND_DIRECTORY && n->child_count) {
				next_from = next_end ? next_from : n->first_child;
				next_end = n->first_child + n->child_count;
			}
			visit(tree, i);
		}
	}
}

void tree_drop(struct tree *tree, uint32_t number)
{
	if (tree->node[number].dropped)
		return;
	visit_below(tree, number, mark);
	visit_below(tree, number, settle);
}

int tree_number(struct tree *tree)
{
	uint32_t *id = realloc(tree->id, ((size_t)tree->count + 1) * sizeof *id);
	uint32_t next = 0;

	if (!id)
		return STATUS_NOMEM;
	tree->id = id;
	for (uint32_t i = 0; i < tree->count; i++) {
		id[i] = next;
		next += !tree->node[i].dropped;
	}
	id[tree->count] = next;
	tree->entry_count = next;
	return STATUS_OK;
}

/* The first node in [from, end) that is left and is, or is not, a directory. */
static uint32_t find(const struct tree *tree, uint32_t from, uint32_t end, bool directory)
{
	for (; from < end; from++)
		if (!tree->node[from].dropped &&
		    (tree->node[from].kind == KIND_DIRECTORY) == directory)
			return from;
	return 0;
}

static uint32_t find_child(const struct tree *tree, uint32_t number)
{
	const struct node *n = &tree->node[number];
	uint32_t end = n->first_child + n->child_count, found;

	if (n->kind != KIND_DIRECTORY || n->dropped)
		return 0;
	found = find(tree, n->first_child, end, false);
	return found ? found : find(tree, n->first_child, end, true);
}

static uint32_t find_sibling(const struct tree *tree, uint32_t number)
{
	const struct node *parent = &tree->node[tree->node[number].parent];
	uint32_t end = parent->first_child + parent->child_count, found;
	bool directory = tree->node[number].kind == KIND_DIRECTORY;

	found = find(tree, number + 1, end, directory);
	if (found || directory)
		return found;
	return find(tree, parent->first_child, end, true);
}

uint32_t tree_next_in_path_order(const struct tree *tree, uint32_t number)
{
	uint32_t found = find_child(tree, number);

	for (; number && !found; number = tree->node[number].parent)
		found = find_sibling(tree, number);
	return found;
}
