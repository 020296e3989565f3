#include "fusefs/reading.h"

#include <errno.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/status.h"
#include "fusefs/answer.h"
#include "fusefs/loop.h"
#include "fusefs/notes.h"
#include "fusefs/streams.h"
#include "fusefs/view.h"

/* Reads up to this are answered before another worker is woken.  In a cached mount it
 * is the kernel that asks, for 128 KiB at a time: to wake somebody takes as long as to
 * decode that. */
enum { SHORT_READ = 32 * 1024, SHORT_READ_CACHED = 128 * 1024 };

/* What is decoded ahead in a cached mount, where each request is short: when there is
 * less than that, somebody is woken for more. */
enum { AHEAD_CACHED_LOW = 256 * 1024, AHEAD_CACHED = 1024 * 1024 };

/* Runs of data that are looked at for the hole behind them. */
enum { HOLE_TRIES = 64 };

/* The page cache gets it: always in a cached mount; in a private one when a
 * program maps the file, and then nobody in particular asks. */
static bool is_for_page_cache(const struct view *v, const struct fuse_file_info *file)
{
	return v->cached || file->lock_owner == 0;
}

/* Whoever reads in order is served fastest by one who stays awake, while others decode ahead
 * for it. */
static enum loop_work work_of(const struct view *v, struct stream_ref stream, size_t len)
{
	if (stream.is_alone)
		return LOOP_IN_ORDER;
	return len <= (v->cached ? SHORT_READ_CACHED : SHORT_READ) ? LOOP_SHORT : LOOP_LONG;
}

/* How much of a file that is read in order is decoded ahead; and how little of that
 * may be left. */
static uint64_t ahead(const struct view *v)
{
	return v->cached ? AHEAD_CACHED : 2 * (uint64_t)v->read_max;
}

static uint64_t ahead_least(const struct view *v)
{
	return v->cached ? AHEAD_CACHED_LOW : ahead(v);
}

static void decode_ahead(struct worker *w, struct stream_ref stream)
{
	struct view *v = w->view;
	uint64_t from;

	while (loop_is_spare(w) && streams_decode(v->streams, stream, ahead(v), &from))
		if (!bundle_decode_ahead(w->cursor, &w->entry->e, from)) {
			streams_put_back(v->streams, stream, from);
			return;
		}
}

static void run_ahead(struct worker *w, const struct errand *errand)
{
	if (loop_is_spare(w) && answer_load(w, errand->node) == STATUS_OK)
		decode_ahead(w, errand->stream);
}

/* Whoever asks for little at a time is not waited for. */
static bool is_decoded_ahead(size_t len)
{
	return len > SHORT_READ;
}

/* Behind the answer, so that nobody waits for it. */
static void look_ahead(struct worker *w, struct stream_ref stream, size_t len)
{
	struct view *v = w->view;
	uint64_t from, ahead;

	if (streams_ask(v->streams, stream, &from, &ahead))
		bundle_will_need(w->cursor, &w->entry->e, from, ahead);
	if (is_decoded_ahead(len))
		decode_ahead(w, stream);
}

/* Of what is asked for, what there is: programs ask for more than small files
 * have, and once more at the end. */
static size_t length_of_read(const struct worker *w, size_t size, off_t off)
{
	uint64_t end = w->entry->e.size, from = (uint64_t)off;

	return (size_t)min_u64(min_u64(size, w->view->read_max), from < end ? end - from : 0);
}

/* What is decoded already goes out from where it lies.  False: it must be read. */
static bool reply_lent(struct worker *w, fuse_req_t req, uint64_t off, size_t len)
{
	struct iovec part[BUNDLE_LENT];
	unsigned count = bundle_lend(w->cursor, &w->entry->e, off, len, part);

	if (count == 1)
		answer_bytes(w, req, part->iov_base, part->iov_len);
	else if (count && loop_claim(w))
		fuse_reply_iov(req, part, (int)count);
	bundle_give_back(w->cursor);
	return count;
}

static int reply_read(struct worker *w, fuse_req_t req, uint64_t off, size_t len)
{
	size_t got;
	int status;

	if (reply_lent(w, req, off, len))
		return STATUS_OK;
	status = bundle_read(w->cursor, &w->entry->e, off, len, w->buffer, &got);
	if (status == STATUS_OK)
		answer_bytes(w, req, w->buffer, got);
	return status;
}

static void answer_read(struct worker *w, const struct late_read *r)
{
	struct view *v = w->view;
	int status = answer_load(w, r->node);
	size_t len = status ? 0 : length_of_read(w, r->size, r->off);
	struct stream_ref stream = streams_note(v->streams, r->node, (uint64_t)r->off, len);

	loop_pass_turn(w, work_of(v, stream, len));
	if (is_decoded_ahead(len) && streams_is_short(v->streams, stream, ahead_least(v)))
		loop_offer(w->loop, ERRAND_AHEAD, &(struct errand){run_ahead, r->node, stream});
	/* Nothing gets into the page cache unnoted. */
	if (r->for_page_cache)
		notes_add(v->notes, r->node, (uint64_t)r->off, len);
	if (status == STATUS_OK)
		status = reply_read(w, r->request, (uint64_t)r->off, len);
	if (status)
		answer_failure(w, r->request, view_entry(v, r->node), status);
	else
		look_ahead(w, stream, len);
}

static void answer_late_read(struct worker *w, const struct late_read *r)
{
	if (loop_begin(r->request))
		answer_read(w, r);
}

void reading_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                  struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);
	struct late_read read = {answer_late_read, req, node, size, off, false};

	if (!w)
		return;
	atomic_store(&w->view->last_read, clock_boot_s());
	read.for_page_cache = is_for_page_cache(w->view, file);
	if (!loop_put_off(w, &read))
		answer_read(w, &read);
}

/* Where the hole behind off begins: runs may lie end to end.  After many of those there is none:
 * that is never wrong to say, and who makes a bundle of such runs gets no work done by it. */
static int find_hole(struct worker *w, uint64_t off, uint64_t *hole)
{
	const struct format_entry *e = &w->entry->e;
	uint64_t begin, end = off;

	for (unsigned i = 0; i < HOLE_TRIES; i++) {
		int status;

		off = end;
		status = bundle_data_range(w->cursor, e, off, &begin, &end);
		if (status)
			return status;
		if (begin != off || end <= off || end >= e->size) {
			*hole = begin > off ? off : end;
			return STATUS_OK;
		}
	}
	*hole = e->size;
	return STATUS_OK;
}

void reading_lseek(fuse_req_t req, fuse_ino_t node, off_t off, int whence,
                   struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);
	uint64_t found = 0, end, size;
	int status;

	(void)file;
	if (!w)
		return;
	status = answer_load(w, node);
	size = w->entry->e.size;
	if (status == STATUS_OK && (off < 0 || (uint64_t)off >= size)) {
		answer_error(w, req, ENXIO);
		return;
	}
	if (status == STATUS_OK)
		status = whence == SEEK_HOLE ? find_hole(w, (uint64_t)off, &found)
		                             : bundle_data_range(w->cursor, &w->entry->e,
		                                                 (uint64_t)off, &found, &end);
	if (status)
		answer_failure(w, req, view_entry(w->view, node), status);
	else if (whence == SEEK_DATA && found == size)
		answer_error(w, req, ENXIO);
	else if (loop_claim(w))
		fuse_reply_lseek(req, (off_t)found);
}
