/* What the serving process may still do once everything is open: compute, read
 * what is open, and answer the kernel.  No file by name, no network, no new
 * process, no program. */
#ifndef FUSEFS_SANDBOX_H
#define FUSEFS_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* No new privileges, and Landlock without a single rule: for this thread and
 * those that it starts.  signals: it must still kill somebody.  False: the
 * kernel has no Landlock. */
bool sandbox_files(bool signals);

/* A list of system calls, for all threads, of which no more can be started.
 * program: the process that may be killed, 0 for none.  False: the kernel has no seccomp. */
bool sandbox_calls(pid_t program);

/* For the program of a session: no typing on its terminal for the user, whose shell would do
 * it when the session has ended.  Needs what sandbox_files sets, no new privileges.  Where the
 * kernel has no seccomp, or refuses such typing by itself, nothing changes. */
void sandbox_typing(void);

#endif
