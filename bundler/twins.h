/* Whole files that are there more than once.  A file is compared only where
 * another one has its size, and only with files whose samples are the same as
 * its own; the comparison is byte by byte.  20 to 28 bytes for each file
 * whose size is not unique. */
#ifndef BUNDLER_TWINS_H
#define BUNDLER_TWINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin;
struct origin_file;
struct tree;
struct twins;

/* tree: borrowed.  Sizes are those of the scan.  STATUS_NOMEM. */
int twins_new(struct twins **twins, const struct tree *tree);
void twins_free(struct twins *twins);

/* Has another file of the tree the size of this one, and is it not empty? */
bool twins_possible(const struct twins *twins, uint32_t node);

/* The first file noted before that has the content of file, or, if there is none,
 * its own node, which is noted.  samples: some bytes of the content, always from
 * the same places for files of one size.  origin: of file; its node must be dropped
 * from the tree if it cannot be staged after all.
 * STATUS_CHANGED, STATUS_IO: file cannot be read; STATUS_NOMEM; STATUS_CANCELLED. */
int twins_note(struct twins *twins, struct origin_file *file, const struct origin *origin,
               const uint8_t *samples, size_t len, uint32_t *first);

#endif
