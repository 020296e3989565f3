/* A scan under way: for roots.c, which finds out what was given, scan.c, which looks at
 * disks, and plant.c, which makes nodes of what it and archives have. */
#ifndef BUNDLER_SCANNING_H
#define BUNDLER_SCANNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bundler/inodes.h"
#include "bundler/listing.h"
#include "bundler/scan.h"
#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/format.h"

struct attributes;
struct look;
struct looks;
struct members;
struct spill;
struct stat;

/* What directory, or archive, an item of the root is in. */
struct base {
	char *path;
	size_t text_off; /* in the tree's block of them */
	dev_t dev;
};

/* Where a child of the root was taken from. */
struct top {
	uint32_t base;
	dev_t dev; /* the file system that it is on */
};

struct scan {
	struct tree *tree;
	struct spill *heap;
	const struct scan_options *options;
	struct scan_report *report;
	struct listing listing;
	struct looks *looks;
	const struct look *look; /* at the item that is being taken; NULL: nobody has yet */
	struct base *base;
	uint32_t base_count;
	struct top *top; /* one for each child of the root */
	size_t top_room;
	bool root_is_known; /* it stands for a directory */
	struct way way;
	struct inodes inodes;
	struct members *members;         /* of archives; NULL: there are none */
	struct attributes *attributes;   /* NULL unless full metadata is kept */
	uint8_t set[FORMAT_XATTRS];      /* one from an archive */
	uint8_t last_set[FORMAT_XATTRS]; /* and where it is in the heap */
	uint64_t last_off;
	uint32_t last_len;
	/* The directory whose children are being taken in. */
	uint32_t parent;
	int dirfd;
	char inner[FORMAT_PATH + FORMAT_NAME + 2]; /* its path in the bundle, with a slash behind */
	size_t inner_len;
	char shown[TREE_PATH_SIZE + FORMAT_NAME + 2];
};

/* Statuses as in scan.h. */

/* Take in what was given, which is the root's, and remember where it came from.  Then, when
 * all that is below is known, the root's own metadata. */
int roots_scan(struct scan *scan, const char *const *paths, unsigned count);
int roots_metadata(struct scan *scan);

/* Take in an item of the listing, whose directory is scan->dirfd. */
int scan_take(struct scan *scan, const struct item *item);

/* The same of all the listing, which is of that directory alone. */
int scan_take_all(struct scan *scan);

/* If it was asked for by its name: is it there, and readable?  Better known before an hour of
 * reading. */
int scan_check_given(struct scan *scan, const struct item *item);

/* st, and with full metadata what else name in scan->dirfd has. */
int scan_metadata(struct scan *scan, uint32_t number, const char *name, bool follow,
                  const struct stat *st);

/* Say why what was asked for by its name cannot be had.  Returns status. */
int scan_fail(struct scan *scan, const char *path, int status, const char *why);

/* Where an item of the listing lies; until the next message. */
const char *scan_item_path(struct scan *scan, const struct item *item);

/* A line for each name in that directory that a bundle cannot hold. */
void scan_leave_long_names_out(struct scan *scan, const char *path);

/* Where a child of the root comes from; children are numbered from 1. */
int plant_top(struct scan *scan, uint32_t number, const struct item *item, dev_t dev);

/* Another name of a file that is there already?  *is_link; or it is noted. */
int plant_link(struct scan *scan, uint32_t number, dev_t dev, ino_t ino, bool *is_link);

/* A set of extended attributes, and the target of a symbolic link. */
int plant_set(struct scan *scan, uint32_t number, const uint8_t *set, size_t len);
int plant_target(struct scan *scan, uint32_t number, const char *target, size_t len);

/* Count it in. */
void plant_file(struct scan *scan, uint32_t number, uint64_t size);
void plant_directory(struct scan *scan, uint32_t number);

/* The item, a member of an archive, becomes a node. */
int plant_member(struct scan *scan, const struct item *item);

/* Append the members of a directory to the listing; base: for children of the root,
 * that of the first archive. */
int plant_list(struct scan *scan, uint32_t member, uint32_t base);

/* Metadata of a directory, from the archive. */
int plant_metadata(struct scan *scan, uint32_t number, uint32_t member);

/* Is it of an archive? */
bool plant_is_member(const struct scan *scan, uint32_t number);

/* Directories that no archive mentions are as old as the youngest thing in them. */
void plant_invented_times(struct scan *scan);

#endif
