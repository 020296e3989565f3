#include "reader/spared.h"

#include <fcntl.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>

#include "common/status.h"

void spared_init(struct spared *s)
{
	s->files = s->names = NULL;
	s->held = NULL;
	s->held_count = 0;
	pthread_mutex_init(&s->turn, NULL);
}

static void nothing(void *node)
{
	(void)node;
}

void spared_fini(struct spared *s)
{
	tdestroy(s->files, nothing);
	tdestroy(s->names, nothing);
	while (s->held_count > 0)
		close(s->held[--s->held_count]);
	free(s->held);
	pthread_mutex_destroy(&s->turn);
}

/* The keys of the trees are numbers. */
static const void *key_of(const struct stat *file)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

	return (const void *)(uintptr_t)(file->st_ino + file->st_dev * odd);
}

static int compare(const void *a, const void *b)
{
	return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

int spared_add(struct spared *s, const struct stat *file)
{
	return tsearch(key_of(file), &s->files, compare) ? STATUS_OK : STATUS_NOMEM;
}

/* What path leads to with flags. */
static int hold(struct spared *s, const char *path, int flags)
{
	int *held = realloc(s->held, (s->held_count + 1) * sizeof *held);
	int fd;

	if (!held)
		return STATUS_NOMEM;
	s->held = held;
	fd = open(path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		return STATUS_OK;
	held[s->held_count++] = fd;
	return spared_add_descriptor(s, fd);
}

int spared_add_path(struct spared *s, const char *path)
{
	int status = path ? hold(s, path, 0) : STATUS_OK;

	return path && status == STATUS_OK ? hold(s, path, O_NOFOLLOW) : status;
}

int spared_add_descriptor(struct spared *s, int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) ? spared_add(s, &st) : STATUS_OK;
}

bool spared_has(const struct spared *s, const struct stat *file)
{
	return tfind(key_of(file), &s->files, compare);
}

/* Of all characters as if they were small. */
static uint64_t add_text(uint64_t key, const char *text, size_t len)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
	utf8proc_ssize_t left = (utf8proc_ssize_t)len;

	while (left > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t step = utf8proc_iterate(at, left, &c);

		if (step < 1) {
			step = 1;
			c = *at;
		}
		key = (key ^ (uint32_t)utf8proc_tolower(c)) * UINT64_C(0x100000001b3);
		at += step;
		left -= step;
	}
	return key;
}

static const void *key_of_name(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	uint64_t key = UINT64_C(0xcbf29ce484222325);

	key = add_text(key, path, slash ? (size_t)(slash + 1 - path) : 0);
	return (const void *)(uintptr_t)add_text(key, name, strlen(name));
}

int spared_add_name(struct spared *s, const char *path, const char *name)
{
	return tsearch(key_of_name(path, name), &s->names, compare) ? STATUS_OK : STATUS_NOMEM;
}

bool spared_has_name(const struct spared *s, const char *path, const char *name)
{
	return tfind(key_of_name(path, name), &s->names, compare);
}
