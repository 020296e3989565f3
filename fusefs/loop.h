/* The session loop: up to four workers that receive a request, answer it, and
 * receive the next, all in buffers that lie in the arena.
 *
 * One worker at a time waits for requests: it has the turn.  What is answered
 * in a moment it answers before it waits again, so that a client that asks for
 * one small thing after another always meets the same, awake, thread; before
 * anything longer, or when several clients ask at once, it passes the turn on;
 * not where one client reads in order, for whom the others decode ahead.
 * Whoever has answered without the turn takes what is there already, at once.
 * Those that have nothing to do run errands: what nobody has asked for yet.  One
 * of them is always left for requests, as long as there are three: an errand may
 * have to wait for the medium.
 *
 * A drive may try for minutes to read a bad place.  So where all workers but one are at
 * something that takes long, that one puts reads off, and goes on with what else is asked;
 * the first of the others that comes back makes up for it.
 *
 * Once loop_refuse was called every request is answered with EIO and nothing of
 * the bundle is touched. */
#ifndef FUSEFS_LOOP_H
#define FUSEFS_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fusefs/access.h"
#include "fusefs/fuse.h"
#include "fusefs/streams.h"

struct loop;
struct worker;

/* The first comes first. */
enum errand_kind {
	ERRAND_TELL,  /* of damage */
	ERRAND_AHEAD, /* for a node's file that is being read in order */
	ERRANDS,
};

struct errand {
	void (*run)(struct worker *worker, const struct errand *errand);
	fuse_ino_t node;
	struct stream_ref stream;
};

/* A read that is answered later. */
struct late_read {
	void (*run)(struct worker *worker, const struct late_read *late);
	fuse_req_t request;
	fuse_ino_t node;
	size_t size;
	off_t off;
	bool for_page_cache;
};

/* One thread, for the handlers. */
struct worker {
	struct loop *loop;
	struct view *view;
	struct cursor *cursor;
	struct bundle_entry *entry;
	uint8_t *buffer; /* holds the request; room for the reply */
	uint32_t room;
	/* the loop's own */
	_Atomic(fuse_req_t) request; /* that is not answered yet */
	_Atomic bool clean;
	_Atomic bool receiving;
	_Atomic int64_t begun; /* it has been busy; 0: it is not */
	_Atomic bool has_turn;
	_Atomic int64_t since; /* it has been answering, with the turn; 0: it has not */
	bool is_idle;
	struct worker *next_idle;
	pthread_cond_t wake;
};

/* The workers of access, with read_max and shares as they are there; both
 * borrowed.  ended: is told once, from some worker, that the session is over.
 * STATUS_NOMEM, STATUS_IO. */
int loop_new(struct loop **loop, struct fuse_session *session, struct view *view,
             const struct access *access, void (*ended)(void *context), void *context);

/* Start the threads; they wait for loop_release.  STATUS_NOMEM. */
int loop_start(struct loop *loop);

/* Receive the first request, INIT, which must succeed, and let the workers go.
 * STATUS_IO. */
int loop_release(struct loop *loop);

/* Now and then: a worker that has had the turn for long, because it waits for the medium,
 * loses it to another one. */
void loop_relieve(struct loop *loop);

/* A worker that has nothing to do, if there is one, or the next that has not, runs this once;
 * of each kind what was offered last.  From any thread. */
void loop_offer(struct loop *loop, enum errand_kind kind, const struct errand *errand);

/* From now on EIO.  Waits for the answers that are being made, not longer than
 * that; answers what is late in their place; lets the workers clean their
 * stacks.  Once only. */
void loop_refuse(struct loop *loop, unsigned milliseconds);

/* Overwrite what calls that have returned left on this thread's stack and in
 * registers. */
void loop_clean_stack(void);

/* --- for handlers ------------------------------------------------------------- */

/* The first thing that a handler does.  NULL: the request has been answered. */
struct worker *loop_begin(fuse_req_t request);

/* True: the read, which is its request's, will be answered by another worker or at the end;
 * nothing more is to be done about it. */
bool loop_put_off(struct worker *worker, const struct late_read *late);

/* May this worker still answer its request?  Ask once, right before. */
bool loop_claim(struct worker *worker);

/* Is it ending?  Then nothing of the bundle is to be touched any more. */
bool loop_is_refusing(const struct worker *worker);

/* What begins now: */
enum loop_work {
	LOOP_LONG,     /* another worker is to wait for requests */
	LOOP_SHORT,    /* only if more are waiting to be answered */
	LOOP_IN_ORDER, /* not even then: it is one client that asks ahead */
};
void loop_pass_turn(struct worker *worker, enum loop_work work);

/* May this worker, whose request is answered or which runs an errand, go on with
 * what nobody has asked for yet?  Another one waits for requests. */
bool loop_is_spare(struct worker *worker);

#endif
