#include "bundler/leaves.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bundler/cancel.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "common/bytes.h"
#include "common/progress.h"
#include "common/seal.h"
#include "common/status.h"

struct maker {
	struct stage *stage;
	struct progress *progress;
	struct feed *feed;
	struct seal *seal;
	uint64_t done; /* bytes of the content */
	uint64_t leaf_count;
	unsigned in_block;
	uint8_t block[FORMAT_LEAF_BLOCK];
	uint8_t bytes[FORMAT_FRAME]; /* of a leaf: of an extent at most FORMAT_LEAF */
};

static int flush_block(struct maker *m)
{
	size_t len = (size_t)m->in_block * FORMAT_DIGEST;
	uint8_t sum[FORMAT_DIGEST];
	int status;

	seal_digest(m->seal, sum, m->block, len);
	status = spill_append(m->stage->leaves, m->block, len);
	if (status == STATUS_OK)
		status = spill_append(m->stage->leaf_sums, sum, sizeof(sum));
	m->in_block = 0;
	return status;
}

/* The next len bytes are a leaf. */
static int add_leaf(struct maker *m, size_t len)
{
	int status = cancel_asked() ? STATUS_CANCELLED : feed_read(m->feed, m->bytes, len);

	if (status)
		return status;
	seal_digest(m->seal, m->block + (size_t)m->in_block * FORMAT_DIGEST, m->bytes, len);
	m->leaf_count++;
	m->done += len;
	progress_update(m->progress, m->done);
	return ++m->in_block == FORMAT_LEAVES_PER_BLOCK ? flush_block(m) : STATUS_OK;
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
	if (status == STATUS_OK && m->in_block)
		status = flush_block(m);
	return status;
}

int leaves_make(struct stage *stage, struct progress *progress, char *culprit, size_t culprit_size)
{
	uint64_t total = segments_content_len(stage->segments);
	struct maker *m = calloc(1, sizeof(*m));
	int status = STATUS_NOMEM, saved;

	if (!m)
		return status;
	m->stage = stage;
	m->progress = progress;
	progress_start(progress, "hashing", total);
	status = seal_new(&m->seal);
	if (status == STATUS_OK)
		status = feed_open(&m->feed, stage, 0, total);
	if (status == STATUS_OK)
		status = add_all(m);
	saved = errno;
	if (status == STATUS_OK)
		stage->content.leaf_count = m->leaf_count;
	else if (m->feed && feed_culprit(m->feed))
		snprintf(culprit, culprit_size, "%s", feed_culprit(m->feed));
	progress_finish(progress);
	feed_close(m->feed);
	seal_free(m->seal);
	free(m);
	errno = saved;
	return status;
}
