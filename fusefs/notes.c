#include "fusefs/notes.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/status.h"
#include "fusefs/fuse.h"

/* So long for what the kernel is to drop at an end. */
enum { DROP_MS = 300 };

/* Counted in pages of the page cache. */
enum { PAGE = 4096, ROWS = 1 << 17, RECENT = 1 << 10, ZEROS = 1 << 20 };

struct row {
	uint32_t node;
	uint32_t count;
	uint64_t first;
	uint64_t end; /* of the file's content that was served, in bytes */
};

/* Rows are filled in a ring.  recent: for some nodes, where the last row is, so
 * that what is read in order becomes one row. */
struct notes {
	struct fuse_session *session;
	pthread_mutex_t lock;
	pthread_cond_t full;
	uint64_t begin, end; /* rows in use, counted through */
	uint64_t closed;     /* to rows before this one nothing is joined */
	uint64_t recent[RECENT];
	struct row row[ROWS];
};

/* Never written: all of it is one page of zeros. */
static const uint8_t zeros[ZEROS];

int notes_new(struct notes **notes)
{
	struct notes *n = calloc(1, sizeof *n);

	if (!n)
		return STATUS_NOMEM;
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->full, NULL);
	n->begin = n->end = 1;
	*notes = n;
	return STATUS_OK;
}

static bool join(struct row *r, const struct row *add)
{
	uint64_t end = r->first + r->count, add_end = add->first + add->count;
	uint64_t first = min_u64(r->first, add->first);

	if (r->node != add->node || add->first > end || add_end < r->first)
		return false;
	end = max_u64(end, add_end);
	if (end - first > UINT32_MAX)
		return false;
	r->first = first;
	r->count = (uint32_t)(end - first);
	r->end = max_u64(r->end, add->end);
	return true;
}

static uint64_t count(const struct notes *n)
{
	return n->end - n->begin;
}

void notes_add(struct notes *notes, uint64_t node, uint64_t off, uint64_t len)
{
	uint64_t end = off + len, *recent = &notes->recent[node % RECENT];
	struct row add = {(uint32_t)node, (uint32_t)(div_ceil(end, PAGE) - off / PAGE), off / PAGE,
	                  end};

	if (len == 0)
		return;
	pthread_mutex_lock(&notes->lock);
	if (*recent < max_u64(notes->begin, notes->closed) ||
	    !join(&notes->row[*recent % ROWS], &add)) {
		/* Then the thread that makes room is stuck, and the oldest is lost. */
		if (count(notes) == ROWS)
			notes->begin++;
		notes->row[notes->end % ROWS] = add;
		*recent = notes->end++;
	}
	if (count(notes) >= ROWS - ROWS / 8)
		pthread_cond_signal(&notes->full);
	pthread_mutex_unlock(&notes->lock);
}

/* The kernel would take bytes behind the end for a longer file. */
static void overwrite(struct fuse_session *session, const struct row *r, int64_t deadline)
{
	uint64_t off = r->first * PAGE;

	while (off < r->end && clock_ms() < deadline) {
		struct fuse_bufvec data = FUSE_BUFVEC_INIT(min_u64(r->end - off, ZEROS));

		data.buf[0].mem = (void *)zeros;
		if (fuse_lowlevel_notify_store(session, r->node, (off_t)off, &data, 0))
			return;
		off += data.buf[0].size;
	}
}

/* From now on the kernel asks before it reads from its page cache, and is refused: who copies
 * a file in this moment gets an error, and not zeros. */
static void close_file(struct fuse_session *session, const struct row *r)
{
	fuse_lowlevel_notify_inval_inode(session, r->node, -1, 0);
}

static void invalidate(struct fuse_session *session, const struct row *r)
{
	fuse_lowlevel_notify_inval_inode(session, r->node, (off_t)(r->first * PAGE),
	                                 (off_t)r->count * PAGE);
}

/* The oldest row, once there are many; it stays until the kernel has dropped it, as an end may
 * come before. */
static struct row take_oldest(struct notes *n, uint64_t *at)
{
	struct row r;

	pthread_mutex_lock(&n->lock);
	while (count(n) < ROWS - ROWS / 4)
		pthread_cond_wait(&n->full, &n->lock);
	*at = n->begin;
	n->closed = n->begin + 1;
	r = n->row[n->begin % ROWS];
	pthread_mutex_unlock(&n->lock);
	return r;
}

static void drop(struct notes *n, uint64_t at)
{
	pthread_mutex_lock(&n->lock);
	if (n->begin == at)
		n->begin++;
	pthread_mutex_unlock(&n->lock);
}

/* Dropped, and not overwritten: who reads the file meanwhile would be given zeros, and who has
 * mapped it, too. */
static void *make_room(void *argument)
{
	struct notes *n = argument;
	uint64_t at;

	for (;;) {
		struct row r = take_oldest(n, &at);

		invalidate(n->session, &r);
		drop(n, at);
	}
	return NULL;
}

int notes_start(struct notes *notes, struct fuse_session *session)
{
	pthread_t thread;

	notes->session = session;
	if (pthread_create(&thread, NULL, make_room, notes))
		return STATUS_NOMEM;
	pthread_detach(thread);
	return STATUS_OK;
}

void notes_overwrite(struct notes *notes, unsigned milliseconds)
{
	int64_t deadline = clock_ms() + milliseconds;
	uint64_t begin, end;
	uint32_t closed = 0;

	pthread_mutex_lock(&notes->lock);
	begin = notes->begin;
	end = notes->end;
	pthread_mutex_unlock(&notes->lock);
	for (uint64_t i = end; i-- > begin && clock_ms() < deadline;) {
		const struct row *r = &notes->row[i % ROWS];

		if (r->node != closed)
			close_file(notes->session, r);
		closed = r->node;
		overwrite(notes->session, r, deadline);
	}
	/* Those first that there was no time for; what is left goes with the mount. */
	deadline = clock_ms() + DROP_MS;
	for (uint64_t i = begin; i < end && clock_ms() < deadline; i++)
		invalidate(notes->session, &notes->row[i % ROWS]);
}
