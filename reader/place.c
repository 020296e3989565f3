#include "reader/place.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/drive.h"
#include "common/outfile.h"
#include "common/status.h"
#include "reader/absent.h"
#include "reader/ahead.h"
#include "reader/safename.h"
#include "reader/session.h"

enum {
	BUF = 512 << 10,         /* contents at a time */
	NAME_AT = FORMAT_XATTRS, /* in buf: behind a set of attributes, one name of it */
	TEMP_LETTERS = 16,
};

size_t placer_size(void)
{
	return sizeof(struct bundle_entry) + 3 * (FORMAT_PATH + 1) + BUF + SAFENAME_ROOM + 6 * 64;
}

static descent_open_fn open_component;

int placer_init(struct placer *p, struct place *place, struct arena *arena, struct cursor *cursor)
{
	*p = (struct placer){.place = place, .cursor = cursor};
	p->entry = arena_alloc(arena, sizeof *p->entry);
	p->path = arena_alloc(arena, FORMAT_PATH + 1);
	p->where = arena_alloc(arena, FORMAT_PATH + 1);
	p->buf = arena_alloc(arena, BUF);
	p->safe = arena_alloc(arena, SAFENAME_ROOM);
	p->descent = (struct descent){
		.root = place->root,
		.open = open_component,
		.context = p,
		.path = arena_alloc(arena, FORMAT_PATH + 1),
	};
	return p->entry && p->path && p->where && p->buf && p->safe && p->descent.path
	               ? STATUS_OK
	               : STATUS_NOMEM;
}

void placer_fini(struct placer *p)
{
	descent_fini(&p->descent);
}

/* --- what went wrong ------------------------------------------------------------ */

/* The file system says no.  Where it will go on doing so, all stop. */
static void report_errno(struct placer *p, const char *path, int error)
{
	bool full = error == ENOSPC || error == EDQUOT;

	session_note(p->place->session, EXIT_FAILED);
	if (!full && error != EROFS) {
		diag_error(path, "%s", strerror(error));
		return;
	}
	if (atomic_exchange(&p->place->stopped, true))
		return;
	diag_error(path, full ? "no room is left: stopped; what was complete before remains"
	                      : "the file system is read-only");
}

static void report(struct placer *p, const char *path, int status)
{
	if (status == STATUS_CANCELLED)
		return; /* whoever stopped it said why */
	if (status == STATUS_IO) {
		report_errno(p, path, errno);
	} else if (status == STATUS_EXISTS) {
		diag_error(path, p->place->force ? PLACE_SPARED : OUTFILE_EXISTS);
		session_note(p->place->session, EXIT_FAILED);
	} else {
		session_report(p->place->session, path, status);
	}
}

/* It is there, but not as it was. */
static void report_partly(struct placer *p, const char *path, const char *what, int error)
{
	diag_warn(path, "%s: %s", what, strerror(error));
	session_note(p->place->session, EXIT_PARTLY);
}

/* --- names ------------------------------------------------------------------------ */

/* Errors that say: not this name. */
static bool is_refusal(int error)
{
	return error == EINVAL || error == EILSEQ || error == ENAMETOOLONG || error == ENOENT;
}

static const char *safe_name(struct placer *p, const char *name)
{
	safename_make(p->safe, name);
	return p->safe;
}

static void report_safe_name(struct placer *p, const char *path)
{
	diag_warn(path, "the file system refuses this name; it is %s instead", p->safe);
	session_note(p->place->session, EXIT_PARTLY);
}

/* Better known before the content is written: FAT says so only at the end. */
static bool is_refused(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) == 0) {
		unlinkat(dirfd, name, AT_REMOVEDIR);
		return false;
	}
	return is_refusal(errno);
}

/* The name that p->entry can have in dirfd. */
static const char *choose_name(struct placer *p, int dirfd, const char *path)
{
	const struct bundle_entry *entry = p->entry;

	if (!safename_may_be_needed(entry->name, entry->e.name_len) ||
	    !is_refused(dirfd, entry->name))
		return entry->name;
	safe_name(p, entry->name);
	report_safe_name(p, path);
	return p->safe;
}

