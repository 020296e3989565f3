#include "bundler/ahead.h"

#include <stdlib.h>

#include "bundler/cancel.h"
#include "bundler/pipeline.h"
#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/status.h"

enum {
	READERS = 4,
	BATCHES = 8,
	FILES = 64, /* in a batch: so many need no thread to be woken */
	ROOM = 4 * AHEAD_SMALL,
};
_Static_assert(AHEAD_SMALL < ORIGIN_HOLE, "what is loaded has no holes");

struct slot {
	struct ahead_file file;
	uint8_t *room; /* for what it holds; NULL: it is not read ahead */
};

struct batch {
	unsigned count;
	struct slot slot[FILES];
	uint8_t *room;
};

struct ahead {
	const struct tree *tree;
	struct pipeline *pipeline;
	uint32_t walked;     /* the node that was found last */
	bool is_over;        /* and there are no more */
	struct batch *batch; /* the one that is being taken; NULL: none */
	unsigned taken;      /* of its files */
};

/* --- in path order ---------------------------------------------------------- */

static bool is_file(const struct tree *tree, uint32_t number)
{
	return tree->node[number].kind == KIND_FILE && !tree->node[number].dropped;
}

static bool is_small(const struct tree *tree, uint32_t number)
{
	return !tree_is_kept(tree, number) && tree->node[number].size <= AHEAD_SMALL;
}

static bool walk(struct ahead *a)
{
	while (!a->is_over) {
		a->walked = tree_next_in_path_order(a->tree, a->walked);
		a->is_over = !a->walked;
		if (!a->is_over && is_file(a->tree, a->walked))
			break;
	}
	return !a->is_over;
}

static bool fill(void *job, void *context)
{
	struct ahead *a = context;
	struct batch *b = job;
	uint8_t *room = b->room, *end = b->room + ROOM;

	for (b->count = 0; b->count < FILES && end - room >= AHEAD_SMALL && walk(a); b->count++) {
		struct slot *slot = &b->slot[b->count];

		*slot = (struct slot){.file = {.node = a->walked, .opened = ORIGIN_CLOSED}};
		if (is_small(a->tree, a->walked)) {
			slot->room = room;
			room += a->tree->node[a->walked].size;
		}
	}
	return b->count;
}

/* --- reading ---------------------------------------------------------------- */

/* One that cannot be read stays closed.  It may have grown since it was looked at. */
static void load(struct way *way, const struct tree *tree, struct ahead_file *file, uint8_t *room)
{
	if (origin_open(way, tree, file->node, &file->opened, &file->origin))
		return;
	if (file->origin.size > tree->node[file->node].size ||
	    origin_load(&file->opened, &file->origin, room))
		origin_close(&file->opened);
}

static int load_batch(void *job, void *local, void *context)
{
	const struct ahead *a = context;
	struct batch *b = job;

	for (unsigned i = 0; i < b->count && !cancel_asked(); i++)
		if (b->slot[i].room)
			load(local, a->tree, &b->slot[i].file, b->slot[i].room);
	return STATUS_OK;
}

static int start(void *job, void *context)
{
	struct batch *b = job;

	(void)context;
	b->room = malloc(ROOM);
	return b->room ? STATUS_OK : STATUS_NOMEM;
}

static void stop(void *job)
{
	free(((struct batch *)job)->room);
}

static int thread_start(void **local, void *context)
{
	struct way *way = malloc(sizeof *way);

	(void)context;
	if (!way)
		return STATUS_NOMEM;
	*way = WAY_NONE;
	*local = way;
	return STATUS_OK;
}

static void thread_stop(void *local)
{
	way_end(local);
	free(local);
}

/* --- all of it -------------------------------------------------------------- */

size_t ahead_memory(void)
{
	return BATCHES * (sizeof(struct batch) + ROOM);
}

int ahead_new(struct ahead **ahead, const struct tree *tree)
{
	static const struct pipeline_ops ops = {.job_size = sizeof(struct batch),
	                                        .start = start,
	                                        .stop = stop,
	                                        .fill = fill,
	                                        .thread_start = thread_start,
	                                        .thread_stop = thread_stop,
	                                        .work = load_batch};
	struct ahead *a = calloc(1, sizeof *a);
	int status = STATUS_NOMEM;

	if (!a)
		return status;
	a->tree = tree;
	status = pipeline_new(&a->pipeline, &ops, a, READERS, BATCHES);
	if (status == STATUS_OK)
		*ahead = a;
	else
		free(a);
	return status;
}

int ahead_end(struct ahead *a)
{
	int status;

	if (!a)
		return STATUS_OK;
	status = pipeline_end(a->pipeline, 1);
	free(a);
	return status;
}

const struct ahead_file *ahead_next(struct ahead *a)
{
	if (!a->batch || a->taken == a->batch->count) {
		a->batch = pipeline_turn(a->pipeline, a->batch);
		a->taken = 0;
	}
	return a->batch ? &a->batch->slot[a->taken++].file : NULL;
}
