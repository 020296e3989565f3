/* From entries to files: into a directory in which others may have prepared
 * traps.  Every component is opened by itself, no symbolic link is followed,
 * nothing is replaced unless asked for, and a file has its name only when it is
 * complete, or, if it is small, has been read.  What is wrong is reported here. */
#ifndef READER_PLACE_H
#define READER_PLACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/bundle.h"
#include "reader/descent.h"
#include "reader/spared.h"

struct arena;
struct session;

/* Where --force does not replace either. */
#define PLACE_SPARED "is what is read, or was just extracted: --force does not replace it"

/* What all threads share. */
struct place {
	struct session *session;
	int root; /* the directory into which it all goes */
	bool force;
	bool by_name;         /* numbers of files do not last there, nor is case told */
	struct spared spared; /* not replaced even so */
	bool full;            /* metadata */
	bool owner;           /* may give files away */
	mode_t umask;
	_Atomic uint64_t written; /* bytes of contents */
	_Atomic bool stopped;     /* nothing more can be written */
};

/* A thread's own. */
struct placer {
	struct place *place;
	struct cursor *cursor;
	struct bundle_entry *entry;
	char *path;   /* FORMAT_PATH + 1, to be taken apart */
	char *where;  /* FORMAT_PATH + 1, the caller's: where entry goes */
	uint8_t *buf; /* contents, attributes, targets */
	char *safe;   /* FORMAT_NAME + 1: a name that the file system takes */
	bool is_new;  /* the directory that entry goes into was made by us: all in it is, too */

	struct descent descent;
};

/* root and force are known: find out by what files are known there. */
void place_look(struct place *place);

/* Bytes of arena that placer_init takes. */
size_t placer_size(void);

/* STATUS_NOMEM. */
int placer_init(struct placer *p, struct place *place, struct arena *arena, struct cursor *cursor);

/* All zeros will do, too. */
void placer_fini(struct placer *p);

/* The directory at path (from the root; "" is the root itself), until the next call with
 * this placer but for place_entry.  -1: errno. */
int place_open(struct placer *p, const char *path);

/* Make the directory at path, readable for us only until place_finish.
 * *made: it was not there.  false: reported, and there is none. */
bool place_directory(struct placer *p, const char *path, bool *made);

/* Put p->entry, a file or a symbolic link, into the directory dirfd.  path: for
 * messages.  false: reported, and nothing has the name that had not before. */
bool place_entry(struct placer *p, int dirfd, const char *path);

/* A further name, path, of what was placed at first.  p->is_new is about path.  false: it cannot be
 * linked here, or was reported; *reported says which. */
bool place_link(struct placer *p, const char *first, const char *path, bool *reported);

/* The attributes of a directory, which p->entry is, when nothing more comes. */
void place_finish(struct placer *p, const char *path);

#endif
