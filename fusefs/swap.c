#include "fusefs/swap.h"

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

/* Does the file at path, below directory, begin with text? */
static bool begins_with(const char *directory, const char *path, const char *text)
{
	char name[PATH_MAX], have[64] = "";
	int fd;

	snprintf(name, sizeof name, "%s/%s", directory, path);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, have, sizeof have - 1) < 0)
		have[0] = '\0';
	close(fd);
	return !strncmp(have, text, strlen(text));
}

/* Is the device that sysfs shows at directory encrypted, or RAM, or made of such
 * devices only? */
static bool is_safe_device(const char *directory, int depth)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool some = false, safe = true;
	DIR *slaves;

	if (begins_with(directory, "dm/uuid", "CRYPT-") ||
	    !access(strcat(strcpy(path, directory), "/mm_stat"), F_OK)) /* zram */
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
	return is_safe_device(directory, 0);
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
