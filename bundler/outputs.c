#include "bundler/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/failure.h"
#include "bundler/inputs.h"
#include "bundler/options.h"
#include "bundler/volumes.h"
#include "common/amount.h"
#include "common/diag.h"
#include "common/drive.h"
#include "common/outfile.h"
#include "common/samefile.h"
#include "common/status.h"

/* A name in a directory. */
struct spot {
	int dirfd;
	struct stat dir;
	const char *name;
};

static int open_directory(const char *path)
{
	char *dir = outfile_directory(path);
	int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, saved = errno;

	free(dir);
	errno = saved;
	return fd;
}

static int exit_code_of(int error)
{
	return outfile_is_unfit(error) ? EXIT_UNFIT : EXIT_FAILED;
}

/* What to look at. */
static const char *hint(int error)
{
	switch (error) {
	case EROFS: return "; is it write-protected?";
	case ENOENT: return "; is the drive there, and mounted?";
	default: return "";
	}
}

static int refuse(struct failure *failure, const char *path, int error)
{
	return failure_say(failure, exit_code_of(error), path, "%s%s", strerror(error),
	                   hint(error));
}

static int find_spot(const char *path, struct spot *spot, struct failure *failure)
{
	const char *slash = strrchr(path, '/');

	spot->name = slash ? slash + 1 : path;
	spot->dirfd = open_directory(path);
	if (spot->dirfd < 0 || fstat(spot->dirfd, &spot->dir))
		return failure_say(failure, exit_code_of(errno), path,
		                   "its directory cannot be used: %s%s", strerror(errno),
		                   hint(errno));
	if (!spot->name[0] || !strcmp(spot->name, ".") || !strcmp(spot->name, ".."))
		return failure_say(failure, EXIT_FAILED, path, OUTFILE_IS_DIRECTORY);
	if (faccessat(spot->dirfd, ".", W_OK | X_OK, AT_EACCESS))
		return failure_say(failure, exit_code_of(errno), path,
		                   "nothing can be written there: %s%s", strerror(errno),
		                   hint(errno));
	return EXIT_DONE;
}

/* What has the name already?  st: all zero if nothing has. */
static int check_existing(const struct options *o, const struct spot *spot, const char *path,
                          const char *name, struct stat *st, struct failure *failure)
{
	if (fstatat(spot->dirfd, name, st, AT_SYMLINK_NOFOLLOW)) {
		memset(st, 0, sizeof *st);
		return errno == ENOENT ? EXIT_DONE : refuse(failure, path, errno);
	}
	if (S_ISDIR(st->st_mode))
		return failure_say(failure, EXIT_FAILED, path, OUTFILE_IS_DIRECTORY);
	if (S_ISLNK(st->st_mode))
		return failure_say(failure, EXIT_FAILED, path, OUTFILE_IS_LINK);
	if (!S_ISREG(st->st_mode))
		return failure_say(failure, EXIT_FAILED, path,
		                   "is not a file; mount the drive and name a file on it");
	if (inputs_has_source(o, st))
		return failure_say(failure, EXIT_USAGE, path, "is to be packed, too");
	if (inputs_has_other(o, st))
		return failure_say(failure, EXIT_USAGE, path,
		                   "is needed to pack; name another file");
	if (!o->force)
		return failure_say(failure, EXIT_FAILED, path, OUTFILE_EXISTS);
	return EXIT_DONE;
}

/* The name that volume no will have, or the bundle if it needs but one file. */
static int check_file(const struct options *o, const struct spot *spot, const char *path,
                      unsigned no, unsigned count, struct scan_output *existing,
                      unsigned *existing_count, struct failure *failure)
{
	char full[PATH_MAX], *slash;
	struct stat st;
	int code;

	if (volumes_name(full, sizeof full, path, no, count))
		return refuse(failure, path, ENAMETOOLONG);
	slash = strrchr(full, '/');
	code = check_existing(o, spot, full, slash ? slash + 1 : full, &st, failure);
	if (!code && S_ISREG(st.st_mode))
		existing[(*existing_count)++] = (struct scan_output){st.st_dev, st.st_ino};
	return code;
}

/* How many there will be is not known yet.  With --force all that may be replaced is
 * looked at. */
static int check_files(const struct options *o, const struct spot *spot, const char *path,
                       struct scan_output *existing, unsigned *count, struct failure *failure)
{
	unsigned most = !options_several_volumes(o) ? 0 : o->force ? FORMAT_MAX_VOLUMES : 1;
	int code = check_file(o, spot, path, 0, 1, existing, count, failure);

	for (unsigned no = 0; no < most && !code; no++)
		code = check_file(o, spot, path, no, 2, existing, count, failure);
	return code;
}

