#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundler/origin.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "common/bytes.h"
#include "common/status.h"

enum { LARGE = 1 << 20 };

struct feed {
	struct stage *stage;
	uint64_t content_left, index_left;
	uint64_t next;      /* number of the segment behind piece */
	struct piece piece; /* the segment being read */
	uint64_t done;      /* bytes of it that were */
	int fd;             /* the file opened last */
	uint32_t source;    /* its number, PIECE_SPILLED for none */
	struct origin origin;
	char culprit[TREE_PATH_SIZE];
};

int feed_open(struct feed **feed, struct stage *stage, uint64_t begin, uint64_t end)
{
	struct feed *f = calloc(1, sizeof(*f));
	uint64_t at;
	int status = STATUS_OK;

	if (!f)
		return STATUS_NOMEM;
	f->stage = stage;
	f->content_left = end - begin;
	f->index_left = stage->content.index_len;
	f->fd = -1;
	f->source = PIECE_SPILLED;
	if (begin < end)
		status = segments_find(stage->segments, begin, &f->next, &at);
	if (begin < end && status == STATUS_OK) {
		status = segments_get(stage->segments, f->next++, &f->piece);
		f->done = begin - at;
	}
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
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

const char *feed_culprit(const struct feed *f)
{
	return f->culprit[0] ? f->culprit : NULL;
}

static int blame(struct feed *f, int status)
{
	int saved = errno;

	tree_path(f->stage->tree, f->origin.node, f->culprit, sizeof(f->culprit));
	errno = saved;
	return status;
}

/* All spills of a stage are in one directory. */
static int blame_spill(struct feed *f, int status)
{
	snprintf(f->culprit, sizeof(f->culprit), "%s", spill_directory(f->stage->bytes));
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

	if (f->fd >= 0) {
		status = origin_unchanged(f->fd, &f->origin) ? STATUS_OK : blame(f, STATUS_CHANGED);
		close(f->fd);
	}
	f->fd = -1;
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
	f->source = source;
	if (f->origin.gone)
		return STATUS_OK;
	if (origin_open(f->stage->tree, f->origin.node, &f->fd, &now, NULL))
		return blame(f, STATUS_IO);
	if (!origin_same(&now, &f->origin))
		return blame(f, STATUS_CHANGED);
	if (now.size > LARGE)
		posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return STATUS_OK;
}

static int read_in_file(struct feed *f, uint8_t *out, size_t len)
{
	int status = STATUS_OK;

	if (f->piece.source != f->source)
		status = enter_file(f, f->piece.source);
	if (status)
		return status;
	if (f->origin.gone) {
		memset(out, 0, len);
		return STATUS_OK;
	}
	status = origin_read(f->fd, out, len, f->piece.where + f->done);
	return status ? blame(f, status) : STATUS_OK;
}

/* The next bytes of the content, at most len, within one segment. */
static int read_content(struct feed *f, uint8_t *out, size_t len, size_t *got)
{
	uint64_t left = piece_stored_len(&f->piece) - f->done;
	int status = STATUS_OK;

	if (left == 0) {
		status = segments_get(f->stage->segments, f->next++, &f->piece);
		if (status)
			return blame_spill(f, status);
		f->done = 0;
		left = piece_stored_len(&f->piece);
	}
	*got = min_u64(len, min_u64(left, f->content_left));
	if (f->piece.source == PIECE_SPILLED)
		status = read_spill(f, f->stage->bytes, f->piece.where + f->done, *got, out);
	else
		status = read_in_file(f, out, *got);
	f->done += *got;
	f->content_left -= *got;
	if (status == STATUS_OK && f->content_left == 0)
		status = leave_file(f);
	return status;
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

	/* Leaf blocks belong between the two; unsigned bundles have none. */
	for (; len && status == STATUS_OK; out += got, len -= got) {
		if (f->content_left) {
			status = read_content(f, out, len, &got);
		} else if (f->index_left) {
			status = read_index(f, out, len, &got);
		} else {
			memset(out, 0, len);
			got = len;
		}
	}
	return status;
}
