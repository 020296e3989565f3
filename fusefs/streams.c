#include "fusefs/streams.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "common/format.h"
#include "common/status.h"

enum {
	STREAMS = 64,
	SLACK = 256 << 10, /* the kernel's own read-ahead is not quite in order */
	HITS = 2,          /* as random reads seldom have */
	WINDOW_MIN = 1 << 20,
	WINDOW_MAX = 8 << 20,
};

struct stream {
	uint64_t serial;
	uint64_t node;    /* 0: none */
	uint64_t next;    /* where it will go on */
	uint64_t asked;   /* of the medium, up to where */
	uint64_t decoded; /* or being decoded, up to where */
	uint64_t window;  /* 0: not asked yet */
	unsigned hits;
	uint64_t used;
};

struct streams {
	pthread_mutex_t lock;
	uint64_t clock;
	uint64_t last; /* serial of the stream that was read last */
	struct stream stream[STREAMS];
};

int streams_new(struct streams **streams)
{
	struct streams *s = calloc(1, sizeof *s);

	if (!s)
		return STATUS_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	*streams = s;
	return STATUS_OK;
}

static bool is_near(const struct stream *s, uint64_t off)
{
	return off <= s->next ? s->next - off <= SLACK : off - s->next <= SLACK;
}

/* The stream that a read at off carries on, or one to begin with. */
static struct stream *find(struct streams *all, uint64_t node, uint64_t off)
{
	struct stream *oldest = all->stream;

	for (struct stream *s = all->stream; s < all->stream + STREAMS; s++) {
		if (s->node == node && is_near(s, off)) {
			s->hits++;
			return s;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	*oldest = (struct stream){.serial = all->clock, .node = node, .next = off};
	return oldest;
}

struct stream_ref streams_note(struct streams *streams, uint64_t node, uint64_t off, uint64_t len)
{
	struct stream_ref ref;
	struct stream *s;

	pthread_mutex_lock(&streams->lock);
	streams->clock++;
	s = find(streams, node, off);
	s->next = max_u64(s->next, off + len);
	s->used = streams->clock;
	ref = (struct stream_ref){(unsigned)(s - streams->stream), s->serial,
	                          s->hits >= HITS && streams->last == s->serial};
	streams->last = s->serial;
	pthread_mutex_unlock(&streams->lock);
	return ref;
}

/* With the lock held: the stream, if it is still there and read in order. */
static struct stream *in_order(struct streams *streams, struct stream_ref ref)
{
	struct stream *s = &streams->stream[ref.place];

	return s->serial == ref.serial && s->hits >= HITS ? s : NULL;
}

bool streams_ask(struct streams *streams, struct stream_ref ref, uint64_t *from, uint64_t *len)
{
	struct stream *s;
	bool ask;

	pthread_mutex_lock(&streams->lock);
	s = in_order(streams, ref);
	ask = s && s->next + s->window / 2 >= s->asked;
	if (ask) {
		s->window = s->window ? min_u64(s->window * 2, WINDOW_MAX) : WINDOW_MIN;
		*from = max_u64(s->asked, s->next);
		*len = s->next + s->window - *from;
		s->asked = s->next + s->window;
	}
	pthread_mutex_unlock(&streams->lock);
	return ask;
}

bool streams_decode(struct streams *streams, struct stream_ref ref, uint64_t ahead, uint64_t *off)
{
	struct stream *s;
	bool some;

	pthread_mutex_lock(&streams->lock);
	s = in_order(streams, ref);
	if (s)
		s->decoded = max_u64(s->decoded, s->next);
	some = s && s->decoded < s->next + ahead;
	if (some) {
		*off = s->decoded;
		s->decoded += FORMAT_FRAME;
	}
	pthread_mutex_unlock(&streams->lock);
	return some;
}

bool streams_is_short(struct streams *streams, struct stream_ref ref, uint64_t least)
{
	struct stream *s;
	bool is_short;

	pthread_mutex_lock(&streams->lock);
	s = in_order(streams, ref);
	is_short = s && s->decoded < s->next + least;
	pthread_mutex_unlock(&streams->lock);
	return is_short;
}

void streams_put_back(struct streams *streams, struct stream_ref ref, uint64_t off)
{
	struct stream *s;

	pthread_mutex_lock(&streams->lock);
	s = in_order(streams, ref);
	if (s)
		s->decoded = min_u64(s->decoded, off);
	pthread_mutex_unlock(&streams->lock);
}
