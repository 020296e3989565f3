#include "bundler/way.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "bundler/tree.h"
#include "common/status.h"

enum { STEP = O_PATH | O_DIRECTORY | O_CLOEXEC };

static int open_in(int directory, const struct tree *tree, uint32_t number, int flags)
{
	return openat(directory, tree_name(tree, number), flags | O_CLOEXEC | O_NOFOLLOW);
}

/* Forwards, when the old place is no longer needed. */
static void go_on(struct way *way, int fd)
{
	int saved = errno;

	if (way->fd >= 0)
		close(way->fd);
	way->fd = fd;
	errno = saved;
}

static int open_given(const struct tree *tree, uint32_t number, int flags)
{
	char path[TREE_PATH_SIZE];

	if (tree_path(tree, number, path, sizeof path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC);
}

/* A child of the root. */
static int open_top(struct way *way, const struct tree *tree, uint32_t number, int flags)
{
	const char *base = tree_base(tree, number);

	if (tree->node[number].given)
		return open_given(tree, number, flags);
	if (way->fd < 0 || way->directory || way->base != base)
		go_on(way, open(base[0] ? base : ".", STEP));
	way->directory = 0;
	way->base = base;
	return way->fd < 0 ? -1 : open_in(way->fd, tree, number, flags);
}

/* Go to a directory: from where the way is, if that is above it, or from the top. */
static int go_to(struct way *way, const struct tree *tree, uint32_t directory)
{
	uint32_t below[FORMAT_PATH / 2 + 1];
	size_t count = 0;
	uint32_t at = directory;

	for (; tree->node[at].parent && (way->fd < 0 || at != way->directory);
	     at = tree->node[at].parent)
		below[count++] = at;
	if (way->fd < 0 || at != way->directory)
		go_on(way, open_top(way, tree, at, STEP));
	while (count && way->fd >= 0)
		go_on(way, open_in(way->fd, tree, below[--count], STEP));
	way->directory = directory;
	return way->fd < 0 ? STATUS_IO : STATUS_OK;
}

int way_open(struct way *way, const struct tree *tree, uint32_t number, int flags, int *fd)
{
	uint32_t parent = tree->node[number].parent;

	if (parent && go_to(way, tree, parent))
		return STATUS_IO;
	*fd = parent ? open_in(way->fd, tree, number, flags) : open_top(way, tree, number, flags);
	return *fd < 0 ? STATUS_IO : STATUS_OK;
}

void way_end(struct way *way)
{
	go_on(way, -1);
}
