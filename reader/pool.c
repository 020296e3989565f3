#include "reader/pool.h"

#include <pthread.h>
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

void pool_run(struct session *session, const struct pool_job *job)
{
	struct pool pool = {.job = job, .turn = PTHREAD_MUTEX_INITIALIZER};
	struct worker worker[SESSION_WORKERS];
	unsigned started = 1;

	for (unsigned i = 0; i < SESSION_WORKERS; i++)
		worker[i] = (struct worker){.pool = &pool, .number = i};
	/* The calling thread is the first. */
	while (started < session->worker_count &&
	       pthread_create(&worker[started].thread, NULL, work, &worker[started]) == 0)
		started++;
	work(&worker[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(worker[i].thread, NULL);
}
