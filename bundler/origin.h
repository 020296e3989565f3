/* A file on disk whose bytes go into a bundle: opened without a trace, and known
 * again when it is read once more. */
#ifndef BUNDLER_ORIGIN_H
#define BUNDLER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;
struct tree;

/* What must not change between staging and the end of writing. */
struct origin {
	uint64_t ino, size;
	int64_t mtime, ctime;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t node;
	uint32_t gone; /* 1: it changed while it was staged, and no entry refers to it */
};

/* Open the file of a node and note what it is; st: what fstat said, or NULL.
 * Access times are left alone where the kernel allows.  STATUS_IO (EISDIR,
 * EINVAL: no longer a regular file). */
int origin_open(const struct tree *tree, uint32_t node, int *fd, struct origin *origin,
                struct stat *st);

/* Is fd still what it was?  false where that cannot be known. */
bool origin_unchanged(int fd, const struct origin *origin);

/* Are the two the same file in the same state? */
bool origin_same(const struct origin *a, const struct origin *b);

/* Read len bytes at off.  STATUS_CHANGED: the file is shorter than that;
 * STATUS_IO. */
int origin_read(int fd, void *buf, size_t len, uint64_t off);

/* The next data of a file of size bytes at or behind off: [*begin, *end), both
 * size where nothing but a hole is left.  A hole of less than ORIGIN_HOLE bytes
 * is data. */
#define ORIGIN_HOLE 65536
void origin_next_data(int fd, uint64_t size, uint64_t off, uint64_t *begin, uint64_t *end);

#endif
