#include "common/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/source.h"
#include "common/status.h"

enum {
	PACE_BYTES = 8 << 20,
	LIVE_MAX = 1088, /* output files at a time: all volumes of a bundle, and some */
	STEM_MIN = 8,
	NAME_TRIES = 128,
	PATIENCE_MS = 2000,
};

/* A name that outfile_discard_all has to remove, if it is live, and to wait
 * for, if it is about to be.  Its owner alone moves it: free, taken, begun, live, taken,
 * free. */
enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_BEGUN, SLOT_LIVE };

struct slot {
	atomic_int state;
	int dirfd;
	char name[NAME_MAX + 1];
};

static struct slot slots[LIVE_MAX];
static atomic_bool ended; /* by outfile_discard_all */

/* What became of the final name. */
enum published { UNPUBLISHED, WAS_FREE, EXCHANGED, REPLACED };

struct outfile {
	int fd;
	int dirfd;
	bool own_dirfd;
	struct slot *slot;
	char *name; /* the final one, in dirfd */
	enum outfile_if_taken taken;
	enum published published;
	bool cached; /* the page cache may hold what the medium does not */
	uint64_t len;
	uint64_t pushed; /* up to here the kernel was told to write */
	uint64_t synced;
};

static struct slot *slot_take(void)
{
	for (size_t i = 0; i < LIVE_MAX; i++) {
		int expected = SLOT_FREE;

		if (atomic_compare_exchange_strong(&slots[i].state, &expected, SLOT_TAKEN))
			return &slots[i];
	}
	errno = EMFILE;
	return NULL;
}

/* Frees, without touching the file. */
static void release(struct outfile *out)
{
	/* Names may be those of a bundle's files, extensions too. */
	if (out->slot) {
		explicit_bzero(out->slot->name, sizeof out->slot->name);
		atomic_store(&out->slot->state, SLOT_FREE);
	}
	if (out->fd >= 0)
		close(out->fd);
	if (out->own_dirfd)
		close(out->dirfd);
	if (out->name)
		explicit_bzero(out->name, strlen(out->name));
	free(out->name);
	free(out);
}

static int prepare(struct outfile **out, int dirfd, const char *name, enum outfile_if_taken taken)
{
	struct outfile *o = calloc(1, sizeof *o);

	if (!o)
		return STATUS_NOMEM;
	o->fd = -1;
	o->taken = taken;
	o->dirfd = dirfd;
	o->name = strdup(name);
	o->slot = slot_take();
	if (o->name && o->slot && !atomic_load(&ended)) {
		*out = o;
		return STATUS_OK;
	}
	release(o);
	return atomic_load(&ended) ? STATUS_CANCELLED : STATUS_IO;
}

