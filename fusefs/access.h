/* From options to an opened bundle: the arena and how it is divided, volumes,
 * keys.  Reports what is wrong. */
#ifndef FUSEFS_ACCESS_H
#define FUSEFS_ACCESS_H

#include <stddef.h>
#include <stdint.h>

#include "common/bundle.h"
#include "common/fileset.h"

struct arena;
struct options;

enum {
	ACCESS_WORKERS = 4,
	ACCESS_HEAD = 4096, /* of a buffer: what a request has besides data */
	ACCESS_READ_CACHED = 256 * 1024,
	ACCESS_READ_SMALL = 512 * 1024, /* four workers */
	ACCESS_READ = 1024 * 1024,      /* up to three */
};

/* What one worker has. */
struct access_share {
	struct cursor *cursor;
	struct bundle_entry *entry; /* arena */
	uint8_t *buffer;            /* arena, read_max + ACCESS_HEAD bytes, on a page */
};

struct access {
	struct arena *arena;
	struct fileset files;
	struct bundle *bundle;
	unsigned workers;
	uint32_t read_max; /* bytes of one read request */
	struct access_share share[ACCESS_WORKERS];
};

/* Signals that came meanwhile (and are blocked) end it.  Returns 0, or the exit
 * code.  In either case the arena is the caller's to wipe, if there is one. */
int access_open(struct access *access, const struct options *options);

#endif
