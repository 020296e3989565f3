/* The extended attributes of a file, as the set that the bundle stores.
 * bundle(5), "Entries". */
#ifndef BUNDLER_ATTRIBUTES_H
#define BUNDLER_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attributes;

struct attribute {
	const char *name;
	const void *value;
	size_t len;
};

/* STATUS_NOMEM. */
int attributes_new(struct attributes **attributes);
void attributes_free(struct attributes *attributes);

/* Read those of the file at path; follow: of what a symbolic link leads to.
 * *set: *len bytes, borrowed until the next call; *len is 0 where there are none
 * or the file system knows none.
 * STATUS_IO; STATUS_TOOBIG: more than FORMAT_XATTRS; STATUS_NOMEM. */
int attributes_read(struct attributes *attributes, const char *path, bool follow,
                    const uint8_t **set, size_t *len);

/* The same of a list, which is sorted for it; of several of one name any is taken.
 * STATUS_TOOBIG. */
int attributes_make(struct attributes *attributes, struct attribute *list, size_t count,
                    const uint8_t **set, size_t *len);

#endif
