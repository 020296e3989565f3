/* The leaves of a stage that is to be signed.  bundle(5), "Leaves". */
#ifndef BUNDLER_LEAVES_H
#define BUNDLER_LEAVES_H

#include "bundler/tree.h"

struct progress;
struct stage;

/* Read the content once, as it will be stored; its leaf blocks go to stage->leaves,
 * their sums to stage->leaf_sums, a mark of each leaf, by which feed knows it again,
 * to stage->marks, and content.leaf_count says how many leaves there are.  The
 * segments must be closed.  progress: phase "hashing".  Takes half of the memory that
 * write_memory tells for as many workers.
 * STATUS_CHANGED, STATUS_IO: a source, culprit is its path; STATUS_IO,
 * STATUS_DAMAGED: a spill, culprit is empty, or its directory; STATUS_NOMEM,
 * STATUS_CANCELLED. */
int leaves_make(struct stage *stage, unsigned workers, struct progress *progress,
                char culprit[static TREE_PATH_SIZE]);

#endif
