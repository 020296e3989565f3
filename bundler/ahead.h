/* The files of a tree in path order.  What can be read before its turn is: a small file costs
 * a visit to the disk, or five system calls, and little else, and several threads go there for
 * what the one that takes the files will want next. */
#ifndef BUNDLER_AHEAD_H
#define BUNDLER_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "bundler/origin.h"

struct ahead;
struct tree;

enum { AHEAD_SMALL = 32768 }; /* bytes, up to which a file is read ahead */

/* loaded, or closed: it is not small, cannot be read, or changes.  That it is for who takes it
 * to find out. */
struct ahead_file {
	uint32_t node;
	struct origin_file opened;
	struct origin origin;
};

/* Bytes of memory that ahead_new takes. */
size_t ahead_memory(void);

/* tree: borrowed.  Files that were taken may be changed and dropped, with what that does to
 * other nodes: readers look at names, parents and whether it is kept of what is to come, at
 * its size, and at nothing else.  STATUS_NOMEM. */
int ahead_new(struct ahead **ahead, const struct tree *tree);

/* Stop, and wait for readers that are in the midst of a file; on a drive that hangs that is as
 * long as it does.  A failure: the end was not that of the tree.  NULL is fine. */
int ahead_end(struct ahead *ahead);

/* The next file, until the next call; NULL at the end. */
const struct ahead_file *ahead_next(struct ahead *ahead);

#endif
