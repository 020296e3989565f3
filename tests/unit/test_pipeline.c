#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "bundler/pipeline.h"
#include "common/status.h"

enum { JOBS = 300, DEPTH = 6 };

struct job {
	unsigned number, doubled, uses;
};

/* What happened, and what shall. */
struct trial {
	unsigned workers;
	unsigned fail_prepare, fail_work, fail_finish; /* at that job, from 1; 0: never */
	bool fail_start, fail_thread, sleepy;
	atomic_uint started, stopped, threads, threads_stopped, worked;
	atomic_uint preparing;        /* at the moment */
	unsigned next_prepared, next; /* to be prepared, to be finished */
	bool in_order;
};

static int start(void *job, void *context)
{
	struct trial *t = context;

	(void)job;
	return ++t->started == 3 && t->fail_start ? STATUS_NOMEM : STATUS_OK;
}

static struct trial *stop_trial;

static void stop(void *job)
{
	(void)job;
	stop_trial->stopped++;
}

static int thread_start(void **local, void *context)
{
	struct trial *t = context;

	if (t->threads++ == 0 && t->fail_thread) {
		errno = ENOLCK;
		return STATUS_IO;
	}
	*local = t;
	return STATUS_OK;
}

static void thread_stop(void *local)
{
	((struct trial *)local)->threads_stopped++;
}

static void doze(unsigned microseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000L}, NULL);
}

/* One at a time, in order, and before the work. */
static int prepare(void *job, void *context)
{
	struct trial *t = context;
	struct job *j = job;

	if (t->preparing++ || j->number != t->next_prepared++)
		t->in_order = false;
	if (t->sleepy)
		doze((j->number * 40503u >> 8) % 100);
	j->doubled = j->number;
	t->preparing--;
	errno = ERANGE;
	return j->number + 1 == t->fail_prepare ? STATUS_IO : STATUS_OK;
}

static int work(void *job, void *local, void *context)
{
	struct trial *t = context;
	struct job *j = job;

	if (local != context)
		return STATUS_INVALID;
	if (t->sleepy)
		doze((j->number * 2654435761u >> 20) % 500);
	t->worked++;
	j->doubled += j->number;
	errno = EDOM;
	return j->number + 1 == t->fail_work ? STATUS_IO : STATUS_OK;
}

static int finish(void *job, void *context)
{
	struct trial *t = context;
	struct job *j = job;

	if (j->number != t->next++ || j->doubled != 2 * j->number)
		t->in_order = false;
	errno = ENOSPC;
	return j->number + 1 == t->fail_finish ? STATUS_IO : STATUS_OK;
}

static const struct pipeline_ops ops = {
	.job_size = sizeof(struct job),
	.start = start,
	.stop = stop,
	.thread_start = thread_start,
	.thread_stop = thread_stop,
	.prepare = prepare,
	.work = work,
	.finish = finish,
};

static int open_trial(struct pipeline **p, struct trial *t)
{
	t->in_order = true;
	stop_trial = t;
	return pipeline_new(p, &ops, t, t->workers, DEPTH);
}

/* Submit up to JOBS jobs; how many it took. */
static unsigned feed(struct pipeline *p)
{
	unsigned i;

	for (i = 0; i < JOBS; i++) {
		struct job *job = pipeline_take(p);

		if (!job)
			break;
		assert_true(job->uses++ || (job->number == 0 && job->doubled == 0));
		job->number = i;
		pipeline_submit(p, job);
	}
	return i;
}

static void nothing_is_left(const struct trial *t)
{
	assert_int_equal(t->started, t->stopped);
	assert_int_equal(t->threads, t->threads_stopped + t->fail_thread);
	assert_true(t->in_order);
}

