/* What is to be packed: one node for each file, directory, link, in the order
 * of the bundle's index (breadth first, siblings by name) - with no content.
 * About 64 bytes and the name for each; 24 more with full metadata, 8 more with
 * archives.
 *
 * Nodes are numbered as they are added.  A node may be dropped later, when it
 * turns out that it cannot be read; tree_number then gives the rest the ids
 * that they have in the bundle. */
#ifndef BUNDLER_TREE_H
#define BUNDLER_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

struct spill;

struct node {
	uint32_t parent;
	uint32_t first_child; /* directory; numbers of nodes.  Else tree_link's */
	uint32_t child_count; /* the same */
	uint32_t links;       /* names that lead here, 1 or more */
	uint64_t name_off;    /* in the tree's names */
	uint64_t size;        /* file: bytes; symbolic link: of the target */
	uint64_t place;       /* as format_entry.place; hard link: the node it names again */
	int64_t mtime;        /* seconds */
	uint32_t runs;
	uint16_t mode; /* all permission bits, as found */
	uint8_t name_len;
	uint8_t kind : 2; /* enum format_kind */
	uint8_t sparse : 1;
	uint8_t dropped : 1;
	uint8_t given : 1; /* as a path */
};

/* Beside it with full metadata only. */
struct node_extra {
	uint64_t xattr_off; /* in the stage's heap */
	uint32_t xattr_len;
	uint32_t mtime_nsec;
	uint32_t uid, gid;
};

/* Of an archive, what a node of the tree is: for a file where its content lies among
 * what is kept, for a directory its number while it is scanned. */
#define TREE_ON_DISK UINT64_MAX

/* id: after tree_number, count + 1 of them: node -> entry; for a dropped node, the
 * entry that follows.
 * base: the directory on disk of each child of the root, "" for the current one;
 * pointers and strings are one block. */
struct tree {
	struct node *node;
	struct node_extra *extra; /* NULL unless full metadata is kept */
	uint32_t count, room;
	char *names;
	uint64_t names_len, names_room;
	uint32_t *id;
	uint32_t entry_count;
	char **base;
	uint64_t dropped_count;
	int64_t newest;     /* no time is later; INT64_MAX: any may be */
	struct spill *kept; /* NULL: nothing came out of an archive */
	uint64_t *kept_at;  /* of each node, TREE_ON_DISK: it did not; NULL as kept */
};

/* A tree with its root, node 0. STATUS_NOMEM. */
int tree_new(struct tree **tree, bool full_metadata);
void tree_free(struct tree *tree);

/* There are archives, too: kept, which is freed with the tree, will have their
 * contents.  Once, before anything is added.  STATUS_NOMEM. */
int tree_keep(struct tree *tree, struct spill *kept);
bool tree_is_kept(const struct tree *tree, uint32_t number);

/* The one place where times are bounded: by the format, and by tree.newest. */
void tree_set_time(struct tree *tree, uint32_t number, int64_t seconds, uint32_t nanoseconds);

/* Append a child of parent; children of one directory must be added one after
 * another and in ascending order of their names.  *number: its node.
 * STATUS_NOMEM, STATUS_TOOBIG (more entries than the format holds). */
int tree_add(struct tree *tree, uint32_t parent, const char *name, size_t len, uint32_t *number);

/* A node that was just added is another name of the file first, which stands before it. */
void tree_link(struct tree *tree, uint32_t number, uint32_t first);

/* Terminated; borrowed until the next tree_add. */
const char *tree_name(const struct tree *tree, uint32_t number);

/* Where node is in the bundle ("" for the root), and on disk; out: size bytes,
 * always terminated. STATUS_TOOBIG. */
int tree_inner_path(const struct tree *tree, uint32_t number, char *out, size_t size);
int tree_path(const struct tree *tree, uint32_t number, char *out, size_t size);

/* The longest tree_path that can be opened, and its terminator. */
#define TREE_PATH_SIZE (PATH_MAX + FORMAT_PATH + 2)

/* The directory on disk that a child of the root is in, "" for the current one. */
const char *tree_base(const struct tree *tree, uint32_t top);

/* Leave a file, or a directory and everything in it, out of the bundle. The
 * first name left of a dropped file with hard links takes its place. */
void tree_drop(struct tree *tree, uint32_t number);

/* Give every node that is left its entry id.  STATUS_NOMEM. */
int tree_number(struct tree *tree);

/* The next node in path order - the files of a directory, then, one after
 * another, its directories with all that is in them - behind number, or 0 at
 * the end.  Begin with 0.  Constant memory: the walk is found from the tree. */
uint32_t tree_next_in_path_order(const struct tree *tree, uint32_t number);

#endif
