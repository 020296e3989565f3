#include "fusefs/mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/status.h"

enum { END_TRIES = 250, ASK_TRIES = 50, END_PAUSE_MS = 20 };

/* Spaces, tabs, line breaks and backslashes are \ooo there. */
static void unescape(char *text)
{
	char *out = text;

	while (*text) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 +
			                (text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

/* What stands behind the dash: type and source. */
static bool has_type(const char *line, const char *type)
{
	const char *dash = strstr(line, " - ");

	return dash && !strncmp(dash + 3, type, strlen(type));
}

/* One line of /proc/self/mountinfo: proc(5).  True: a mount at m->path. */
static bool take_line(struct mountpoint *m, const char *line)
{
	char where[PATH_MAX];

	/* The longest path that proc(5) can hold escaped. */
	if (sscanf(line, "%d %*d %u:%u %*s %4095s", &m->id, &m->major, &m->minor, where) != 4)
		return false;
	unescape(where);
	m->is_fuse = has_type(line, "fuse");
	m->is_nameless = has_type(line, "fuse none ");
	return !strcmp(where, m->path);
}

/* The mounts at a path, the lower ones first. */
struct list {
	FILE *info;
	char *line;
	size_t room;
};

/* The next one at m->path.  False, and the list is closed: there is none. */
static bool list_next(struct list *l, struct mountpoint *m)
{
	while (l->info && getline(&l->line, &l->room, l->info) > 0)
		if (take_line(m, l->line))
			return true;
	free(l->line);
	if (l->info)
		fclose(l->info);
	return false;
}

static struct list list_open(void)
{
	return (struct list){.info = fopen("/proc/self/mountinfo", "re")};
}

/* The uppermost. */
static bool find(struct mountpoint *m)
{
	struct list list = list_open();
	struct mountpoint other = *m;
	bool found = false;

	while (list_next(&list, &other))
		if (other.is_fuse) {
			*m = other;
			found = true;
		}
	return found;
}

/* The mount itself may not answer, so only what is above it is resolved. */
static bool resolve(char out[static PATH_MAX], const char *path)
{
	char parent[PATH_MAX], *slash, *end;
	const char *name;

	if (realpath(path, out))
		return true;
	if (strlen(path) >= sizeof parent)
		return false;
	strcpy(parent, path);
	for (end = parent + strlen(parent); end > parent + 1 && end[-1] == '/';)
		*--end = '\0';
	slash = strrchr(parent, '/');
	name = slash ? slash + 1 : parent;
	if (slash)
		*slash = '\0';
	if (!realpath(!slash            ? "."
	              : slash == parent ? "/"
	                                : parent,
	              out) ||
	    strlen(out) + strlen(name) + 2 > PATH_MAX)
		return false;
	if (out[1])
		strcat(out, "/");
	strcat(out, name);
	return true;
}

bool mountpoint_find(struct mountpoint *m, const char *path)
{
	m->id = 0;
	return resolve(m->path, path) && find(m);
}

static bool is_same(const struct mountpoint *a, const struct mountpoint *b)
{
	return a->id == b->id && a->major == b->major && a->minor == b->minor;
}

/* Another one may be mounted over it. */
enum standing { MOUNT_GONE, MOUNT_COVERED, MOUNT_ON_TOP };

/* Where the list cannot be read nothing is known to be gone. */
static enum standing look(const struct mountpoint *m)
{
	enum standing standing = MOUNT_GONE;
	struct mountpoint other = *m;
	struct list list;

	if (!m->id)
		return standing;
	list = list_open();
	if (!list.info)
		return MOUNT_ON_TOP;
	while (list_next(&list, &other))
		if (is_same(&other, m))
			standing = MOUNT_ON_TOP;
		else if (standing == MOUNT_ON_TOP)
			standing = MOUNT_COVERED;
	return standing;
}

bool mountpoint_is_there(const struct mountpoint *m)
{
	return look(m) != MOUNT_GONE;
}

static void run_fusermount(const char *path)
{
	pid_t child = fork();
	int status, quiet;

	if (child == 0) {
		quiet = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(quiet, STDERR_FILENO);
		execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", path, (char *)NULL);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
}

bool mountpoint_detach(const struct mountpoint *m)
{
	enum standing standing = look(m);

	if (standing != MOUNT_ON_TOP)
		return standing == MOUNT_GONE;
	if (umount2(m->path, MNT_DETACH | UMOUNT_NOFOLLOW))
		run_fusermount(m->path);
	return !mountpoint_is_there(m);
}

/* Attributes are cached for ever, even those of the dead: this one is asked. */
static bool is_dead(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) && (errno == ENOTCONN || errno == ECONNABORTED);
}

bool mountpoint_clear_stale(const char *path)
{
	struct mountpoint m;

	if (!is_dead(path))
		return true;
	return mountpoint_find(&m, path) && mountpoint_detach(&m);
}

static int refuse(const char *directory, const char *why)
{
	diag_error(directory, "%s", why);
	return EXIT_FAILED;
}

/* 0, or why not: errno. */
static int look_into(const char *directory, bool *is_empty)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;

	*is_empty = true;
	if (!stream)
		return errno == EACCES ? 0 : errno;
	while ((entry = readdir(stream)))
		*is_empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(stream);
	return 0;
}

bool mountpoint_is_free(const char *directory)
{
	struct mountpoint m;
	bool is_empty;
	int error;

	if (!mountpoint_clear_stale(directory))
		return !refuse(directory, "a mount that died is there, and cannot be taken away; "
		                          "try fusermount3 -u -z on it");
	if (mountpoint_find(&m, directory))
		return !refuse(directory, "something is mounted there already; if it is a bundle, "
		                          "satchel-mount -u ends it");
	error = look_into(directory, &is_empty);
	if (error)
		return !refuse(directory, strerror(error));
	/* The mount would hide what is there. */
	return is_empty || !refuse(directory, "is not empty; name an empty directory");
}

/* Those who serve may all be waiting for a drive, and then nobody answers: so this is asked in a
 * process of its own. */
enum answer { ANSWER_NONE, ANSWER_ENDING, ANSWER_DEAD, ANSWER_FOREIGN, ANSWER_REFUSED };

static enum answer ask(const char *directory)
{
	int fd, failed;

	if (is_dead(directory))
		return ANSWER_DEAD;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = fd < 0 || ioctl(fd, MOUNTPOINT_END) ? errno : 0;
	if (fd >= 0)
		close(fd);
	switch (failed) {
	case 0:
	case EIO: /* it is ending already */
	case ENOTCONN:
	case ECONNABORTED: return ANSWER_ENDING;
	case ENOTTY:
	case ENOSYS: return ANSWER_FOREIGN;
	default: refuse(directory, strerror(failed)); return ANSWER_REFUSED;
	}
}

static enum answer ask_with_patience(const char *directory)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(ask(directory));
	if (child < 0)
		return ask(directory);
	for (int i = 0; i < ASK_TRIES; i++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? (enum answer)WEXITSTATUS(status) : ANSWER_NONE;
		clock_pause(END_PAUSE_MS);
	}
	kill(child, SIGKILL);
	return ANSWER_NONE;
}

static int wait_for_end(const struct mountpoint *m, const char *directory)
{
	for (int i = 0; i < END_TRIES && mountpoint_is_there(m); i++)
		clock_pause(END_PAUSE_MS);
	return mountpoint_is_there(m) ? refuse(directory, "it did not end; close what uses it, or "
	                                                  "pull the drive out")
	                              : 0;
}

int mountpoint_end(const char *directory)
{
	enum answer answer = ANSWER_FOREIGN;
	struct mountpoint m;

	/* One with a name is another program's: whether that answers is not for us to judge. */
	if (mountpoint_find(&m, directory) && m.is_nameless)
		answer = ask_with_patience(directory);
	switch (answer) {
	case ANSWER_ENDING: return wait_for_end(&m, directory);
	case ANSWER_FOREIGN: return refuse(directory, "nothing is mounted there by satchel-mount");
	case ANSWER_REFUSED: return EXIT_FAILED;
	default: break;
	}
	/* Whose supervisor lives will see that, and end it. */
	return mountpoint_detach(&m)
	               ? 0
	               : refuse(directory, "it does not answer, and cannot be taken away; try "
	                                   "fusermount3 -u -z on it");
}
