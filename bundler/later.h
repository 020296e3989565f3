/* Reads of sources that are put off, for another thread to do: a list of them for each
 * job.  In a signed bundle each leaf is looked at once more there, in the very bytes that
 * will be sealed. */
#ifndef BUNDLER_LATER_H
#define BUNDLER_LATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/origin.h"
#include "bundler/tree.h"
#include "common/format.h"

struct check_piece;
struct stage;

enum {
	LATER_LEAST = FORMAT_PAYLOAD, /* bytes that are worth it */
	LATER_PARTS = 64,
	LATER_FILES = 8, /* that one list keeps open */
};

#define LATER_UNCHECKED UINT64_MAX

/* A source that is open, for several to read. */
struct later_file;

/* Take over what is open, with one user. STATUS_NOMEM: it is closed. */
int later_file_new(struct later_file **file, struct stage *stage, struct origin_file *opened,
                   const struct origin *origin);

/* Give up one user.  The last closes it: STATUS_CHANGED, if it is not what it was, and
 * culprit is its path.  NULL is fine, for either. */
int later_file_release(struct later_file *file, char *culprit);

/* Bytes [off, off + len) of a file, which go to out; they are within an extent of it,
 * [begin, end), whose first leaf has number leaf, or LATER_UNCHECKED. */
struct later_part {
	struct later_file *file;
	uint64_t off, begin, end, leaf;
	size_t len;
	uint8_t *out;
};

/* What was put off.  All zero: nothing. */
struct later {
	struct later_part part[LATER_PARTS];
	unsigned count, file_count, done;
	int status, error; /* of the part that was not done */
	bool in_spill;
};

/* What a thread needs to read. */
struct later_tools {
	struct check_piece *check;
	uint8_t *leaf; /* that only a part of was wanted: */
	const struct stage *stage;
	uint64_t leaf_no;
	bool in_spill; /* what failed */
};

/* STATUS_NOMEM.  later_tools_fini: also after that. */
int later_tools_init(struct later_tools *tools);
void later_tools_fini(struct later_tools *tools);

/* Read it now.  STATUS_CHANGED: it is shorter, or a leaf is not what it was when it was
 * hashed; STATUS_IO; STATUS_DAMAGED, or STATUS_IO: a spill.  culprit: its path, or the
 * spill's directory. */
int later_read(const struct later_part *part, struct later_tools *tools,
               char culprit[static TREE_PATH_SIZE]);

/* Put it off, and become one more user of the file.  false: it must be read now. */
bool later_add(struct later *later, const struct later_part *part);

/* Read what was put off; in any thread, and whether it went well is told by later_end. */
void later_run(struct later *later, struct later_tools *tools);

/* Give up what is left, and begin anew.  What later_run met, and then the culprit:
 * statuses (errno) as later_read.  culprit: NULL if nobody asks. */
int later_end(struct later *later, char *culprit);

#endif
