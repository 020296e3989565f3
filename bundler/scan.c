#include "bundler/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/attributes.h"
#include "bundler/inodes.h"
#include "bundler/spill.h"
#include "bundler/tree.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/path.h"
#include "common/status.h"

/* bundle(5) counts days up to 2^38 and seconds up to 2^55: this is in both. */
#define TIME_MAX (INT64_C(1) << 54)

enum { FIRST_ITEMS = 64, FIRST_NAMES = 4096 };

/* Something found in a directory, or given as a path. */
struct item {
	uint64_t name_off;
	uint32_t base; /* for children of the root: number of the directory that it is in */
	uint8_t name_len;
	bool given;
};

struct listing {
	struct item *item;
	size_t count, room;
	char *names;
	size_t names_len, names_room;
};

/* What directory an item of the root is in. */
struct base {
	char *path;
	size_t text_off; /* in the tree's block of them */
	dev_t dev;
};

/* Where a child of the root was taken from. */
struct top {
	uint32_t base;
	bool given;
	dev_t dev; /* the file system that it is on */
};

struct scan {
	struct tree *tree;
	struct spill *heap;
	const struct scan_options *options;
	struct scan_report *report;
	struct listing listing;
	struct base *base;
	uint32_t base_count;
	struct top *top; /* one for each child of the root */
	size_t top_room;
	struct inodes inodes;
	struct attributes *attributes;   /* NULL unless full metadata is kept */
	uint8_t last_set[FORMAT_XATTRS]; /* and where it is in the heap */
	uint64_t last_off;
	uint32_t last_len;
	/* The directory whose children are being taken in. */
	uint32_t parent;
	int dirfd;
	char inner[FORMAT_PATH + FORMAT_NAME + 2]; /* its path in the bundle, with a slash behind */
	size_t inner_len;
	char shown[TREE_PATH_SIZE + FORMAT_NAME + 2];
	bool named; /* what stops the scan has been said */
};

/* --- listings ------------------------------------------------------------- */

static void listing_clear(struct listing *listing)
{
	listing->count = listing->names_len = 0;
}

static void listing_fini(struct listing *listing)
{
	free(listing->item);
	free(listing->names);
}

/* Room for count more of size bytes behind the first used. */
static void *room_for(void *array, size_t *room, size_t used, size_t count, size_t size,
                      size_t first)
{
	size_t wanted = *room ? *room : first;
	void *larger;

	if (count <= *room - used)
		return array;
	while (wanted - used < count)
		wanted *= 2;
	larger = realloc(array, wanted * size);
	if (larger)
		*room = wanted;
	return larger;
}

static int listing_add(struct listing *l, const char *name, size_t len, uint32_t base, bool given)
{
	void *item = room_for(l->item, &l->room, l->count, 1, sizeof *l->item, FIRST_ITEMS);
	void *names;

	if (!item)
		return STATUS_NOMEM;
	l->item = item;
	names = room_for(l->names, &l->names_room, l->names_len, len + 1, 1, FIRST_NAMES);
	if (!names)
		return STATUS_NOMEM;
	l->names = names;
	l->item[l->count++] = (struct item){l->names_len, base, (uint8_t)len, given};
	memcpy(l->names + l->names_len, name, len);
	l->names[l->names_len + len] = '\0';
	l->names_len += len + 1;
	return STATUS_OK;
}

static int compare(const void *a, const void *b, void *names)
{
	const struct item *x = a, *y = b;
	const char *text = names;

	return path_name_compare(text + x->name_off, x->name_len, text + y->name_off, y->name_len);
}

static void listing_sort(struct listing *l)
{
	if (l->count)
		qsort_r(l->item, l->count, sizeof *l->item, compare, l->names);
}

/* Append what is in dir.  STATUS_IO: what could be read is there. */
static int listing_read(struct listing *l, DIR *dir, uint32_t base)
{
	const struct dirent *d;
	int status = STATUS_OK;

	while (status == STATUS_OK) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno ? STATUS_IO : STATUS_OK;
		if (path_name_ok(d->d_name, strlen(d->d_name)))
			status = listing_add(l, d->d_name, strlen(d->d_name), base, false);
	}
	return status;
}

