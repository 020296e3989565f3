#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/origin.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "common/bytes.h"
#include "common/seal.h"
#include "common/status.h"

enum { LARGE = 1 << 20 };

#define NONE UINT64_MAX

/* What a signed stage needs besides: media passes leaf by leaf. */
struct checker {
	struct seal *seal;
	uint8_t block[FORMAT_LEAF_BLOCK];
	uint64_t block_no; /* NONE: none */
	uint8_t leaf[FORMAT_LEAF];
	uint64_t leaf_no; /* checked; NONE: none */
};

struct feed {
	struct stage *stage;
	struct checker *checker; /* NULL: not signed, or the leaves are still to be made */
	uint64_t content_left, index_left;
	uint64_t leaves_off, leaves_left; /* bytes of the leaf blocks */
	uint64_t next;                    /* number of the segment behind piece */
	struct piece piece;               /* the segment being read */
	uint64_t done;                    /* bytes of it that were */
	uint64_t leaf;                    /* its first */
	struct origin_file file;          /* opened last */
	uint32_t source;                  /* its number, PIECE_SPILLED for none */
	struct origin origin;
	char culprit[TREE_PATH_SIZE];
};

static int open_checker(struct checker **checker)
{
	struct checker *c = malloc(sizeof(*c));
	int status = c ? seal_new(&c->seal) : STATUS_NOMEM;

	if (status) {
		free(c);
		return status;
	}
	c->block_no = c->leaf_no = NONE;
	*checker = c;
	return STATUS_OK;
}

static void close_checker(struct checker *c)
{
	if (!c)
		return;
	seal_free(c->seal);
	free(c);
}

