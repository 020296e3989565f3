/* From options to an opened bundle, and from there to the exit code: what every
 * verb does at its beginning and its end. */
#ifndef READER_SESSION_H
#define READER_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/bundle.h"
#include "common/fileset.h"
#include "common/keyring.h"
#include "reader/options.h"

struct arena;
struct publisher_pins;

enum { SESSION_WORKERS = 16 };

struct session {
	const struct options *options;
	struct arena *arena;
	struct keyring *keys; /* arena */
	struct fileset files;
	struct publisher_pins *pins;
	struct bundle *bundle;
	struct cursor *cursor;                  /* the verb's own */
	struct cursor *worker[SESSION_WORKERS]; /* one for each thread of a pool */
	unsigned worker_count, frame_count;
	bool one_volume, is_json; /* see session_needs */
	_Atomic int exit_code;
};

/* What a verb needs: of the arena, and of the file system. */
struct session_needs {
	size_t room;        /* bytes beside cursors */
	bool workers;       /* a cursor for each core, */
	size_t worker_room; /* and so many bytes beside each */
	const char *place;  /* where it will write files; NULL: it writes none */
	bool one_volume;    /* damage to others than the one named is no matter */
	bool json;          /* who ends without a verdict says so in a line of its own */
};

/* Open the bundle, do what is to be done, close, wipe.  act returns 0 or an exit
 * code; it is not called where the bundle cannot be opened, which is reported.
 * Returns the exit code: the worst that came. */
int session_run(const struct options *options, const struct session_needs *needs,
                int (*act)(void *context, struct session *session), void *context);

/* Report what is wrong with path (in the bundle; "" is the root) and count it.
 * From any thread. */
void session_report(struct session *s, const char *path, int status);

/* An exit code that counts if none that is worse does. */
void session_note(struct session *s, int code);

#endif
