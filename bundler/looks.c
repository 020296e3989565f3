#include "bundler/looks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "bundler/listing.h"
#include "bundler/pipeline.h"
#include "common/bytes.h"
#include "common/status.h"

enum {
	THREADS = 4,
	BATCHES = 8,
	ITEMS = 64, /* in a batch; a directory with no more is not worth waking anybody */
};

struct batch {
	size_t first, count;
	struct look look[ITEMS];
};

struct looks {
	bool (*cancelled)(void);
	struct pipeline *pipeline; /* NULL: none was needed yet */
	const struct listing *listing;
	int dirfd;
	size_t asked;        /* items that are in batches */
	struct batch *batch; /* the one that is being taken; NULL: none */
	size_t taken;        /* of its looks */
	struct batch own;    /* for small directories */
};

static void look(const struct looks *l, size_t item, struct look *look)
{
	const char *name = l->listing->names + l->listing->item[item].name_off;

	look->error = fstatat(l->dirfd, name, &look->st, AT_SYMLINK_NOFOLLOW) ? errno : 0;
}

static int look_at_batch(void *job, void *local, void *context)
{
	const struct looks *l = context;
	struct batch *b = job;

	(void)local;
	for (size_t i = 0; i < b->count && !(l->cancelled && l->cancelled()); i++)
		look(l, b->first + i, &b->look[i]);
	return STATUS_OK;
}

static bool fill(void *job, void *context)
{
	struct looks *l = context;
	struct batch *b = job;

	b->first = l->asked;
	b->count = (size_t)min_u64(l->listing->count - l->asked, ITEMS);
	l->asked += b->count;
	return b->count;
}

int looks_new(struct looks **looks, bool (*cancelled)(void))
{
	*looks = calloc(1, sizeof **looks);
	if (!*looks)
		return STATUS_NOMEM;
	(*looks)->cancelled = cancelled;
	return STATUS_OK;
}

void looks_free(struct looks *l)
{
	if (!l)
		return;
	pipeline_end(l->pipeline, 1);
	free(l);
}

int looks_begin(struct looks *l, const struct listing *listing, int dirfd)
{
	static const struct pipeline_ops ops = {
		.job_size = sizeof(struct batch), .fill = fill, .work = look_at_batch};

	l->listing = listing;
	l->dirfd = dirfd;
	l->asked = 0;
	return listing->count <= ITEMS || l->pipeline
	               ? STATUS_OK
	               : pipeline_new(&l->pipeline, &ops, l, THREADS, BATCHES);
}

/* One batch, or part of it, need not go to another thread. */
static struct batch *turn(struct looks *l)
{
	if (l->listing->count > ITEMS)
		return pipeline_turn(l->pipeline, l->batch);
	if (!fill(&l->own, l))
		return NULL;
	look_at_batch(&l->own, NULL, l);
	return &l->own;
}

const struct look *looks_next(struct looks *l)
{
	if (!l->batch || l->taken == l->batch->count) {
		l->batch = turn(l);
		l->taken = 0;
	}
	return l->batch ? &l->batch->look[l->taken++] : NULL;
}

/* Perhaps before all were taken. */
void looks_end(struct looks *l)
{
	l->asked = l->listing->count;
	while (l->batch)
		l->batch = turn(l);
}
