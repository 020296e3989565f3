/* Opening nodes of a tree where they are on disk, however long their paths: step by step from
 * what was given, so that no symbolic link is followed that has taken somebody's place since. */
#ifndef BUNDLER_WAY_H
#define BUNDLER_WAY_H

#include <stdint.h>

struct tree;

/* The directory that was opened last, which is where the next node is, too, for the most part.
 * One thread's, of one tree. */
struct way {
	int fd;             /* -1: none */
	uint32_t directory; /* 0: the one on disk that children of the root are in, */
	const char *base;   /* which is called so */
};

#define WAY_NONE ((struct way){.fd = -1})

/* flags: as open(2); O_CLOEXEC is added, and O_NOFOLLOW but for what was given as a path.
 * STATUS_IO (ELOOP, ENOTDIR: a link is there now). */
int way_open(struct way *way, const struct tree *tree, uint32_t number, int flags, int *fd);

/* May be called again. */
void way_end(struct way *way);

#endif
