/* The index of a stage: its tree, segments, runs and heap as the tables of
 * bundle(5), "Index". */
#ifndef BUNDLER_TABLES_H
#define BUNDLER_TABLES_H

struct spill;
struct stage;

/* Write them to stage->index and describe them in stage->content.  The tree must
 * have its numbers.  heap: as scan_paths filled it.  level: zstd's.
 * STATUS_IO, STATUS_DAMAGED (a spill), STATUS_NOMEM, STATUS_CANCELLED. */
int tables_write(struct stage *stage, struct spill *heap, int level);

#endif
