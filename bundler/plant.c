#include <stdlib.h>
#include <string.h>

#include "bundler/members.h"
#include "bundler/scanning.h"
#include "bundler/spill.h"
#include "common/bytes.h"
#include "common/status.h"

enum { FIRST_TOPS = 64 };

/* Files of archives have no inode of their own: no file system has this number. */
#define MEMBERS_DEVICE ((dev_t)-1)

/* --- whatever it comes from ---------------------------------------------------- */

int plant_top(struct scan *s, uint32_t number, const struct item *item, dev_t dev)
{
	if (number > s->top_room) {
		size_t room = s->top_room ? 2 * s->top_room : FIRST_TOPS;
		struct top *top = realloc(s->top, room * sizeof *top);

		if (!top)
			return STATUS_NOMEM;
		s->top = top;
		s->top_room = room;
	}
	s->top[number - 1] = (struct top){item->base, dev};
	s->tree->node[number].given = item->given;
	return STATUS_OK;
}

int plant_link(struct scan *s, uint32_t number, dev_t dev, ino_t ino, bool *is_link)
{
	uint32_t first = number;
	int status = inodes_note(&s->inodes, dev, ino, number, &first);

	*is_link = first != number;
	if (*is_link) {
		tree_link(s->tree, number, first);
		s->report->links++;
	}
	return status;
}

/* Files from the same hands mostly have the same set: it is stored once. */
int plant_set(struct scan *s, uint32_t number, const uint8_t *set, size_t len)
{
	int status = STATUS_OK;

	if (!len)
		return STATUS_OK;
	if (len != s->last_len || memcmp(set, s->last_set, len)) {
		s->last_off = spill_len(s->heap);
		status = spill_append(s->heap, set, len);
		memcpy(s->last_set, set, len);
		s->last_len = (uint32_t)len;
	}
	s->tree->extra[number].xattr_len = (uint32_t)len;
	s->tree->extra[number].xattr_off = s->last_off;
	return status;
}

int plant_target(struct scan *s, uint32_t number, const char *target, size_t len)
{
	struct node *n = &s->tree->node[number];

	n->kind = KIND_SYMLINK;
	n->size = len;
	n->place = spill_len(s->heap);
	s->report->links++;
	return spill_append(s->heap, target, len);
}

void plant_file(struct scan *s, uint32_t number, uint64_t size)
{
	s->tree->node[number].kind = KIND_FILE;
	s->tree->node[number].size = size;
	s->report->files++;
	s->report->bytes += size;
}

void plant_directory(struct scan *s, uint32_t number)
{
	s->tree->node[number].kind = KIND_DIRECTORY;
	s->report->directories++;
}

/* --- what archives have ---------------------------------------------------------- */

bool plant_is_member(const struct scan *s, uint32_t number)
{
	return tree_is_kept(s->tree, number);
}

int plant_list(struct scan *s, uint32_t member, uint32_t base)
{
	const struct member *m;
	int status = STATUS_OK;

	for (uint32_t i = members_get(s->members, member)->child; i && status == STATUS_OK;
	     i = m->next) {
		m = members_get(s->members, i);
		if (m->excluded || m->file == MEMBERS_NONE)
			continue;
		status = listing_add(&s->listing, members_name(s->members, i), m->name_len,
		                     member ? 0 : base + m->archive, false);
		if (status == STATUS_OK)
			s->listing.item[s->listing.count - 1].member = i;
	}
	return status;
}

int plant_metadata(struct scan *s, uint32_t number, uint32_t member)
{
	const struct member_file *f = members_file(s->members, member);
	int status;

	s->tree->node[number].mode = f->mode;
	tree_set_time(s->tree, number, f->mtime, f->mtime_nsec);
	if (!s->tree->extra)
		return STATUS_OK;
	s->tree->extra[number].uid = f->uid;
	s->tree->extra[number].gid = f->gid;
	status = spill_read(s->tree->kept, f->attributes_at, f->attributes_len, s->set);
	return status ? status : plant_set(s, number, s->set, f->attributes_len);
}

static int plant_content(struct scan *s, uint32_t number, uint32_t member)
{
	const struct member_file *f = members_file(s->members, member);
	char target[FORMAT_LINK];
	int status = STATUS_OK;

	s->tree->kept_at[number] = f->kind == KIND_DIRECTORY ? member : f->at;
	if (f->kind == KIND_DIRECTORY) {
		plant_directory(s, number);
	} else if (f->kind == KIND_FILE) {
		plant_file(s, number, f->size);
	} else {
		status = spill_read(s->tree->kept, f->at, (size_t)f->size, target);
		if (status == STATUS_OK)
			status = plant_target(s, number, target, (size_t)f->size);
	}
	return status;
}

int plant_member(struct scan *s, const struct item *item)
{
	const struct member *member = members_get(s->members, item->member);
	const struct member_file *f = members_file(s->members, item->member);
	bool is_link = false;
	uint32_t number;
	int status = tree_add(s->tree, s->parent, s->listing.names + item->name_off, item->name_len,
	                      &number);

	if (status == STATUS_OK && !s->parent)
		status = plant_top(s, number, item, 0);
	if (status == STATUS_OK && f->kind != KIND_DIRECTORY && f->names > 1)
		status = plant_link(s, number, MEMBERS_DEVICE, member->file, &is_link);
	if (status || is_link)
		return status;
	status = plant_content(s, number, item->member);
	return status ? status : plant_metadata(s, number, item->member);
}

static bool is_invented(const struct scan *s, uint32_t number)
{
	return s->tree->node[number].kind == KIND_DIRECTORY && plant_is_member(s, number) &&
	       members_file(s->members, (uint32_t)s->tree->kept_at[number])->invented;
}

/* Children have higher numbers than their directory. */
void plant_invented_times(struct scan *s)
{
	struct node *node = s->tree->node;

	for (uint32_t i = s->tree->count; i-- > 1;) {
		uint32_t parent = node[i].parent;
		int64_t mtime = node[node[i].kind == KIND_HARDLINK ? node[i].place : i].mtime;

		if (is_invented(s, i) && !node[i].child_count)
			tree_set_time(s->tree, i, 0, 0);
		if (parent && is_invented(s, parent) && mtime > node[parent].mtime)
			tree_set_time(s->tree, parent, mtime, 0);
	}
}