/* --- messages ------------------------------------------------------------- */

static const char *node_path(struct scan *s, uint32_t number)
{
	if (!number)
		return s->base[0].path[0] ? s->base[0].path : ".";
	if (tree_path(s->tree, number, s->shown, sizeof s->shown))
		return tree_name(s->tree, number);
	return s->shown;
}

static const char *item_path(struct scan *s, const struct item *item)
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

/* Something that was asked for by its name cannot be had. */
static int refuse(struct scan *s, const char *path, int status, const char *why)
{
	diag_error(path, "%s", why);
	s->named = true;
	return status;
}

/* --- one entry ------------------------------------------------------------ */

static bool is_excluded(struct scan *s, const struct item *item)
{
	const char *name = s->listing.names + item->name_off;

	if (!s->options->exclude_count)
		return false;
	memcpy(s->inner + s->inner_len, name, item->name_len + (size_t)1);
	for (unsigned i = 0; i < s->options->exclude_count; i++)
		if (!fnmatch(s->options->exclude[i], name, 0) ||
		    !fnmatch(s->options->exclude[i], s->inner, 0))
			return true;
	return false;
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
static const char *unfit_kind(const struct scan *s, const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: return is_output(s, st) ? "is the output" : NULL;
	case S_IFDIR:
	case S_IFLNK: return NULL;
	case S_IFSOCK: return "is a socket";
	case S_IFIFO: return "is a pipe";
	default: return "is a device";
	}
}

static void take_time(const struct scan *s, uint32_t number, struct timespec mtime)
{
	if (mtime.tv_sec >= s->options->newest)
		mtime = (struct timespec){.tv_sec = s->options->newest};
	if (mtime.tv_sec > TIME_MAX)
		mtime.tv_sec = TIME_MAX;
	if (mtime.tv_sec < -TIME_MAX)
		mtime.tv_sec = -TIME_MAX;
	s->tree->node[number].mtime = mtime.tv_sec;
	if (s->tree->extra)
		s->tree->extra[number].mtime_nsec = (uint32_t)mtime.tv_nsec;
}

/* Files from the same hands mostly have the same set: it is stored once. */
static int store_set(struct scan *s, const uint8_t *set, size_t len)
{
	int status;

	if (len == s->last_len && !memcmp(set, s->last_set, len))
		return STATUS_OK;
	s->last_off = spill_len(s->heap);
	status = spill_append(s->heap, set, len);
	memcpy(s->last_set, set, len);
	s->last_len = (uint32_t)len;
	return status;
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
	if (!len)
		return STATUS_OK;
	status = store_set(s, set, len);
	s->tree->extra[number].xattr_len = (uint32_t)len;
	s->tree->extra[number].xattr_off = s->last_off;
	return status;
}

static int take_metadata(struct scan *s, uint32_t number, const char *name, bool follow,
                         const struct stat *st)
{
	s->tree->node[number].mode = st->st_mode & 07777;
	take_time(s, number, st->st_mtim);
	if (!s->tree->extra)
		return STATUS_OK;
	s->tree->extra[number].uid = st->st_uid;
	s->tree->extra[number].gid = st->st_gid;
	return take_attributes(s, number, name, follow);
}

/* Another name of a file that is there already?  *is_link. */
static int take_other_name(struct scan *s, uint32_t number, const struct stat *st, bool *is_link)
{
	struct node *node = s->tree->node;
	uint32_t first = number;
	int status = STATUS_OK;

	if (st->st_nlink > 1 && !S_ISDIR(st->st_mode))
		status = inodes_note(&s->inodes, st->st_dev, st->st_ino, number, &first);
	*is_link = first != number;
	/* Until it is staged, so that it is known then whether it is the same. */
	if (!*is_link && S_ISREG(st->st_mode) && st->st_nlink > 1)
		node[number].place = st->st_ino;
	if (*is_link) {
		node[number].kind = KIND_HARDLINK;
		node[number].place = first;
		node[first].links++;
		s->report->links++;
	}
	return status;
}

