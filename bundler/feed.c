#include "bundler/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/later.h"
#include "bundler/origin.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/bytes.h"
#include "common/status.h"

enum { LARGE = 1 << 20 };

/* Of index and leaf blocks: bytes that are left. */
struct copies {
	uint64_t index_left, leaves_left;
};

struct feed {
	struct stage *stage;
	struct later_tools tools;
	bool is_checked; /* signed, and its leaves are made */
	uint64_t content_left;
	uint64_t leaves_off, leaves_len; /* bytes of the leaf blocks */
	struct copies front, tail;       /* on either side of the content */
	uint64_t next;                   /* number of the segment behind piece */
	struct piece piece;              /* the segment being read */
	uint64_t done;                   /* bytes of it that were */
	uint64_t leaf;                   /* its first */
	struct way way;                  /* to it */
	struct later_file *file;         /* opened last; NULL: none */
	uint32_t source;                 /* its number */
	char culprit[TREE_PATH_SIZE];
};

/* Where the leaf blocks of the range are, and what is there twice. */
static int find_copies(struct feed *f, uint64_t begin, uint64_t end)
{
	uint64_t first, count, front, len;
	int status = stage_leaf_blocks(f->stage, begin, end, &first, &count);

	if (status == STATUS_OK)
		status = stage_front_len(f->stage, begin, end, &front);
	if (status == STATUS_OK)
		status = stage_stream_len(f->stage, begin, end, &len);
	if (status)
		return status;
	f->tail.index_left = f->stage->content.index_len;
	f->tail.leaves_left = len - front - (end - begin) - f->tail.index_left;
	f->leaves_off = first * FORMAT_LEAF_BLOCK;
	f->leaves_len = f->tail.leaves_left;
	if (front)
		f->front = f->tail;
	return STATUS_OK;
}

/* The segment in which the range begins. */
static int find_begin(struct feed *f, uint64_t begin)
{
	struct segments_place place;
	int status = segments_find(f->stage->segments, begin, &place);

	if (status == STATUS_OK)
		status = segments_get(f->stage->segments, place.n, &f->piece);
	if (status)
		return status;
	f->next = place.n + 1;
	f->done = begin - place.begin;
	f->leaf = place.leaf;
	return STATUS_OK;
}

int feed_open(struct feed **feed, struct stage *stage, uint64_t begin, uint64_t end)
{
	struct feed *f = calloc(1, sizeof(*f));
	int status;

	if (!f)
		return STATUS_NOMEM;
	f->stage = stage;
	f->way = WAY_NONE;
	f->content_left = end - begin;
	f->is_checked = stage->content.leaf_count > 0;
	status = later_tools_init(&f->tools);
	if (status == STATUS_OK)
		status = find_copies(f, begin, end);
	if (begin < end && status == STATUS_OK)
		status = find_begin(f, begin);
	if (status == STATUS_OK)
		*feed = f;
	else
		feed_close(f);
	return status;
}

void feed_close(struct feed *f)
{
	if (!f)
		return;
	later_file_release(f->file, NULL);
	later_tools_fini(&f->tools);
	way_end(&f->way);
	free(f);
}

const char *feed_culprit(const struct feed *f)
{
	return f->culprit[0] ? f->culprit : NULL;
}

static int blame_spill(struct feed *f, int status)
{
	snprintf(f->culprit, sizeof(f->culprit), "%s", stage_spill_directory(f->stage));
	return status;
}

static int blame(struct feed *f, const struct origin *origin, int status)
{
	int saved = errno;

	if (origin->is_kept)
		return blame_spill(f, status);
	tree_path(f->stage->tree, origin->node, f->culprit, sizeof(f->culprit));
	errno = saved;
	return status;
}

static int read_spill(struct feed *f, struct spill *spill, uint64_t off, size_t len, void *out)
{
	int status = spill_read(spill, off, len, out);

	return status ? blame_spill(f, status) : STATUS_OK;
}

/* Its last byte was read, or put off. */
static int leave_file(struct feed *f)
{
	struct later_file *file = f->file;

	f->file = NULL;
	return later_file_release(file, f->culprit);
}

