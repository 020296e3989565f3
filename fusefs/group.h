/* A control group (version 2) whose memory is never swapped: cgroups(7). */
#ifndef FUSEFS_GROUP_H
#define FUSEFS_GROUP_H

#include <limits.h>
#include <stdbool.h>

struct group {
	char home[PATH_MAX]; /* directory of the group that this process was in */
	char own[PATH_MAX];  /* and of the new one; empty: none */
};

/* Make one, and move this process there; what it starts from now on is there, too.
 * False: this system lets the user have none; nothing has changed.  Desktops that
 * systemd starts do. */
bool group_enter(struct group *group);

/* Move back, and take the group away once all others in it have ended; waits for
 * that, but not for long.  After group_enter, whatever it said. */
void group_leave(struct group *group);

#endif
