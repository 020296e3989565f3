#include "bundler/supply.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundler/spill.h"
#include "common/bytes.h"
#include "common/status.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { HEAD = 512, WAIT_MS = 250 };

static bool is_cancelled(const struct supply *s)
{
	return s->cancelled && s->cancelled();
}

/* A signal does not end a read from a pipe that nobody writes to. */
static bool wait_for(const struct supply *s)
{
	struct pollfd pipe = {.fd = s->fd, .events = POLLIN};

	if (S_ISREG(s->st.st_mode))
		return !is_cancelled(s);
	while (!is_cancelled(s))
		if (poll(&pipe, 1, WAIT_MS) > 0)
			return true;
	return false;
}

/* Some of what the descriptor has, at off of the buffer. */
static ssize_t read_some(struct supply *s, size_t off)
{
	ssize_t got = -1;

	do {
		if (!wait_for(s)) {
			errno = ECANCELED;
			break;
		}
		got = s->in_order
		              ? read(s->fd, s->buffer + off, SUPPLY_BUFFER - off)
		              : pread(s->fd, s->buffer + off, SUPPLY_BUFFER - off, (off_t)s->at);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	return got;
}

static ssize_t read_copy(struct supply *s)
{
	size_t len = s->at < s->len ? min_u64(s->len - s->at, SUPPLY_BUFFER) : 0;
	int status =
		is_cancelled(s) ? STATUS_CANCELLED : spill_read(s->copy, s->at, len, s->buffer);

	if (status)
		errno = status == STATUS_CANCELLED ? ECANCELED : EIO;
	return status ? -1 : (ssize_t)len;
}

ssize_t supply_read(struct supply *s, const void **bytes)
{
	ssize_t got = (ssize_t)s->ahead;

	if (s->copy)
		got = read_copy(s);
	else if (!got)
		got = read_some(s, 0);
	s->ahead = 0;
	s->at += got > 0 ? (uint64_t)got : 0;
	*bytes = s->buffer;
	return got;
}

int64_t supply_seek(struct supply *s, int64_t off, int whence)
{
	int64_t from = whence == SEEK_END ? (int64_t)s->len : 0;

	if (whence == SEEK_CUR)
		from = (int64_t)s->at;
	if (s->in_order || __builtin_add_overflow(from, off, &off) || off < 0)
		return -1;
	s->at = (uint64_t)off;
	return off;
}

int64_t supply_skip(struct supply *s, int64_t len)
{
	int64_t left = s->at < s->len ? (int64_t)(s->len - s->at) : 0;

	if (s->in_order || len < 0)
		return 0;
	len = len < left ? len : left;
	s->at += (uint64_t)len;
	return len;
}

/* --- what needs to be read in another order than it comes in ------------------ */

/* The sum over its first block, the field itself as spaces. */
static bool is_tar(const uint8_t *head, size_t len)
{
	enum { SUM = 148, SUM_LEN = 8 };
	char text[SUM_LEN + 1] = "";
	unsigned long sum = 0;

	if (len < HEAD)
		return false;
	for (size_t i = 0; i < HEAD; i++)
		sum += i >= SUM && i < SUM + SUM_LEN ? ' ' : head[i];
	memcpy(text, head + SUM, SUM_LEN);
	return sum == strtoul(text, NULL, 8);
}

/* Tables at the end, or members in any order: all but tar, cpio and ar, plain or
 * compressed. */
static bool comes_in_order(const uint8_t *head, size_t len)
{
	static const struct {
		unsigned len;
		char bytes[8];
	} row[] = {
		{2, "\x1f\x8b"}, /* gzip */
		{2, "\x1f\x9d"}, /* compress */
		{3, "BZh"},      /* bzip2 */
		{6, "\xfd"
	            "7zXZ"},             /* xz; its sixth byte is NUL */
		{3, "\x5d\0\0"},         /* lzma */
		{4, "\x28\xb5\x2f\xfd"}, /* zstd */
		{4, "\x04\x22\x4d\x18"}, /* lz4 */
		{4, "LZIP"},
		{5, "07070"}, /* cpio */
		{2, "\xc7\x71"},
		{2, "\x71\xc7"},
		{8, "!<arch>\n"}, /* ar */
	};

	for (size_t i = 0; i < COUNT(row); i++)
		if (len >= row[i].len && !memcmp(head, row[i].bytes, row[i].len))
			return true;
	return is_tar(head, len);
}

/* The first bytes of a pipe, as many as it takes to know what comes. */
static int look_ahead(struct supply *s)
{
	ssize_t got = 1;

	while (s->ahead < HEAD && got > 0) {
		got = read_some(s, s->ahead);
		s->ahead += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return errno == ECANCELED ? STATUS_CANCELLED : STATUS_IO;
	return STATUS_OK;
}

static int copy_all(struct supply *s, bool *spilled)
{
	struct spill *copy = s->copy;
	const void *bytes;
	int status = STATUS_OK;
	ssize_t got = 1;

	s->copy = NULL;
	while (status == STATUS_OK && (got = supply_read(s, &bytes)) > 0)
		status = spill_append(copy, bytes, (size_t)got);
	*spilled = status != STATUS_OK;
	if (got < 0)
		status = errno == ECANCELED ? STATUS_CANCELLED : STATUS_IO;
	s->copy = copy;
	s->len = spill_len(copy);
	s->at = 0;
	s->in_order = false;
	return status;
}

/* --- all of it ---------------------------------------------------------------- */

/* Not blocking: a FIFO may wait for long for who writes to it, and a signal does not end that. */
static int open_file(struct supply *s, const char *file)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if (!strcmp(file, "-")) {
		s->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	} else {
		s->fd = open(file, flags | O_NOATIME);
		if (s->fd < 0 && errno == EPERM)
			s->fd = open(file, flags);
	}
	if (s->fd < 0 || fstat(s->fd, &s->st))
		return STATUS_IO;
	if (S_ISDIR(s->st.st_mode))
		errno = EISDIR;
	return S_ISDIR(s->st.st_mode) ? STATUS_IO : STATUS_OK;
}

static int begin(struct supply *s, struct arena *arena, size_t memory, const char *directory,
                 bool *spilled)
{
	int status;

	/* Standard input may be in the middle of a file: that is as good as a pipe. */
	s->in_order = !(S_ISREG(s->st.st_mode) || S_ISBLK(s->st.st_mode)) ||
	              lseek(s->fd, 0, SEEK_CUR) != 0;
	if (!s->in_order) {
		off_t len = lseek(s->fd, 0, SEEK_END);

		s->len = len > 0 ? (uint64_t)len : 0;
		return len < 0 ? STATUS_IO : len == 0 ? STATUS_NOENT : STATUS_OK;
	}
	status = look_ahead(s);
	if (status == STATUS_OK && !s->ahead)
		status = STATUS_NOENT;
	if (status || comes_in_order(s->buffer, s->ahead))
		return status;
	status = spill_new(&s->copy, arena, memory, directory);
	return status ? status : copy_all(s, spilled);
}

int supply_open(struct supply *s, const char *file, bool (*cancelled)(void), struct arena *arena,
                size_t memory, const char *directory, bool *spilled)
{
	int status, saved;

	*s = (struct supply){.fd = -1, .cancelled = cancelled, .buffer = malloc(SUPPLY_BUFFER)};
	*spilled = false;
	status = s->buffer ? open_file(s, file) : STATUS_NOMEM;
	if (status == STATUS_OK)
		status = begin(s, arena, memory, directory, spilled);
	saved = errno;
	if (status)
		supply_close(s);
	errno = saved;
	return status;
}

void supply_close(struct supply *s)
{
	if (s->fd >= 0)
		close(s->fd);
	spill_free(s->copy);
	free(s->buffer);
	*s = (struct supply){.fd = -1};
}

bool supply_is_unchanged(const struct supply *s)
{
	struct stat now;

	if (!S_ISREG(s->st.st_mode))
		return true;
	return !fstat(s->fd, &now) && now.st_size == s->st.st_size &&
	       now.st_mtim.tv_sec == s->st.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == s->st.st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == s->st.st_ctim.tv_nsec;
}

int supply_finish(struct supply *s)
{
	const void *bytes;
	ssize_t got = 1;

	while (s->in_order && got > 0)
		got = supply_read(s, &bytes);
	if (got < 0)
		return errno == ECANCELED ? STATUS_CANCELLED : STATUS_IO;
	return supply_is_unchanged(s) ? STATUS_OK : STATUS_CHANGED;
}
