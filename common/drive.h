/* The file system behind a directory: the one place that knows what FAT and others
 * can and cannot do. */
#ifndef COMMON_DRIVE_H
#define COMMON_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#define DRIVE_FAT_LONGEST UINT32_MAX /* file */

/* After "the bundle has", or what it is that does: an amount. */
#define DRIVE_TOO_LONG "%s, and a file on such a drive (FAT) has at most 4.2 GB"

struct drive {
	uint64_t free;    /* bytes; UINT64_MAX where that cannot be known */
	uint64_t cluster; /* every file takes a multiple of this */
	uint64_t longest; /* file */
	bool fat;         /* or exFAT: made for drives that are carried */
	bool memory;      /* there is no medium */
	bool renumbers;   /* a file may have another inode number each time it is opened */
	bool remote;      /* between us and the medium is somebody with a cache of his own:
	                   * what is read back may never have been written */
};

/* fd: of a file or directory there, O_PATH will do.  STATUS_IO. */
int drive_look(struct drive *drive, int fd);
int drive_look_at(struct drive *drive, const char *directory);

/* Room for count files of len bytes each? */
bool drive_has_room(const struct drive *drive, unsigned count, uint64_t len);

#endif
