/* Writes an index: the blocks of one table after another, and over each the tree
 * of nodes that finds them.  bundle(5), "Index". */
#ifndef BUNDLER_INDEXER_H
#define BUNDLER_INDEXER_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

struct indexer;
struct spill;

/* out: where the index goes, empty so far.  level: zstd's.  STATUS_NOMEM. */
int indexer_new(struct indexer **indexer, struct spill *out, int level);
void indexer_free(struct indexer *indexer);

/* The next block of the table being written: raw_len bytes, at most
 * FORMAT_ENTRY_BLOCK.  key: what its reference says.  STATUS_IO, STATUS_NOMEM. */
int indexer_add_block(struct indexer *indexer, const uint8_t *raw, size_t raw_len,
                      const uint8_t key[static 16]);

/* The end of a table: its nodes are written, *top leads to all of it, zero where
 * it has no blocks.  The next table may begin.  STATUS_IO, STATUS_NOMEM. */
int indexer_end_table(struct indexer *indexer, struct format_ref *top);

#endif
