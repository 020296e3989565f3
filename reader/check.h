/* Is the tree one?  The rules of bundle(5), "Entries", that no single block can
 * break. */
#ifndef READER_CHECK_H
#define READER_CHECK_H

#include <stddef.h>

struct arena;
struct cursor;
struct format_content;

/* Bytes of arena that check_tree takes. */
size_t check_size(void);

/* Goes through all entries: parents and children, order of names, hard links,
 * targets, attributes, runs, lengths of paths.
 * Takes up to six bytes of memory for each directory of a level that is not empty.
 * *what: the rule that is broken, in words, with STATUS_INVALID.
 * STATUS_DAMAGED, STATUS_ALTERED: not all of it can be read; STATUS_NOMEM. */
int check_tree(struct arena *arena, struct cursor *cursor, const struct format_content *content,
               const char **what);

#endif