static void order_is_kept(void **state)
{
	static const unsigned workers[] = {1, 2, 8};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct trial t = {.workers = workers[i], .sleepy = true};
		struct pipeline *p = NULL;

		assert_int_equal(open_trial(&p, &t), STATUS_OK);
		assert_int_equal(feed(p), JOBS);
		assert_int_equal(pipeline_end(p, 0), STATUS_OK);
		assert_int_equal(t.next, JOBS);
		assert_int_equal(t.started, DEPTH);
		nothing_is_left(&t);
	}
}

static void jobs_come_in_the_order_of_submission(void **state)
{
	struct trial t = {.workers = 2};
	struct pipeline *p = NULL;
	struct job *held;

	(void)state;
	assert_int_equal(open_trial(&p, &t), STATUS_OK);
	held = pipeline_take(p);
	held->number = held->uses = JOBS;
	assert_int_equal(feed(p), JOBS);
	pipeline_submit(p, held);
	assert_int_equal(pipeline_end(p, 0), STATUS_OK);
	assert_int_equal(t.next, JOBS + 1);
	nothing_is_left(&t);
}

static void the_first_failure_stops_all(void **state)
{
	static const struct {
		unsigned prepare, work, finish;
		int error;
	} row[] = {{0, 1, 0, EDOM},     {0, 150, 0, EDOM},   {0, 0, 1, ENOSPC},
	           {0, 0, 150, ENOSPC}, {0, JOBS, 0, EDOM},  {0, 0, JOBS, ENOSPC},
	           {1, 0, 0, ERANGE},   {150, 0, 0, ERANGE}, {JOBS, 0, 0, ERANGE}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof row / sizeof row[0]; i++) {
		struct trial t = {.workers = i % 2 ? 8 : 1,
		                  .fail_prepare = row[i / 2].prepare,
		                  .fail_work = row[i / 2].work,
		                  .fail_finish = row[i / 2].finish};
		struct pipeline *p = NULL;
		unsigned fed;

		assert_int_equal(open_trial(&p, &t), STATUS_OK);
		fed = feed(p);
		assert_true(fed <= t.fail_prepare + t.fail_work + t.fail_finish + DEPTH);
		errno = 0;
		assert_int_equal(pipeline_end(p, 0), STATUS_IO);
		assert_int_equal(errno, row[i / 2].error);
		assert_true(t.next <= t.fail_prepare + t.fail_work + t.fail_finish);
		nothing_is_left(&t);
	}
}

static void a_job_that_cannot_start(void **state)
{
	struct trial t = {.workers = 2, .fail_start = true};
	struct pipeline *p = NULL;

	(void)state;
	assert_int_equal(open_trial(&p, &t), STATUS_NOMEM);
	assert_null(p);
	assert_int_equal(t.started, 3);
	nothing_is_left(&t);
}

static void a_thread_that_cannot_start(void **state)
{
	struct trial t = {.workers = 8, .fail_thread = true};
	struct pipeline *p = NULL;

	(void)state;
	assert_int_equal(open_trial(&p, &t), STATUS_OK);
	feed(p);
	assert_int_equal(pipeline_end(p, 0), STATUS_IO);
	assert_int_equal(errno, ENOLCK);
	nothing_is_left(&t);
}

static void cancelling_is_no_failure(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 8; workers += 7) {
		struct trial t = {.workers = workers, .sleepy = true};
		struct pipeline *p = NULL;

		assert_int_equal(open_trial(&p, &t), STATUS_OK);
		assert_int_equal(feed(p), JOBS);
		assert_non_null(pipeline_take(p)); /* and never submitted */
		assert_int_equal(pipeline_end(p, 1), STATUS_OK);
		assert_true(t.next <= JOBS);
		nothing_is_left(&t);
	}
	assert_int_equal(pipeline_end(NULL, 0), STATUS_OK);
}

