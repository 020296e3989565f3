/* Work on all cores: a thread and a cursor each, units handed out one at a time
 * and in order. */
#ifndef READER_POOL_H
#define READER_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct session;

enum { POOL_UNIT = 64 /* bytes of a unit at most */ };

struct pool_job {
	/* Fill the next unit; false: there are none left.  Never called twice at
	 * the same time. */
	bool (*next)(void *context, void *unit);
	/* Do it; worker: below the session's worker_count. */
	void (*work)(void *context, unsigned worker, const void *unit);
	void *context;
};

/* Returns when all is done.  Signals come to the calling thread and no other.  Threads
 * that cannot be had are done without; where there is none, the calling one works. */
void pool_run(struct session *session, const struct pool_job *job);

#endif