/* May the final name be taken?  Better known before hours of writing. */
static int check_final(const struct outfile *out)
{
	struct stat st;

	if (fstatat(out->dirfd, out->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? STATUS_OK : STATUS_IO;
	if (out->taken != OUTFILE_REPLACE)
		return STATUS_EXISTS;
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return STATUS_OK;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	return STATUS_IO;
}

/* Not a call for each: those were two fifths of all calls of an extraction. */
static uint8_t random_byte(void)
{
	static _Thread_local uint8_t byte[256];
	static _Thread_local size_t left;

	if (left == 0) {
		randombytes_buf(byte, sizeof byte);
		left = sizeof byte;
	}
	return byte[--left];
}

static char random_letter(void)
{
	uint8_t byte;

	/* 234 is 9 * 26: every letter is as likely. */
	do
		byte = random_byte();
	while (byte >= 234);
	return (char)('a' + byte % 26);
}

/* A neutral name in the likeness of name. */
static void make_temp_name(char out[static NAME_MAX + 1], const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *ext = dot && dot != name && strlen(dot) <= NAME_MAX / 2 ? dot : "";
	size_t ext_len = strlen(ext);
	/* A name on FAT may be longer than NAME_MAX: what it counts are not bytes. */
	size_t stem_len = min_u64(max_u64(strlen(name) - ext_len, STEM_MIN), NAME_MAX - ext_len);

	for (size_t i = 0; i < stem_len; i++)
		out[i] = random_letter();
	memcpy(out + stem_len, ext, ext_len + 1);
}

/* Create the slot's file.  Whoever discards all finds it begun, at least; and what was
 * created behind his back goes at once. */
static int create(struct outfile *out)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	out->slot->dirfd = out->dirfd;
	atomic_store(&out->slot->state, SLOT_BEGUN);
	out->fd = openat(out->dirfd, out->slot->name, flags, 0600);
	atomic_store(&out->slot->state, out->fd >= 0 ? SLOT_LIVE : SLOT_TAKEN);
	if (out->fd < 0)
		return STATUS_IO;
	return atomic_load(&ended) ? STATUS_CANCELLED : STATUS_OK;
}

static int open_in_place(struct outfile *out)
{
	int status;

	if (strlen(out->name) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return STATUS_IO;
	}
	strcpy(out->slot->name, out->name);
	status = create(out);
	return status == STATUS_IO && errno == EEXIST ? STATUS_EXISTS : status;
}

static int open_temp(struct outfile *out)
{
	for (size_t i = 0; i < NAME_TRIES; i++) {
		int status;

		make_temp_name(out->slot->name, out->name);
		/* FAT does not tell upper case from lower case. */
		if (!strcasecmp(out->slot->name, out->name))
			continue;
		status = create(out);
		if (status != STATUS_IO || errno != EEXIST)
			return status;
	}
	errno = EEXIST;
	return STATUS_IO;
}

int outfile_open_at(struct outfile **out, int dirfd, const char *name, enum outfile_if_taken taken)
{
	struct outfile *o = NULL;
	int status;

	if (!name[0] || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
		errno = EINVAL;
		return STATUS_IO;
	}
	status = prepare(&o, dirfd, name, taken);
	if (status == STATUS_OK && (taken == OUTFILE_REFUSE || taken == OUTFILE_REPLACE))
		status = check_final(o);
	if (status == STATUS_OK)
		status = taken == OUTFILE_IN_PLACE ? open_in_place(o) : open_temp(o);
	if (status == STATUS_OK)
		*out = o;
	else
		outfile_discard(o);
	return status;
}

char *outfile_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
}

/* No signal may come to this thread while the file is created and not yet known: its
 * handler would wait in vain. */
static int open_shielded(struct outfile **out, int dirfd, const char *name, bool replace)
{
	sigset_t all, before;
	int status;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = outfile_open_at(out, dirfd, name, replace ? OUTFILE_REPLACE : OUTFILE_REFUSE);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

int outfile_open(struct outfile **out, const char *path, bool replace)
{
	const char *slash = strrchr(path, '/');
	char *dir = outfile_directory(path);
	int dirfd, status, saved;

	if (!dir)
		return STATUS_NOMEM;
	dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	saved = errno;
	free(dir);
	errno = saved;
	if (dirfd < 0)
		return STATUS_IO;
	status = open_shielded(out, dirfd, slash ? slash + 1 : path, replace);
	if (status == STATUS_OK) {
		(*out)->own_dirfd = true;
		return status;
	}
	saved = errno;
	close(dirfd);
	errno = saved;
	return status;
}

/* A length of 0 would mean the rest of the file. */
static int flush(const struct outfile *out, uint64_t from, uint64_t to, unsigned flags)
{
	return to > from ? sync_file_range(out->fd, (off_t)from, (off_t)(to - from), flags) : 0;
}

/* Only these say that the medium refused; a file system that does not know the
 * call gives others. */
static bool medium_failed(int rc)
{
	return rc && (errno == EIO || errno == ENOSPC || errno == EDQUOT || errno == ENODEV);
}

/* Start the window just filled, wait for the one before: no more than two of
 * them are ever dirty. */
static int pace(struct outfile *out)
{
	const unsigned start = SYNC_FILE_RANGE_WRITE;
	const unsigned wait = start | SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	uint64_t end = out->len / PACE_BYTES * PACE_BYTES;
	int rc;

	if (end <= out->pushed)
		return STATUS_OK;
	if (medium_failed(flush(out, out->pushed, end, start)))
		return STATUS_IO;
	rc = flush(out, out->synced, out->pushed, wait);
	if (medium_failed(rc))
		return STATUS_IO;
	if (rc == 0)
		out->synced = out->pushed;
	out->pushed = end;
	return STATUS_OK;
}

int outfile_write(struct outfile *out, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len) {
		ssize_t put = pwrite(out->fd, p, min_u64(len, PACE_BYTES), (off_t)out->len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0)
			errno = EIO;
		if (put <= 0)
			return STATUS_IO;
		p += put;
		len -= (size_t)put;
		out->len += (uint64_t)put;
		out->cached = true;
		if (pace(out))
			return STATUS_IO;
	}
	return STATUS_OK;
}