static void random_name(char name[static TEMP_LETTERS + 1])
{
	for (int i = 0; i < TEMP_LETTERS; i++)
		name[i] = (char)('a' + randombytes_uniform(26));
	name[TEMP_LETTERS] = '\0';
}

/* Are upper and lower case the same there? */
static bool is_caseless(int root)
{
	char name[TEMP_LETTERS + 1], upper[TEMP_LETTERS + 1] = "";
	struct stat st;
	bool found;

	random_name(name);
	for (int i = 0; i < TEMP_LETTERS; i++)
		upper[i] = (char)(name[i] - 'a' + 'A');
	if (mkdirat(root, name, 0700))
		return false;
	found = !fstatat(root, upper, &st, AT_SYMLINK_NOFOLLOW);
	unlinkat(root, name, AT_REMOVEDIR);
	return found;
}

void place_look(struct place *place)
{
	struct drive drive;

	place->by_name = place->force && !drive_look(&drive, place->root) && drive.renumbers &&
	                 is_caseless(place->root);
}

/* --- directories ------------------------------------------------------------------- */

static int open_component(void *context, int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && is_refusal(errno)) {
		int error = errno;

		fd = openat(dirfd, safe_name(context, name), flags);
		if (fd < 0)
			errno = error;
	}
	return fd;
}

int place_open(struct placer *p, const char *path)
{
	return descent_to(&p->descent, path);
}

/* The directory that path lies in, as place_open; *name: its last component, within
 * path. */
static int open_parent(struct placer *p, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t front = slash ? (size_t)(slash - path) : 0;

	memcpy(p->path, path, front);
	p->path[front] = '\0';
	*name = slash ? slash + 1 : path;
	return place_open(p, p->path);
}

/* mkdirat, under another name where its own is refused. */
static int make_directory(struct placer *p, int dirfd, const char *name, const char *path)
{
	if (mkdirat(dirfd, name, 0700) == 0)
		return 0;
	if (!is_refusal(errno))
		return -1;
	if (mkdirat(dirfd, safe_name(p, name), 0700) == 0) {
		report_safe_name(p, path);
		return 0;
	}
	return -1;
}

bool place_directory(struct placer *p, const char *path, bool *made)
{
	const char *name;
	int parent = open_parent(p, path, &name);

	*made = parent >= 0 && make_directory(p, parent, name, path) == 0;
	if (parent >= 0 && (*made || errno == EEXIST) && place_open(p, path) >= 0)
		return true;
	if (errno == ENOTDIR || errno == ELOOP) {
		diag_error(path, "exists already and is not a directory");
		session_note(p->place->session, EXIT_FAILED);
	} else {
		report_errno(p, path, errno);
	}
	return false;
}

/* --- attributes --------------------------------------------------------------------- */

static void set_times(struct timespec times[static 2], const struct format_entry *e)
{
	times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	times[1] = (struct timespec){.tv_sec = (time_t)e->mtime, .tv_nsec = (long)e->mtime_nsec};
}

/* What sets an attribute, as setxattr(2). */
typedef int set_xattr_fn(void *target, const char *name, const void *value, size_t len);

/* Capabilities are for the owner that was packed and no other. */
static bool may_set(const char *name, bool owned)
{
	return owned || strcmp(name, "security.capability") != 0;
}

/* Sets those of p->entry, one by one. */
static void set_xattrs(struct placer *p, const char *path, bool owned, set_xattr_fn *set,
                       void *target)
{
	const struct format_entry *e = &p->entry->e;
	char *name = (char *)p->buf + NAME_AT;
	struct format_xattr x;
	size_t pos = 0;
	int status = bundle_xattrs(p->cursor, e, p->buf);

	while (status == STATUS_OK) {
		status = format_xattr_next(p->buf, e->xattr_len, &pos, &x);
		if (status <= 0)
			break;
		memcpy(name, x.name, x.name_len);
		name[x.name_len] = '\0';
		errno = EPERM;
		if (!may_set(name, owned) || set(target, name, x.value, x.value_len))
			report_partly(p, path, name, errno);
		status = STATUS_OK;
	}
	if (status)
		session_report(p->place->session, path, status);
}

