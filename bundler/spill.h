/* Bytes that the stage has made and the writer will want: appended once, read
 * at any place.  The first ones stay in memory; the rest goes to an unlinked
 * file, sealed page by page with a key that exists only in this process, so
 * that nothing readable is left on the packing machine's disk (promise 5). */
#ifndef BUNDLER_SPILL_H
#define BUNDLER_SPILL_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct spill;

/* memory: bytes that may stay in memory; all are asked for at once.  directory: where
 * the file goes if it is needed (created then, O_TMPFILE or unlinked at once); copied.
 * The key lies in the arena.  STATUS_NOMEM. */
int spill_new(struct spill **spill, struct arena *arena, size_t memory, const char *directory);

/* Wipes the key.  NULL is fine. */
void spill_free(struct spill *spill);

/* STATUS_IO (ENOSPC), STATUS_NOMEM: nothing more can be appended then. */
int spill_append(struct spill *spill, const void *bytes, size_t len);
uint64_t spill_len(const struct spill *spill);

/* Take back what lies at len and behind it.  Not while somebody reads.  STATUS_IO,
 * STATUS_DAMAGED, STATUS_NOMEM: nothing can be done with it any more. */
int spill_cut(struct spill *spill, uint64_t len);

/* As given: for messages. */
const char *spill_directory(const struct spill *spill);

/* What to say of it when it fails, with strerror. */
#define SPILL_TROUBLE                                                                           \
	"%s; the encrypted temporary file is there: make room, or name another directory with " \
	"--spill"

/* len bytes at off, all of them appended before.  From several threads, but not
 * while one appends.  STATUS_IO; STATUS_DAMAGED: the disk gave back something
 * else, out is then undefined. */
int spill_read(struct spill *spill, uint64_t off, size_t len, void *out);

#endif
