#include "fusefs/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/source.h"
#include "common/status.h"
#include "fusefs/device.h"
#include "fusefs/registers.h"

/* How long the worker that has the turn asks again and again before it sleeps:
 * about what it takes to be woken. */
enum { SPIN_NANOSECONDS = 50000 };

/* After so many requests that did not have to be waited for, there are more
 * clients than one. */
enum { CROWD = 2 };

/* The turn is lost when an answer takes longer: a medium that cannot read a sector tries for
 * many seconds. */
enum { STUCK_NANOSECONDS = 100000000 };

/* What takes longer may have to wait for the medium.  (On a slow and sound one everything
 * does: then reads are put off while all are busy, and somebody makes up for it soon.) */
enum { SLOW_NANOSECONDS = 5000000 };

/* More than the kernel reads ahead at a time. */
enum { LATE_MAX = 128 };

enum { STACK_BYTES = 64 * 1024, CLEAN_MS = 50 };

struct loop {
	struct fuse_session *session;
	void (*ended)(void *context);
	void *context;
	/* guarded by the turn */
	bool spin;            /* the request before was short */
	unsigned crowded;     /* so many in a row were there already */
	bool is_ended;        /* has been told */
	pthread_mutex_t lock; /* of the next six */
	struct worker *idle;  /* they wait for the turn, or a job; the last to sleep first */
	struct errand errand[ERRANDS]; /* run: NULL where there is none */
	unsigned helpers, helpers_max; /* workers that run errands */
	struct late_read late[LATE_MAX];
	_Atomic unsigned late_count;
	_Atomic bool turn; /* somebody has it */
	_Atomic bool refusing;
	unsigned count;
	pthread_t thread[ACCESS_WORKERS];
	struct worker worker[ACCESS_WORKERS];
	struct worker refuser; /* see run_refuser; its buffer is not in the arena, to be wiped */
};

static _Thread_local struct worker *this_worker;

int loop_new(struct loop **loop, struct fuse_session *session, struct view *view,
             const struct access *access, void (*ended)(void *context), void *context)
{
	struct loop *l = calloc(1, sizeof *l);
	int fd = fuse_session_fd(session);

	if (!l)
		return STATUS_NOMEM;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)) {
		free(l);
		return STATUS_IO;
	}
	l->refuser.loop = l;
	pthread_cond_init(&l->refuser.wake, NULL);
	l->refuser.buffer = calloc(1, access->read_max + ACCESS_HEAD);
	if (!l->refuser.buffer) {
		free(l);
		return STATUS_NOMEM;
	}
	l->session = session;
	l->ended = ended;
	l->context = context;
	l->count = access->workers;
	l->helpers_max = l->count > 2 ? l->count - 2 : 1;
	pthread_mutex_init(&l->lock, NULL);
	for (unsigned i = 0; i < l->count; i++) {
		struct worker *w = &l->worker[i];

		w->loop = l;
		pthread_cond_init(&w->wake, NULL);
		w->view = view;
		w->cursor = access->share[i].cursor;
		w->entry = access->share[i].entry;
		w->buffer = access->share[i].buffer;
		w->room = access->read_max + ACCESS_HEAD;
	}
	*loop = l;
	return STATUS_OK;
}

void loop_clean_stack(void)
{
	sodium_stackzero(STACK_BYTES);
	registers_clear();
}

static bool is_there_none(int got)
{
	return got == -EAGAIN || got == -EINTR;
}

/* Who comes back from the medium, or for another request, finds the arena wiped. */
static void rest(void)
{
	loop_clean_stack();
	for (;;)
		poll(NULL, 0, -1);
}

/* A request that is there.  At an end the refuser alone receives: what the others receive into
 * is being wiped. */
static int take_request(struct worker *w, struct fuse_buf *request)
{
	struct loop *l = w->loop;
	int got;

	atomic_store(&w->receiving, true);
	if (atomic_load(&l->refusing) && w != &l->refuser) {
		atomic_store(&w->receiving, false);
		rest();
	}
	got = fuse_session_receive_buf(l->session, request);
	if (got <= 0)
		atomic_store(&w->receiving, false);
	return got;
}