static int set_fd_xattr(void *target, const char *name, const void *value, size_t len)
{
	return fsetxattr(*(int *)target, name, value, len, 0);
}

static int set_link_xattr(void *target, const char *name, const void *value, size_t len)
{
	return lsetxattr(target, name, value, len, 0);
}

/* An owner of -1 would mean: leave it. */
static bool can_have_owner(const struct placer *p, const struct format_entry *e)
{
	return p->place->full && p->place->owner && e->uid != UINT32_MAX && e->gid != UINT32_MAX;
}

/* The owner first, because that takes setuid and capabilities away; then
 * attributes, while it may still be written to; the time last. */
static void set_attributes(struct placer *p, int fd, const char *path)
{
	const struct format_entry *e = &p->entry->e;
	bool owned = can_have_owner(p, e);
	mode_t mode = ((e->mode & 0555) | 0200) & ~p->place->umask;
	struct timespec times[2];

	if (owned && fchown(fd, e->uid, e->gid)) {
		report_partly(p, path, "its owner", errno);
		owned = false;
	}
	if (p->place->full && e->xattr_len)
		set_xattrs(p, path, owned, set_fd_xattr, &fd);
	if (p->place->full)
		mode = e->mode & (owned ? 07777 : 0777);
	if (fchmod(fd, mode))
		report_partly(p, path, "its mode", errno);
	set_times(times, e);
	if (futimens(fd, times))
		report_partly(p, path, "its time", errno);
}

/* There are no descriptors of symbolic links that could be written through. */
static void set_link_attributes(struct placer *p, int dirfd, const char *name, const char *path)
{
	const struct format_entry *e = &p->entry->e;
	struct timespec times[2];

	if (can_have_owner(p, e) && fchownat(dirfd, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW))
		report_partly(p, path, "its owner", errno);
	if (p->place->full && e->xattr_len) {
		char *target = (char *)p->buf + NAME_AT + FORMAT_NAME + 1;

		snprintf(target, 64 + FORMAT_NAME, "/proc/self/fd/%d/%s", dirfd, name);
		set_xattrs(p, path, true, set_link_xattr, target);
	}
	set_times(times, e);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW))
		report_partly(p, path, "its time", errno);
}

/* --- files --------------------------------------------------------------------------- */

static int copy_data(struct placer *p, struct outfile *out, uint64_t begin, uint64_t end)
{
	uint64_t off = begin;

	while (off < end) {
		size_t len = (size_t)min_u64(end - off, BUF), got;
		int status;

		if (atomic_load(&p->place->stopped))
			return STATUS_CANCELLED;
		ahead_read(p->cursor, &p->entry->e, begin, off, end, BUF);
		status = bundle_read(p->cursor, &p->entry->e, off, len, p->buf, &got);
		if (status == STATUS_OK)
			status = outfile_write(out, p->buf, got);
		if (status)
			return status;
		off += got;
		atomic_fetch_add(&p->place->written, got);
	}
	return STATUS_OK;
}

static int copy_content(struct placer *p, struct outfile *out)
{
	const struct format_entry *e = &p->entry->e;
	uint64_t off = 0, begin, end;
	int status = STATUS_OK;

	while (off < e->size && status == STATUS_OK) {
		status = bundle_data_range(p->cursor, e, off, &begin, &end);
		if (status == STATUS_OK && begin > off)
			status = outfile_skip(out, begin - off);
		if (status == STATUS_OK)
			status = copy_data(p, out, begin, end);
		off = end;
	}
	return status;
}

