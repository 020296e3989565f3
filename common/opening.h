/* Which bundle is to be opened, and with what: the options that every program which
 * opens bundles has, with one meaning.  Nothing here is secret: a passphrase never
 * comes in this way. */
#ifndef COMMON_OPENING_H
#define COMMON_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/format.h"
#include "common/header.h"
#include "common/publisher.h"

struct arena;

/* Text is borrowed from the command line. */
struct opening {
	const char *bundle;
	const char *passphrase_file; /* NULL: not given; below too */
	int passphrase_fd;           /* -1: not given */
	bool ask_passphrase;         /* though a key is given: it may be one of two factors */
	const char *key_file;
	const char *identity[HEADER_MAX_IDENTITIES];
	unsigned identity_count;
	const char *volume[FORMAT_MAX_VOLUMES]; /* beside bundle */
	unsigned volume_count;
	uint64_t length; /* where the volume ended; 0: not given */
	struct publisher_options publisher;
	bool allow_unlocked;
};

/* Their codes for getopt_long(3). */
enum {
	OPENING_FIRST = 256,
	OPENING_PASSPHRASE_FILE = OPENING_FIRST,
	OPENING_PASSPHRASE_FD,
	OPENING_ASK_PASSPHRASE,
	OPENING_KEY_FILE,
	OPENING_IDENTITY,
	OPENING_VOLUME,
	OPENING_LENGTH,
	OPENING_PUBLISHER,
	OPENING_ANY_PUBLISHER,
	OPENING_MIN_EDITION,
	OPENING_ALLOW_UNLOCKED,
	OPENING_END, /* the first code that is free */
};

/* Nothing is given. */
void opening_init(struct opening *opening);

/* Takes the option of that code.  False: its argument is of no use. */
bool opening_take(struct opening *opening, int code, const char *argument);

/* What is wrong with them as a whole, and *which are meant (NULL: nothing to add); NULL:
 * nothing is. */
const char *opening_flaw(const struct opening *opening, const char **which);

/* Memory of len bytes for what is secret, and for messages from now on (diag.h).  Says what is
 * wrong, or that it is not locked.  Returns 0 or the exit code. */
int opening_arena(struct arena **arena, const struct opening *opening, size_t len);

/* The files that they name beside the bundle's own, in file; how many.  Who gives a
 * descriptor (passphrase_fd) names none. */
enum { OPENING_FILES = 3 + HEADER_MAX_IDENTITIES };
unsigned opening_files(const struct opening *opening, const char *file[static OPENING_FILES]);

/* A decimal number, of digits alone and at most max.  False: it is not, and *number
 * is untouched. */
bool opening_number(uint64_t *number, const char *text, uint64_t max);

#endif