/* Where the leaf blocks of the range are. */
static int find_leaves(struct feed *f, uint64_t begin, uint64_t end)
{
	uint64_t first, count, len;
	int status = stage_leaf_blocks(f->stage, begin, end, &first, &count);

	if (status == STATUS_OK)
		status = stage_stream_len(f->stage, begin, end, &len);
	if (status)
		return status;
	f->leaves_off = first * FORMAT_LEAF_BLOCK;
	f->leaves_left = len - (end - begin) - f->stage->content.index_len;
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
	int status = STATUS_OK;

	if (!f)
		return STATUS_NOMEM;
	f->stage = stage;
	f->content_left = end - begin;
	f->index_left = stage->content.index_len;
	f->file = ORIGIN_CLOSED;
	f->source = PIECE_SPILLED;
	if (stage->content.leaf_count)
		status = open_checker(&f->checker);
	if (status == STATUS_OK)
		status = find_leaves(f, begin, end);
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
	origin_close(&f->file);
	close_checker(f->checker);
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

static int blame(struct feed *f, int status)
{
	int saved = errno;

	if (f->origin.is_kept)
		return blame_spill(f, status);
	tree_path(f->stage->tree, f->origin.node, f->culprit, sizeof(f->culprit));
	errno = saved;
	return status;
}

static int read_spill(struct feed *f, struct spill *spill, uint64_t off, size_t len, void *out)
{
	int status = spill_read(spill, off, len, out);

	return status ? blame_spill(f, status) : STATUS_OK;
}

/* Its last byte was read: is it still the same? */
static int leave_file(struct feed *f)
{
	int status = STATUS_OK;

	if (f->source != PIECE_SPILLED && !origin_unchanged(&f->file, &f->origin))
		status = blame(f, STATUS_CHANGED);
	origin_close(&f->file);
	f->source = PIECE_SPILLED;
	return status;
}

static int enter_file(struct feed *f, uint32_t source)
{
	struct origin now;
	int status = leave_file(f);

	if (status == STATUS_OK)
		status = read_spill(f, f->stage->origins, (uint64_t)source * sizeof(f->origin),
		                    sizeof(f->origin), &f->origin);
	if (status)
		return status;
	status = origin_open(f->stage->tree, f->origin.node, &f->file, &now);
	if (status)
		return blame(f, status);
	f->source = source;
	if (!origin_same(&now, &f->origin))
		return blame(f, STATUS_CHANGED);
	if (!now.is_kept && now.size > LARGE)
		posix_fadvise(f->file.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return STATUS_OK;
}

/* len bytes of the piece, from off on. */
static int read_in_file(struct feed *f, uint8_t *out, size_t len, uint64_t off)
{
	int status = STATUS_OK;

	if (f->piece.source != f->source)
		status = enter_file(f, f->piece.source);
	if (status)
		return status;
	status = origin_read(&f->file, out, len, f->piece.where + off);
	return status ? blame(f, status) : STATUS_OK;
}

/* Are the first len bytes of the checker's leaf those of leaf number no? */
static int check_leaf(struct feed *f, uint64_t no, size_t len)
{
	struct checker *c = f->checker;
	uint64_t j = no / FORMAT_LEAVES_PER_BLOCK;
	uint8_t digest[FORMAT_DIGEST];

	if (j != c->block_no) {
		int status = read_spill(f, f->stage->leaves, j * FORMAT_LEAF_BLOCK,
		                        format_leaf_block_len(f->stage->content.leaf_count, j),
		                        c->block);

		c->block_no = status ? NONE : j;
		if (status)
			return status;
	}
	seal_digest(c->seal, digest, c->leaf, len);
	return memcmp(digest, c->block + no % FORMAT_LEAVES_PER_BLOCK * FORMAT_DIGEST,
	              FORMAT_DIGEST)
	               ? blame(f, STATUS_CHANGED)
	               : STATUS_OK;
}

/* Some of the next len bytes of the piece, as far as its leaf goes.  The file may
 * look the same and be another: what is signed is what was read then. */
static int read_checked(struct feed *f, uint8_t *out, size_t len, size_t *got)
{
	struct checker *c = f->checker;
	uint64_t begin = f->done / FORMAT_LEAF * FORMAT_LEAF, no = f->leaf + f->done / FORMAT_LEAF;
	size_t leaf_len = min_u64(FORMAT_LEAF, f->piece.plain_len - begin);
	int status = STATUS_OK;

	if (no != c->leaf_no) {
		status = read_in_file(f, c->leaf, leaf_len, begin);
		if (status == STATUS_OK)
			status = check_leaf(f, no, leaf_len);
		c->leaf_no = status ? NONE : no;
	}
	*got = min_u64(len, begin + leaf_len - f->done);
	if (status == STATUS_OK)
		memcpy(out, c->leaf + (f->done - begin), *got);
	return status;
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
static int read_content(struct feed *f, uint8_t *out, size_t len, size_t *got)
{
	int status = f->done == piece_stored_len(&f->piece) ? next_piece(f) : STATUS_OK;

	if (status)
		return status;
	*got = min_u64(len, min_u64(piece_stored_len(&f->piece) - f->done, f->content_left));
	if (piece_spilled(&f->piece))
		status = read_spill(f, f->stage->bytes, f->piece.where + f->done, *got, out);
	else if (f->checker)
		status = read_checked(f, out, *got, got);
	else
		status = read_in_file(f, out, *got, f->done);
	f->done += *got;
	f->content_left -= *got;
	if (status == STATUS_OK && f->content_left == 0)
		status = leave_file(f);
	return status;
}

static int read_leaves(struct feed *f, uint8_t *out, size_t len, size_t *got)
{
	uint64_t at = f->leaves_off;

	*got = min_u64(len, f->leaves_left);
	f->leaves_off += *got;
	f->leaves_left -= *got;
	return read_spill(f, f->stage->leaves, at, *got, out);
}

static int read_index(struct feed *f, uint8_t *out, size_t len, size_t *got)
{
	uint64_t at = f->stage->content.index_len - f->index_left;

	*got = min_u64(len, f->index_left);
	f->index_left -= *got;
	return read_spill(f, f->stage->index, at, *got, out);
}

int feed_read(struct feed *f, uint8_t *out, size_t len)
{
	size_t got = 0;
	int status = STATUS_OK;

	for (; len && status == STATUS_OK; out += got, len -= got) {
		if (f->content_left) {
			status = read_content(f, out, len, &got);
		} else if (f->leaves_left) {
			status = read_leaves(f, out, len, &got);
		} else if (f->index_left) {
			status = read_index(f, out, len, &got);
		} else {
			memset(out, 0, len);
			got = len;
		}
	}
	return status;
}
