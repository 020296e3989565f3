/* The file system behind a directory: the one place that knows what FAT and others
 * can and cannot do. */
#ifndef BUNDLER_DRIVE_H
#define BUNDLER_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

struct drive {
	uint64_t free;    /* bytes; UINT64_MAX where that cannot be known */
	uint64_t cluster; /* every file takes a multiple of this */
	uint64_t longest; /* file */
	bool fat;         /* or exFAT: made for drives that are carried */
	bool memory;      /* there is no medium */
	bool remote;      /* between us and the medium is somebody with a cache of his own:
	                   * what is read back may never have been written */
};

/* fd: of a file or directory there, O_PATH will do.  STATUS_IO. */
int drive_look(struct drive *drive, int fd);

/* Room for count files of len bytes each? */
bool drive_has_room(const struct drive *drive, unsigned count, uint64_t len);

/* What is free in directory less a uniform 0.1 to 1 %: for one file, at most the
 * longest; or for files of up to volume bytes, if that is not 0.  *longest: more is free,
 * but one file can take no more of it.  STATUS_IO. */
int drive_fill(const char *directory, uint64_t volume, uint64_t *len, bool *longest);

#endif
