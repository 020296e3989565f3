/* Two processes: the one that serves, with secrets and without rights, and the
 * one that was there before it, without secrets, which takes the mount away
 * however the other ends, and hears what logind announces.  In the background a third
 * waits until the mount is ready, and returns. */
#ifndef FUSEFS_SUPERVISOR_H
#define FUSEFS_SUPERVISOR_H

#include <signal.h>
#include <stdbool.h>

struct options;

/* What the serving process has of its supervisor: a socket. */
struct supervisor {
	int fd;      /* readable: there is news */
	int word;    /* that came too early; 0: none */
	int null_fd; /* where errors go once it is ready; -1: where they went before */
	bool background;
};

/* Run serve in a process of its own, with the signals that end a mount
 * (supervisor_signals) and SIGCHLD blocked, and return what it returned; in the background: 0 as
 * soon as it is ready.  directory: NULL where the mount is nobody else's to
 * take away. */
int supervisor_run(const struct options *options, const char *directory,
                   int (*serve)(const struct options *options, struct supervisor *supervisor));

/* SIGTERM, SIGINT, SIGHUP, SIGQUIT; SIGUSR1 for panic. */
void supervisor_signals(sigset_t *set);

/* From now on Ctrl-Z stops neither of the two: a process that is stopped does not end, whatever
 * happens.  For who has secrets, and who takes the mount away. */
void supervisor_ignore_stops(void);

/* And what the program of a private session finds. */
void supervisor_allow_stops(void);

/* For the serving process, while it may still open files: in the background, leave the
 * terminal, and whatever else it was started from, but for errors. */
void supervisor_leave_terminal(struct supervisor *supervisor);

/* It shall hear when the machine is about to sleep, or is locked; sleep waits until both
 * processes are gone.  Waits until it does, for so long. */
void supervisor_listen(struct supervisor *supervisor, unsigned milliseconds);

/* Why the mount has to end. */
enum supervisor_news { SUPERVISOR_NOTHING, SUPERVISOR_GONE, SUPERVISOR_SLEEP, SUPERVISOR_LOCK };

/* Take in what it says, without waiting.  GONE: the mount was taken away from outside, or the
 * supervisor has died. */
enum supervisor_news supervisor_hear(struct supervisor *supervisor);

/* And when the mount is ready.  Then only a terminal is still told of errors. */
void supervisor_ready(struct supervisor *supervisor);

/* Of what waitpid(2) tells: of a signal, 128 and its number. */
int supervisor_exit_code(int status);

/* The mount shall be taken away now.  Waits until it is, for so long. */
void supervisor_detach(struct supervisor *supervisor, unsigned milliseconds);

#endif