static int take_target(struct scan *s, uint32_t number, const char *target, size_t len)
{
	struct node *n = &s->tree->node[number];

	n->kind = KIND_SYMLINK;
	n->size = len;
	n->place = spill_len(s->heap);
	s->report->links++;
	return spill_append(s->heap, target, len);
}

static void take_file(struct scan *s, uint32_t number, const struct stat *st)
{
	s->tree->node[number].kind = KIND_FILE;
	s->tree->node[number].size = (uint64_t)st->st_size;
	s->report->files++;
	s->report->bytes += (uint64_t)st->st_size;
}

static void take_directory(struct scan *s, uint32_t number)
{
	s->tree->node[number].kind = KIND_DIRECTORY;
	s->report->directories++;
}

/* Where a child of the root comes from; children are numbered from 1. */
static int take_top(struct scan *s, uint32_t number, const struct item *item, dev_t dev)
{
	void *top = room_for(s->top, &s->top_room, number - 1, 1, sizeof *s->top, FIRST_ITEMS);

	if (!top)
		return STATUS_NOMEM;
	s->top = top;
	s->top[number - 1] =
		(struct top){item->base, item->given, item->given ? dev : s->base[item->base].dev};
	return STATUS_OK;
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
		status = take_top(s, number, item, st->st_dev);
	if (status == STATUS_OK)
		status = take_other_name(s, number, st, &is_link);
	if (status || is_link)
		return status;
	if (S_ISLNK(st->st_mode))
		status = take_target(s, number, target, target_len);
	else if (S_ISDIR(st->st_mode))
		take_directory(s, number);
	else
		take_file(s, number, st);
	if (status)
		return status;
	return take_metadata(s, number, name, item->given, st);
}

/* Stat, and read the target of, what is not followed.  false: errno. */
static bool look(const struct scan *s, const struct item *item, struct stat *st,
                 char target[static FORMAT_LINK + 1], size_t *target_len)
{
	const char *name = s->listing.names + item->name_off;
	ssize_t len;

	if (fstatat(s->dirfd, name, st, item->given ? 0 : AT_SYMLINK_NOFOLLOW))
		return false;
	if (!S_ISLNK(st->st_mode))
		return true;
	len = readlinkat(s->dirfd, name, target, FORMAT_LINK + 1);
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
	const char *unfit = unfit_kind(s, st);

	if (unfit)
		return refuse(s, item_path(s, item), STATUS_INVALID, unfit);
	if (faccessat(s->dirfd, name, R_OK, AT_EACCESS))
		return refuse(s, item_path(s, item), STATUS_IO, strerror(errno));
	return STATUS_OK;
}

