/* Where libcrypto keeps its contexts: they hold keys, so they belong into the
 * arena.  What it fetches once (some 190 KB, no secrets) stays on the ordinary
 * heap. */
#ifndef FUSEFS_HEAP_H
#define FUSEFS_HEAP_H

#include <stddef.h>

struct arena;

/* Take over libcrypto's memory, before anything else calls it, and let it fetch
 * what it needs.  STATUS_NOMEM. */
int heap_init(void);

/* Bytes of arena that heap_move_in takes. */
size_t heap_size(void);

/* From here on libcrypto's memory comes from the arena.  STATUS_NOMEM. */
int heap_move_in(struct arena *arena);

#endif
