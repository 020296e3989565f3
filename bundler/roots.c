#include "bundler/scanning.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/archive.h"
#include "bundler/members.h"
#include "bundler/spill.h"
#include "common/path.h"
#include "common/status.h"

/* Keeps path, which may be NULL for want of memory. *number: of the base. */
static int add_base(struct scan *s, char *path, uint32_t *number)
{
	struct base *base = NULL;

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

/* The same, once for paths that follow each other in one directory. */
static int add_directory(struct scan *s, char *path, uint32_t *number)
{
	if (!path || !s->base_count || strcmp(path, s->base[s->base_count - 1].path))
		return add_base(s, path, number);
	free(path);
	*number = s->base_count - 1;
	return STATUS_OK;
}

static const char *base_path(const struct scan *s, uint32_t number)
{
	return s->base[number].path[0] ? s->base[number].path : ".";
}

static int open_base(struct scan *s, uint32_t number, int flags, int *fd)
{
	const char *path = base_path(s, number);

	*fd = open(path, flags | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? scan_fail(s, path, STATUS_IO, strerror(errno)) : STATUS_OK;
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
		status = scan_fail(s, base_path(s, base), STATUS_IO, strerror(errno));
	else
		s->base[base].dev = st.st_dev;
	if (status == STATUS_OK)
		scan_leave_long_names_out(s, base_path(s, base));
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
		return scan_fail(s, path, STATUS_IO, strerror(len ? ENAMETOOLONG : ENOENT));
	if (len - start == 2 && *contents)
		start = len; /* what is in ".." */
	status = add_directory(s, strndup(path, without_slashes(path, start)), &base);
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
		if (!listing_compare(l, i - 1, i)) {
			char *first = strdup(scan_item_path(s, &l->item[i - 1]));
			int status = STATUS_NOMEM;

			if (first)
				status = scan_refuse(s->report, STATUS_EXISTS,
				                     scan_item_path(s, &l->item[i]),
				                     "%s has this name, too; rename one, or give "
				                     "a directory that holds both",
				                     first);
			free(first);
			return status;
		}
	return STATUS_OK;
}

/* Each item of the listing, with its directory open. */
static int for_each_root(struct scan *s, int (*act)(struct scan *s, const struct item *item))
{
	uint32_t opened = 0;
	int status = STATUS_OK;

	s->dirfd = -1;
	for (size_t i = 0; i < s->listing.count && status == STATUS_OK; i++) {
		const struct item *item = &s->listing.item[i];

		if (!item->member && (s->dirfd < 0 || item->base != opened)) {
			if (s->dirfd >= 0)
				close(s->dirfd);
			opened = item->base;
			status = open_base(s, opened, O_PATH, &s->dirfd);
		}
		if (status == STATUS_OK)
			status = act(s, item);
	}
	if (s->dirfd >= 0)
		close(s->dirfd);
	return status;
}

/* Nothing but what is in one directory. */
static int take_contents(struct scan *s)
{
	int status = open_base(s, 0, O_PATH, &s->dirfd);

	if (status)
		return status;
	status = scan_take_all(s);
	close(s->dirfd);
	return status;
}

/* What all of them have; their names at the top go into the listing.  Each has a base
 * of its own, in their order, also where one is named twice. */
static int take_archives(struct scan *s)
{
	const struct scan_options *o = s->options;
	uint32_t base = 0, added = 0;
	struct spill *kept;
	int status = spill_new(&kept, o->arena, o->memory / 2, o->spill_dir);

	if (status == STATUS_OK)
		status = tree_keep(s->tree, kept);
	if (status == STATUS_OK)
		status = members_new(&s->members, o);
	for (unsigned i = 0; i < o->archive_count && status == STATUS_OK; i++) {
		status = add_base(s, strdup(archive_name(o->archive[i])), &added);
		base = i ? base : added;
		if (status == STATUS_OK)
			status = archive_take(s->members, kept, o, i, s->report);
	}
	return status ? status : plant_list(s, 0, base);
}

/* The root stands for the one directory whose content is given; otherwise it is
 * nobody's, and as old as the youngest thing in it. */
int roots_metadata(struct scan *s)
{
	struct node *node = s->tree->node;
	struct stat st;
	int status;

	for (uint32_t i = 1; i <= node[0].child_count && !s->root_is_known; i++)
		if (i == 1 || node[i].mtime > node[0].mtime)
			node[0].mtime = node[i].mtime;
	if (!s->root_is_known)
		return STATUS_OK;
	if (s->members)
		return plant_metadata(s, 0, 0);
	status = open_base(s, 0, O_PATH, &s->dirfd);
	if (status)
		return status;
	if (!fstat(s->dirfd, &st))
		status = scan_metadata(s, 0, ".", false, &st);
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

int roots_scan(struct scan *s, const char *const *paths, unsigned count)
{
	bool alone = count + s->options->archive_count == 1, contents = false;
	int status = STATUS_OK;

	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = gather(s, paths[i], &contents);
	if (status == STATUS_OK && s->options->archive_count) {
		status = for_each_root(s, scan_check_given);
		if (status == STATUS_OK)
			status = take_archives(s);
	}
	if (status)
		return status;
	listing_sort(&s->listing);
	status = check_names_differ(s);
	contents = contents && alone;
	if (status == STATUS_OK)
		status = contents ? take_contents(s) : for_each_root(s, scan_take);
	if (s->members)
		contents = alone && !members_file(s->members, 0)->invented;
	s->root_is_known = contents;
	return status ? status : note_bases(s);
}
