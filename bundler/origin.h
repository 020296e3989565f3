/* A file whose bytes go into a bundle: on disk, opened without a trace and known
 * again when it is read once more; or out of an archive, and kept. */
#ifndef BUNDLER_ORIGIN_H
#define BUNDLER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/kept.h"

struct tree;
struct way;

/* What must not change between staging and the end of writing.  What is kept cannot
 * change, and has a size only. */
struct origin {
	uint64_t dev, ino, size;
	int64_t mtime, ctime;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t node;
	uint32_t is_kept;
};

/* One that is open. */
struct origin_file {
	int fd;                /* -1: it is kept, loaded, or closed */
	bool is_short;         /* its blocks are less than its size: it may have holes */
	const uint8_t *loaded; /* all its bytes, borrowed; else NULL */
	struct kept_file kept;
};

#define ORIGIN_CLOSED ((struct origin_file){.fd = -1})

/* Open the file of a node and note what it is.  Access times are left alone where
 * the kernel allows.  STATUS_IO (EISDIR, EINVAL: no longer a regular file; of what is
 * kept: the spill), STATUS_DAMAGED (spill). */
int origin_open(struct way *way, const struct tree *tree, uint32_t node, struct origin_file *file,
                struct origin *origin);
void origin_close(struct origin_file *file);

/* Read all of a file on disk that is open, of less than ORIGIN_HOLE bytes, to where it is read
 * from now on; it is no longer open on disk, and what happens to it there changes nothing.
 * STATUS_CHANGED: it is not what it was when it was opened; STATUS_IO. */
int origin_load(struct origin_file *file, const struct origin *origin, uint8_t *bytes);

/* Is it still what it was?  false where that cannot be known. */
bool origin_unchanged(const struct origin_file *file, const struct origin *origin);

/* Is the file, opened again, what it was then?  now: as origin_open has it. */
bool origin_is(const struct origin_file *file, const struct origin *now, const struct origin *then);

/* Is it the file with that inode number?  true where numbers do not last. */
bool origin_has_number(const struct origin_file *file, const struct origin *now, uint64_t ino);

/* Read len bytes at off.  STATUS_CHANGED: the file is shorter than that;
 * STATUS_IO, STATUS_DAMAGED. */
int origin_read(struct origin_file *file, void *buf, size_t len, uint64_t off);

/* The next data of a file of size bytes at or behind off: [*begin, *end), both
 * size where nothing but a hole is left.  A hole of less than ORIGIN_HOLE bytes
 * is data.  STATUS_IO, STATUS_DAMAGED: of what is kept. */
#define ORIGIN_HOLE 65536
int origin_next_data(struct origin_file *file, uint64_t size, uint64_t off, uint64_t *begin,
                     uint64_t *end);

/* Status as above. */
int origin_has_holes(struct origin_file *file, uint64_t size, bool *has_holes);

#endif
