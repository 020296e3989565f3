#include "bundler/leaves.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/check.h"
#include "bundler/feed.h"
#include "bundler/later.h"
#include "bundler/pipeline.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "common/bytes.h"
#include "common/hash4.h"
#include "common/progress.h"
#include "common/status.h"

enum {
	JOB_BYTES = 1 << 20,
	JOB_LEAVES = 64,
	DEPTH_MAX = 16, /* 16 MB */
};

/* Leaves that follow each other. */
struct job {
	uint64_t first; /* number of the first */
	unsigned count;
	size_t len[JOB_LEAVES];
	uint8_t digest[JOB_LEAVES][FORMAT_DIGEST];
	uint8_t mark[JOB_LEAVES * CHECK_TAG];
	uint8_t *bytes; /* JOB_BYTES of room */
	size_t bytes_len;
	struct later later;
};

struct maker {
	struct stage *stage;
	struct progress *progress;
	struct feed *feed;
	struct pipeline *pipeline;
	struct job *job; /* being filled; NULL: none */
	uint64_t leaf_count;
	char *culprit;
	/* The finisher's. */
	uint64_t done; /* bytes of the content */
	unsigned in_block;
	uint8_t block[FORMAT_LEAF_BLOCK];
};

/* --- from bytes to digests ------------------------------------------------------- */

static int job_start(void *job, void *context)
{
	struct job *j = job;

	(void)context;
	j->bytes = malloc(JOB_BYTES);
	return j->bytes ? STATUS_OK : STATUS_NOMEM;
}

static void job_stop(void *job)
{
	struct job *j = job;

	later_end(&j->later, NULL);
	free(j->bytes);
}

static void thread_stop(void *local)
{
	later_tools_fini(local);
	free(local);
}

static int thread_start(void **local, void *context)
{
	struct later_tools *t = malloc(sizeof(*t));
	int status;

	(void)context;
	if (!t)
		return STATUS_NOMEM;
	status = later_tools_init(t);
	if (status == STATUS_OK)
		*local = t;
	else
		thread_stop(t);
	return status;
}

static void make_digests(struct job *j)
{
	struct hash4_run leaf[JOB_LEAVES];
	const uint8_t *bytes = j->bytes;

	for (unsigned i = 0; i < j->count; bytes += j->len[i++])
		leaf[i] = (struct hash4_run){bytes, j->len[i], j->digest[i]};
	hash4(leaf, j->count);
}

static int work(void *job, void *local, void *context)
{
	const struct maker *m = context;
	struct later_tools *t = local;
	struct job *j = job;
	const uint8_t *bytes = j->bytes;

	later_run(&j->later, t);
	make_digests(j);
	for (unsigned i = 0; i < j->count; bytes += j->len[i++])
		check_piece_tag(t->check, m->stage->check, j->first + i, bytes, j->len[i],
		                j->mark + (size_t)i * CHECK_TAG);
	return STATUS_OK;
}

/* --- from digests to blocks ------------------------------------------------------- */

static int flush_block(struct maker *m)
{
	size_t len = (size_t)m->in_block * FORMAT_DIGEST;
	uint8_t sum[FORMAT_DIGEST];
	int status;

	hash4_one(sum, m->block, len);
	status = spill_append(m->stage->leaves, m->block, len);
	if (status == STATUS_OK)
		status = spill_append(m->stage->leaf_sums, sum, sizeof(sum));
	m->in_block = 0;
	return status;
}

static int add_digests(struct maker *m, const struct job *j)
{
	int status = STATUS_OK;

	for (unsigned i = 0; i < j->count && status == STATUS_OK; i++) {
		memcpy(m->block + (size_t)m->in_block * FORMAT_DIGEST, j->digest[i], FORMAT_DIGEST);
		if (++m->in_block == FORMAT_LEAVES_PER_BLOCK)
			status = flush_block(m);
	}
	return status;
}