/* The next request, when there is one.  0 or less: there will be none. */
static int await_request(struct worker *w, struct fuse_buf *request)
{
	struct pollfd wait = {.fd = fuse_session_fd(w->loop->session), .events = POLLIN};
	int got;

	while (is_there_none(got = take_request(w, request)))
		poll(&wait, 1, -1);
	return got;
}

/* The same, awake for some time. */
static int receive(struct worker *w, struct fuse_buf *request)
{
	struct loop *l = w->loop;
	int64_t until = l->spin ? clock_ns() + SPIN_NANOSECONDS : 0;
	int got = take_request(w, request);

	l->crowded++;
	if (!is_there_none(got))
		return got;
	l->crowded = 0;
	while (clock_ns() < until) {
		sched_yield(); /* to a client, if there is no core to spare */
		got = take_request(w, request);
		if (!is_there_none(got))
			return got;
	}
	return await_request(w, request);
}

/* With the lock held. */
static void sleep_until_woken(struct worker *w)
{
	struct loop *l = w->loop;

	w->next_idle = l->idle;
	l->idle = w;
	w->is_idle = true;
	while (w->is_idle)
		pthread_cond_wait(&w->wake, &l->lock);
}

/* The one that slept last: what it works with may still be near its core.  With the lock
 * held; to be signalled without it. */
static struct worker *next_to_wake(struct loop *l)
{
	struct worker *w = l->idle;

	if (w) {
		l->idle = w->next_idle;
		w->is_idle = false;
	}
	return w;
}

static void wake(struct worker *w)
{
	if (w)
		pthread_cond_signal(&w->wake);
}

/* Have all others been at something for so long, and may have to wait for the medium? */
static bool is_last(const struct worker *w, int64_t nanoseconds)
{
	const struct loop *l = w->loop;

	for (unsigned i = 0; i < l->count; i++) {
		int64_t begun = atomic_load(&l->worker[i].begun);

		if (&l->worker[i] != w &&
		    (!begun || (nanoseconds && clock_ns() - begun < nanoseconds)))
			return false;
	}
	return true;
}

/* What a worker has to do next. */
struct job {
	enum { JOB_NONE, JOB_REQUESTS, JOB_LATE, JOB_ERRAND } kind;
	struct late_read late;
	struct errand errand;
};

/* With the lock held. */
static bool has_late(const struct worker *w)
{
	return w->loop->late_count && !is_last(w, 0);
}

/* With the lock held. */
static bool take_errand(struct loop *l, struct errand *taken)
{
	for (int kind = 0; kind < ERRANDS; kind++) {
		if (!l->errand[kind].run)
			continue;
		*taken = l->errand[kind];
		l->errand[kind].run = NULL;
		return true;
	}
	return false;
}

/* With the lock held. */
static struct job choose_job(struct worker *w)
{
	struct loop *l = w->loop;
	struct job job = {.kind = JOB_NONE};

	if (!atomic_load(&l->turn)) {
		atomic_store(&l->turn, true);
		w->has_turn = true;
		job.kind = JOB_REQUESTS;
	} else if (has_late(w)) {
		job.kind = JOB_LATE;
		job.late = l->late[0];
		memmove(l->late, l->late + 1, --l->late_count * sizeof *l->late);
	} else if (l->helpers < l->helpers_max && take_errand(l, &job.errand)) {
		job.kind = JOB_ERRAND;
		l->helpers++;
	}
	return job;
}

/* Wait for the turn, or for something to do without it. */
static struct job await_job(struct worker *w)
{
	struct loop *l = w->loop;
	struct job job = {.kind = JOB_REQUESTS};

	if (w->has_turn)
		return job;
	pthread_mutex_lock(&l->lock);
	while ((job = choose_job(w)).kind == JOB_NONE)
		sleep_until_woken(w);
	pthread_mutex_unlock(&l->lock);
	return job;
}