/* What is in a directory that we have made, we have written. */
static bool may_replace(const struct placer *p)
{
	return p->place->force && !p->is_new;
}

/* Is name in dirfd, for what path says, one of those that are spared, by now? */
static bool is_spared(struct placer *p, int dirfd, const char *name, const char *path)
{
	const struct spared *spared = &p->place->spared;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	return spared_has(spared, &st) ||
	       (p->place->by_name && spared_has_name(spared, path, name));
}

/* What has been put there is spared from now on. */
static int spare(struct placer *p, const struct stat *st, const char *name, const char *path)
{
	struct spared *spared = &p->place->spared;
	int status = spared_add(spared, st);

	return status == STATUS_OK && p->place->by_name ? spared_add_name(spared, path, name)
	                                                : status;
}

/* With --force.  Where names do not tell upper from lower case, two of a bundle are one:
 * the second must not come in place of the first, whichever thread has it; nor the files
 * of two directories that are one. */
static int commit_once(struct placer *p, struct outfile *out, int dirfd, const char *name,
                       const char *path)
{
	pthread_mutex_t *turn = &p->place->spared.turn;
	struct stat st;
	int status;

	pthread_mutex_lock(turn);
	if (is_spared(p, dirfd, name, path))
		status = STATUS_EXISTS;
	else
		status = fstat(outfile_fd(out), &st) ? STATUS_IO : spare(p, &st, name, path);
	if (status)
		outfile_discard(out);
	else
		status = outfile_commit(out, false);
	pthread_mutex_unlock(turn);
	return status;
}

static enum outfile_if_taken if_taken(const struct placer *p)
{
	if (p->is_new)
		return OUTFILE_REFUSE_LATE;
	return p->place->force ? OUTFILE_REPLACE : OUTFILE_REFUSE;
}

/* Is it all read before it has a name, which is the final one then?  In a directory that was
 * made nobody has that; but with --force another directory of the bundle may be the same, where
 * names do not tell case. */
static bool is_small(const struct placer *p)
{
	return p->is_new && !p->place->force && !p->entry->e.sparse && p->entry->e.size <= BUF;
}

static int read_small(struct placer *p)
{
	const struct format_entry *e = &p->entry->e;
	int status = STATUS_OK;

	for (size_t off = 0, got; off < e->size && status == STATUS_OK; off += got)
		status = bundle_read(p->cursor, e, off, (size_t)e->size - off, p->buf + off, &got);
	return status;
}

static int place_small(struct placer *p, int dirfd, const char *name, const char *path)
{
	size_t len = (size_t)p->entry->e.size;
	struct outfile *out = NULL;
	int status = read_small(p);

	if (status == STATUS_OK)
		status = outfile_open_at(&out, dirfd, name, OUTFILE_IN_PLACE);
	if (status)
		return status;
	status = outfile_write(out, p->buf, len);
	if (status) {
		outfile_discard(out);
		return status;
	}
	atomic_fetch_add(&p->place->written, len);
	set_attributes(p, outfile_fd(out), path);
	return outfile_commit(out, false);
}

static int place_file(struct placer *p, int dirfd, const char *name, const char *path)
{
	struct outfile *out = NULL;
	int status;

	if (is_small(p))
		return place_small(p, dirfd, name, path);
	status = outfile_open_at(&out, dirfd, name, if_taken(p));
	if (status)
		return status;
	status = copy_content(p, out);
	if (status) {
		outfile_discard(out);
		return status;
	}
	set_attributes(p, outfile_fd(out), path);
	return p->place->force ? commit_once(p, out, dirfd, name, path)
	                       : outfile_commit(out, false);
}

/* --- links ----------------------------------------------------------------------------- */

/* What makes a name, as link(2) and symlink(2) do. */
typedef int make_fn(void *context, int dirfd, const char *name);

