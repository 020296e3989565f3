/* A file that appears under its name complete and synced, or not at all.
 *
 * It is written beside its final name under a neutral one - random lower-case
 * letters, as many as the final name has but no fewer than eight, with its extension,
 * because a deleted directory entry stays readable on FAT - and renamed when it is done.
 * (Of fewer, one might be the final name of another that is being written.)
 * For OUTFILE_IN_PLACE the final name stands for the neutral one below.
 * Bytes go strictly front to back, each once: no seek, no hole. */
#ifndef COMMON_OUTFILE_H
#define COMMON_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outfile;

/* Begin path, mode 0600 less umask.
 * replace: an existing file, or symbolic link, may be replaced when it is published; anything
 * else there is refused (EISDIR, EINVAL).  At most 1,088 at a time (EMFILE), with two
 * descriptors each.
 * STATUS_EXISTS (and replace is false), STATUS_IO, STATUS_NOMEM, STATUS_CANCELLED
 * (outfile_discard_all was called). */
int outfile_open(struct outfile **out, const char *path, bool replace);

/* Where the name is taken: say so at once, or only when it is published, as nobody
 * expects it in a directory that was just made; or replace it.  In place, which is for what
 * is written at once: the final name is taken from the start, and who is killed may leave a
 * part under it; renaming is a quarter of the work that a small file is. */
enum outfile_if_taken { OUTFILE_REFUSE, OUTFILE_REFUSE_LATE, OUTFILE_REPLACE, OUTFILE_IN_PLACE };

/* The same, of many small files, for extraction.  name: one component in the directory
 * dirfd, which must stay open until out is freed.  Signals after which
 * outfile_discard_all is called should be for other threads: what is begun in the
 * moment in which one comes here may stay. */
int outfile_open_at(struct outfile **out, int dirfd, const char *name, enum outfile_if_taken taken);

/* Append len bytes; EINTR and short writes are retried.  Every few MiB the
 * kernel is told to start writing, so that outfile_synced_len moves on and a
 * stop is not followed by minutes of waiting.  STATUS_IO. */
int outfile_write(struct outfile *out, const void *buf, size_t len);

/* Leave a hole of len bytes (extraction of sparse files only). STATUS_IO. */
int outfile_skip(struct outfile *out, uint64_t len);

/* Bytes appended so far, and how many of them are known to be durable. */
uint64_t outfile_len(const struct outfile *out);
uint64_t outfile_synced_len(const struct outfile *out);

/* The descriptor, for fchmod, futimens and reading back. Borrowed. */
int outfile_fd(const struct outfile *out);

/* fsync the content. STATUS_IO. */
int outfile_sync(struct outfile *out);

/* Drop what is synced from the page cache and read len bytes at off from the
 * medium.  STATUS_IO. */
int outfile_read_back(struct outfile *out, void *buf, size_t len, uint64_t off);

/* Publish under the final name; durable: content and directory are synced.
 * Frees out in every case; on failure the temporary file is removed.
 * STATUS_EXISTS (somebody else made it meanwhile; never overwritten unless
 * replace), STATUS_IO, STATUS_CANCELLED. */
int outfile_commit(struct outfile *out, bool durable);

/* The same, durable, but that what has the final name keeps it: this one stays beside it, and name
 * is its own; "" where nobody had the final name. */
int outfile_commit_beside(struct outfile *out, char name[static NAME_MAX + 1]);

/* The first half of that, for files that belong together; outfile_commit, with the same
 * durable, is the second, and removes what was replaced; outfile_withdraw undoes it.  Statuses as
 * above. */
int outfile_publish(struct outfile *out, bool durable);

/* What had the name before has it again, or nobody; out is to be discarded.  Where the file
 * system cannot exchange names, what was replaced is gone: then the new one stays. */
void outfile_withdraw(struct outfile *out);

/* Remove the temporary file and free.  NULL is fine. */
void outfile_discard(struct outfile *out);

/* The directory that path is in, to be freed; NULL: no memory. */
char *outfile_directory(const char *path);

/* Does this errno say that the drive is to blame, and another may do? */
bool outfile_is_unfit(int error);

/* What to say of STATUS_EXISTS, where --force is an option, and of a directory. */
#define OUTFILE_EXISTS "exists already; --force replaces it"
#define OUTFILE_IS_DIRECTORY "is a directory; name a file in it"

/* Nobody who names a link to a drive, or to what lies on it, means that the link shall be
 * replaced. */
#define OUTFILE_IS_LINK "is a symbolic link; name what it leads to"

/* Unlink every temporary file of the process that is not committed, also what other
 * threads are just beginning; on a drive that stalls these get two seconds.  From now on
 * none can be begun.  Safe in a signal handler. */
void outfile_discard_all(void);

#endif
