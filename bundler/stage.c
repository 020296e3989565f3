#include "bundler/stage.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/check.h"
#include "bundler/heap.h"
#include "bundler/intake.h"
#include "bundler/leaves.h"
#include "bundler/minisign.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tables.h"
#include "bundler/tree.h"
#include "common/arena.h"
#include "common/bytes.h"
#include "common/status.h"

/* Of 83,677 entries: level 3 takes 38 ms for 843 kB, 7 59 ms for 827, 19 911 ms for
 * 814. */
enum { INDEX_LEVEL = 7 };

/* What is there twice may take this part of the content that it is in front of. */
enum { FRONT_SHARE = 32 };

/* What a signed stage has besides.  Leaf sums are 1/512 of the leaves, marks a half. */
static int open_leaves(struct stage *stage, struct arena *arena, size_t memory,
                       const char *directory)
{
	int status = spill_new(&stage->leaf_sums, arena, memory / 512, directory);

	if (status == STATUS_OK)
		status = spill_new(&stage->marks, arena, memory / 3, directory);
	if (status == STATUS_OK)
		status = spill_new(&stage->leaves, arena, memory - memory / 3, directory);
	stage->check = arena_alloc(arena, sizeof(*stage->check));
	if (!stage->check)
		return STATUS_NOMEM;
	check_init(stage->check);
	return status;
}

/* Who gets how much of the memory: an eighth each, the bytes of segments what is
 * left. */
static int open_spills(struct stage *stage, struct arena *arena,
                       const struct stage_options *options)
{
	struct spill **small[] = {&stage->origins, &stage->runs, &stage->index};
	size_t eighth = options->memory / 8;
	int status = spill_new(&stage->bytes, arena, (options->is_signed ? 3 : 4) * eighth,
	                       options->spill_dir);

	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]) && status == STATUS_OK; i++)
		status = spill_new(small[i], arena, eighth, options->spill_dir);
	if (status == STATUS_OK)
		status = open_leaves(stage, arena, options->is_signed ? eighth : 0,
		                     options->spill_dir);
	if (status == STATUS_OK)
		status = segments_new(&stage->segments, arena, eighth, options->spill_dir);
	return status;
}

/* What the root says, once the tables are described, and who says it. */
static void make_content_part(struct stage *stage, const struct stage_options *options)
{
	struct format_content *content = &stage->content;

	content->full_metadata = options->full_metadata;
	content->content_len = segments_content_len(stage->segments);
	content->plain_len = segments_plain_len(stage->segments);
	content->edition = options->edition;
	snprintf(content->label, sizeof(content->label), "%s", options->label);
	snprintf(content->series, sizeof(content->series), "%s", options->series);
	if (options->signer) {
		memcpy(content->key_id, options->signer->key_id, sizeof(content->key_id));
		memcpy(content->publisher, options->signer->public_key, sizeof(content->publisher));
	}
	format_content_encode(stage->content_part, content);
	if (options->signer)
		minisign_sign_root(stage->signature, stage->content_part, options->signer);
}

/* Most often nothing was dropped, and the heap is as it was. */
static int write_tables(struct stage *s, struct arena *arena, struct spill *heap)
{
	struct spill *copy = NULL;
	int status = STATUS_OK;

	if (s->tree->dropped_count)
		status = heap_copy_without_dropped(&copy, arena, s->tree, heap);
	if (status == STATUS_OK)
		status = tables_write(s, copy ? copy : heap, INDEX_LEVEL);
	spill_free(copy);
	return status;
}

int stage_run(struct stage **stage, struct arena *arena, struct tree *tree, struct spill *heap,
              const struct stage_options *options, struct progress *progress,
              struct stage_report *report)
{
	struct stage *s = calloc(1, sizeof(*s));
	int status = STATUS_NOMEM;

	memset(report, 0, sizeof(*report));
	if (!s)
		return status;
	s->tree = tree;
	s->content.is_signed = options->is_signed;
	status = open_spills(s, arena, options);
	if (status == STATUS_OK)
		status = intake_run(s, options, progress, report);
	if (status == STATUS_OK)
		status = segments_close(s->segments);
	if (status == STATUS_OK)
		status = tree_number(tree);
	if (status == STATUS_OK && options->is_signed)
		status = leaves_make(s, options->workers, progress, report->culprit);
	if (status == STATUS_OK)
		status = write_tables(s, arena, heap);
	if (status == STATUS_OK) {
		make_content_part(s, options);
		*stage = s;
	} else {
		stage_free(s);
	}
	return status;
}

