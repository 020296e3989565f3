#include "bundler/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "bundler/failure.h"
#include "bundler/options.h"
#include "bundler/report.h"
#include "common/status.h"

/* A name in a directory. */
struct spot {
	int dirfd;
	struct stat dir;
	const char *name;
};

static int open_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, saved = errno;

	free(dir);
	errno = saved;
	return fd;
}

static int exit_code_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EROFS:
	case EIO:
	case ENODEV:
	case ENXIO: return EXIT_UNFIT;
	default: return EXIT_FAILED;
	}
}

static int refuse(struct failure *failure, const char *path, int error)
{
	return failure_say(failure, exit_code_of(error), path, "%s", strerror(error));
}

static int find_spot(const char *path, struct spot *spot, struct failure *failure)
{
	const char *slash = strrchr(path, '/');

	spot->name = slash ? slash + 1 : path;
	spot->dirfd = open_directory(path);
	if (spot->dirfd < 0 || fstat(spot->dirfd, &spot->dir))
		return failure_say(failure, exit_code_of(errno), path,
		                   "its directory cannot be used: %s", strerror(errno));
	if (!spot->name[0] || !strcmp(spot->name, ".") || !strcmp(spot->name, ".."))
		return refuse(failure, path, EISDIR);
	if (faccessat(spot->dirfd, ".", W_OK | X_OK, AT_EACCESS))
		return failure_say(failure, exit_code_of(errno), path,
		                   "nothing can be written there: %s", strerror(errno));
	return EXIT_DONE;
}

static bool is_source(const struct options *o, const struct stat *output)
{
	struct stat st;

	for (unsigned i = 0; i < o->compartment_count; i++)
		for (unsigned j = 0; j < o->compartment[i].source.count; j++)
			if (!stat(o->compartment[i].source.text[j], &st) &&
			    st.st_dev == output->st_dev && st.st_ino == output->st_ino)
				return true;
	return false;
}

/* What has the name already?  st: all zero if nothing has. */
static int check_existing(const struct options *o, const char *path, const struct spot *spot,
                          struct stat *st, struct failure *failure)
{
	if (fstatat(spot->dirfd, spot->name, st, AT_SYMLINK_NOFOLLOW)) {
		memset(st, 0, sizeof *st);
		return errno == ENOENT ? EXIT_DONE : refuse(failure, path, errno);
	}
	if (S_ISDIR(st->st_mode))
		return failure_say(failure, EXIT_FAILED, path, "is a directory; name a file in it");
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return failure_say(failure, EXIT_FAILED, path,
		                   "is not a file; mount the drive and name a file on it");
	if (is_source(o, st))
		return failure_say(failure, EXIT_USAGE, path, "is to be packed, too");
	if (!o->force)
		return failure_say(failure, EXIT_FAILED, path,
		                   "exists already; --force replaces it");
	return EXIT_DONE;
}

static bool same_spot(const struct spot *spot, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat dir = {0};
	int fd = open_directory(path);
	bool same = fd >= 0 && !fstat(fd, &dir) && dir.st_dev == spot->dir.st_dev &&
	            dir.st_ino == spot->dir.st_ino && !strcmp(spot->name, slash ? slash + 1 : path);

	if (fd >= 0)
		close(fd);
	return same;
}

int outputs_check(const struct options *o, unsigned i, struct scan_output *existing,
                  unsigned *count, struct failure *failure)
{
	const char *path = o->output.text[i];
	struct spot spot;
	struct stat st;
	int code = find_spot(path, &spot, failure);

	for (unsigned j = 0; j < i && !code; j++)
		if (same_spot(&spot, o->output.text[j]))
			code = failure_say(failure, EXIT_USAGE, path,
			                   "is named twice as an output");
	if (!code)
		code = check_existing(o, path, &spot, &st, failure);
	if (!code && S_ISREG(st.st_mode))
		existing[(*count)++] = (struct scan_output){st.st_dev, st.st_ino};
	if (spot.dirfd >= 0)
		close(spot.dirfd);
	return code;
}

int outputs_check_room(const char *path, uint64_t len, struct failure *failure)
{
	const uint64_t fat_longest = UINT32_MAX;
	char needed[REPORT_BYTES], there[REPORT_BYTES];
	struct statfs fs;
	int fd = open_directory(path), rc = fd < 0 ? -1 : fstatfs(fd, &fs);
	uint64_t room;

	if (fd >= 0)
		close(fd);
	/* Some file systems cannot say; writing will show. */
	if (rc || !fs.f_blocks)
		return EXIT_DONE;
	room = (uint64_t)fs.f_bavail * (uint64_t)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
	report_bytes(needed, len);
	report_bytes(there, room);
	if (room < len)
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle has %s, and %s are free there", needed, there);
	if (fs.f_type == MSDOS_SUPER_MAGIC && len > fat_longest)
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle has %s, and a file on such a drive (FAT) at most "
		                   "4.3 GB; format it as exFAT",
		                   needed);
	return EXIT_DONE;
}

int outputs_exit_code(int status, int error)
{
	switch (status) {
	case STATUS_IO: return exit_code_of(error);
	case STATUS_DAMAGED:
	case STATUS_TOOBIG: return EXIT_UNFIT;
	case STATUS_CHANGED: return EXIT_FAILED; /* nothing is done: not EXIT_PARTLY */
	default: return status_exit_code(status);
	}
}
