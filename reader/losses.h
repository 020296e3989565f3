/* From addresses that could not be read to the files that they are of. */
#ifndef READER_LOSSES_H
#define READER_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader/out.h"
#include "reader/ranges.h"
#include "reader/walk.h"

struct session;
struct verdict;

struct losses {
	struct session *session;
	bool json;
	struct out out; /* for JSON; errors go where errors go */
	struct walk walk;
	uint8_t *chunk; /* arena */
};

/* Bytes of arena that losses_init takes. */
size_t losses_size(void);

/* STATUS_NOMEM. */
int losses_init(struct losses *losses, struct session *session, bool json);
void losses_fini(struct losses *losses);

/* Go through all files and name those that are lost, and how much of them can be
 * read all the same: {"type":"loss"...} or an error for each.  Counts them in
 * verdict, and in the session's exit code.
 * suspect: addresses that may not be readable, and are tried.  A file in a volume that
 * is not here is not lost. */
void losses_name(struct losses *losses, const struct ranges *suspect, struct verdict *verdict);

#endif
