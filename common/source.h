/* read_at over a file or over memory: the only way in which a bundle's bytes
 * come in.  pread(2), never mmap(2): a stick that is pulled must be an error
 * and not a signal.  Opened read-only, without touching the access time where
 * the kernel allows (O_NOATIME).  A source is immutable: threads share it. */
#ifndef COMMON_SOURCE_H
#define COMMON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct source;

/* What the kernel reads, or fails to read, in one piece. */
enum { SOURCE_SECTOR = 4096 };

/* Open path (a regular file or a block device; STATUS_IO with errno EISDIR,
 * EINVAL or what open(2) said for anything else).
 * STATUS_IO, STATUS_NOMEM; *source untouched on failure. */
int source_open_file(struct source **source, const char *path);

/* len bytes at bytes, borrowed until source_close. STATUS_NOMEM. */
int source_open_memory(struct source **source, const void *bytes, size_t len);

/* Bytes that can be read: the size when it was opened. */
uint64_t source_len(const struct source *source);

/* Read exactly len bytes at off into buf; EINTR and short reads are retried.
 * STATUS_IO: errno; EIO also where the source ends early, so every byte that
 * cannot be had looks the same.  buf is undefined on failure. */
int source_read_at(const struct source *source, void *buf, size_t len, uint64_t off);

/* Where that fails: what can be read of them, SOURCE_SECTOR at a time; the rest
 * is zeros.  STATUS_IO (errno) unless that is all of them after all. */
int source_salvage(const struct source *source, void *buf, size_t len, uint64_t off);

/* The same as source_read_at over a descriptor of one's own. */
int source_read_fd(int fd, void *buf, size_t len, uint64_t off);

/* From now on whoever comes back from reading a file calls this, which need not return:
 * for an end that does not wait for a medium.  NULL: nothing is called. */
void source_halt(void (*halt)(void));

/* Can the byte at off be read of a file, from the medium and not from the page cache?  What
 * somebody maps, or has written and not synced, stays there. */
bool source_reads_again(const struct source *source, uint64_t off);

/* From now on this is called, in the thread that reads, where bytes of a file cannot be read, and
 * nothing can of what could before, past the page cache: the medium is gone, and what is missing
 * is not damage.  It need not return.  NULL: nobody asks. */
void source_watch(void (*gone)(const struct source *source));

/* Tell the kernel that len bytes at off will be wanted soon. Advice only. */
void source_will_need(const struct source *source, uint64_t off, uint64_t len);

/* What is read from now on comes from the medium, and not from the page cache, as far as the
 * file system can (one that lives in memory cannot).  What was written to the file, by
 * whomever, and is not on the medium yet, is waited for: that can take minutes. */
void source_drop_cache(const struct source *source);

/* How many source_read_at calls were answered: for tests that count. */
uint64_t source_read_count(const struct source *source);

/* The descriptor of a file, -1 for memory.  Borrowed. */
int source_fd(const struct source *source);

/* NULL is fine. */
void source_close(struct source *source);

#endif