static int take(struct scan *s, const struct item *item)
{
	char target[FORMAT_LINK + 1];
	size_t target_len = 0;
	struct stat st;
	int status;

	if (s->options->cancelled && s->options->cancelled())
		return STATUS_CANCELLED;
	if (is_excluded(s, item))
		return STATUS_OK;
	if (!look(s, item, &st, target, &target_len)) {
		if (item->given)
			return refuse(s, item_path(s, item), STATUS_IO, strerror(errno));
		leave_out(s, item_path(s, item), strerror(errno));
		return STATUS_OK;
	}
	if (item->given) {
		status = check_given(s, item, &st);
		if (status)
			return status;
	} else if (unfit_kind(s, &st)) {
		skip(s, item_path(s, item), unfit_kind(s, &st));
		return STATUS_OK;
	}
	if (s->inner_len + item->name_len > FORMAT_PATH) {
		leave_out(s, item_path(s, item), "its path is longer than a bundle can hold");
		return STATUS_OK;
	}
	return add(s, item, &st, target, target_len);
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

static int take_children(struct scan *s)
{
	int status = STATUS_OK;

	listing_sort(&s->listing);
	for (size_t i = 0; i < s->listing.count && status == STATUS_OK; i++)
		status = take(s, &s->listing.item[i]);
	return status;
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
	s->parent = number;
	s->dirfd = dirfd(dir);
	tree_inner_path(s->tree, number, s->inner, sizeof s->inner);
	s->inner_len = strlen(s->inner);
	s->inner[s->inner_len++] = '/';
	return take_children(s);
}

static int leave_directory_out(struct scan *s, uint32_t number)
{
	const char *why = strerror(errno);

	if (!s->tree->node[number].parent && s->top[number - 1].given)
		return refuse(s, node_path(s, number), STATUS_IO, why);
	leave_out(s, node_path(s, number), why);
	tree_drop(s->tree, number);
	s->report->directories--;
	return STATUS_OK;
}

static int enter(struct scan *s, uint32_t number)
{
	int fd, status = STATUS_OK;
	DIR *dir;

	if (tree_open(s->tree, number, O_RDONLY | O_DIRECTORY, &fd))
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

/* --- the root ------------------------------------------------------------- */

/* Keeps path, which may be NULL for want of memory. *number: of the base. */
static int add_base(struct scan *s, char *path, uint32_t *number)
{
	struct base *base = NULL;

	if (path && s->base_count && !strcmp(path, s->base[s->base_count - 1].path)) {
		free(path);
		*number = s->base_count - 1;
		return STATUS_OK;
	}
	if (path)
		base = realloc(s->base, (s->base_count + (size_t)1) * sizeof *base);
	if (!base) {
		free(path);
		return STATUS_NOMEM;
	}
	s->base = base;
	s->base[s->base_count] = (struct base){.path = path};
	*number = s->base_count++;
	return STATUS_OK;
}

static int open_base(struct scan *s, uint32_t number, int flags, int *fd)
{
	const char *path = s->base[number].path[0] ? s->base[number].path : ".";

	*fd = open(path, flags | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? refuse(s, path, STATUS_IO, strerror(errno)) : STATUS_OK;
}

/* What is in the directory. */
static int gather_contents(struct scan *s, uint32_t base)
{
	struct stat st;
	DIR *dir;
	int fd, status = open_base(s, base, O_RDONLY, &fd);

	if (status)
		return status;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return STATUS_NOMEM;
	}
	status = fstat(fd, &st) ? STATUS_IO : listing_read(&s->listing, dir, base);
	if (status == STATUS_IO)
		status = refuse(s, node_path(s, 0), STATUS_IO, strerror(errno));
	else
		s->base[base].dev = st.st_dev;
	closedir(dir);
	return status;
}

/* Bytes of path[0, len) without the slashes behind it, but for the root's. */
static size_t without_slashes(const char *path, size_t len)
{
	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

static int gather(struct scan *s, const char *path, bool *contents)
{
	size_t len = without_slashes(path, strlen(path)), start = len;
	uint32_t base;
	int status;

	while (start && path[start - 1] != '/')
		start--;
	*contents = !path_name_ok(path + start, len - start);
	if (len - start > FORMAT_NAME || !len)
		return refuse(s, path, STATUS_IO, strerror(len ? ENAMETOOLONG : ENOENT));
	if (len - start == 2 && *contents)
		start = len; /* what is in ".." */
	status = add_base(s, strndup(path, without_slashes(path, start)), &base);
	if (status)
		return status;
	if (*contents)
		return gather_contents(s, base);
	return listing_add(&s->listing, path + start, len - start, base, true);
}

static int check_names_differ(struct scan *s)
{
	const struct listing *l = &s->listing;

	for (size_t i = 1; i < l->count; i++)
		if (!compare(&l->item[i - 1], &l->item[i], l->names))
			return refuse(s, l->names + l->item[i].name_off, STATUS_EXISTS,
			              "two sources have this name; rename one, or give a "
			              "directory that holds both");
	return STATUS_OK;
}

static int take_roots(struct scan *s)
{
	uint32_t opened = 0;
	int status = check_names_differ(s);

	s->dirfd = -1;
	for (size_t i = 0; i < s->listing.count && status == STATUS_OK; i++) {
		const struct item *item = &s->listing.item[i];

		if (s->dirfd < 0 || item->base != opened) {
			if (s->dirfd >= 0)
				close(s->dirfd);
			opened = item->base;
			status = open_base(s, opened, O_PATH, &s->dirfd);
		}
		if (status == STATUS_OK)
			status = take(s, item);
	}
	if (s->dirfd >= 0)
		close(s->dirfd);
	return status;
}

/* The root stands for the one directory whose content is given; otherwise it is
 * nobody's, and as old as the youngest thing in it. */
static int take_root_metadata(struct scan *s, bool is_directory)
{
	struct tree *tree = s->tree;
	struct stat st;
	int status;

	for (uint32_t i = 1; i < tree->count && !is_directory; i++)
		if (i == 1 || tree->node[i].mtime > tree->node[0].mtime)
			tree->node[0].mtime = tree->node[i].mtime;
	if (!is_directory)
		return STATUS_OK;
	status = open_base(s, 0, O_PATH, &s->dirfd);
	if (status)
		return status;
	if (!fstat(s->dirfd, &st))
		status = take_metadata(s, 0, ".", false, &st);
	close(s->dirfd);
	return status;
}

/* One block: a pointer for each child of the root, then the strings. */
static int note_bases(struct scan *s)
{
	size_t count = s->tree->node[0].child_count, len = 0;
	char **pointer, *text;

	for (uint32_t b = 0; b < s->base_count; b++) {
		s->base[b].text_off = len;
		len += strlen(s->base[b].path) + 1;
	}
	pointer = malloc(count * sizeof *pointer + len + 1);
	if (!pointer)
		return STATUS_NOMEM;
	text = (char *)(pointer + count);
	for (uint32_t b = 0; b < s->base_count; b++)
		strcpy(text + s->base[b].text_off, s->base[b].path);
	for (size_t i = 0; i < count; i++)
		pointer[i] = text + s->base[s->top[i].base].text_off;
	s->tree->base = pointer;
	return STATUS_OK;
}

static int scan_roots(struct scan *s, const char *const *paths, unsigned count)
{
	bool contents = false;
	int status = STATUS_OK;

	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = gather(s, paths[i], &contents);
	if (status)
		return status;
	listing_sort(&s->listing);
	status = take_roots(s);
	if (status == STATUS_OK)
		status = take_root_metadata(s, contents && count == 1);
	return status ? status : note_bases(s);
}

static void explain(int status)
{
	if (status == STATUS_TOOBIG)
		diag_error(NULL, "more files and directories than a bundle can hold");
	else
		diag_status(NULL, status);
}

static void fini(struct scan *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->base_count; i++)
		free(s->base[i].path);
	free(s->base);
	free(s->top);
	listing_fini(&s->listing);
	inodes_fini(&s->inodes);
	attributes_free(s->attributes);
	free(s);
}

int scan_paths(struct tree *tree, struct spill *heap, const char *const *paths, unsigned count,
               const struct scan_options *options, struct scan_report *report)
{
	struct scan *s = calloc(1, sizeof *s);
	int status = STATUS_NOMEM;

	memset(report, 0, sizeof *report);
	if (!s)
		goto out;
	s->tree = tree;
	s->heap = heap;
	s->options = options;
	s->report = report;
	if (tree->extra && attributes_new(&s->attributes))
		goto out;
	status = scan_roots(s, paths, count);
	for (uint32_t i = 1; i < tree->count && status == STATUS_OK; i++)
		if (tree->node[i].kind == KIND_DIRECTORY)
			status = enter(s, i);
out:
	if (status && status != STATUS_CANCELLED && !(s && s->named))
		explain(status);
	fini(s);
	return status;
}
