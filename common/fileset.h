/* The files of a bundle: those that are named, and what lies beside the first of them. */
#ifndef COMMON_FILESET_H
#define COMMON_FILESET_H

#include <stdbool.h>

struct arena;
struct bundle;
struct header_keys;
struct opening;
struct source;

struct fileset {
	struct source **source;
	char **file;    /* their names */
	unsigned count; /* of both */
	unsigned named; /* so many of them were, and come first */
	char *barred;   /* the first beside them that could not be looked at; NULL: all could */
	int barred_by;  /* an errno; 0: it has more names than are looked at */
};

/* Open those that are named.  Reports what cannot be opened.  Returns 0 or the exit
 * code.  fileset_close afterwards in either case. */
int fileset_open(struct fileset *files, const struct opening *opening);

/* Open the bundle that they are of.  Volumes that are missing are looked for in the
 * directory of the first file, whatever they are called.  Reports why it cannot be opened.
 * Returns 0 or the exit code; *bundle is to be closed in either case. */
int fileset_open_bundle(struct fileset *files, struct bundle **bundle, struct arena *arena,
                        const struct opening *opening, const struct header_keys *keys);

/* Is file i a volume of the bundle, and the copy of it that is read? */
bool fileset_is_used(const struct bundle *bundle, unsigned i);

/* What to say where one that was named is not. */
#define FILESET_UNUSED "not used: no volume of this set, or one that is there twice"

/* The file, or the directory, that may be a volume that is missing, or have it, and cannot be
 * read; NULL: none is. */
const char *fileset_barred(const struct fileset *files, const struct bundle *bundle);

/* Why, in words; and what to say behind them. */
const char *fileset_why_barred(const struct fileset *files);
#define FILESET_BARRED "a volume that is missing may be there"

/* Warn of files that were named and are no part of the set, of volumes that are there and of
 * no use, and of what is barred. */
void fileset_warn(const struct fileset *files, const struct bundle *bundle);

/* Wipe the names of the files, which are of no use after that. */
void fileset_forget_names(struct fileset *files);

/* After the bundle. */
void fileset_close(struct fileset *files);

#endif
