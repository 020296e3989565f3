/* Through the tree, depth first, names in order; and from what was typed to
 * entries.  A forged tree cannot make it go round or without end: every entry
 * is met at most once, and no path is longer than FORMAT_PATH. */
#ifndef READER_WALK_H
#define READER_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bundle.h"

struct arena;
struct session;
struct walk_level;

struct walk {
	struct cursor *cursor;
	struct bundle_entry *entry; /* where it stands; a hard link is what it names */
	uint32_t id, inode;         /* the same but for hard links */
	char *path;                 /* from the root, terminated */
	size_t path_len;
	size_t name_off; /* where in it the entry's own name begins */
	unsigned depth;  /* below where it began */
	struct walk_level *level;
	bool enter;      /* clear it to stay out of this directory */
	bool raw;        /* set it to meet hard links as such */
	bool names_lost; /* of the directory at path, where walk_next failed */
};

/* Bytes of arena that walk_init takes. */
size_t walk_size(void);

/* cursor: borrowed, for nothing else while it walks.  STATUS_NOMEM. */
int walk_init(struct walk *walk, struct arena *arena, struct cursor *cursor);
void walk_fini(struct walk *walk);

/* Stand on entry id. */
int walk_start(struct walk *walk, uint32_t id);

/* The next entry below it: 1; 0: there are no more; a status: what path says
 * (a directory some of whose names are lost, which is said once, or a hard link)
 * cannot be had, and the next call goes on behind it. */
int walk_next(struct walk *walk);

/* Report what walk_next returned below 0. */
void walk_report(const struct walk *walk, struct session *session, int status);

/* The same for a directory at path, some of whose names are lost. */
void walk_report_names(struct session *session, const char *path, int status);

/* The directory that the walk is in, where walk_next has returned what is not 0. */
uint32_t walk_directory(const struct walk *walk);

/* Where to go on, at most at end, when the block that has entry id is lost: the others of
 * it are lost too. */
uint32_t walk_behind_block(struct cursor *cursor, uint32_t id, uint32_t end);

/* Is the entry the last of its directory?  Of the one so many levels up? */
bool walk_is_last(const struct walk *walk, unsigned up);

/* Calls found(context, id) for each entry that pattern names: a path from the
 * root, or a pattern (glob.h) where nothing is called just so.
 * pattern_room: room for FORMAT_PATH + 1, arena.
 * Returns what found returned if not 0; STATUS_NOENT, STATUS_NOTDIR,
 * STATUS_TOOBIG. */
int walk_match(struct walk *walk, const char *pattern, char *pattern_room,
               int (*found)(void *context, uint32_t id), void *context);

#endif
