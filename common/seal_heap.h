/* Where libcrypto keeps its contexts: they hold keys, so they belong into the
 * arena.  What it fetches once (some 190 KB, no secrets) stays on the ordinary
 * heap.  For the programs that seal with libcrypto. */
#ifndef COMMON_SEAL_HEAP_H
#define COMMON_SEAL_HEAP_H

#include <openssl/types.h>
#include <stddef.h>

struct arena;

/* Where algorithms are fetched from, NULL if there is no memory for it.  Not
 * libcrypto's default: that one reads a configuration, which may name code to load,
 * and where memory runs out while it is made its next user crashes. */
OSSL_LIB_CTX *seal_library(void);

/* Take over libcrypto's memory, before anything else calls it, and let it fetch
 * what it needs.  STATUS_NOMEM. */
int seal_heap_init(void);

/* What that many seals at a time need. */
size_t seal_heap_bytes(unsigned seals);

/* From here on libcrypto's memory is len bytes of the arena, which must outlive
 * everything that seals; when they are used up its calls fail.  STATUS_NOMEM. */
int seal_heap_move_in(struct arena *arena, size_t len);

#endif