/* With the lock held.  Returns whom to wake. */
static struct worker *put_down_turn(struct worker *w)
{
	atomic_store(&w->has_turn, false);
	atomic_store(&w->loop->turn, false);
	return next_to_wake(w->loop);
}

static void release_turn(struct worker *w)
{
	struct worker *next;

	pthread_mutex_lock(&w->loop->lock);
	next = put_down_turn(w);
	pthread_mutex_unlock(&w->loop->lock);
	wake(next);
}

/* Who has begun to answer with the turn loses it, or makes sure of it: only one of both. */
static bool end_turn_time(struct worker *w, int64_t since)
{
	return since && atomic_compare_exchange_strong(&w->since, &since, 0);
}

/* Is the turn this worker's to keep or pass on? */
static bool owns_turn(struct worker *w)
{
	if (!atomic_load(&w->has_turn))
		return false;
	if (end_turn_time(w, atomic_load(&w->since)))
		return true;
	/* It is just being taken away. */
	pthread_mutex_lock(&w->loop->lock);
	pthread_mutex_unlock(&w->loop->lock);
	return false;
}

void loop_relieve(struct loop *loop)
{
	struct worker *next = NULL;

	pthread_mutex_lock(&loop->lock);
	for (unsigned i = 0; i < loop->count; i++) {
		struct worker *w = &loop->worker[i];
		int64_t since = atomic_load(&w->since);

		if (since && clock_ns() - since > STUCK_NANOSECONDS && end_turn_time(w, since))
			next = put_down_turn(w);
	}
	pthread_mutex_unlock(&loop->lock);
	wake(next);
}

/* The arena has been wiped, or is about to be: what the kernel still asks has
 * names in it, and an answer that came late has more. */
static void forget(struct worker *w)
{
	explicit_bzero(w->buffer, w->room);
	loop_clean_stack();
}

static int64_t begin_work(struct worker *w)
{
	int64_t begun = clock_ns();

	atomic_store(&w->begun, begun);
	return begun;
}

static void end_work(struct worker *w)
{
	if (atomic_load(&w->loop->refusing))
		forget(w);
	registers_clear();
	atomic_store(&w->begun, 0);
}

static void run_errand(struct worker *w, const struct errand *errand)
{
	begin_work(w);
	errand->run(w, errand);
	end_work(w);
	pthread_mutex_lock(&w->loop->lock);
	w->loop->helpers--;
	pthread_mutex_unlock(&w->loop->lock);
}

static void answer(struct worker *w, const struct fuse_buf *request)
{
	int64_t begun = begin_work(w);

	atomic_store(&w->receiving, false);
	if (w->has_turn)
		atomic_store(&w->since, begun);
	fuse_session_process_buf(w->loop->session, request);
	owns_turn(w);
	end_work(w);
}

static void answer_late(struct worker *w, const struct late_read *late)
{
	begin_work(w);
	late->run(w, late);
	end_work(w);
}

/* Where there are more clients than one, another request may be there already:
 * then nobody need be woken, and nobody waited for. */
static bool take_waiting(struct worker *w, struct fuse_buf *request)
{
	request->mem = w->buffer;
	return !w->has_turn && take_request(w, request) > 0;
}

/* Before the turn is waited with: whoever is idle makes up for what was put off. */
static void wake_for_late(struct loop *l)
{
	struct worker *next;

	pthread_mutex_lock(&l->lock);
	next = l->late_count ? next_to_wake(l) : NULL;
	pthread_mutex_unlock(&l->lock);
	wake(next);
}

/* One request and what is there behind it.  False: the session is over. */
static bool serve_requests(struct worker *w)
{
	struct fuse_buf request = {.mem = w->buffer};

	if (atomic_load(&w->loop->late_count))
		wake_for_late(w->loop);
	if (receive(w, &request) <= 0)
		return false;
	do
		answer(w, &request);
	while (take_waiting(w, &request));
	if (w->has_turn)
		w->loop->spin = true;
	return true;
}

