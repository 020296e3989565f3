/* Files that nothing is put in place of, by device and number: those that are read, and
 * what was just written under a name that the file system takes for the same.  Where
 * numbers do not last, what was written is known by its name, too.  They are for
 * whoever has the turn. */
#ifndef READER_SPARED_H
#define READER_SPARED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct stat;

struct spared {
	void *files, *names; /* trees of hashes: who meets another's is spared too */
	int *held;
	size_t held_count; /* of those that are read: an open file keeps its number */
	pthread_mutex_t turn;
};

/* All zeros but for the mutex is none. */
void spared_init(struct spared *spared);
void spared_fini(struct spared *spared);

/* STATUS_NOMEM. */
int spared_add(struct spared *spared, const struct stat *file);

/* path: NULL for none.  A symbolic link, and what it leads to, which stay open; what is
 * not there is no matter. */
int spared_add_path(struct spared *spared, const char *path);

/* fd: negative for none. */
int spared_add_descriptor(struct spared *spared, int fd);

bool spared_has(const struct spared *spared, const struct stat *file);

/* The same by name, in the directory that path lies in, for which upper and lower case are the
 * same: of some alphabets a file system may tell it, and then one too many is spared.
 * STATUS_NOMEM. */
int spared_add_name(struct spared *spared, const char *path, const char *name);
bool spared_has_name(const struct spared *spared, const char *path, const char *name);

#endif
