#include "fusefs/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/status.h"
#include "fusefs/loop.h"
#include "fusefs/medium.h"
#include "fusefs/reports.h"
#include "fusefs/supervisor.h"
#include "fusefs/tell.h"
#include "fusefs/view.h"

/* A vanished medium is noticed within this, and a worker that is stuck. */
enum { TICK_MS = 250 };

struct watch {
	int64_t idle_seconds;
	struct supervisor *supervisor;
	struct medium *medium;
	int signal_fd;
	int event_fd; /* one of the flags has been set */
	_Atomic bool is_over, is_asked;
};

int watch_new(struct watch **watch, int64_t idle_seconds, struct supervisor *supervisor,
              struct source *const *sources, unsigned count)
{
	struct watch *w = calloc(1, sizeof *w);
	sigset_t set;

	if (!w)
		return STATUS_NOMEM;
	supervisor_signals(&set);
	sigaddset(&set, SIGCHLD);
	w->idle_seconds = idle_seconds;
	w->supervisor = supervisor;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*watch = w;
	if (w->signal_fd < 0 || w->event_fd < 0)
		return STATUS_IO;
	return medium_new(&w->medium, sources, count);
}

int watch_start(struct watch *watch)
{
	return medium_start(watch->medium);
}

static void set(struct watch *w, _Atomic bool *flag)
{
	const uint64_t one = 1;
	ssize_t rc;

	if (atomic_exchange(flag, true))
		return;
	rc = write(w->event_fd, &one, sizeof one);
	(void)rc;
}

void watch_session_over(void *context)
{
	struct watch *w = context;

	set(w, &w->is_over);
}

void watch_asked(void *context)
{
	struct watch *w = context;

	set(w, &w->is_asked);
}

bool watch_medium_is_there(void *context)
{
	const struct watch *w = context;

	return medium_is_there(w->medium);
}

/* True: a signal, or the program's end, ends it. */
static bool hear_signal(struct watch *w, pid_t program, struct end *end)
{
	struct signalfd_siginfo info;
	int status;

	while (read(w->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGCHLD) {
			*end = (struct end){END_SIGNAL, 128 + (int)info.ssi_signo, NULL};
			return true;
		}
		if (program && waitpid(program, &status, WNOHANG) == program) {
			*end = (struct end){END_PROGRAM, supervisor_exit_code(status), NULL};
			return true;
		}
	}
	return false;
}

static bool hear_supervisor(const struct watch *w, struct end *end)
{
	switch (supervisor_hear(w->supervisor)) {
	case SUPERVISOR_GONE: *end = (struct end){END_ASKED, 0, NULL}; return true;
	case SUPERVISOR_SLEEP:
		*end = (struct end){END_SLEEP, EXIT_SLEEP, "ended: the machine is about to sleep"};
		return true;
	case SUPERVISOR_LOCK:
		*end = (struct end){END_LOCK, EXIT_LOCK, "ended: the screen is locked"};
		return true;
	case SUPERVISOR_NOTHING: break;
	}
	return false;
}

static bool hear_others(struct watch *w, const struct view *view, struct end *end)
{
	if (atomic_load(&w->is_over))
		*end = (struct end){END_UNMOUNTED, 0, NULL};
	else if (atomic_load(&w->is_asked))
		*end = (struct end){END_ASKED, 0, NULL};
	else if (!medium_is_there(w->medium))
		*end = (struct end){END_MEDIUM, EXIT_ABSENT, "ended: the medium is gone"};
	else if (w->idle_seconds &&
	         clock_boot_s() - atomic_load(&view->last_read) >= w->idle_seconds)
		*end = (struct end){END_IDLE, EXIT_IDLE, "ended: nothing was read for so long"};
	else
		return false;
	return true;
}

struct end watch_run(struct watch *watch, const struct view *view, struct loop *loop, pid_t program)
{
	struct end end;
	uint64_t events;

	for (;;) {
		struct pollfd ready[] = {
			{.fd = watch->signal_fd, .events = POLLIN},
			{.fd = watch->event_fd, .events = POLLIN},
			{.fd = watch->supervisor->fd, .events = POLLIN},
		};
		ssize_t rc;

		poll(ready, sizeof ready / sizeof *ready, TICK_MS);
		rc = read(watch->event_fd, &events, sizeof events);
		(void)rc;
		if (hear_signal(watch, program, &end) || hear_supervisor(watch, &end) ||
		    hear_others(watch, view, &end))
			return end;
		loop_relieve(loop);
		if (reports_has_due(view->reports))
			loop_offer(loop, ERRAND_TELL, &tell_errand);
	}
}
