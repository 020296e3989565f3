/* A drive of another kind, put before the C library (LD_PRELOAD) by scripts: what lies in the
 * directory DRIVE_AT is on a file system whose type is DRIVE_TYPE, as linux/magic.h numbers them,
 * and of which DRIVE_FREE bytes are free. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

static int is_meant(int fd)
{
	const char *at = getenv("DRIVE_AT");
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	path[len < 0 ? 0 : len] = '\0';
	return at && !strncmp(path, at, strlen(at));
}

int fstatfs64(int fd, struct statfs64 *fs)
{
	int (*real)(int, struct statfs64 *) =
		(int (*)(int, struct statfs64 *))dlsym(RTLD_NEXT, "fstatfs64");
	int rc = real(fd, fs);

	if (rc || !is_meant(fd))
		return rc;
	fs->f_type = strtol(getenv("DRIVE_TYPE"), NULL, 0);
	fs->f_frsize = fs->f_bsize = 4096;
	fs->f_bavail = fs->f_bfree = fs->f_blocks = strtoull(getenv("DRIVE_FREE"), NULL, 0) / 4096;
	return 0;
}
