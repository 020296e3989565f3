/* What stat(2) says of all that is in a directory, in the order of its listing.  Where that is
 * much, several threads go ahead and ask for what will be wanted next. */
#ifndef BUNDLER_LOOKS_H
#define BUNDLER_LOOKS_H

#include <stdbool.h>
#include <sys/stat.h>

struct listing;
struct looks;

struct look {
	int error; /* errno; 0: st */
	struct stat st;
};

/* cancelled: as of scan_options.  STATUS_NOMEM. */
int looks_new(struct looks **looks, bool (*cancelled)(void));

/* NULL is fine. */
void looks_free(struct looks *looks);

/* From now on those of a listing, none of them given or of an archive; it must stay as it
 * is, and dirfd open, until looks_end.  STATUS_NOMEM. */
int looks_begin(struct looks *looks, const struct listing *listing, int dirfd);

/* Of the next item, until the next call; NULL behind the last one.  Worth nothing when
 * cancelled() is true. */
const struct look *looks_next(struct looks *looks);
void looks_end(struct looks *looks);

#endif
