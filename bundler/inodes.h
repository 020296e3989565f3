/* Which files have been met under another name already: (device, inode) ->
 * node.  Bounded by the files that have several names. */
#ifndef BUNDLER_INODES_H
#define BUNDLER_INODES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct inode {
	dev_t dev;
	ino_t ino;
	uint32_t number; /* of its node; 0: the place is free */
};

/* All zero to begin with. */
struct inodes {
	struct inode *place;
	size_t count, room;
};

/* *first: the node that was noted for the file, which is number if there was
 * none before.  number > 0.  STATUS_NOMEM. */
int inodes_note(struct inodes *inodes, dev_t dev, ino_t ino, uint32_t number, uint32_t *first);

void inodes_fini(struct inodes *inodes);

#endif
