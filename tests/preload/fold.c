/* A file system on which names do not tell upper from lower case, as FAT, put before the
 * C library (LD_PRELOAD) by scripts: names within an open directory are in lower case. */
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/preload/words.h"

static _Thread_local char room[2][PATH_MAX];

static const char *fold(int no, int dir, const char *name)
{
	size_t i;

	if (dir == AT_FDCWD || name[0] == '/')
		return name;
	for (i = 0; name[i] && i < PATH_MAX - 1; i++)
		room[no][i] = (char)tolower((unsigned char)name[i]);
	room[no][i] = '\0';
	return room[no];
}

#define FOLDING(name, parameters, arguments)                       \
	int name parameters;                                       \
	int name parameters                                        \
	{                                                          \
		static int(*real) parameters;                      \
                                                                   \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		return real arguments;                             \
	}

FOLDING(openat64, (int dir, const char *name, int flags, ...),
        (dir, fold(0, dir, name), flags, 0600))
FOLDING(__openat64_2, (int dir, const char *name, int flags), (dir, fold(0, dir, name), flags))
FOLDING(mkdirat, (int dir, const char *name, mode_t mode), (dir, fold(0, dir, name), mode))
FOLDING(fstatat64, (int dir, const char *name, struct stat64 *st, int flags),
        (dir, fold(0, dir, name), st, flags))
FOLDING(symlinkat, (const char *target, int dir, const char *name),
        (target, dir, fold(0, dir, name)))
FOLDING(unlinkat, (int dir, const char *name, int flags), (dir, fold(0, dir, name), flags))
FOLDING(linkat, (int from, const char *name, int to, const char *other, int flags),
        (from, fold(0, from, name), to, fold(1, to, other), flags))
FOLDING(renameat, (int from, const char *name, int to, const char *other),
        (from, fold(0, from, name), to, fold(1, to, other)))

/* renameat2, which the C library is asked for by its number. */
long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long word[6];

	TAKE_WORDS(word, number);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_renameat2) {
		word[1] = (long)fold(0, (int)word[0], (const char *)word[1]);
		word[3] = (long)fold(1, (int)word[2], (const char *)word[3]);
	}
	return real(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}
