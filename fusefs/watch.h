/* Waiting for whatever ends a mount. */
#ifndef FUSEFS_WATCH_H
#define FUSEFS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct source;
struct supervisor;
struct view;
struct watch;

enum end_reason {
	END_UNMOUNTED, /* by somebody else, and the kernel has nothing of it any more */
	END_ASKED,     /* satchel-mount -u, or unmounted while files of it are open */
	END_SIGNAL,
	END_IDLE,
	END_MEDIUM, /* gone */
	END_SLEEP,
	END_LOCK,
	END_PROGRAM, /* that --run started */
};

struct end {
	enum end_reason reason;
	int code;         /* satchel-mount(1), "EXIT STATUS" */
	const char *text; /* what to tell the user; NULL where it was his own wish */
};

/* Open all that is to be watched, before the sandbox.
 * idle_seconds: 0 for never.  sources: count of them, borrowed, as supervisor.  It lasts as long
 * as the process.  STATUS_NOMEM, STATUS_IO. */
int watch_new(struct watch **watch, int64_t idle_seconds, struct supervisor *supervisor,
              struct source *const *sources, unsigned count);

/* Start its threads, between the two halves of the sandbox.  STATUS_NOMEM. */
int watch_start(struct watch *watch);

/* From any thread: the session is over; the user asked for the end.
 * context: the watch. */
void watch_session_over(void *context);
void watch_asked(void *context);

/* The same: is the medium still there? */
bool watch_medium_is_there(void *context);

/* Wait.  program: the process that --run started, 0 for none.  view: whose
 * reads keep the mount alive.  loop: to be relieved meanwhile. */
struct end watch_run(struct watch *watch, const struct view *view, struct loop *loop,
                     pid_t program);

#endif
