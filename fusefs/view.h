/* What those who answer share. */
#ifndef FUSEFS_VIEW_H
#define FUSEFS_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/bundle.h"
#include "fusefs/fuse.h"

struct notes;
struct reports;
struct streams;

/* Immutable from the first request on, but for what is atomic. */
struct view {
	const struct format_content *content;
	uint32_t root;     /* the entry shown as the root */
	uint32_t read_max; /* of one read request */
	bool cached;       /* the kernel may keep what it was given */
	bool names;        /* of damaged files may be printed */
	uid_t uid;
	gid_t gid;
	struct notes *notes;
	struct streams *streams;
	struct reports *reports;
	void (*asked_to_end)(void *context);
	bool (*medium_is_there)(void *context);
	void *context;

	bool greeted;       /* the kernel's INIT has arrived */
	bool knows_no_open; /* it takes ENOSYS to mean that nobody need be asked */
	bool knows_no_opendir;
	_Atomic int64_t last_read; /* clock_boot_s */
	_Atomic bool damaged;      /* something could not be read */
};

/* Node id = entry id + 1, a hard link's is that of the file it names; so there is nothing to
 * remember and nothing to forget. */
static inline uint32_t view_entry(const struct view *v, fuse_ino_t node)
{
	return node == FUSE_ROOT_ID ? v->root : (uint32_t)(node - 1);
}

static inline fuse_ino_t view_node(const struct view *v, uint32_t entry)
{
	return entry == v->root ? FUSE_ROOT_ID : (fuse_ino_t)entry + 1;
}

#endif
