#include "bundler/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/attributes.h"
#include "bundler/looks.h"
#include "bundler/members.h"
#include "bundler/scanning.h"
#include "bundler/spill.h"
#include "common/diag.h"
#include "common/status.h"

/* --- messages ------------------------------------------------------------- */

static const char *node_path(struct scan *s, uint32_t number)
{
	if (!number)
		return s->base[0].path[0] ? s->base[0].path : ".";
	if (tree_path(s->tree, number, s->shown, sizeof s->shown))
		return tree_name(s->tree, number);
	return s->shown;
}

const char *scan_item_path(struct scan *s, const struct item *item)
{
	const char *name = s->listing.names + item->name_off;
	size_t len;

	if (!s->parent)
		snprintf(s->shown, sizeof s->shown, "%s", s->base[item->base].path);
	else if (tree_path(s->tree, s->parent, s->shown, sizeof s->shown))
		return name;
	len = strlen(s->shown);
	if (len && s->shown[len - 1] != '/' && len + 1 < sizeof s->shown)
		s->shown[len++] = '/';
	snprintf(s->shown + len, sizeof s->shown - len, "%s", name);
	return s->shown;
}

static void leave_out(struct scan *s, const char *path, const char *why)
{
	diag_error(path, "%s: left out", why);
	s->report->unreadable++;
}

static void skip(struct scan *s, const char *path, const char *what)
{
	diag_warn(path, "%s: left out", what);
	s->report->skipped++;
}

int scan_refuse(struct scan_report *report, int status, const char *path, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	diag_error(path, "%s", text);
	snprintf(report->refusal, sizeof report->refusal, "%s%s%s", path ? path : "",
	         path ? ": " : "", text);
	return status;
}

/* Something that was asked for by its name cannot be had. */
int scan_fail(struct scan *s, const char *path, int status, const char *why)
{
	return scan_refuse(s->report, status, path, "%s", why);
}

/* --- one entry ------------------------------------------------------------ */

bool scan_excludes(const struct scan_options *options, const char *name, const char *path)
{
	for (unsigned i = 0; i < options->exclude_count; i++)
		if (!fnmatch(options->exclude[i], name, 0) ||
		    !fnmatch(options->exclude[i], path, 0))
			return true;
	return false;
}

static bool is_excluded(struct scan *s, const struct item *item)
{
	const char *name = s->listing.names + item->name_off;

	memcpy(s->inner + s->inner_len, name, item->name_len + (size_t)1);
	return scan_excludes(s->options, name, s->inner);
}

static bool is_output(const struct scan *s, const struct stat *st)
{
	for (unsigned i = 0; i < s->options->output_count; i++)
		if (s->options->output[i].dev == st->st_dev &&
		    s->options->output[i].ino == st->st_ino)
			return true;
	return false;
}

/* What it is, if it is nothing that a bundle can hold. */
static const char *unfit_kind(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK: return NULL;
	case S_IFSOCK: return "is a socket";
	case S_IFIFO: return "is a pipe";
	default: return "is a device";
	}
}

/* name in dirfd; no system call takes these two, but /proc has a path. */
static int take_attributes(struct scan *s, uint32_t number, const char *name, bool follow)
{
	char path[64 + FORMAT_NAME];
	const uint8_t *set = NULL;
	size_t len = 0;
	int status;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->dirfd, name);
	status = attributes_read(s->attributes, path, follow, &set, &len);
	if (status) {
		leave_out(s, node_path(s, number),
		          status == STATUS_TOOBIG ? "its extended attributes are too large"
		                                  : "its extended attributes cannot be read");
		return STATUS_OK;
	}
	return plant_set(s, number, set, len);
}

int scan_metadata(struct scan *s, uint32_t number, const char *name, bool follow,
                  const struct stat *st)
{
	s->tree->node[number].mode = st->st_mode & 07777;
	tree_set_time(s->tree, number, st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec);
	if (!s->tree->extra)
		return STATUS_OK;
	s->tree->extra[number].uid = st->st_uid;
	s->tree->extra[number].gid = st->st_gid;
	return take_attributes(s, number, name, follow);
}

/* Another name of a file that is there already?  *is_link. */
static int take_other_name(struct scan *s, uint32_t number, const struct stat *st, bool *is_link)
{
	int status = STATUS_OK;

	*is_link = false;
	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		status = plant_link(s, number, st->st_dev, st->st_ino, is_link);
	/* Until it is staged, so that it is known then whether it is the same. */
	if (!*is_link && S_ISREG(st->st_mode) && st->st_nlink > 1)
		s->tree->node[number].place = st->st_ino;
	return status;
}

