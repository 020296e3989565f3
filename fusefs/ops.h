/* What the kernel asks, answered from the bundle.  Node id = entry id + 1, a
 * hard link's is that of the file it names; so there is nothing to remember and
 * nothing to forget. */
#ifndef FUSEFS_OPS_H
#define FUSEFS_OPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/bundle.h"
#include "fusefs/fuse.h"

struct notes;
struct reports;
struct streams;
struct worker;

/* What all handlers share; immutable but for what is marked. */
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

extern const struct fuse_lowlevel_ops ops_table;

/* For a worker that has nothing else to do: tell of files that cannot be read what is due, while
 * somebody takes it. */
extern const struct errand ops_tell_due;

/* Once no worker answers any more: the lines that are still held, without names, as far as
 * somebody takes them in so long. */
void ops_tell_held(const struct view *view, unsigned milliseconds);

#endif
