/* A directory as from a FAT drive, put before the C library (LD_PRELOAD) by scripts: names
 * there have up to 255 characters, which are 765 bytes.  Each directory begins with such a
 * name, of a file that cannot be opened. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 765 };

static DIR *begun;

static struct dirent *long_name(void)
{
	static struct dirent *entry;

	if (!entry)
		entry = calloc(1, sizeof *entry + LENGTH);
	if (!entry)
		abort();
	entry->d_type = DT_REG;
	for (int i = 0; i < LENGTH; i += 3)
		memcpy(entry->d_name + i, "\xe4\xb8\xad", 3);
	return entry;
}

struct dirent *readdir(DIR *directory)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");

	if (directory == begun)
		return next(directory);
	begun = directory;
	return long_name();
}

/* By its other name: which of the two a program calls depends on how it was compiled. */
struct dirent *plain_readdir(DIR *directory) __asm__("readdir") __attribute__((alias("readdir64")));
