/* Which volumes of a set a file needs that are not at hand. */
#ifndef READER_ABSENT_H
#define READER_ABSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"

struct bundle;
struct cursor;
struct session;

struct absent {
	const struct bundle *bundle;
	unsigned count;
	uint8_t volume[FORMAT_MAX_VOLUMES / 8]; /* a bit for each */
};

/* None where the index does not say. */
void absent_find(struct absent *absent, const struct session *session, struct cursor *cursor,
                 const struct format_entry *file);

bool absent_has(const struct absent *absent, unsigned v);

/* session_report of STATUS_VOLUME, with the numbers of the volumes. */
void absent_report(struct session *session, struct cursor *cursor, const struct format_entry *file,
                   const char *path);

#endif
