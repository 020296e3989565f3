/* The names in a directory, to be brought into the order of the index. */
#ifndef BUNDLER_LISTING_H
#define BUNDLER_LISTING_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Something found in a directory or an archive, or given as a path. */
struct item {
	uint64_t name_off;
	uint32_t base;   /* for children of the root: number of the directory that it is in */
	uint32_t member; /* of an archive; 0: it is on disk */
	uint8_t name_len;
	bool given;
};

/* All zero to begin with. */
struct listing {
	struct item *item;
	size_t count, room;
	char *names;
	size_t names_len, names_room;
	size_t too_long; /* names that were read, and are not here */
};

void listing_clear(struct listing *listing);
void listing_fini(struct listing *listing);

/* STATUS_NOMEM. */
int listing_add(struct listing *listing, const char *name, size_t len, uint32_t base, bool given);

/* Append what is in dir.  A bundle has no names of more than 255 bytes; a directory may: what FAT
 * counts are not bytes.  STATUS_IO: what could be read is there; STATUS_NOMEM. */
int listing_read(struct listing *listing, DIR *dir, uint32_t base);

void listing_sort(struct listing *listing);

/* As memcmp, of the names of two items. */
int listing_compare(const struct listing *listing, size_t a, size_t b);

#endif
