#include "bundler/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/tree.h"
#include "bundler/way.h"
#include "common/bytes.h"
#include "common/drive.h"
#include "common/status.h"

static void note(struct origin *origin, const struct stat *st)
{
	origin->dev = st->st_dev;
	origin->ino = st->st_ino;
	origin->size = (uint64_t)st->st_size;
	origin->mtime = st->st_mtim.tv_sec;
	origin->ctime = st->st_ctim.tv_sec;
	origin->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	origin->ctime_nsec = (uint32_t)st->st_ctim.tv_nsec;
}

/* A pipe that took the file's place must not hold us up. */
static int open_quietly(struct way *way, const struct tree *tree, uint32_t node, int *fd)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	int status = way_open(way, tree, node, flags | O_NOATIME, fd);

	return status && errno == EPERM ? way_open(way, tree, node, flags, fd) : status;
}

static int open_kept(const struct tree *tree, uint32_t node, struct origin_file *file,
                     struct origin *origin)
{
	*file = ORIGIN_CLOSED;
	*origin = (struct origin){.size = tree->node[node].size, .node = node, .is_kept = true};
	return kept_open(&file->kept, tree->kept, tree->kept_at[node]);
}

int origin_open(struct way *way, const struct tree *tree, uint32_t node, struct origin_file *file,
                struct origin *origin)
{
	int opened = -1, saved;
	struct stat st;

	if (tree_is_kept(tree, node))
		return open_kept(tree, node, file, origin);
	if (open_quietly(way, tree, node, &opened))
		return STATUS_IO;
	if (fstat(opened, &st) == 0) {
		if (S_ISREG(st.st_mode)) {
			*origin = (struct origin){.node = node};
			note(origin, &st);
			*file = ORIGIN_CLOSED;
			file->fd = opened;
			file->is_short = (uint64_t)st.st_blocks * 512 < origin->size;
			return STATUS_OK;
		}
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	}
	saved = errno;
	close(opened);
	errno = saved;
	return STATUS_IO;
}

void origin_close(struct origin_file *file)
{
	int saved = errno;

	if (file->fd >= 0)
		close(file->fd);
	*file = ORIGIN_CLOSED;
	errno = saved;
}

static bool same(const struct origin *a, const struct origin *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
	       a->ctime == b->ctime && a->mtime_nsec == b->mtime_nsec &&
	       a->ctime_nsec == b->ctime_nsec;
}

bool origin_unchanged(const struct origin_file *file, const struct origin *origin)
{
	struct origin now = {0};
	struct stat st;

	if (origin->is_kept || file->loaded)
		return true;
	if (fstat(file->fd, &st))
		return false;
	note(&now, &st);
	return same(&now, origin);
}

bool origin_has_number(const struct origin_file *file, const struct origin *now, uint64_t ino)
{
	struct drive drive;

	return now->ino == ino || (!drive_look(&drive, file->fd) && drive.renumbers);
}

bool origin_is(const struct origin_file *file, const struct origin *now, const struct origin *then)
{
	struct origin numbered = *then;

	if (!now->is_kept && origin_has_number(file, now, then->ino))
		numbered.ino = now->ino;
	return same(now, &numbered);
}

static int read_disk(int fd, uint8_t *p, size_t len, uint64_t off)
{
	while (len) {
		ssize_t got = pread(fd, p, len, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return STATUS_IO;
		if (got == 0)
			return STATUS_CHANGED;
		p += got;
		off += (uint64_t)got;
		len -= (size_t)got;
	}
	return STATUS_OK;
}

int origin_read(struct origin_file *file, void *buf, size_t len, uint64_t off)
{
	if (file->loaded) {
		memcpy(buf, file->loaded + off, len);
		return STATUS_OK;
	}
	return file->fd < 0 ? kept_read(&file->kept, buf, len, off)
	                    : read_disk(file->fd, buf, len, off);
}

int origin_load(struct origin_file *file, const struct origin *origin, uint8_t *bytes)
{
	int status = read_disk(file->fd, bytes, (size_t)origin->size, 0);

	if (status == STATUS_OK && !origin_unchanged(file, origin))
		status = STATUS_CHANGED;
	if (status)
		return status;
	origin_close(file);
	file->loaded = bytes;
	return STATUS_OK;
}

/* Where a file system cannot tell, all is data. */
static uint64_t seek(int fd, uint64_t off, int whence, uint64_t size)
{
	off_t found = lseek(fd, (off_t)off, whence);

	if (found < 0)
		return whence == SEEK_DATA && errno != ENXIO ? off : size;
	return min_u64((uint64_t)found, size);
}

static void find_data(int fd, uint64_t size, uint64_t off, uint64_t *begin, uint64_t *end)
{
	uint64_t next = off < size ? seek(fd, off, SEEK_DATA, size) : size;

	*begin = next - off < ORIGIN_HOLE ? off : next;
	while (next < size) {
		*end = seek(fd, next, SEEK_HOLE, size);
		if (*end <= next)
			break; /* it is being written to */
		next = *end < size ? seek(fd, *end, SEEK_DATA, size) : size;
		if (next - *end >= ORIGIN_HOLE)
			return;
	}
	*end = size;
}

int origin_next_data(struct origin_file *file, uint64_t size, uint64_t off, uint64_t *begin,
                     uint64_t *end)
{
	if (file->loaded) {
		*begin = off;
		*end = size;
		return STATUS_OK;
	}
	if (file->fd < 0)
		return kept_next_data(&file->kept, size, off, begin, end);
	find_data(file->fd, size, off, begin, end);
	return STATUS_OK;
}

int origin_has_holes(struct origin_file *file, uint64_t size, bool *has_holes)
{
	uint64_t begin = 0, end = size;
	int status = STATUS_OK;

	if (!file->loaded && (file->fd < 0 || file->is_short))
		status = origin_next_data(file, size, 0, &begin, &end);
	*has_holes = begin > 0 || end < size;
	return status;
}
