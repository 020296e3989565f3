#include "common/samefile.h"

#include <stddef.h>
#include <sys/stat.h>

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool samefile_descriptor(int fd, const struct stat *file)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && same(&st, file);
}

bool samefile_path(const char *path, const struct stat *file)
{
	struct stat st;

	return path &&
	       ((!stat(path, &st) && same(&st, file)) || (!lstat(path, &st) && same(&st, file)));
}