void stage_free(struct stage *stage)
{
	if (!stage)
		return;
	segments_free(stage->segments);
	spill_free(stage->bytes);
	spill_free(stage->origins);
	spill_free(stage->runs);
	spill_free(stage->index);
	spill_free(stage->leaves);
	spill_free(stage->leaf_sums);
	spill_free(stage->marks);
	if (stage->check)
		sodium_memzero(stage->check, sizeof(*stage->check));
	free(stage);
}

const struct format_content *stage_content(const struct stage *stage)
{
	return &stage->content;
}

const uint8_t *stage_content_part(const struct stage *stage)
{
	return stage->content_part;
}

const uint8_t *stage_signature(const struct stage *stage)
{
	return stage->signature;
}

/* All are in one. */
const char *stage_spill_directory(const struct stage *stage)
{
	return spill_directory(stage->bytes);
}

int stage_leaf_blocks(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *first,
                      uint64_t *count)
{
	uint64_t from = 0, to = 0;
	int status;

	*first = *count = 0;
	if (!stage->content.leaf_count || begin >= end)
		return STATUS_OK;
	status = segments_find_leaf(stage->segments, begin, &from);
	if (status == STATUS_OK)
		status = segments_find_leaf(stage->segments, end - 1, &to);
	if (status)
		return status;
	*first = from / FORMAT_LEAVES_PER_BLOCK;
	*count = to / FORMAT_LEAVES_PER_BLOCK + 1 - *first;
	return STATUS_OK;
}

/* What lies behind the content: its leaf blocks, of which the last of all may be short, and
 * the index. */
static int tail_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len)
{
	const struct format_content *content = &stage->content;
	uint64_t first, count;
	int status = stage_leaf_blocks(stage, begin, end, &first, &count);

	if (status)
		return status;
	*len = content->index_len;
	if (count)
		*len += min_u64((first + count) * FORMAT_LEAF_BLOCK,
		                content->leaf_count * FORMAT_DIGEST) -
		        first * FORMAT_LEAF_BLOCK;
	return STATUS_OK;
}

static uint64_t front_len(uint64_t tail, uint64_t range)
{
	return tail <= range / FRONT_SHARE ? tail : 0;
}

int stage_front_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len)
{
	uint64_t tail;
	int status = tail_len(stage, begin, end, &tail);

	if (status == STATUS_OK)
		*len = front_len(tail, end - begin);
	return status;
}

int stage_stream_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len)
{
	uint64_t tail;
	int status = tail_len(stage, begin, end, &tail);

	if (status == STATUS_OK)
		*len = front_len(tail, end - begin) + (end - begin) + tail;
	return status;
}

/* The last place up to wish, in a segment; or, where that is below low, the next one. */
static int cut_file(const struct stage *stage, uint64_t low, uint64_t wish, uint64_t high,
                    uint64_t *cut)
{
	struct segments_place place;
	struct piece piece;
	uint64_t next;
	int status = segments_find(stage->segments, wish, &place);

	if (status == STATUS_OK)
		status = segments_get(stage->segments, place.n, &piece);
	if (status)
		return status;
	*cut = piece.stored_len ? place.begin : wish - (wish - place.begin) % FORMAT_LEAF;
	next = place.begin + piece_stored_len(&piece);
	if (!piece.stored_len)
		next = min_u64(next, *cut + FORMAT_LEAF);
	if (*cut < low && next <= high)
		*cut = next;
	return STATUS_OK;
}

int stage_cut(const struct stage *stage, uint64_t low, uint64_t wish, uint64_t high, uint64_t *cut)
{
	uint64_t begin, end;
	int status;

	if (wish >= stage->content.content_len) {
		*cut = stage->content.content_len;
		return STATUS_OK;
	}
	status = segments_find_file(stage->segments, wish, &begin, &end);
	if (status)
		return status;
	if (begin >= low && (end > high || wish - begin <= end - wish))
		*cut = begin;
	else if (end <= high)
		*cut = end;
	else
		return cut_file(stage, low, wish, high, cut);
	return STATUS_OK;
}
