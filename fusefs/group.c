#include "fusefs/group.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

/* Of a group that is over its memory.high each step takes seconds, the last ones too. */
enum { STEPS = 3000, STEP_MS = 10 };

/* directory/name in path.  False: too long. */
static bool join(char path[static PATH_MAX], const char *directory, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX;
}

static bool write_to(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	int fd = join(path, directory, name) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Where the groups are to be seen. */
static bool find_root(char root[static PATH_MAX])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m = NULL;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			break;
	if (m)
		snprintf(root, PATH_MAX, "%s", m->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return m;
}

/* Below that, the one that this process is in. */
static bool find_home(char home[static PATH_MAX], const char *root)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strncmp(line, "0::/", 4) && !strstr(line, "/..") &&
		        join(home, root, line + 4);
	}
	if (file)
		fclose(file);
	return found;
}

/* Do groups in this directory have the memory controller? */
static bool has_memory(const char *directory)
{
	char path[PATH_MAX], line[256] = "", *at = line, *word;
	FILE *file = join(path, directory, "cgroup.subtree_control") ? fopen(path, "re") : NULL;
	bool found = false;

	if (file && fgets(line, sizeof line, file))
		while ((word = strsep(&at, " \n")))
			found |= !strcmp(word, "memory");
	if (file)
		fclose(file);
	return found;
}

/* May a process move from one group below directory to another? */
static bool may_move(const char *directory)
{
	char path[PATH_MAX];

	return join(path, directory, "cgroup.procs") && !access(path, W_OK);
}

/* A new group in that directory, with a name that says nothing. */
static bool make_in(struct group *g, const char *directory)
{
	char name[32];

	snprintf(name, sizeof name, "app-%08lx", (unsigned long)randombytes_random());
	if (!has_memory(directory) || !may_move(directory) ||
	    !join(g->directory, directory, name) || mkdir(g->directory, 0700))
		return false;
	if (write_to(g->directory, "memory.swap.max", "0"))
		return true;
	rmdir(g->directory);
	return false;
}

/* Who may make groups may not do so everywhere: the user's begin a few levels up. */
void group_make(struct group *group)
{
	char root[PATH_MAX], directory[PATH_MAX], *end;

	*group->directory = '\0';
	if (!find_root(root) || !find_home(directory, root))
		return;
	while (!make_in(group, directory)) {
		*group->directory = '\0';
		end = strrchr(directory, '/');
		if (!end || end < directory + strlen(root))
			return;
		*end = '\0';
	}
}

void group_enter(const struct group *group)
{
	if (*group->directory)
		write_to(group->directory, "cgroup.procs", "0");
}

void group_remove(const struct group *group)
{
	if (!*group->directory)
		return;
	for (int i = 0; i < STEPS && rmdir(group->directory) && errno == EBUSY; i++)
		clock_pause(STEP_MS);
}
