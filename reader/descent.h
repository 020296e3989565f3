/* The way down to one directory after the other, most of them near the one before: some
 * of those on the way stay open.  Every component is opened by itself, and no symbolic
 * link is followed. */
#ifndef READER_DESCENT_H
#define READER_DESCENT_H

#include <fcntl.h>
#include <stddef.h>

enum {
	DESCENT_KEPT = 24, /* eight, and one for each power of two in FORMAT_PATH / 2 */
	DESCENT_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

/* As openat(2): of one component, which may have another name there. */
typedef int descent_open_fn(void *context, int dirfd, const char *name, int flags);

struct descent {
	int root; /* borrowed */
	descent_open_fn *open;
	void *context; /* of open */
	char *path;    /* FORMAT_PATH + 1: to the last of those that are open */
	unsigned kept;
	struct {
		int fd;
		size_t len;     /* of path, up to this one */
		unsigned depth; /* components, of which it is the last */
	} step[DESCENT_KEPT];
};

/* Closes them all.  All zeros will do, too. */
void descent_fini(struct descent *d);

/* The directory at path, of at most FORMAT_PATH bytes; "" is the root.  Borrowed, until
 * the next call.  -1: errno. */
int descent_to(struct descent *d, const char *path);

#endif
