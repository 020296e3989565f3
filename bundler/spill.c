#include "bundler/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/format.h"
#include "common/seal.h"
#include "common/source.h"
#include "common/status.h"

enum {
	SMALL = 1 << 20, /* bytes that come in pages, so that a small bundle takes no more */
	NAME_TRIES = 16,
};

#define NO_PAGE UINT64_MAX

/* Number of a page for its nonce: what was cut off and is written anew counts on
 * from here.  2^40 pages are 16 PiB. */
#define AGE_SHIFT 40

/* Pages from this one to that of the next age are of this one. */
struct age {
	uint64_t page;
	uint32_t age;
};

struct spill {
	uint64_t len;
	uint64_t memory; /* bytes of it that stay in memory */
	uint8_t *bytes;

	/* The rest: sealed pages, each written once, and what does not fill one. */
	char *directory;
	int fd;
	uint8_t *key; /* in the arena */
	uint8_t *tail, *page;
	struct age *age; /* by page; none: all are of age 0 */
	size_t age_count;
	uint32_t youngest;

	pthread_mutex_t lock; /* of what readers share: page and those below */
	struct seal *seal;
	uint8_t *cache;
	uint64_t cached; /* number of the page in it */
};

/* Room for memory bytes, and one more, as nobody gets none.  It is taken when it is written
 * to, unless the system counts what is asked for (vm.overcommit_memory, ulimit -v).  Behind
 * the first ones it comes in huge pages where there are any: that is fewer faults. */
static uint8_t *reserve(size_t memory)
{
	uint8_t *bytes = mmap(NULL, memory + 1, PROT_READ | PROT_WRITE,
	                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == MAP_FAILED)
		return NULL;
	if (memory > SMALL)
		madvise(bytes + SMALL, memory - SMALL, MADV_HUGEPAGE);
	return bytes;
}

int spill_new(struct spill **spill, struct arena *arena, size_t memory, const char *directory)
{
	struct spill *s = calloc(1, sizeof(*s));

	if (!s)
		return STATUS_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->memory = memory;
	s->fd = -1;
	s->cached = NO_PAGE;
	s->bytes = reserve(s->memory);
	s->directory = strdup(directory);
	s->key = arena_alloc(arena, FORMAT_KEY);
	if (!s->bytes || !s->directory || !s->key) {
		spill_free(s);
		return STATUS_NOMEM;
	}
	randombytes_buf(s->key, FORMAT_KEY);
	*spill = s;
	return STATUS_OK;
}

void spill_free(struct spill *s)
{
	if (!s)
		return;
	if (s->key)
		sodium_memzero(s->key, FORMAT_KEY);
	if (s->fd >= 0)
		close(s->fd);
	if (s->bytes)
		munmap(s->bytes, s->memory + 1);
	seal_free(s->seal);
	pthread_mutex_destroy(&s->lock);
	free(s->directory);
	free(s->tail);
	free(s->page);
	free(s->age);
	free(s->cache);
	free(s);
}

/* For file systems without O_TMPFILE: a name of random letters, gone at once. */
static int open_unlinked(const char *directory)
{
	char *path = malloc(strlen(directory) + 32);
	int fd = -1;

	for (int i = 0; path && i < NAME_TRIES && fd < 0; i++) {
		sprintf(path, "%s/%08x%08x", directory, randombytes_random(), randombytes_random());
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
		if (fd >= 0)
			unlink(path);
	}
	free(path);
	return fd;
}

static int open_file(struct spill *s)
{
	if (seal_new(&s->seal))
		return STATUS_NOMEM;
	s->tail = malloc(FORMAT_PAYLOAD);
	s->page = malloc(FORMAT_PAGE);
	s->cache = malloc(FORMAT_PAYLOAD);
	if (!s->tail || !s->page || !s->cache)
		return STATUS_NOMEM;
	s->fd = open(s->directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0)
		s->fd = open_unlinked(s->directory);
	return s->fd < 0 ? STATUS_IO : STATUS_OK;
}

/* No key and number ever meet two payloads. */
static uint64_t nonce_of(const struct spill *s, uint64_t number)
{
	for (size_t i = s->age_count; i; i--)
		if (s->age[i - 1].page <= number)
			return (uint64_t)s->age[i - 1].age << AGE_SHIFT | number;
	return number;
}

