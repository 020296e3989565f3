#include "common/swap.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEPTH_MAX = 4 /* of devices upon devices */ };

/* The first line of the file at path, below directory; "": there is none. */
static void read_line(char line[static PATH_MAX], const char *directory, const char *path)
{
	char name[PATH_MAX];
	ssize_t got = -1;
	int fd;

	snprintf(name, sizeof name, "%s/%s", directory, path);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, line, PATH_MAX - 1);
		close(fd);
	}
	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* cryptsetup's kinds, but those that only check (VERITY, INTEGRITY): what lies
 * under these is looked at. */
static bool is_encrypted(const char *directory)
{
	static const char *const kinds[] = {"LUKS",   "PLAIN", "LOOPAES",
	                                    "TCRYPT", "BITLK", "FVAULT2"};
	char uuid[PATH_MAX];

	read_line(uuid, directory, "dm/uuid");
	if (strncmp(uuid, "CRYPT-", 6))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strncmp(uuid + 6, kinds[i], strlen(kinds[i])))
			return true;
	return false;
}

/* Compressed RAM, and none of it written back to a disk? */
static bool is_ram(const char *directory)
{
	char line[PATH_MAX], disk[PATH_MAX];

	read_line(line, directory, "mm_stat");
	read_line(disk, directory, "backing_dev");
	return *line && (!*disk || !strcmp(disk, "none"));
}

static bool is_safe_device(const char *directory, int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool some = false, safe = true;
	DIR *slaves;

	if (is_encrypted(directory) || is_ram(directory))
		return true;
	snprintf(path, sizeof path, "%s/slaves", directory);
	slaves = depth < DEPTH_MAX ? opendir(path) : NULL;
	while (slaves && (entry = readdir(slaves))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%.2000s/slaves/%.200s", directory, entry->d_name);
		some = true;
		safe &= is_safe_device(path, depth + 1);
	}
	if (slaves)
		closedir(slaves);
	return some && safe;
}

bool swap_device_is_safe(const char *directory)
{
	return is_safe_device(directory, 0);
}

/* One line of /proc/swaps: proc(5).  A file is as safe as the disk it is on. */
static bool is_safe(char *line)
{
	char directory[64];
	struct stat st;
	dev_t device;

	line[strcspn(line, " \t")] = '\0';
	if (stat(line, &st))
		return false;
	device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	snprintf(directory, sizeof directory, "/sys/dev/block/%u:%u", major(device), minor(device));
	return swap_device_is_safe(directory);
}

bool swap_is_exposed(void)
{
	FILE *swaps = fopen("/proc/swaps", "re");
	char *line = NULL;
	size_t room = 0;
	bool exposed = false;

	/* A kernel without swap has no such file. */
	if (!swaps)
		return false;
	if (getline(&line, &room, swaps) > 0)
		while (!exposed && getline(&line, &room, swaps) > 0)
			exposed = !is_safe(line);
	free(line);
	fclose(swaps);
	return exposed;
}