static int finish(void *job, void *context)
{
	struct maker *m = context;
	struct job *j = job;
	int status = later_end(&j->later, m->culprit);

	if (status == STATUS_OK)
		status = add_digests(m, j);
	if (status == STATUS_OK)
		status = spill_append(m->stage->marks, j->mark, (size_t)j->count * CHECK_TAG);
	m->done += j->bytes_len;
	progress_update(m->progress, m->done);
	return status;
}

static const struct pipeline_ops ops = {
	.job_size = sizeof(struct job),
	.start = job_start,
	.stop = job_stop,
	.thread_start = thread_start,
	.thread_stop = thread_stop,
	.work = work,
	.finish = finish,
};

/* --- from segments to leaves ------------------------------------------------------ */

static void submit(struct maker *m)
{
	pipeline_submit(m->pipeline, m->job);
	m->job = NULL;
}

static int take(struct maker *m)
{
	m->job = cancel_asked() ? NULL : pipeline_take(m->pipeline);
	if (!m->job)
		return STATUS_CANCELLED; /* pipeline_end may know better */
	m->job->first = m->leaf_count;
	m->job->count = 0;
	m->job->bytes_len = 0;
	return STATUS_OK;
}

/* The next len bytes are a leaf. */
static int add_leaf(struct maker *m, size_t len)
{
	struct job *j = m->job;
	int status = STATUS_OK;

	if (j && (j->count == JOB_LEAVES || j->bytes_len + len > JOB_BYTES))
		submit(m);
	if (!m->job)
		status = take(m);
	if (status)
		return status;
	j = m->job;
	status = feed_read(m->feed, j->bytes + j->bytes_len, len, &j->later);
	j->len[j->count++] = len;
	j->bytes_len += len;
	m->leaf_count++;
	return status;
}

static int add_segment(struct maker *m, const struct piece *piece)
{
	uint64_t left = piece->plain_len;
	int status = STATUS_OK;

	if (piece->stored_len)
		return add_leaf(m, piece->stored_len);
	while (left && status == STATUS_OK) {
		size_t len = min_u64(left, FORMAT_LEAF);

		status = add_leaf(m, len);
		left -= len;
	}
	return status;
}

static int add_all(struct maker *m)
{
	uint64_t count = segments_count(m->stage->segments);
	int status = STATUS_OK;

	for (uint64_t n = 0; n < count && status == STATUS_OK; n++) {
		struct piece piece;

		status = segments_get(m->stage->segments, n, &piece);
		if (status == STATUS_OK)
			status = add_segment(m, &piece);
	}
	if (status == STATUS_OK && m->job)
		submit(m);
	return status;
}

/* --- all of it -------------------------------------------------------------------- */

static int open_maker(struct maker *m, uint64_t total, unsigned workers)
{
	int status = feed_open(&m->feed, m->stage, 0, total);

	if (status == STATUS_OK)
		status = pipeline_new(&m->pipeline, &ops, m, workers,
		                      (unsigned)min_u64(2 * workers + 4, DEPTH_MAX));
	return status;
}

/* What went wrong in the pipeline is of what came before. */
static int run(struct maker *m)
{
	int status = add_all(m), saved = errno;
	int ended = pipeline_end(m->pipeline, status != STATUS_OK);

	if (ended)
		return ended;
	if (feed_culprit(m->feed))
		snprintf(m->culprit, TREE_PATH_SIZE, "%s", feed_culprit(m->feed));
	if (status == STATUS_OK && m->in_block)
		status = flush_block(m);
	else
		errno = saved;
	return status;
}

int leaves_make(struct stage *stage, unsigned workers, struct progress *progress,
                char culprit[static TREE_PATH_SIZE])
{
	uint64_t total = segments_content_len(stage->segments);
	struct maker *m = calloc(1, sizeof(*m));
	int status, saved;

	if (!m)
		return STATUS_NOMEM;
	m->stage = stage;
	m->progress = progress;
	m->culprit = culprit;
	progress_start(progress, "hashing", total);
	status = open_maker(m, total, workers);
	if (status == STATUS_OK)
		status = run(m);
	saved = errno;
	if (status == STATUS_OK)
		stage->content.leaf_count = m->leaf_count;
	progress_finish(progress);
	feed_close(m->feed);
	free(m);
	errno = saved;
	return status;
}
