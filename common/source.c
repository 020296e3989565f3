#include "common/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/status.h"

enum {
	PARTS = 8,        /* of a file, of each of which one place is known that could be read */
	WINDOW = 2 << 20, /* as much as the page cache may keep in one piece */
};

/* What changes: apart, because a source is const. */
struct notes {
	_Atomic uint64_t read_count;
	_Atomic uint64_t place[PARTS]; /* the last byte that was read there, plus 1; 0: none was */
};

struct source {
	int fd; /* -1: bytes */
	const uint8_t *bytes;
	uint64_t len;
	struct notes *notes;
};

static struct source *new_source(void)
{
	struct source *source = calloc(1, sizeof *source);

	if (!source)
		return NULL;
	source->fd = -1;
	source->notes = calloc(1, sizeof *source->notes);
	if (source->notes)
		return source;
	free(source);
	return NULL;
}

/* Not blocking, because the path may be a FIFO, which is refused afterwards. */
static int open_quietly(const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = open(path, flags);
	return fd;
}

/* The length of what fd is, if it is something that has one. */
static int measure(int fd, uint64_t *len)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st))
		return STATUS_IO;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return STATUS_IO;
	}
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(fd, 0, SEEK_END);
	if (end < 0)
		return STATUS_IO;
	*len = (uint64_t)end;
	return STATUS_OK;
}

int source_open_file(struct source **source, const char *path)
{
	struct source *s = new_source();
	int status = STATUS_IO;

	if (!s)
		return STATUS_NOMEM;
	s->fd = open_quietly(path);
	if (s->fd >= 0)
		status = measure(s->fd, &s->len);
	if (status == STATUS_OK)
		*source = s;
	else
		source_close(s);
	return status;
}

int source_open_memory(struct source **source, const void *bytes, size_t len)
{
	struct source *s = new_source();

	if (!s)
		return STATUS_NOMEM;
	s->bytes = bytes;
	s->len = len;
	*source = s;
	return STATUS_OK;
}

uint64_t source_len(const struct source *source)
{
	return source->len;
}

static void (*_Atomic halted)(void);

void source_halt(void (*halt)(void))
{
	atomic_store(&halted, halt);
}

static void check_halt(void)
{
	void (*halt)(void) = atomic_load(&halted);

	if (halt)
		halt();
}

int source_read_fd(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t got = pread(fd, p, len, (off_t)off);

		check_halt();
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return STATUS_IO;
		p += got;
		len -= (size_t)got;
		off += (uint64_t)got;
	}
	return STATUS_OK;
}

static void (*_Atomic gone)(const struct source *source);

void source_watch(void (*report)(const struct source *source))
{
	atomic_store(&gone, report);
}

static uint64_t part_len(const struct source *source)
{
	return source->len / PARTS + 1;
}

static void note_place(const struct source *source, uint64_t last)
{
	atomic_store_explicit(&source->notes->place[last / part_len(source)], last + 1,
	                      memory_order_relaxed);
}

bool source_reads_again(const struct source *source, uint64_t off)
{
	uint8_t byte;

	posix_fadvise(source->fd, (off_t)(off / WINDOW * WINDOW), WINDOW, POSIX_FADV_DONTNEED);
	return source_read_fd(source->fd, &byte, 1, off) == STATUS_OK;
}

static bool was_ever_read(const struct source *source)
{
	for (unsigned part = 0; part < PARTS; part++)
		if (atomic_load(&source->notes->place[part]))
			return true;
	return false;
}

/* The place in each part that was read last, or where it begins.  Where nothing was ever read
 * there is nothing to go by. */
static bool is_gone(const struct source *source)
{
	if (!was_ever_read(source))
		return false;
	for (unsigned part = 0; part < PARTS; part++) {
		uint64_t place = atomic_load(&source->notes->place[part]);

		if (source_reads_again(source, place ? place - 1 : part * part_len(source)))
			return false;
	}
	return true;
}

static int read_file(const struct source *source, void *buf, size_t len, uint64_t off)
{
	void (*report)(const struct source *) = atomic_load(&gone);
	int status = source_read_fd(source->fd, buf, len, off), error = errno;

	if (status == STATUS_OK && len)
		note_place(source, off + len - 1);
	if (status && report && is_gone(source))
		report(source);
	errno = error;
	return status;
}

int source_read_at(const struct source *source, void *buf, size_t len, uint64_t off)
{
	atomic_fetch_add_explicit(&source->notes->read_count, 1, memory_order_relaxed);
	if (!range_within(off, len, source->len)) {
		errno = EIO;
		return STATUS_IO;
	}
	if (source->fd >= 0)
		return read_file(source, buf, len, off);
	if (len)
		memcpy(buf, source->bytes + off, len);
	return STATUS_OK;
}

int source_salvage(const struct source *source, void *buf, size_t len, uint64_t off)
{
	uint8_t *p = buf;
	int error = 0;

	while (len) {
		size_t n = (size_t)min_u64(SOURCE_SECTOR - off % SOURCE_SECTOR, len);

		if (source_read_at(source, p, n, off) != STATUS_OK) {
			error = errno;
			memset(p, 0, n);
		}
		p += n;
		len -= n;
		off += n;
	}
	errno = error;
	return error ? STATUS_IO : STATUS_OK;
}

void source_will_need(const struct source *source, uint64_t off, uint64_t len)
{
	/* A length of 0 would mean the rest of the file. */
	if (source->fd >= 0 && off < source->len && len)
		posix_fadvise(source->fd, (off_t)off, (off_t)min_u64(len, source->len - off),
		              POSIX_FADV_WILLNEED);
}

/* Only what is on the medium leaves the cache.  Where it never gets there, reading will tell. */
void source_drop_cache(const struct source *source)
{
	if (source->fd < 0)
		return;
	while (fsync(source->fd) && errno == EINTR)
		check_halt();
	posix_fadvise(source->fd, 0, 0, POSIX_FADV_DONTNEED);
}

uint64_t source_read_count(const struct source *source)
{
	return atomic_load_explicit(&source->notes->read_count, memory_order_relaxed);
}

int source_fd(const struct source *source)
{
	return source->fd;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	if (source->fd >= 0)
		close(source->fd);
	free(source->notes);
	free(source);
}
