/* FAT, put before the C library (LD_PRELOAD) by scripts: it has no inode numbers, and the kernel
 * makes one up whenever it has forgotten a file.  Each opened file has another.  That it is FAT is for drive.c to say. */
#include <dlfcn.h>
#include <sys/stat.h>

enum { DESCRIPTORS = 256 };

static ino_t number[DESCRIPTORS], last;

int fstat64(int fd, struct stat64 *st)
{
	int (*next)(int, struct stat64 *) =
		(int (*)(int, struct stat64 *))dlsym(RTLD_NEXT, "fstat64");
	int code = next(fd, st);

	if (!code && S_ISREG(st->st_mode) && fd < DESCRIPTORS) {
		if (!number[fd])
			number[fd] = ++last;
		st->st_ino = number[fd];
	}
	return code;
}

int close(int fd);
int close(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");

	if (fd >= 0 && fd < DESCRIPTORS)
		number[fd] = 0;
	return next(fd);
}