static int open_source(struct feed *f, const struct origin *origin)
{
	struct origin_file opened;
	struct origin now;
	int status = origin_open(&f->way, f->stage->tree, origin->node, &opened, &now);

	if (status)
		return blame(f, origin, status);
	if (!origin_is(&opened, &now, origin)) {
		origin_close(&opened);
		return blame(f, origin, STATUS_CHANGED);
	}
	if (!now.is_kept && now.size > LARGE)
		posix_fadvise(opened.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return later_file_new(&f->file, f->stage, &opened, &now);
}

static int enter_file(struct feed *f, uint32_t source)
{
	struct origin origin;
	int status = leave_file(f);

	if (status == STATUS_OK)
		status = read_spill(f, f->stage->origins, (uint64_t)source * sizeof(origin),
		                    sizeof(origin), &origin);
	if (status == STATUS_OK)
		status = open_source(f, &origin);
	f->source = source;
	return status;
}

/* The next len bytes of the piece; put off, if later has room. */
static int read_in_file(struct feed *f, uint8_t *out, size_t len, struct later *later)
{
	const struct piece *piece = &f->piece;
	struct later_part part = {.off = piece->where + f->done,
	                          .begin = piece->where,
	                          .end = piece->where + piece->plain_len,
	                          .leaf = f->is_checked ? f->leaf : LATER_UNCHECKED,
	                          .len = len,
	                          .out = out};
	int status = STATUS_OK;

	if (!f->file || piece->source != f->source)
		status = enter_file(f, piece->source);
	if (status)
		return status;
	part.file = f->file;
	return later && later_add(later, &part) ? STATUS_OK
	                                        : later_read(&part, &f->tools, f->culprit);
}

static int next_piece(struct feed *f)
{
	int status;

	f->leaf += piece_leaves(&f->piece);
	f->done = 0;
	status = segments_get(f->stage->segments, f->next++, &f->piece);
	return status ? blame_spill(f, status) : STATUS_OK;
}

/* The next bytes of the content, at most len, within one segment. */
static int read_content(struct feed *f, uint8_t *out, size_t len, struct later *later, size_t *got)
{
	int status = f->done == piece_stored_len(&f->piece) ? next_piece(f) : STATUS_OK;

	if (status)
		return status;
	*got = min_u64(len, min_u64(piece_stored_len(&f->piece) - f->done, f->content_left));
	if (piece_spilled(&f->piece))
		status = read_spill(f, f->stage->bytes, f->piece.where + f->done, *got, out);
	else
		status = read_in_file(f, out, *got, later);
	f->done += *got;
	f->content_left -= *got;
	if (status == STATUS_OK && f->content_left == 0)
		status = leave_file(f);
	return status;
}

static int read_leaves(struct feed *f, uint64_t *left, uint8_t *out, size_t len, size_t *got)
{
	uint64_t at = f->leaves_off + f->leaves_len - *left;

	*got = min_u64(len, *left);
	*left -= *got;
	return read_spill(f, f->stage->leaves, at, *got, out);
}

static int read_index(struct feed *f, uint64_t *left, uint8_t *out, size_t len, size_t *got)
{
	uint64_t at = f->stage->content.index_len - *left;

	*got = min_u64(len, *left);
	*left -= *got;
	return read_spill(f, f->stage->index, at, *got, out);
}

int feed_read(struct feed *f, uint8_t *out, size_t len, struct later *later)
{
	size_t got = 0;
	int status = STATUS_OK;

	for (; len && status == STATUS_OK; out += got, len -= got) {
		if (f->front.index_left) {
			status = read_index(f, &f->front.index_left, out, len, &got);
		} else if (f->front.leaves_left) {
			status = read_leaves(f, &f->front.leaves_left, out, len, &got);
		} else if (f->content_left) {
			status = read_content(f, out, len, later, &got);
		} else if (f->tail.leaves_left) {
			status = read_leaves(f, &f->tail.leaves_left, out, len, &got);
		} else if (f->tail.index_left) {
			status = read_index(f, &f->tail.index_left, out, len, &got);
		} else {
			memset(out, 0, len);
			got = len;
		}
	}
	return status;
}