/* Makes it under another name first. */
static int replace_name(int dirfd, const char *name, make_fn *make, void *context)
{
	char temp[TEMP_LETTERS + 1];
	int rc, error;

	random_name(temp);
	if (make(context, dirfd, temp))
		return STATUS_IO;
	rc = renameat(dirfd, temp, dirfd, name);
	error = errno;
	unlinkat(dirfd, temp, 0); /* two names of one file: rename(2) leaves both */
	errno = error;
	return rc ? STATUS_IO : STATUS_OK;
}

/* Makes a name with make, also where it is taken and may be replaced. */
static int make_or_replace(struct placer *p, int dirfd, const char *name, const char *path,
                           make_fn *make, void *context)
{
	struct stat st;
	int status = STATUS_OK;

	if (make(context, dirfd, name)) {
		if (errno != EEXIST)
			return STATUS_IO;
		if (!may_replace(p) || is_spared(p, dirfd, name, path))
			return STATUS_EXISTS;
		status = replace_name(dirfd, name, make, context);
	}
	if (status == STATUS_OK && p->place->force &&
	    !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		status = spare(p, &st, name, path);
	return status;
}

static int make_name(struct placer *p, int dirfd, const char *name, const char *path, make_fn *make,
                     void *context)
{
	int status;

	pthread_mutex_lock(&p->place->spared.turn);
	status = make_or_replace(p, dirfd, name, path, make, context);
	pthread_mutex_unlock(&p->place->spared.turn);
	return status;
}

static int make_symlink(void *target, int dirfd, const char *name)
{
	return symlinkat(target, dirfd, name);
}

static int place_symlink(struct placer *p, int dirfd, const char *name, const char *path)
{
	int status = bundle_readlink(p->cursor, &p->entry->e, (char *)p->buf);

	if (status == STATUS_OK)
		status = make_name(p, dirfd, name, path, make_symlink, p->buf);
	if (status == STATUS_IO && (errno == EPERM || errno == EOPNOTSUPP)) {
		report_partly(p, path, "symbolic links cannot be made here", errno);
		return STATUS_CANCELLED;
	}
	if (status == STATUS_OK)
		set_link_attributes(p, dirfd, name, path);
	return status;
}

bool place_entry(struct placer *p, int dirfd, const char *path)
{
	const char *name = choose_name(p, dirfd, path);
	int status;

	if (p->entry->e.kind == KIND_SYMLINK)
		status = place_symlink(p, dirfd, name, path);
	else
		status = place_file(p, dirfd, name, path);
	if (status == STATUS_VOLUME)
		absent_report(p->place->session, p->cursor, &p->entry->e, path);
	else if (status)
		report(p, path, status);
	return status == STATUS_OK;
}

struct hard_link {
	int dirfd;
	const char *name;
};

static int make_link(void *context, int dirfd, const char *name)
{
	const struct hard_link *from = context;

	return linkat(from->dirfd, from->name, dirfd, name, 0);
}

bool place_link(struct placer *p, const char *first, const char *path, bool *reported)
{
	struct hard_link from;
	const char *name;
	int dirfd, status = STATUS_IO;

	*reported = false;
	dirfd = open_parent(p, first, &from.name);
	from.dirfd = dirfd < 0 ? -1 : fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (from.dirfd < 0)
		return false;
	dirfd = open_parent(p, path, &name);
	if (dirfd >= 0)
		status = make_name(p, dirfd, name, path, make_link, &from);
	if (status == STATUS_EXISTS ||
	    (status == STATUS_IO && (errno == ENOSPC || errno == EROFS))) {
		report(p, path, status);
		*reported = true;
	}
	close(from.dirfd);
	return status == STATUS_OK;
}

void place_finish(struct placer *p, const char *path)
{
	const char *name;
	int parent = open_parent(p, path, &name), fd = -1;

	if (parent >= 0)
		fd = open_component(p, parent, name, DESCENT_FLAGS & ~O_PATH);
	if (fd < 0) {
		report_partly(p, path, "its attributes", errno);
		return;
	}
	set_attributes(p, fd, path);
	close(fd);
}
