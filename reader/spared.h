/* Files that nothing is put in place of, by device and number: those that are read, and
 * what was just written under a name that the file system takes for the same.  They are
 * for whoever has the turn. */
#ifndef READER_SPARED_H
#define READER_SPARED_H

#include <pthread.h>
#include <stdbool.h>

struct stat;

struct spared {
	void *tree; /* of hashes: who meets another's is spared too */
	pthread_mutex_t turn;
};

/* All zeros but for the mutex is none. */
void spared_init(struct spared *spared);
void spared_fini(struct spared *spared);

/* STATUS_NOMEM. */
int spared_add(struct spared *spared, const struct stat *file);

/* path: NULL for none.  A symbolic link, and what it leads to; what is not there is
 * no matter. */
int spared_add_path(struct spared *spared, const char *path);

/* fd: negative for none. */
int spared_add_descriptor(struct spared *spared, int fd);

bool spared_has(const struct spared *spared, const struct stat *file);

#endif
