#include "bundler/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/status.h"

/* A job that was submitted, at its number modulo depth. */
struct place {
	void *job;
	bool worked;
};

struct pipeline {
	struct pipeline_ops ops;
	void *context;
	unsigned depth, job_count; /* jobs that were started */
	uint8_t *jobs;
	size_t stride;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t job_free, job_waits, job_prepared, job_worked;
	void **free_job;
	unsigned free_count;
	struct place *place;
	uint64_t submitted, begun, prepared, finished; /* how many */
	bool closing, stopping;
	int status, error;

	pthread_t *thread;
	unsigned thread_count;
};

/* With the lock held. */
static void stop_all(struct pipeline *p)
{
	p->stopping = true;
	pthread_cond_broadcast(&p->job_free);
	pthread_cond_broadcast(&p->job_waits);
	pthread_cond_broadcast(&p->job_prepared);
	pthread_cond_broadcast(&p->job_worked);
}

static void fail(struct pipeline *p, int status)
{
	if (p->status == STATUS_OK) {
		p->status = status;
		p->error = errno;
	}
	stop_all(p);
}

/* The next job to work on, or NULL at the end. */
static struct place *next_work(struct pipeline *p)
{
	while (!p->stopping && !p->closing && p->begun == p->submitted)
		pthread_cond_wait(&p->job_waits, &p->lock);
	if (p->stopping || p->begun == p->submitted)
		return NULL;
	return &p->place[p->begun++ % p->depth];
}

/* Until all jobs before number no are prepared: whoever has one of them is at it.
 * false: everything is to stop. */
static bool wait_for_turn(struct pipeline *p, uint64_t no)
{
	while (!p->stopping && p->prepared != no)
		pthread_cond_wait(&p->job_prepared, &p->lock);
	return !p->stopping;
}

static int prepare(struct pipeline *p, void *job)
{
	int status;

	pthread_mutex_unlock(&p->lock);
	status = p->ops.prepare ? p->ops.prepare(job, p->context) : STATUS_OK;
	pthread_mutex_lock(&p->lock);
	p->prepared++;
	pthread_cond_broadcast(&p->job_prepared);
	return status;
}

static void fetch(struct pipeline *p, void *job, void *local)
{
	if (!p->ops.fetch)
		return;
	pthread_mutex_unlock(&p->lock);
	p->ops.fetch(job, local, p->context);
	pthread_mutex_lock(&p->lock);
}

static void work_all(struct pipeline *p, void *local)
{
	struct place *place;

	while ((place = next_work(p))) {
		uint64_t no = p->begun - 1;
		int status;

		fetch(p, place->job, local);
		if (!wait_for_turn(p, no))
			return;
		status = prepare(p, place->job);
		if (status == STATUS_OK) {
			pthread_mutex_unlock(&p->lock);
			status = p->ops.work(place->job, local, p->context);
			pthread_mutex_lock(&p->lock);
		}
		if (status) {
			fail(p, status);
			return;
		}
		place->worked = true;
		if (place == &p->place[p->finished % p->depth])
			pthread_cond_signal(&p->job_worked);
	}
}

static void *worker(void *argument)
{
	struct pipeline *p = argument;
	void *local = NULL;
	int status = p->ops.thread_start ? p->ops.thread_start(&local, p->context) : STATUS_OK;

	pthread_mutex_lock(&p->lock);
	if (status)
		fail(p, status);
	else
		work_all(p, local);
	pthread_mutex_unlock(&p->lock);
	if (status == STATUS_OK && p->ops.thread_start)
		p->ops.thread_stop(local);
	return NULL;
}

/* The next job to finish, or NULL at the end. */
static struct place *next_finish(struct pipeline *p)
{
	struct place *place = &p->place[p->finished % p->depth];

	while (!p->stopping && !place->worked && !(p->closing && p->finished == p->submitted))
		pthread_cond_wait(&p->job_worked, &p->lock);
	return p->stopping || !place->worked ? NULL : place;
}

/* The place may be submitted to again. */
static void *leave(struct pipeline *p, struct place *place)
{
	place->worked = false;
	p->finished++;
	return place->job;
}

