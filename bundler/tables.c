#include "bundler/tables.h"

#include <stdlib.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/indexer.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "common/bytes.h"
#include "common/status.h"

enum { KEY = 16, PRIVATE_MODE = 0555, FULL_MODE = 07777 };

/* --- entries -------------------------------------------------------------- */

static void add_metadata(struct format_entry *e, const struct node_extra *extra)
{
	e->mtime_nsec = extra->mtime_nsec;
	e->uid = extra->uid;
	e->gid = extra->gid;
	e->xattr_off = extra->xattr_off;
	e->xattr_len = extra->xattr_len;
}

/* *next_child: where the children of the next directory begin. */
static void make_entry(struct format_entry *e, const struct tree *tree, uint32_t number,
                       uint32_t *next_child)
{
	const struct node *n = &tree->node[number];

	*e = (struct format_entry){
		.id = tree->id[number],
		.parent = tree->id[n->parent],
		.kind = n->kind,
		.sparse = n->sparse,
		.mode = n->mode & (tree->extra ? FULL_MODE : PRIVATE_MODE),
		.name_len = n->name_len,
		.name = tree_name(tree, number),
		.links = n->kind == KIND_DIRECTORY ? 1 : n->links,
		.mtime = n->mtime,
		.size = n->size,
		.place = n->place,
		.runs = n->runs,
	};
	if (tree->extra)
		add_metadata(e, &tree->extra[number]);
	if (n->kind == KIND_HARDLINK)
		e->place = tree->id[n->place];
	if (n->kind == KIND_DIRECTORY) {
		e->size = tree->id[n->first_child + n->child_count] - tree->id[n->first_child];
		e->place = *next_child;
		*next_child += (uint32_t)e->size;
	}
}

static int flush_entries(struct indexer *ix, const struct format_entry *entry, unsigned count,
                         bool full_metadata, uint8_t *raw)
{
	uint8_t key[KEY] = {0};
	size_t len = format_entries_encode(raw, entry, count, full_metadata);

	if (cancel_asked())
		return STATUS_CANCELLED;
	memcpy(key, entry[0].name, min_u64(entry[0].name_len, KEY));
	return indexer_add_block(ix, raw, len, key);
}

static int write_entries(struct indexer *ix, const struct tree *tree, uint8_t *raw)
{
	struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	uint32_t next_child = 1;
	unsigned count = 0;
	int status = STATUS_OK;

	for (uint32_t i = 0; i < tree->count && status == STATUS_OK; i++) {
		if (tree->node[i].dropped)
			continue;
		make_entry(&entry[count++], tree, i, &next_child);
		if (count == FORMAT_ENTRIES_PER_BLOCK) {
			status = flush_entries(ix, entry, count, tree->extra, raw);
			count = 0;
		}
	}
	if (count && status == STATUS_OK)
		status = flush_entries(ix, entry, count, tree->extra, raw);
	return status;
}

/* --- segments ------------------------------------------------------------- */

static int make_segments(const struct stage *stage, uint64_t first, unsigned count,
                         struct format_segment *next, struct format_segment *out)
{
	for (unsigned i = 0; i < count; i++) {
		struct piece piece;
		int status = segments_get(stage->segments, first + i, &piece);

		if (status)
			return status;
		next->plain_len = piece.plain_len;
		next->stored_len = piece_stored_len(&piece);
		next->frame = piece.stored_len;
		out[i] = *next;
		next->addr += next->plain_len;
		next->off += next->stored_len;
		next->leaf += stage->content.is_signed ? piece_leaves(&piece) : 0;
	}
	return STATUS_OK;
}

static int write_segments(struct indexer *ix, const struct stage *stage, uint8_t *raw)
{
	struct format_segment segment[FORMAT_SEGMENTS_PER_BLOCK], next = {0};
	uint64_t total = segments_count(stage->segments);
	int status = STATUS_OK;

	for (uint64_t n = 0; n < total && status == STATUS_OK; n += FORMAT_SEGMENTS_PER_BLOCK) {
		unsigned count = (unsigned)min_u64(total - n, FORMAT_SEGMENTS_PER_BLOCK);
		uint8_t key[KEY];

		status = make_segments(stage, n, count, &next, segment);
		if (status)
			break;
		store_le64(key, segment[0].addr);
		store_le64(key + 8, segment[0].off);
		status = indexer_add_block(ix, raw, format_segments_encode(raw, segment, count),
		                           key);
	}
	return status;
}

/* --- runs, heap and leaf sums: as they are ---------------------------------- */

/* key_len: bytes of a block that are its key. */
static int write_bytes(struct indexer *ix, struct spill *spill, size_t block, size_t key_len,
                       uint8_t *raw)
{
	uint64_t total = spill_len(spill);
	int status = STATUS_OK;

	for (uint64_t off = 0; off < total && status == STATUS_OK; off += block) {
		size_t len = min_u64(total - off, block);
		uint8_t key[KEY] = {0};

		status = spill_read(spill, off, len, raw);
		if (status)
			break;
		memcpy(key, raw, key_len);
		status = indexer_add_block(ix, raw, len, key);
	}
	return status;
}

/* --- all of them ----------------------------------------------------------- */

static int write_table(struct stage *stage, struct spill *heap, struct indexer *ix,
                       enum format_table_no no, uint8_t *raw)
{
	uint64_t *records = &stage->content.table[no].records;

	switch (no) {
	case TABLE_ENTRIES:
		*records = stage->tree->entry_count;
		return write_entries(ix, stage->tree, raw);
	case TABLE_SEGMENTS:
		*records = segments_count(stage->segments);
		return write_segments(ix, stage, raw);
	case TABLE_RUNS:
		*records = spill_len(stage->runs) / FORMAT_RUN;
		return write_bytes(ix, stage->runs, FORMAT_RUNS_PER_BLOCK * FORMAT_RUN, 8, raw);
	case TABLE_HEAP:
		*records = spill_len(heap);
		return write_bytes(ix, heap, FORMAT_HEAP_BLOCK, 0, raw);
	case TABLE_LEAF_SUMS:
		*records = spill_len(stage->leaf_sums) / FORMAT_DIGEST;
		return write_bytes(ix, stage->leaf_sums, FORMAT_LEAF_BLOCK, 0, raw);
	default: return STATUS_OK;
	}
}

int tables_write(struct stage *stage, struct spill *heap, int level)
{
	struct indexer *ix = NULL;
	uint8_t *raw = malloc(FORMAT_ENTRY_BLOCK); /* none is larger */
	int status = raw ? indexer_new(&ix, stage->index, level) : STATUS_NOMEM;

	for (int t = 0; t < TABLE_COUNT && status == STATUS_OK; t++) {
		status = write_table(stage, heap, ix, t, raw);
		if (status == STATUS_OK)
			status = indexer_end_table(ix, &stage->content.table[t].top);
	}
	stage->content.index_len = spill_len(stage->index);
	indexer_free(ix);
	free(raw);
	return status;
}
