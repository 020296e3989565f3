#include "reader/spared.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/status.h"

void spared_init(struct spared *s)
{
	s->tree = NULL;
	pthread_mutex_init(&s->turn, NULL);
}

static void nothing(void *node)
{
	(void)node;
}

void spared_fini(struct spared *s)
{
	tdestroy(s->tree, nothing);
	pthread_mutex_destroy(&s->turn);
}

/* The keys of the tree are numbers. */
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
	return tsearch(key_of(file), &s->tree, compare) ? STATUS_OK : STATUS_NOMEM;
}

int spared_add_path(struct spared *s, const char *path)
{
	struct stat st;
	int status = STATUS_OK;

	if (path && !stat(path, &st))
		status = spared_add(s, &st);
	if (path && status == STATUS_OK && !lstat(path, &st))
		status = spared_add(s, &st);
	return status;
}

int spared_add_descriptor(struct spared *s, int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) ? spared_add(s, &st) : STATUS_OK;
}

bool spared_has(const struct spared *s, const struct stat *file)
{
	return tfind(key_of(file), &s->tree, compare);
}