static bool serve(struct worker *w)
{
	struct job job = await_job(w);

	switch (job.kind) {
	case JOB_LATE: answer_late(w, &job.late); return true;
	case JOB_ERRAND: run_errand(w, &job.errand); return true;
	default: return serve_requests(w);
	}
}

/* A worker that has only been made cannot be told to clean itself yet. */
static void clean_on_signal(int how)
{
	sigset_t signal;

	sigemptyset(&signal);
	sigaddset(&signal, SIGUSR2);
	pthread_sigmask(how, &signal, NULL);
}

static void *run_worker(void *argument)
{
	struct worker *w = argument;
	struct loop *l = w->loop;

	this_worker = w;
	clean_on_signal(SIG_UNBLOCK);
	while (serve(w))
		;
	loop_clean_stack();
	atomic_store(&w->clean, true);
	if (!l->is_ended)
		l->ended(l->context);
	l->is_ended = true;
	release_turn(w);
	return NULL;
}

/* What calls that have returned left below, in registers that were saved for
 * instance. */
static void on_clean(int no)
{
	(void)no;
	loop_clean_stack();
	atomic_store(&this_worker->clean, true);
}

/* At an end all workers may be waiting for the medium.  But the kernel waits for each answer:
 * a page that it is asking for cannot be overwritten before.  So here is one who never touches
 * the bundle. */
static void *run_refuser(void *argument)
{
	struct worker *w = argument;
	struct loop *l = w->loop;
	struct fuse_buf request = {.mem = w->buffer};
	int got;

	this_worker = w;
	pthread_mutex_lock(&l->lock);
	while (!atomic_load(&l->refusing))
		pthread_cond_wait(&w->wake, &l->lock);
	pthread_mutex_unlock(&l->lock);
	while ((got = await_request(w, &request)) > 0) {
		fuse_session_process_buf(l->session, &request);
		explicit_bzero(w->buffer, (size_t)got);
		loop_clean_stack();
		request.mem = w->buffer;
	}
	return NULL;
}

static void begin_refusing(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	atomic_store(&l->refusing, true);
	pthread_mutex_unlock(&l->lock);
	pthread_cond_signal(&l->refuser.wake);
}

int loop_start(struct loop *loop)
{
	const struct sigaction clean = {.sa_handler = on_clean, .sa_flags = SA_RESTART};
	pthread_t refuser;

	sigaction(SIGUSR2, &clean, NULL);
	clean_on_signal(SIG_BLOCK);
	atomic_store(&loop->turn, true);
	for (unsigned i = 0; i < loop->count; i++)
		if (pthread_create(&loop->thread[i], NULL, run_worker, &loop->worker[i]))
			return STATUS_NOMEM;
	if (pthread_create(&refuser, NULL, run_refuser, &loop->refuser))
		return STATUS_NOMEM;
	pthread_detach(refuser);
	return STATUS_OK;
}

/* The first request is received into a buffer of libfuse's: before it is
 * answered, it must be longer than ours. */
int loop_release(struct loop *loop)
{
	struct fuse_buf request = {.mem = NULL};
	struct worker *next;
	int got = await_request(&loop->refuser, &request);

	if (got > 0)
		fuse_session_process_buf(loop->session, &request);
	free(request.mem);
	if (got <= 0 || fuse_session_exited(loop->session) || device_has_failed()) {
		errno = got < 0 ? -got : EPROTO;
		return STATUS_IO;
	}
	pthread_mutex_lock(&loop->lock);
	atomic_store(&loop->turn, false);
	next = next_to_wake(loop);
	pthread_mutex_unlock(&loop->lock);
	wake(next);
	return STATUS_OK;
}

/* Who has been at something else for so long may stumble over what is wiped under it:
 * that is not to keep the end from its work. */
static void on_stumble(int no)
{
	if (this_worker)
		rest();
	signal(no, SIG_DFL); /* and on return it comes again */
}

