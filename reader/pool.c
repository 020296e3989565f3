#include "reader/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>

#include "reader/session.h"

struct pool {
	const struct pool_job *job;
	pthread_mutex_t turn;
};

struct worker {
	struct pool *pool;
	unsigned number;
	pthread_t thread;
};

static bool take(struct pool *pool, void *unit)
{
	bool more;

	pthread_mutex_lock(&pool->turn);
	more = pool->job->next(pool->job->context, unit);
	pthread_mutex_unlock(&pool->turn);
	return more;
}

static void *work(void *context)
{
	struct worker *w = context;
	alignas(16) uint8_t unit[POOL_UNIT];

	while (take(w->pool, unit))
		w->pool->job->work(w->pool->job->context, w->number, unit);
	return NULL;
}

/* Signals are for the calling thread, whose handler ends it all: on a thread that works it
 * might have to wait for what that thread was at.  Returns how many were started. */
static unsigned start(struct worker *worker, unsigned count)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL}; /* faults of the thread */
	sigset_t all, before;
	unsigned started = 0;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < count &&
	       pthread_create(&worker[started].thread, NULL, work, &worker[started]) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void pool_run(struct session *session, const struct pool_job *job)
{
	struct pool pool = {.job = job, .turn = PTHREAD_MUTEX_INITIALIZER};
	struct worker worker[SESSION_WORKERS];
	unsigned started;

	for (unsigned i = 0; i < SESSION_WORKERS; i++)
		worker[i] = (struct worker){.pool = &pool, .number = i};
	started = start(worker, session->worker_count);
	if (started == 0)
		work(&worker[0]);
	for (unsigned i = 0; i < started; i++)
		pthread_join(worker[i].thread, NULL);
}
