/* The paged tables of bundle(5), "Index": entries, segments, runs, heap, leaf
 * sums.  Blocks are fetched when they are looked at, checked against the digest
 * in the node above them, and kept in a small cache.  Nothing is loaded ahead;
 * any look-up touches a bounded number of blocks. */
#ifndef COMMON_INDEX_H
#define COMMON_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

struct arena;
struct expander;

/* Where an index gets its bytes: len of them at off from its start, to out. */
typedef int index_read_fn(void *context, uint64_t off, size_t len, uint8_t *out);

/* One thread's view of an index. */
struct index;

/* Bytes of arena that index_new takes. */
size_t index_size(void);

/* content, expander: borrowed.  STATUS_NOMEM.  Blocks live in the arena,
 * which may be wiped under it: look-ups then fail. */
int index_new(struct index **index, struct arena *arena, const struct format_content *content,
              struct expander *expander, index_read_fn *read, void *context);

/* NULL is fine. */
void index_free(struct index *index);

/* All of these return STATUS_DAMAGED, STATUS_ALTERED (signed) or STATUS_INVALID
 * when a block cannot be had.  What is looked for is found if the blocks and nodes on
 * the way from the root to it can be had, whatever else is lost; but a name is not looked
 * for across more than 64 lost blocks.  What they point to is borrowed from the cache until
 * the next call with the same index. */

/* id < the number of entries. */
int index_entry(struct index *index, uint32_t id, const struct format_entry **entry);

/* The child of directory that is called name.  STATUS_NOENT: there is none, and none
 * is lost that might be it. */
int index_lookup(struct index *index, const struct format_entry *directory, const char *name,
                 size_t len, uint32_t *id);

/* Segment number n. */
int index_segment(struct index *index, uint64_t n, const struct format_segment **segment);

/* The segment that holds address addr (below the plaintext's length). */
int index_segment_at(struct index *index, uint64_t addr, const struct format_segment **segment);

/* Where index_segment_at finds addr damaged, no address before this has a segment that can
 * be had: behind addr, at most the plaintext's length. */
uint64_t index_next_address(struct index *index, uint64_t addr);

/* The last run of the sparse file that begins at or before off.  Returns 1 and
 * *run, 0 if there is none before off; *next: where the run behind it begins, or
 * the file's size; where that is lost, and off in the run, the run's end. */
int index_run_at(struct index *index, const struct format_entry *file, uint64_t off,
                 struct format_run *run, uint64_t *next);

/* Copy len bytes of the heap at off. */
int index_heap(struct index *index, uint64_t off, size_t len, uint8_t *out);

/* The digest of leaf block j. */
int index_leaf_sum(struct index *index, uint64_t j, uint8_t digest[static FORMAT_DIGEST]);

/* Fetch and check block b of a table: for verification. */
int index_check_block(struct index *index, enum format_table_no table, uint64_t b);

/* The block to look at behind block b; the number of them all if there is none.
 * Where a node is lost, so are all blocks below it; where one lies, none behind it
 * is asked for.  A reference of a node is met once for each path to the node, and of
 * those a tree of height h has at most 2^(h - 1), one if nothing is lost: so there are
 * few of them for each reference that the medium has. */
uint64_t index_next_block(struct index *index, enum format_table_no table, uint64_t b);

#endif
