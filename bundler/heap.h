/* The heap of a tree: targets of symbolic links, and sets of extended attributes, to
 * which nodes refer. */
#ifndef BUNDLER_HEAP_H
#define BUNDLER_HEAP_H

struct arena;
struct spill;
struct tree;

/* Nothing of a file that was dropped may be packed: copy what the other nodes refer to,
 * in their order, and let them refer to the copy.  *copy: for the caller to free; its
 * key lies in the arena.  STATUS_NOMEM; STATUS_IO, STATUS_DAMAGED (either). */
int heap_copy_without_dropped(struct spill **copy, struct arena *arena, struct tree *tree,
                              struct spill *heap);

#endif