/* Could a volume of path be called name? */
static bool may_be_volume(const struct options *o, const char *path, const char *name)
{
	char volume[PATH_MAX], *slash;

	for (unsigned no = 0; options_several_volumes(o) && no < FORMAT_MAX_VOLUMES; no++) {
		if (volumes_name(volume, sizeof volume, path, no, 2))
			break;
		slash = strrchr(volume, '/');
		if (!strcmp(slash ? slash + 1 : volume, name))
			return true;
	}
	return false;
}

/* Would one of them replace the other, or a part of it? */
static bool collide(const struct options *o, const struct spot *spot, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int fd = open_directory(path);
	bool same = samefile_descriptor(fd, &spot->dir);

	if (fd >= 0)
		close(fd);
	return same && (!strcmp(spot->name, name) || may_be_volume(o, path, spot->name) ||
	                may_be_volume(o, spot->name, name));
}

int outputs_check(const struct options *o, unsigned i, struct scan_output *existing,
                  unsigned *count, struct failure *failure)
{
	const char *path = o->output.text[i];
	struct spot spot;
	int code = find_spot(path, &spot, failure);

	for (unsigned j = 0; j < i && !code; j++)
		if (collide(o, &spot, o->output.text[j]))
			code = failure_say(failure, EXIT_USAGE, path,
			                   "is named twice as an output");
	if (!code)
		code = check_files(o, &spot, path, existing, count, failure);
	if (spot.dirfd >= 0)
		close(spot.dirfd);
	return code;
}

/* --- the spill ------------------------------------------------------------------ */

static bool has_device(const char *path, dev_t device)
{
	struct stat st;

	return !stat(path, &st) && st.st_dev == device;
}

static bool is_target(const struct options *o, dev_t device)
{
	bool found = false;

	for (unsigned i = 0; i < o->output.count && !found; i++) {
		struct stat st;
		int fd = open_directory(o->output.text[i]);

		found = fd >= 0 && !fstat(fd, &st) && st.st_dev == device;
		if (fd >= 0)
			close(fd);
	}
	return found;
}

/* This machine's own disk may hold both, and so may memory. */
static bool is_own(dev_t device, const struct drive *drive)
{
	return drive->memory || has_device("/", device) || has_device("/var/tmp", device);
}

static const char *spill_trouble(const struct options *o, int fd)
{
	struct drive drive;
	struct stat st;

	if (fstat(fd, &st) || drive_look(&drive, fd))
		return strerror(errno);
	if (drive.fat)
		return "is on a drive formatted as FAT or exFAT; name a directory on this "
		       "machine's own disk";
	if (is_target(o, st.st_dev) && !is_own(st.st_dev, &drive))
		return "is on a drive that a bundle goes to; name a directory on this machine's "
		       "own disk";
	return faccessat(AT_FDCWD, o->spill, W_OK | X_OK, AT_EACCESS) ? strerror(errno) : NULL;
}

int outputs_check_spill(const struct options *o, struct failure *failure)
{
	int fd = open(o->spill, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *why = fd < 0 ? strerror(errno) : spill_trouble(o, fd);

	if (fd >= 0)
		close(fd);
	return why ? failure_say(failure, EXIT_FAILED, o->spill, "--spill: %s", why) : EXIT_DONE;
}

/* --- room ------------------------------------------------------------------------ */

static int look(const char *path, struct drive *drive)
{
	int fd = open_directory(path), status = fd < 0 ? STATUS_IO : drive_look(drive, fd);

	if (fd >= 0)
		close(fd);
	return status;
}

int outputs_check_room(const char *path, unsigned volumes, uint64_t most, uint64_t least,
                       struct failure *failure)
{
	char needed[AMOUNT_ROOM], there[AMOUNT_ROOM];
	struct drive drive;

	/* Where nobody can say, writing will show. */
	if (look(path, &drive))
		return EXIT_DONE;
	amount_needed(needed, least > drive.free ? least : most * volumes);
	amount_of_bytes(there, drive.free);
	if (least > drive.free)
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle needs at least %s, and %s are free there; pack "
		                   "less, or take a larger drive",
		                   needed, there);
	if (!drive_has_room(&drive, volumes, most) && least)
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle has up to %s, drawn at random, and %s are free "
		                   "there; --size says how long it shall be",
		                   needed, there);
	if (!drive_has_room(&drive, volumes, most))
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle has %s, and %s are free there", needed, there);
	amount_needed(needed, most);
	if (most > drive.longest)
		return failure_say(failure, EXIT_UNFIT, path,
		                   "the bundle has " DRIVE_TOO_LONG VOLUMES_INSTEAD, needed);
	return EXIT_DONE;
}

void outputs_warn_of_cache(const char *path)
{
	struct drive drive;

	if (!look(path, &drive) && drive.remote)
		diag_warn(path,
		          "warning: what is read back here may come from a memory on the way, "
		          "and not from the drive; unplug it, plug it in again, and run "
		          "satchel-read verify");
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
