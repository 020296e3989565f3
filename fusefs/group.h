/* A control group (version 2) whose memory is never swapped: cgroups(7). */
#ifndef FUSEFS_GROUP_H
#define FUSEFS_GROUP_H

#include <limits.h>
#include <stdbool.h>

struct group {
	char directory[PATH_MAX]; /* empty: there is none */
};

/* Make one that this process's children may enter.  Where the system lets the user
 * have none there is none; desktops that systemd starts do.  This process stays where it
 * is: it may be all that keeps its own group there. */
void group_make(struct group *group);

/* Move this process there; what it starts from now on is there, too. */
void group_enter(const struct group *group);

/* Take it away, once all in it have ended; that is waited for, but not for long. */
void group_remove(const struct group *group);

#endif
