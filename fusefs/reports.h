/* What is to be told of files that cannot be read: one line for each, at the first of its
 * bytes that is lost.  Whoever answers requests only adds to it, as those who read messages
 * may not do so for long. */
#ifndef FUSEFS_REPORTS_H
#define FUSEFS_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

struct reports;

struct report {
	uint32_t entry;
	int status;
};

/* hold_ms: so long each line is held back.  STATUS_NOMEM. */
int reports_new(struct reports **reports, unsigned hold_ms);

/* Of the last some thousand entries that have had their line nothing more is told.  Where too
 * much is held, its line comes with a later failure.  From any thread; the next two, too. */
void reports_add(struct reports *reports, uint32_t entry, int status);

bool reports_has_due(struct reports *reports);

/* The oldest one, if it is due, or if all are wanted.  False: there is none. */
bool reports_take(struct reports *reports, bool all, struct report *report);

#endif