/* The item, which is st (and has that target), becomes a node. */
static int add(struct scan *s, const struct item *item, const struct stat *st, const char *target,
               size_t target_len)
{
	const char *name = s->listing.names + item->name_off;
	bool is_link = false;
	uint32_t number;
	int status = tree_add(s->tree, s->parent, name, item->name_len, &number);

	if (status == STATUS_OK && !s->parent)
		status = plant_top(s, number, item,
		                   item->given ? st->st_dev : s->base[item->base].dev);
	if (status == STATUS_OK)
		status = take_other_name(s, number, st, &is_link);
	if (status || is_link)
		return status;
	if (S_ISLNK(st->st_mode))
		status = plant_target(s, number, target, target_len);
	else if (S_ISDIR(st->st_mode))
		plant_directory(s, number);
	else
		plant_file(s, number, (uint64_t)st->st_size);
	if (status)
		return status;
	return scan_metadata(s, number, name, item->given, st);
}

/* As whoever went ahead has seen it, or as it is now. */
static bool find_out(const struct scan *s, const struct item *item, struct stat *st)
{
	const char *name = s->listing.names + item->name_off;

	if (!s->look)
		return !fstatat(s->dirfd, name, st, item->given ? 0 : AT_SYMLINK_NOFOLLOW);
	*st = s->look->st;
	errno = s->look->error;
	return !s->look->error;
}

/* Stat, and read the target of, what is not followed.  false: errno. */
static bool look(const struct scan *s, const struct item *item, struct stat *st,
                 char target[static FORMAT_LINK + 1], size_t *target_len)
{
	const char *name = s->listing.names + item->name_off;
	ssize_t len;

	if (!find_out(s, item, st))
		return false;
	if (!S_ISLNK(st->st_mode))
		return true;
	len = readlinkat(s->dirfd, name, target, FORMAT_LINK + 1);
	/* It was one when somebody went ahead. */
	if (len < 0 && errno == EINVAL)
		return !fstatat(s->dirfd, name, st, AT_SYMLINK_NOFOLLOW) && !S_ISLNK(st->st_mode);
	if (len >= 0 && (len == 0 || len > FORMAT_LINK))
		errno = ENAMETOOLONG;
	*target_len = (size_t)len;
	return len > 0 && len <= FORMAT_LINK;
}

/* What was given must be there and readable: better known now than when
 * everything else has been read. */
static int check_given(struct scan *s, const struct item *item, const struct stat *st)
{
	const char *name = s->listing.names + item->name_off;
	const char *unfit = unfit_kind(st);

	if (unfit)
		return scan_fail(s, scan_item_path(s, item), STATUS_INVALID, unfit);
	if (faccessat(s->dirfd, name, R_OK, AT_EACCESS))
		return scan_fail(s, scan_item_path(s, item), STATUS_IO, strerror(errno));
	return STATUS_OK;
}

int scan_check_given(struct scan *s, const struct item *item)
{
	char target[FORMAT_LINK + 1];
	size_t target_len;
	struct stat st;

	if (!item->given || is_excluded(s, item))
		return STATUS_OK;
	if (!look(s, item, &st, target, &target_len))
		return scan_fail(s, scan_item_path(s, item), STATUS_IO, strerror(errno));
	return check_given(s, item, &st);
}

/* What is on disk, and not excluded. */
static int take(struct scan *s, const struct item *item)
{
	char target[FORMAT_LINK + 1];
	size_t target_len = 0;
	struct stat st;
	int status;

	if (!look(s, item, &st, target, &target_len)) {
		if (item->given)
			return scan_fail(s, scan_item_path(s, item), STATUS_IO, strerror(errno));
		leave_out(s, scan_item_path(s, item), strerror(errno));
		return STATUS_OK;
	}
	/* A film, perhaps, whose name was completed by the shell. */
	if (is_output(s, &st))
		return scan_fail(s, scan_item_path(s, item), STATUS_EXISTS,
		                 "lies in what is packed, and --force would replace it; name "
		                 "another file, or leave it out with --exclude");
	if (item->given) {
		status = check_given(s, item, &st);
		if (status)
			return status;
	} else if (unfit_kind(&st)) {
		skip(s, scan_item_path(s, item), unfit_kind(&st));
		return STATUS_OK;
	}
	if (s->inner_len + item->name_len > FORMAT_PATH) {
		leave_out(s, scan_item_path(s, item), "its path is longer than a bundle can hold");
		return STATUS_OK;
	}
	return add(s, item, &st, target, target_len);
}

static bool is_cancelled(const struct scan *s)
{
	return s->options->cancelled && s->options->cancelled();
}

int scan_take(struct scan *s, const struct item *item)
{
	if (is_cancelled(s))
		return STATUS_CANCELLED;
	if (item->member)
		return plant_member(s, item);
	return is_excluded(s, item) ? STATUS_OK : take(s, item);
}

/* --- a directory ---------------------------------------------------------- */

static bool is_mount(const struct scan *s, uint32_t number, int fd)
{
	struct stat st;

	while (s->tree->node[number].parent)
		number = s->tree->node[number].parent;
	return s->options->one_file_system && !fstat(fd, &st) &&
	       st.st_dev != s->top[number - 1].dev;
}

static int take_members(struct scan *s)
{
	int status = STATUS_OK;

	listing_sort(&s->listing);
	for (size_t i = 0; i < s->listing.count && status == STATUS_OK; i++)
		status = scan_take(s, &s->listing.item[i]);
	return status;
}

