#include "reader/descent.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void descent_fini(struct descent *d)
{
	while (d->kept)
		close(d->step[--d->kept].fd);
}

static bool is_on_the_way(const struct descent *d, unsigned i, const char *path)
{
	size_t len = d->step[i].len;

	return !strncmp(path, d->path, len) && (path[len] == '/' || !path[len]);
}

/* The last eight are; further up, n levels away, about one in n: a path of thousands needs
 * few, and is never begun all over. */
static bool is_worth_it(unsigned depth, unsigned deepest)
{
	unsigned rarity = depth & -depth;

	return deepest - depth < 8 || deepest - depth < 2 * rarity;
}

static void keep(struct descent *d, int fd, size_t len)
{
	unsigned depth = d->kept ? d->step[d->kept - 1].depth + 1 : 1, left = 0;

	for (unsigned i = 0; i < d->kept; i++)
		if (is_worth_it(d->step[i].depth, depth))
			d->step[left++] = d->step[i];
		else
			close(d->step[i].fd);
	d->step[left].fd = fd;
	d->step[left].len = len;
	d->step[left].depth = depth;
	d->kept = left + 1;
}

/* One component further, which ends at end. */
static int step(struct descent *d, int fd, size_t begin, size_t end)
{
	char behind = d->path[end];
	int next;

	d->path[end] = '\0';
	next = d->open(d->context, fd, d->path + begin, DESCENT_FLAGS);
	d->path[end] = behind;
	if (next >= 0)
		keep(d, next, end);
	return next;
}

int descent_to(struct descent *d, const char *path)
{
	int fd = d->root;
	size_t at = 0;

	while (d->kept && !is_on_the_way(d, d->kept - 1, path))
		close(d->step[--d->kept].fd);
	if (d->kept) {
		fd = d->step[d->kept - 1].fd;
		at = d->step[d->kept - 1].len;
	}
	strcpy(d->path, path);
	while (fd >= 0 && path[at]) {
		size_t begin = at + (path[at] == '/');

		at = begin + strcspn(path + begin, "/");
		fd = step(d, fd, begin, at);
	}
	return fd;
}
