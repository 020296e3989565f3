/* The bytes of an archive: a file's, in any order; a pipe's, in theirs; or, where
 * its kind must be read in another order, a pipe's that are spilled first. */
#ifndef BUNDLER_SUPPLY_H
#define BUNDLER_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct arena;
struct spill;

enum { SUPPLY_BUFFER = 262144 };

struct supply {
	int fd;
	struct stat st;
	bool in_order;      /* no seeking */
	struct spill *copy; /* NULL: none was needed */
	uint64_t at;        /* of what is read next */
	uint64_t len;       /* 0: nobody knows */
	bool (*cancelled)(void);
	uint8_t *buffer;
	size_t ahead; /* bytes that the buffer has already */
};

/* file: "-" for standard input.  memory, directory, arena: as spill_new.  cancelled
 * may be NULL.
 * STATUS_IO (errno; EISDIR; *spilled: it is the spill), STATUS_NOENT: it is empty;
 * STATUS_NOMEM, STATUS_CANCELLED. */
int supply_open(struct supply *supply, const char *file, bool (*cancelled)(void),
                struct arena *arena, size_t memory, const char *directory, bool *spilled);
void supply_close(struct supply *supply);

/* The next bytes, in *bytes until the next call; how many, 0 at the end, -1: errno,
 * ECANCELED too. */
ssize_t supply_read(struct supply *supply, const void **bytes);

/* As lseek; -1 where there is no seeking. */
int64_t supply_seek(struct supply *supply, int64_t off, int whence);

/* Pass over at most len bytes, and none behind the end; how many. */
int64_t supply_skip(struct supply *supply, int64_t len);

/* Is it, if it is a file, still what it was? */
bool supply_is_unchanged(const struct supply *supply);

/* Read on to the end, so that who writes to the pipe need not fail.
 * STATUS_IO, STATUS_CANCELLED, STATUS_CHANGED (a file). */
int supply_finish(struct supply *supply);

#endif
