/* The directory that a mount covers, seen from outside: whether our mount is
 * there, taking it away, asking it to end. */
#ifndef FUSEFS_MOUNTPOINT_H
#define FUSEFS_MOUNTPOINT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/ioctl.h>

/* What "satchel-mount -u" asks of the root. */
#define MOUNTPOINT_END _IO('s', 0x45)

/* One mount of many that may be stacked at a path. */
struct mountpoint {
	char path[PATH_MAX]; /* absolute, without links */
	int id;              /* mount id; 0: none found */
	unsigned major, minor;
	bool is_fuse;
	bool is_nameless; /* as ours is, and hardly another */
};

/* The uppermost FUSE mount at path.  False: there is none. */
bool mountpoint_find(struct mountpoint *m, const char *path);

/* Is that mount, and no other, still there? */
bool mountpoint_is_there(const struct mountpoint *m);

/* Take it away, lazily if it is busy: with umount2(2) if that is allowed,
 * otherwise through fusermount3(1).  True: it is gone. */
bool mountpoint_detach(const struct mountpoint *m);

/* What is at path is a mount whose daemon died: take it away.  False: something
 * is there that cannot be taken away. */
bool mountpoint_clear_stale(const char *path);

/* Is there an empty directory, on which nothing is mounted?  Says what is wrong.  One that
 * cannot be listed is taken for empty. */
bool mountpoint_is_free(const char *directory);

/* "satchel-mount -u": returns the exit code.  Where nobody answers for a second, a nameless mount
 * is taken away. */
int mountpoint_end(const char *directory);

#endif