static void *finisher(void *argument)
{
	struct pipeline *p = argument;
	struct place *place;

	pthread_mutex_lock(&p->lock);
	while ((place = next_finish(p))) {
		int status;

		pthread_mutex_unlock(&p->lock);
		status = p->ops.finish(place->job, p->context);
		pthread_mutex_lock(&p->lock);
		if (status) {
			fail(p, status);
			break;
		}
		p->free_job[p->free_count++] = leave(p, place);
		pthread_cond_signal(&p->job_free);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int start_jobs(struct pipeline *p)
{
	int status = STATUS_OK;

	while (p->job_count < p->depth && status == STATUS_OK) {
		void *job = p->jobs + p->job_count++ * p->stride;

		status = p->ops.start ? p->ops.start(job, p->context) : STATUS_OK;
		p->free_job[p->free_count++] = job;
	}
	return status;
}

/* All signals are for the thread that waits for the end of it all. */
static int start_threads(struct pipeline *p, unsigned workers)
{
	unsigned wanted = workers + (p->ops.finish != NULL);
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->thread_count < wanted && !error) {
		error = pthread_create(&p->thread[p->thread_count], NULL,
		                       p->thread_count < workers ? worker : finisher, p);
		p->thread_count += !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? STATUS_NOMEM : STATUS_OK;
}

int pipeline_new(struct pipeline **pipeline, const struct pipeline_ops *ops, void *context,
                 unsigned workers, unsigned depth)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	int status = STATUS_NOMEM;

	if (!p)
		return status;
	p->ops = *ops;
	p->context = context;
	p->depth = depth;
	p->stride = (ops->job_size + 63) / 64 * 64;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->job_free, NULL);
	pthread_cond_init(&p->job_waits, NULL);
	pthread_cond_init(&p->job_prepared, NULL);
	pthread_cond_init(&p->job_worked, NULL);
	p->jobs = calloc(depth, p->stride);
	p->free_job = calloc(depth, sizeof(*p->free_job));
	p->place = calloc(depth, sizeof(*p->place));
	p->thread = calloc(workers + 1, sizeof(*p->thread));
	if (p->jobs && p->free_job && p->place && p->thread)
		status = start_jobs(p);
	if (status == STATUS_OK)
		status = start_threads(p, workers);
	if (status == STATUS_OK)
		*pipeline = p;
	else
		pipeline_end(p, 1);
	return status;
}

void *pipeline_take(struct pipeline *p)
{
	void *job = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && p->free_count == 0)
		pthread_cond_wait(&p->job_free, &p->lock);
	if (!p->stopping)
		job = p->free_job[--p->free_count];
	pthread_mutex_unlock(&p->lock);
	return job;
}

void pipeline_submit(struct pipeline *p, void *job)
{
	pthread_mutex_lock(&p->lock);
	p->place[p->submitted++ % p->depth].job = job;
	pthread_cond_signal(&p->job_waits);
	pthread_mutex_unlock(&p->lock);
}

/* The oldest one that was submitted. */
static void *wait_for_next(struct pipeline *p)
{
	struct place *place = NULL;
	void *job = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->finished < p->submitted)
		place = next_finish(p);
	if (place)
		job = leave(p, place);
	pthread_mutex_unlock(&p->lock);
	return job;
}

/* Nobody else takes jobs or gives them back, where finish does not. */
void *pipeline_turn(struct pipeline *p, void *done)
{
	if (done)
		p->free_job[p->free_count++] = done;
	while (p->free_count) {
		void *job = p->free_job[p->free_count - 1];

		if (!p->ops.fill(job, p->context))
			break;
		p->free_count--;
		pipeline_submit(p, job);
	}
	return wait_for_next(p);
}

bool pipeline_wait(struct pipeline *p)
{
	bool is_well;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && p->finished < p->submitted)
		pthread_cond_wait(&p->job_free, &p->lock);
	is_well = !p->stopping;
	pthread_mutex_unlock(&p->lock);
	return is_well;
}

static void release(struct pipeline *p)
{
	for (unsigned i = 0; p->ops.stop && i < p->job_count; i++)
		p->ops.stop(p->jobs + i * p->stride);
	pthread_cond_destroy(&p->job_worked);
	pthread_cond_destroy(&p->job_prepared);
	pthread_cond_destroy(&p->job_waits);
	pthread_cond_destroy(&p->job_free);
	pthread_mutex_destroy(&p->lock);
	free(p->thread);
	free(p->place);
	free(p->free_job);
	free(p->jobs);
	free(p);
}

int pipeline_end(struct pipeline *p, int cancel)
{
	int status, error;

	if (!p)
		return STATUS_OK;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	if (cancel)
		stop_all(p);
	pthread_cond_broadcast(&p->job_waits);
	pthread_cond_broadcast(&p->job_worked);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->thread_count; i++)
		pthread_join(p->thread[i], NULL);
	status = p->status;
	error = p->error;
	release(p);
	if (status)
		errno = error;
	return status;
}
