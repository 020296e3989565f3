/* Jobs that are filled by one thread, fetched in any order by several, prepared in the
 * order in which they were submitted and worked on in any by the same, and finished in
 * that order by one more, or by the first itself.  The number of jobs is fixed: it is the
 * bound on memory.  What is finished, and in which order, does not depend on the number of
 * workers. */
#ifndef BUNDLER_PIPELINE_H
#define BUNDLER_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

struct pipeline;

struct pipeline_ops {
	size_t job_size; /* bytes of a job, zeroed at first */

	/* Buffers, once for each job; stop also after a start that failed.  May be NULL. */
	int (*start)(void *job, void *context);
	void (*stop)(void *job);

	/* For pipeline_turn: what is next, into the job.  false: there is no more. */
	bool (*fill)(void *job, void *context);

	/* Once in each worker.  May be NULL. */
	int (*thread_start)(void **local, void *context);
	void (*thread_stop)(void *local);

	/* As work, before prepare; what went wrong is for finish to tell.  May be NULL. */
	void (*fetch)(void *job, void *local, void *context);

	int (*prepare)(void *job, void *context); /* in order, one at a time; may be NULL */
	int (*work)(void *job, void *local, void *context); /* in any order, several at once */
	int (*finish)(void *job, void *context);            /* in order, one at a time, or NULL */
};

/* workers >= 1; depth: jobs.  The threads take no signals.  STATUS_NOMEM. */
int pipeline_new(struct pipeline **pipeline, const struct pipeline_ops *ops, void *context,
                 unsigned workers, unsigned depth);

/* A job to fill; waits for one to be free.  Several may be held at a time, but
 * never all of them.  What the last use left in it is still there.  NULL:
 * something has failed, and pipeline_end will say what. */
void *pipeline_take(struct pipeline *pipeline);

/* Hand it on. */
void pipeline_submit(struct pipeline *pipeline, void *job);

/* Without finish: fill and submit all jobs there are, also done, the one that was returned
 * last (NULL at first); and wait for the oldest to be worked on.  NULL: there is no more, and
 * all jobs are free again; or as above. */
void *pipeline_turn(struct pipeline *pipeline, void *done);

/* With finish: wait until everything that was submitted is finished.  false: something has
 * failed, and pipeline_end will say what. */
bool pipeline_wait(struct pipeline *pipeline);

/* Wait until everything is finished, or, after a failure or with cancel, until
 * all threads have stopped; then free.  Jobs that were taken and not submitted
 * are given up.  Returns the first status that was not STATUS_OK (errno with
 * it). NULL is fine. */
int pipeline_end(struct pipeline *pipeline, int cancel);

#endif