/* Some wait for their turn, and whoever is before them sees the end first. */
static void cancelling_waits_for_nobody(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct trial t = {.workers = 4, .sleepy = true, .in_order = true};
		struct pipeline *p = NULL;

		alarm(60);
		stop_trial = &t;
		assert_int_equal(pipeline_new(&p, &ops, &t, t.workers, DEPTH), STATUS_OK);
		for (unsigned n = 0; n < DEPTH - 1; n++) {
			struct job *j = pipeline_take(p);

			j->number = n;
			pipeline_submit(p, j);
		}
		doze(i % 100);
		assert_int_equal(pipeline_end(p, 1), STATUS_OK);
	}
	alarm(0);
}

static void nothing_submitted(void **state)
{
	struct trial t = {.workers = 8};
	struct pipeline *p = NULL;

	(void)state;
	for (int cancel = 0; cancel < 2; cancel++) {
		assert_int_equal(open_trial(&p, &t), STATUS_OK);
		assert_int_equal(pipeline_end(p, cancel), STATUS_OK);
		nothing_is_left(&t);
	}
}

/* --- filled and had back by one ------------------------------------------------ */

static int fed_count; /* of JOBS */

static bool fill(void *job, void *context)
{
	struct job *j = job;

	(void)context;
	if (fed_count == JOBS)
		return false;
	j->number = (unsigned)fed_count++;
	return true;
}

static int open_turning(struct pipeline **p, struct trial *t)
{
	struct pipeline_ops own = ops;

	own.finish = NULL;
	own.fill = fill;
	fed_count = 0;
	t->in_order = true;
	stop_trial = t;
	return pipeline_new(p, &own, t, t->workers, DEPTH);
}

static void jobs_come_back_in_order(void **state)
{
	static const unsigned workers[] = {1, 2, 8};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct trial t = {.workers = workers[i], .sleepy = true};
		struct pipeline *p = NULL;
		struct job *job = NULL;

		assert_int_equal(open_turning(&p, &t), STATUS_OK);
		for (unsigned n = 0; n < JOBS; n++) {
			job = pipeline_turn(p, job);
			assert_int_equal(job->number, n);
			assert_int_equal(job->doubled, 2 * n);
			assert_true(fed_count <= (int)n + DEPTH);
		}
		assert_null(pipeline_turn(p, job));
		assert_null(pipeline_turn(p, NULL));
		assert_int_equal(t.threads, t.workers);
		assert_int_equal(pipeline_end(p, 0), STATUS_OK);
		nothing_is_left(&t);
	}
}

/* What was over may go on: with something else to do. */
static void a_second_time(void **state)
{
	struct trial t = {.workers = 2};
	struct pipeline *p = NULL;
	struct job *job = NULL;
	unsigned count = 0;

	(void)state;
	assert_int_equal(open_turning(&p, &t), STATUS_OK);
	for (int time = 0; time < 2; time++) {
		fed_count = 0;
		t.next_prepared = 0;
		while ((job = pipeline_turn(p, job)))
			count++;
	}
	assert_int_equal(count, 2 * JOBS);
	assert_int_equal(pipeline_end(p, 0), STATUS_OK);
	nothing_is_left(&t);
}

static void none_comes_back_after_a_failure(void **state)
{
	struct trial t = {.workers = 2, .fail_work = 3};
	struct pipeline *p = NULL;
	struct job *job = NULL;

	(void)state;
	assert_int_equal(open_turning(&p, &t), STATUS_OK);
	while ((job = pipeline_turn(p, job)))
		assert_true(job->number < 2);
	assert_int_equal(pipeline_end(p, 1), STATUS_IO);
	nothing_is_left(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(jobs_come_in_the_order_of_submission),
		cmocka_unit_test(jobs_come_back_in_order),
		cmocka_unit_test(a_second_time),
		cmocka_unit_test(none_comes_back_after_a_failure),
		cmocka_unit_test(the_first_failure_stops_all),
		cmocka_unit_test(a_job_that_cannot_start),
		cmocka_unit_test(a_thread_that_cannot_start),
		cmocka_unit_test(cancelling_is_no_failure),
		cmocka_unit_test(cancelling_waits_for_nobody),
		cmocka_unit_test(nothing_submitted),
	};

	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