static int write_page(struct spill *s, uint64_t number)
{
	size_t done = 0;

	seal_page(s->seal, s->key, SEAL_PAGE, nonce_of(s, number), s->tail, s->page);
	while (done < FORMAT_PAGE) {
		ssize_t put = pwrite(s->fd, s->page + done, FORMAT_PAGE - done,
		                     (off_t)(number * FORMAT_PAGE + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0)
			errno = EIO;
		if (put <= 0)
			return STATUS_IO;
		done += (size_t)put;
	}
	return STATUS_OK;
}

/* Append what stays in memory; how much that is. */
static size_t append_memory(struct spill *s, const uint8_t *bytes, size_t len)
{
	size_t part = min_u64(len, s->memory - s->len);

	memcpy(s->bytes + s->len, bytes, part);
	return part;
}

/* Append what fits into the current page. */
static int append_disk(struct spill *s, const uint8_t *bytes, size_t len, size_t *done)
{
	size_t at = (size_t)((s->len - s->memory) % FORMAT_PAYLOAD);
	int status;

	if (s->fd < 0) {
		status = open_file(s);
		if (status)
			return status;
	}
	*done = len < FORMAT_PAYLOAD - at ? len : FORMAT_PAYLOAD - at;
	memcpy(s->tail + at, bytes, *done);
	if (at + *done < FORMAT_PAYLOAD)
		return STATUS_OK;
	return write_page(s, (s->len - s->memory) / FORMAT_PAYLOAD);
}

int spill_append(struct spill *s, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t done = 0;

	for (; len; p += done, len -= done, s->len += done) {
		int status = STATUS_OK;

		if (s->len < s->memory)
			done = append_memory(s, p, len);
		else
			status = append_disk(s, p, len, &done);
		if (status)
			return status;
	}
	return STATUS_OK;
}

uint64_t spill_len(const struct spill *s)
{
	return s->len;
}

const char *spill_directory(const struct spill *s)
{
	return s->directory;
}

/* Payload of a sealed page to out. */
static int open_page(struct spill *s, uint64_t number, uint8_t out[static FORMAT_PAYLOAD])
{
	int status = source_read_fd(s->fd, s->page, FORMAT_PAGE, number * FORMAT_PAGE);

	return status ? status
	              : seal_open_page(s->seal, s->key, SEAL_PAGE, nonce_of(s, number), s->page,
	                               out);
}

/* len bytes at at of page number, all within it. */
static int read_page(struct spill *s, uint64_t number, size_t at, size_t len, uint8_t *out)
{
	uint64_t sealed = (s->len - s->memory) / FORMAT_PAYLOAD;
	int status = STATUS_OK;

	if (number >= sealed) {
		memcpy(out, s->tail + at, len);
		return STATUS_OK;
	}
	if (len == FORMAT_PAYLOAD && number != s->cached)
		return open_page(s, number, out);
	if (number != s->cached) {
		s->cached = NO_PAGE;
		status = open_page(s, number, s->cache);
	}
	if (status == STATUS_OK) {
		s->cached = number;
		memcpy(out, s->cache + at, len);
	}
	return status;
}

static int read_disk(struct spill *s, uint64_t off, size_t len, uint8_t *out)
{
	int status = STATUS_OK;

	while (len && status == STATUS_OK) {
		size_t at = (size_t)(off % FORMAT_PAYLOAD);
		size_t part = min_u64(len, FORMAT_PAYLOAD - at);

		status = read_page(s, off / FORMAT_PAYLOAD, at, part, out);
		out += part;
		off += part;
		len -= part;
	}
	return status;
}

int spill_read(struct spill *s, uint64_t off, size_t len, void *out)
{
	uint8_t *p = out;
	int status;

	if (off < s->memory) {
		size_t part = min_u64(len, s->memory - off);

		memcpy(p, s->bytes + off, part);
		p += part;
		off += part;
		len -= part;
	}
	if (len == 0)
		return STATUS_OK;
	pthread_mutex_lock(&s->lock);
	status = read_disk(s, off - s->memory, len, p);
	pthread_mutex_unlock(&s->lock);
	return status;
}

/* --- taking back ---------------------------------------------------------------- */

/* Pages from number on, the last of which may be sealed already, are written anew. */
static int begin_age(struct spill *s, uint64_t number)
{
	struct age *age;

	if (s->youngest == (UINT32_C(1) << 24) - 1)
		return STATUS_NOMEM;
	while (s->age_count && s->age[s->age_count - 1].page >= number)
		s->age_count--;
	age = realloc(s->age, (s->age_count + 1) * sizeof(*age));
	if (!age)
		return STATUS_NOMEM;
	s->age = age;
	s->age[s->age_count++] = (struct age){number, ++s->youngest};
	return STATUS_OK;
}

/* The page in which the rest ends becomes the tail again. */
static int cut_disk(struct spill *s, uint64_t len)
{
	uint64_t sealed = (s->len - s->memory) / FORMAT_PAYLOAD, number = len / FORMAT_PAYLOAD;
	int status = STATUS_OK;

	if (number == sealed)
		return STATUS_OK;
	if (len % FORMAT_PAYLOAD)
		status = open_page(s, number, s->tail);
	s->cached = NO_PAGE;
	return status ? status : begin_age(s, number);
}

int spill_cut(struct spill *s, uint64_t len)
{
	int status = STATUS_OK;

	if (s->len > s->memory && len < s->len)
		status = cut_disk(s, len > s->memory ? len - s->memory : 0);
	if (status == STATUS_OK && len < s->len)
		s->len = len;
	return status;
}
