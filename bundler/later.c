#include "bundler/later.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/check.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "common/bytes.h"
#include "common/status.h"

enum { LEAVES = 16 }; /* looked at together */

struct later_file {
	struct stage *stage;
	struct origin_file opened;
	struct origin origin;
	atomic_uint users;
};

int later_file_new(struct later_file **file, struct stage *stage, struct origin_file *opened,
                   const struct origin *origin)
{
	struct later_file *f = malloc(sizeof(*f));

	if (!f) {
		origin_close(opened);
		return STATUS_NOMEM;
	}
	f->stage = stage;
	f->opened = *opened;
	f->origin = *origin;
	atomic_init(&f->users, 1);
	*file = f;
	return STATUS_OK;
}

/* culprit: NULL if nobody asks. */
static void blame(const struct later_file *f, bool in_spill, char *culprit)
{
	int saved = errno;

	if (!culprit)
		return;
	if (in_spill || f->origin.is_kept)
		snprintf(culprit, TREE_PATH_SIZE, "%s", stage_spill_directory(f->stage));
	else
		tree_path(f->stage->tree, f->origin.node, culprit, TREE_PATH_SIZE);
	errno = saved;
}

int later_file_release(struct later_file *f, char *culprit)
{
	int status = STATUS_OK;

	if (!f || atomic_fetch_sub(&f->users, 1) > 1)
		return STATUS_OK;
	if (!origin_unchanged(&f->opened, &f->origin))
		status = STATUS_CHANGED;
	if (status)
		blame(f, false, culprit);
	origin_close(&f->opened);
	free(f);
	return status;
}

int later_tools_init(struct later_tools *tools)
{
	*tools = (struct later_tools){.leaf_no = LATER_UNCHECKED};
	tools->leaf = malloc(FORMAT_LEAF);
	return tools->leaf ? check_piece_new(&tools->check) : STATUS_NOMEM;
}

void later_tools_fini(struct later_tools *tools)
{
	check_piece_free(tools->check);
	free(tools->leaf);
}

/* --- leaves --------------------------------------------------------------------- */

/* Are the leaves from number first on, len bytes of them, what they were? */
static int check_leaves(struct stage *stage, struct later_tools *tools, uint64_t first,
                        const uint8_t *bytes, size_t len)
{
	uint8_t mark[LEAVES][CHECK_TAG], tag[CHECK_TAG];
	size_t count = (size_t)div_ceil(len, FORMAT_LEAF);
	int status = spill_read(stage->marks, first * CHECK_TAG, count * CHECK_TAG, mark);

	tools->in_spill = status != STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		size_t at = i * FORMAT_LEAF;

		check_piece_tag(tools->check, stage->check, first + i, bytes + at,
		                min_u64(len - at, FORMAT_LEAF), tag);
		if (memcmp(tag, mark[i], CHECK_TAG))
			status = STATUS_CHANGED;
	}
	return status;
}

/* Bytes [at, end) of the extent, as far as they are whole leaves: *got. */
static int read_whole(const struct later_part *p, struct later_tools *tools, uint8_t *out,
                      uint64_t at, uint64_t end, size_t *got)
{
	uint64_t whole =
		end == p->end - p->begin ? end - at : (end - at) / FORMAT_LEAF * FORMAT_LEAF;
	int status;

	*got = (size_t)min_u64(whole, (uint64_t)LEAVES * FORMAT_LEAF);
	if (!*got)
		return STATUS_OK;
	status = origin_read(&p->file->opened, out, *got, p->begin + at);
	return status ? status
	              : check_leaves(p->file->stage, tools, p->leaf + at / FORMAT_LEAF, out, *got);
}