static void let_stumble(void)
{
	const struct sigaction stumble = {.sa_handler = on_stumble};

	sigaction(SIGSEGV, &stumble, NULL);
	sigaction(SIGBUS, &stumble, NULL);
}

static bool is_quiet(struct loop *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (atomic_load(&l->worker[i].receiving) || atomic_load(&l->worker[i].begun))
			return false;
	return true;
}

static bool is_clean(struct loop *l)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!atomic_load(&l->worker[i].clean))
			return false;
	return true;
}

/* Each thread can do that only for itself; one that waits for the medium does
 * not. */
static void clean_stacks(struct loop *l)
{
	for (unsigned i = 0; i < l->count; i++)
		pthread_kill(l->thread[i], SIGUSR2);
	for (int i = 0; i < CLEAN_MS && !is_clean(l); i++)
		clock_pause(1);
}

/* What was put off will not be read any more. */
static void refuse_late(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	while (l->late_count)
		fuse_reply_err(l->late[--l->late_count].request, EIO);
	pthread_mutex_unlock(&l->lock);
}

void loop_refuse(struct loop *loop, unsigned milliseconds)
{
	begin_refusing(loop);
	refuse_late(loop);
	while (!is_quiet(loop) && milliseconds--)
		clock_pause(1);
	if (!is_quiet(loop)) {
		source_halt(rest);
		let_stumble();
	}
	for (unsigned i = 0; i < loop->count; i++) {
		fuse_req_t late = atomic_exchange(&loop->worker[i].request, NULL);

		if (late)
			fuse_reply_err(late, EIO);
	}
	clean_stacks(loop);
	/* They go on until the process ends, and are not spoken to again. */
	for (unsigned i = 0; i < loop->count; i++)
		pthread_detach(loop->thread[i]);
}

struct worker *loop_begin(fuse_req_t request)
{
	struct worker *w = this_worker;

	atomic_store(&w->request, request);
	if (!atomic_load(&w->loop->refusing))
		return w;
	if (loop_claim(w))
		fuse_reply_err(request, EIO);
	return NULL;
}

bool loop_put_off(struct worker *worker, const struct late_read *late)
{
	struct loop *l = worker->loop;
	bool done;

	/* Several that the kernel reads ahead come at once, and go to one place. */
	if (!is_last(worker, late->for_page_cache ? 0 : SLOW_NANOSECONDS))
		return false;
	pthread_mutex_lock(&l->lock);
	done = !atomic_load(&l->refusing) && l->late_count < LATE_MAX && loop_claim(worker);
	if (done)
		l->late[l->late_count++] = *late;
	pthread_mutex_unlock(&l->lock);
	return done;
}

bool loop_claim(struct worker *worker)
{
	return atomic_exchange(&worker->request, NULL) != NULL;
}

bool loop_is_refusing(const struct worker *worker)
{
	return atomic_load(&worker->loop->refusing);
}

void loop_pass_turn(struct worker *worker, enum loop_work work)
{
	struct loop *l = worker->loop;

	if (!worker->has_turn || work == LOOP_IN_ORDER ||
	    (work == LOOP_SHORT && l->crowded < CROWD) || !owns_turn(worker))
		return;
	l->spin = work == LOOP_SHORT;
	release_turn(worker);
}

void loop_offer(struct loop *loop, enum errand_kind kind, const struct errand *errand)
{
	struct worker *next;

	pthread_mutex_lock(&loop->lock);
	loop->errand[kind] = *errand;
	/* If there are enough who help, the first that is done takes it. */
	next = loop->helpers < loop->helpers_max ? next_to_wake(loop) : NULL;
	pthread_mutex_unlock(&loop->lock);
	wake(next);
}

bool loop_is_spare(struct worker *worker)
{
	struct loop *l = worker->loop;

	return !worker->has_turn && atomic_load(&l->turn) && !atomic_load(&l->refusing) &&
	       (l->count < 3 || !is_last(worker, 0));
}