/* They are not even looked at: perhaps because nobody answers there. */
static void drop_excluded(struct scan *s)
{
	struct listing *l = &s->listing;
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!is_excluded(s, &l->item[i]))
			l->item[count++] = l->item[i];
	l->count = count;
}

int scan_take_all(struct scan *s)
{
	int status;

	drop_excluded(s);
	listing_sort(&s->listing);
	status = looks_begin(s->looks, &s->listing, s->dirfd);
	for (size_t i = 0; i < s->listing.count && status == STATUS_OK; i++) {
		s->look = looks_next(s->looks);
		status = is_cancelled(s) ? STATUS_CANCELLED : take(s, &s->listing.item[i]);
	}
	s->look = NULL;
	looks_end(s->looks);
	return status;
}

/* One line for each. */
void scan_leave_long_names_out(struct scan *s, const char *path)
{
	for (; s->listing.too_long; s->listing.too_long--)
		leave_out(s, path, "what has a name of more than 255 bytes in it");
}

static int read_directory(struct scan *s, uint32_t number, DIR *dir)
{
	int status;

	listing_clear(&s->listing);
	status = listing_read(&s->listing, dir, 0);
	if (status == STATUS_IO)
		leave_out(s, node_path(s, number), "a part of it cannot be read");
	else if (status)
		return status;
	scan_leave_long_names_out(s, node_path(s, number));
	s->parent = number;
	s->dirfd = dirfd(dir);
	tree_inner_path(s->tree, number, s->inner, sizeof s->inner);
	s->inner_len = strlen(s->inner);
	s->inner[s->inner_len++] = '/';
	return scan_take_all(s);
}

static int leave_directory_out(struct scan *s, uint32_t number)
{
	const char *why = strerror(errno);

	if (s->tree->node[number].given)
		return scan_fail(s, node_path(s, number), STATUS_IO, why);
	leave_out(s, node_path(s, number), why);
	tree_drop(s->tree, number);
	s->report->directories--;
	return STATUS_OK;
}

static int enter_member(struct scan *s, uint32_t number)
{
	int status;

	listing_clear(&s->listing);
	s->parent = number;
	status = plant_list(s, (uint32_t)s->tree->kept_at[number], 0);
	return status ? status : take_members(s);
}

static int enter(struct scan *s, uint32_t number)
{
	int fd, status = STATUS_OK;
	DIR *dir;

	if (plant_is_member(s, number))
		return enter_member(s, number);
	if (way_open(&s->way, s->tree, number, O_RDONLY | O_DIRECTORY, &fd))
		return leave_directory_out(s, number);
	if (is_mount(s, number, fd)) {
		diag_warn(node_path(s, number), "holds another file system, which is left out; "
		                                "--cross-file-systems takes it in");
		s->report->skipped++;
		close(fd);
		return STATUS_OK;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return STATUS_NOMEM;
	}
	status = read_directory(s, number, dir);
	closedir(dir);
	return status;
}

/* --- all of it ------------------------------------------------------------ */

/* The heap is the only thing that fails unnamed: a spill. */
static int explain(struct scan *s, int status)
{
	if (status == STATUS_TOOBIG)
		return scan_fail(s, NULL, status,
		                 "more files and directories than a bundle can hold");
	if (status == STATUS_IO)
		return scan_refuse(s->report, status, spill_directory(s->heap), SPILL_TROUBLE,
		                   strerror(errno));
	return scan_fail(s, NULL, status, status_text(status));
}

static void fini(struct scan *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->base_count; i++)
		free(s->base[i].path);
	free(s->base);
	free(s->top);
	way_end(&s->way);
	looks_free(s->looks);
	listing_fini(&s->listing);
	inodes_fini(&s->inodes);
	members_free(s->members);
	attributes_free(s->attributes);
	free(s);
}

static int scan_all(struct scan *s, const char *const *paths, unsigned count)
{
	int status = roots_scan(s, paths, count);

	for (uint32_t i = 1; i < s->tree->count && status == STATUS_OK; i++)
		if (s->tree->node[i].kind == KIND_DIRECTORY)
			status = enter(s, i);
	if (status == STATUS_OK && s->members)
		plant_invented_times(s);
	return status ? status : roots_metadata(s);
}

int scan_paths(struct tree *tree, struct spill *heap, const char *const *paths, unsigned count,
               const struct scan_options *options, struct scan_report *report)
{
	struct scan *s = calloc(1, sizeof *s);
	int status = STATUS_NOMEM;

	memset(report, 0, sizeof *report);
	if (!s) {
		diag_status(NULL, status);
		return status;
	}
	tree->newest = options->newest;
	s->tree = tree;
	s->way = WAY_NONE;
	s->heap = heap;
	s->options = options;
	s->report = report;
	if (!looks_new(&s->looks, options->cancelled) &&
	    (!tree->extra || !attributes_new(&s->attributes)))
		status = scan_all(s, paths, count);
	if (status && status != STATUS_CANCELLED && !report->refusal[0])
		explain(s, status);
	fini(s);
	return status;
}