/* The leaf that begins there, to tools->leaf, unless that is where it is. */
static int read_leaf(const struct later_part *p, struct later_tools *tools, uint64_t begin,
                     size_t len)
{
	uint64_t no = p->leaf + begin / FORMAT_LEAF;
	int status;

	if (no == tools->leaf_no && p->file->stage == tools->stage)
		return STATUS_OK;
	status = origin_read(&p->file->opened, tools->leaf, len, p->begin + begin);
	if (status == STATUS_OK)
		status = check_leaves(p->file->stage, tools, no, tools->leaf, len);
	tools->stage = p->file->stage;
	tools->leaf_no = status ? LATER_UNCHECKED : no;
	return status;
}

/* The same, as far as they are part of one leaf, which is looked at as a whole. */
static int read_piece(const struct later_part *p, struct later_tools *tools, uint8_t *out,
                      uint64_t at, uint64_t end, size_t *got)
{
	uint64_t begin = at / FORMAT_LEAF * FORMAT_LEAF;
	size_t len = (size_t)min_u64(FORMAT_LEAF, p->end - p->begin - begin);
	int status = read_leaf(p, tools, begin, len);

	*got = (size_t)(min_u64(end, begin + len) - at);
	if (status == STATUS_OK)
		memcpy(out, tools->leaf + (at - begin), *got);
	return status;
}

/* The file may look the same and be another: what is signed is what was read then. */
static int read_checked(const struct later_part *p, struct later_tools *tools)
{
	uint64_t at = p->off - p->begin, end = at + p->len;
	uint8_t *out = p->out;
	int status = STATUS_OK;

	for (size_t got = 0; at < end && status == STATUS_OK; at += got, out += got) {
		got = 0;
		if (at % FORMAT_LEAF == 0)
			status = read_whole(p, tools, out, at, end, &got);
		if (status == STATUS_OK && !got)
			status = read_piece(p, tools, out, at, end, &got);
	}
	return status;
}

/* --- now, or later ---------------------------------------------------------------- */

static int read_part_now(const struct later_part *part, struct later_tools *tools)
{
	tools->in_spill = false;
	if (part->leaf != LATER_UNCHECKED)
		return read_checked(part, tools);
	return origin_read(&part->file->opened, part->out, part->len, part->off);
}

int later_read(const struct later_part *part, struct later_tools *tools,
               char culprit[static TREE_PATH_SIZE])
{
	int status = read_part_now(part, tools);

	if (status)
		blame(part->file, tools->in_spill, culprit);
	return status;
}

static bool goes_on(const struct later_part *last, const struct later_part *part)
{
	return last->file == part->file && last->begin == part->begin &&
	       last->off + last->len == part->off && last->out + last->len == part->out;
}

static bool has_file(const struct later *l, const struct later_file *file)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->part[i].file == file)
			return true;
	return false;
}

bool later_add(struct later *l, const struct later_part *part)
{
	bool is_new = !has_file(l, part->file);

	if (l->count && goes_on(&l->part[l->count - 1], part)) {
		l->part[l->count - 1].len += part->len;
		return true;
	}
	/* What is kept has a place where it was read last: it is for one thread. */
	if (l->count == LATER_PARTS || (is_new && l->file_count == LATER_FILES) ||
	    part->len < LATER_LEAST || part->file->origin.is_kept)
		return false;
	atomic_fetch_add(&part->file->users, 1);
	l->file_count += is_new;
	l->part[l->count++] = *part;
	return true;
}

void later_run(struct later *l, struct later_tools *tools)
{
	while (l->done < l->count && l->status == STATUS_OK) {
		l->status = read_part_now(&l->part[l->done], tools);
		l->error = errno;
		l->in_spill = tools->in_spill;
		l->done += l->status == STATUS_OK;
	}
}

int later_end(struct later *l, char *culprit)
{
	int status = l->status, error = l->error;

	if (status)
		blame(l->part[l->done].file, l->in_spill, culprit);
	for (unsigned i = 0; i < l->count; i++) {
		int changed = later_file_release(l->part[i].file, status ? NULL : culprit);

		status = status ? status : changed;
	}
	l->count = l->file_count = l->done = 0;
	l->status = STATUS_OK;
	errno = error;
	return status;
}
