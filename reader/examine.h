/* Read every byte that means something, on all cores, and find out what cannot be
 * had of it. */
#ifndef READER_EXAMINE_H
#define READER_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>

#include "reader/ranges.h"

struct examine;
struct progress;
struct session;
struct verdict;

/* Bytes of arena that it takes. */
size_t examine_size(void);

/* session, progress, verdict: borrowed.  STATUS_NOMEM. */
int examine_new(struct examine **examine, struct session *session, struct progress *progress,
                struct verdict *verdict);
void examine_free(struct examine *examine);

/* All of it: index, contents, the other pages, roots and headers.  What is found
 * is in verdict, but for files. */
void examine_all(struct examine *examine);

/* The index alone, wherever of it there is a copy. */
void examine_index(struct examine *examine);

/* Only what of the table of segments and the contents may have been lost with these bytes of
 * the content. */
void examine_part(struct examine *examine, const struct ranges *lost);

/* Is anything lost that files might be lost with? */
bool examine_found_losses(const struct examine *examine);

/* Addresses that could not be read, and perhaps some between them. */
const struct ranges *examine_suspect(const struct examine *examine);

#endif