static int cut(int fd, uint64_t len)
{
	int rc;

	do
		rc = ftruncate(fd, (off_t)len);
	while (rc && errno == EINTR);
	return rc;
}

int outfile_skip(struct outfile *out, uint64_t len)
{
	uint64_t end;

	if (!add_u64(out->len, len, &end) || end > INT64_MAX) {
		errno = EFBIG;
		return STATUS_IO;
	}
	if (cut(out->fd, end))
		return STATUS_IO;
	out->len = end;
	return STATUS_OK;
}

uint64_t outfile_len(const struct outfile *out)
{
	return out->len;
}

uint64_t outfile_synced_len(const struct outfile *out)
{
	return out->synced;
}

int outfile_fd(const struct outfile *out)
{
	return out->fd;
}

/* call: fsync or syncfs. */
static int sync_fd(int (*call)(int fd), int fd)
{
	int rc;

	do
		rc = call(fd);
	while (rc && errno == EINTR);
	return rc;
}

int outfile_sync(struct outfile *out)
{
	if (sync_fd(fsync, out->fd))
		return STATUS_IO;
	out->pushed = out->synced = out->len;
	return STATUS_OK;
}

int outfile_read_back(struct outfile *out, void *buf, size_t len, uint64_t off)
{
	/* Once after the last write: what readahead brings in later comes from
	 * the medium. */
	if (out->cached && !posix_fadvise(out->fd, 0, 0, POSIX_FADV_DONTNEED))
		out->cached = out->synced < out->len;
	return source_read_fd(out->fd, buf, len, off);
}

/* For file systems without RENAME_NOREPLACE: a link refuses just as well. */
static int publish_by_link(const struct outfile *out)
{
	if (linkat(out->dirfd, out->slot->name, out->dirfd, out->name, 0))
		return errno == EEXIST ? STATUS_EXISTS : STATUS_IO;
	/* Not under two names: that one is taken back. */
	if (unlinkat(out->dirfd, out->slot->name, 0) && !unlinkat(out->dirfd, out->name, 0))
		return STATUS_IO;
	return STATUS_OK;
}

/* And for those without links either, a moment's gap is left. */
static int publish_by_check(const struct outfile *out)
{
	int status = check_final(out);

	if (status)
		return status;
	return renameat(out->dirfd, out->slot->name, out->dirfd, out->name) ? STATUS_IO : STATUS_OK;
}

static int publish(const struct outfile *out)
{
	bool replace = out->taken == OUTFILE_REPLACE;
	unsigned flags = replace ? 0 : RENAME_NOREPLACE;
	int status;

	/* By number, because musl has no name for it. */
	if (!syscall(SYS_renameat2, out->dirfd, out->slot->name, out->dirfd, out->name, flags))
		return STATUS_OK;
	if (errno == EEXIST)
		return STATUS_EXISTS;
	if (errno != EINVAL && errno != ENOSYS)
		return STATUS_IO;
	status = replace ? STATUS_IO : publish_by_link(out);
	return status == STATUS_IO ? publish_by_check(out) : status;
}

/* A directory may be writable and not readable, and not every file system can
 * sync one; a name that may be gone tomorrow is taken back. */
