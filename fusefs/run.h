/* The private viewing session: a mount that only one program sees, in a place
 * where nothing that it writes reaches a disk, and from which nothing reaches
 * the network or the desktop's services. */
#ifndef FUSEFS_RUN_H
#define FUSEFS_RUN_H

#include <limits.h>
#include <sys/types.h>

struct options;

struct run {
	pid_t program;         /* the first process of the program's world */
	int go_fd;             /* tells it to begin */
	const char *directory; /* where the mount goes: absolute */
	char place[PATH_MAX];  /* room for that */
};

/* Enter namespaces of our own (user, mount, network, IPC) and start the process
 * that will be the program, with process ids of its own; it waits.  Single
 * thread, before there are secrets.  Reports what is wrong; returns 0 or the
 * exit code. */
int run_prepare(struct run *run, const struct options *options);

/* Put memory over every place that a program may write to, all else read-only.
 * After every file that the mount needs is open.  As above. */
int run_cover(const struct run *run, const struct options *options);

/* The mount is there. */
void run_begin(struct run *run);

/* Kill all that the program has started. */
void run_kill(const struct run *run);

#endif