static int sync_directory(const struct outfile *out)
{
	int fd = openat(out->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? sync_fd(syncfs, out->fd) : sync_fd(fsync, fd);
	int saved = errno, status;

	status = rc && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP ? STATUS_IO
	                                                                         : STATUS_OK;
	if (fd >= 0)
		close(fd);
	/* What it has replaced is gone already: better the new one than none. */
	if (status && out->taken != OUTFILE_REPLACE)
		unlinkat(out->dirfd, out->name, 0);
	errno = saved;
	return status;
}

/* Where nothing is synced, some file systems report at close what went wrong. */
static int finish_content(struct outfile *out, bool durable)
{
	int fd = out->fd;

	if (durable)
		return outfile_sync(out);
	out->fd = -1;
	return close(fd) && errno != EINTR ? STATUS_IO : STATUS_OK;
}

static bool is_unknown(int error)
{
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EXDEV;
}

static int exchange(const struct outfile *out)
{
	return (int)syscall(SYS_renameat2, out->dirfd, out->slot->name, out->dirfd, out->name,
	                    RENAME_EXCHANGE);
}

/* What is replaced takes the neutral name. */
static int publish_beside(struct outfile *out)
{
	int status = check_final(out);
	bool was_free;

	if (status)
		return status;
	if (!exchange(out)) {
		out->published = EXCHANGED;
		return STATUS_OK;
	}
	was_free = errno == ENOENT;
	if (!was_free && !is_unknown(errno))
		return STATUS_IO;
	if (publish(out))
		return STATUS_IO;
	out->published = was_free ? WAS_FREE : REPLACED;
	return STATUS_OK;
}

int outfile_publish(struct outfile *out, bool durable)
{
	int status = finish_content(out, durable);

	if (status == STATUS_OK && out->taken == OUTFILE_REPLACE) {
		status = publish_beside(out);
	} else if (status == STATUS_OK) {
		status = publish(out);
		out->published = status ? UNPUBLISHED : WAS_FREE;
	}
	return status && atomic_load(&ended) ? STATUS_CANCELLED : status;
}

void outfile_withdraw(struct outfile *out)
{
	int saved = errno;

	/* What cannot go back keeps the neutral name. */
	if (out->published == EXCHANGED && exchange(out))
		atomic_store(&out->slot->state, SLOT_TAKEN);
	else if (out->published == WAS_FREE)
		unlinkat(out->dirfd, out->name, 0);
	errno = saved;
}

static int publish_at_once(struct outfile *out, bool durable)
{
	int status = finish_content(out, durable);

	if (status == STATUS_OK && out->taken != OUTFILE_IN_PLACE)
		status = publish(out);
	return status && atomic_load(&ended) ? STATUS_CANCELLED : status;
}

int outfile_commit(struct outfile *out, bool durable)
{
	int status = out->published ? STATUS_OK : publish_at_once(out, durable);

	if (status == STATUS_OK) {
		/* No longer ours to remove. */
		atomic_store(&out->slot->state, SLOT_TAKEN);
		status = durable ? sync_directory(out) : STATUS_OK;
		if (out->published == EXCHANGED)
			unlinkat(out->dirfd, out->slot->name, 0);
	}
	outfile_discard(out);
	return status;
}

int outfile_commit_beside(struct outfile *out, char name[static NAME_MAX + 1])
{
	int status;

	*name = '\0';
	out->taken = OUTFILE_REFUSE_LATE;
	status = publish_at_once(out, true);
	if (status == STATUS_EXISTS) {
		memcpy(name, out->slot->name, NAME_MAX + 1);
		out->taken = OUTFILE_REPLACE; /* what has the name is not ours to take back */
		status = STATUS_OK;
	}
	if (status == STATUS_OK) {
		atomic_store(&out->slot->state, SLOT_TAKEN);
		status = sync_directory(out);
	}
	outfile_discard(out);
	return status;
}

void outfile_discard(struct outfile *out)
{
	int saved = errno;

	if (!out)
		return;
	if (out->slot && atomic_load(&out->slot->state) == SLOT_LIVE)
		unlinkat(out->dirfd, out->slot->name, 0);
	release(out);
	errno = saved;
}

bool outfile_is_unfit(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EROFS:
	case EIO:
	case ENODEV:
	case ENXIO: return true;
	default: return false;
	}
}

/* Is there a name to be removed?  What another thread has begun it has done in a moment. */
static bool is_live(struct slot *slot, int *patience)
{
	while (atomic_load(&slot->state) == SLOT_BEGUN && (*patience)-- > 0)
		clock_pause(1);
	return atomic_load(&slot->state) == SLOT_LIVE;
}

void outfile_discard_all(void)
{
	int patience = PATIENCE_MS;

	atomic_store(&ended, true);
	for (size_t i = 0; i < LIVE_MAX; i++)
		if (is_live(&slots[i], &patience))
			unlinkat(slots[i].dirfd, slots[i].name, 0);
}
