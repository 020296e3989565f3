#include "common/bundle_inner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/cache.h"
#include "common/pages.h"
#include "common/repair.h"
#include "common/source.h"
#include "common/status.h"

static int check_signature(const struct inner *in)
{
	uint8_t message[KDF_SIGNED];

	kdf_signed(message, in->content_part, FORMAT_CONTENT_PART);
	return crypto_sign_verify_detached(in->root + FORMAT_CONTENT_PART, message, sizeof(message),
	                                   in->content.publisher)
	               ? STATUS_ALTERED
	               : STATUS_OK;
}

static bool signature_is_zero(const uint8_t *root)
{
	return sodium_is_zero(root + FORMAT_CONTENT_PART, FORMAT_SIGNATURE);
}

/* The content part of the first root that is read counts; the others must have
 * the same. */
static int take_content(struct inner *in, bool first)
{
	int status;

	if (!first)
		return memcmp(in->content_part, in->root, sizeof in->content_part) ? STATUS_INVALID
		                                                                   : STATUS_OK;
	memcpy(in->content_part, in->root, sizeof in->content_part);
	status = format_content_decode(&in->content, in->content_part);
	if (status)
		return status;
	if (in->content.is_signed)
		return check_signature(in);
	return signature_is_zero(in->root) ? STATUS_OK : STATUS_INVALID;
}

/* inner->slot has been opened by the user's keys.  Room for what there is one of
 * for each volume. */
static int begin_set(struct bundle *b)
{
	const struct format_slot *slot = &b->inner->slot;

	memcpy(b->inner->ck, slot->ck, FORMAT_KEY);
	b->file_len = slot->file_len;
	b->volume_count = slot->volume_count;
	b->volume = calloc(b->volume_count, sizeof(*b->volume));
	b->range_start = calloc(b->volume_count + 1, sizeof(*b->range_start));
	return b->volume && b->range_start ? STATUS_OK : STATUS_NOMEM;
}

/* Where the ranges begin is not signed, but all volumes must say the same. */
static int take_ranges(struct bundle *b, bool first)
{
	const uint64_t *start = b->inner->layout.range_start;
	size_t len = (b->volume_count + 1) * sizeof(*start);

	if (first)
		memcpy(b->range_start, start, len);
	return memcmp(b->range_start, start, len) ? STATUS_INVALID : STATUS_OK;
}

/* inner->slot has been opened from source: read its root and take it in. */
static int add_volume(struct bundle *b, const struct source *source, unsigned source_no,
                      enum header_copy copy)
{
	struct inner *in = b->inner;
	const struct format_slot *slot = &in->slot;
	struct bundle_volume volume = {.source = source, .source_no = source_no, .header = copy};
	struct format_geometry geometry;
	bool first = !b->has_content;
	uint64_t have = source_len(source);
	uint8_t *key;
	int status;

	key = in->page_key[slot->volume_no];
	kdf_page_key(key, in->ck, slot->volume_no);

	status = pages_read_root(&b->io, source, slot, key, in->root, &volume.bad_roots);
	if (status == STATUS_OK)
		status = take_content(in, first);
	if (status == STATUS_OK)
		status = format_geometry_make(&geometry, slot->file_len);
	if (status == STATUS_OK)
		status = format_layout_decode(&in->layout, in->root, slot, &geometry, &in->content);
	if (status == STATUS_OK)
		status = take_ranges(b, first);
	if (status == STATUS_OK)
		status = pages_open(&volume.pages, source, key, slot, &in->layout);
	if (status)
		return status;

	volume.appended = have > slot->file_len ? have - slot->file_len : 0;
	volume.missing = have < slot->file_len ? slot->file_len - have : 0;
	volume.first_leaf_block = in->layout.first_leaf_block;
	volume.leaf_blocks = in->layout.leaf_blocks;
	volume.front = format_front_len(&in->layout, &in->content);
	volume.index_off = format_index_off(&in->layout, slot->volume_no, &in->content);
	b->volume[slot->volume_no] = volume;
	b->has_content = true;
	return STATUS_OK;
}

/* inner->slot has been opened from a source that has no root any more. */
static void note_rootless(struct bundle *b, unsigned source_no, enum header_copy copy)
{
	b->volume[b->inner->slot.volume_no] =
		(struct bundle_volume){.rootless = true, .source_no = source_no, .header = copy};
}

/* Nothing of a set that could not be taken in may remain. */
static void forget_volumes(struct bundle *b)
{
	for (unsigned v = 0; b->volume && v < b->volume_count; v++)
		pages_close(b->volume[v].pages);
	free(b->volume);
	free(b->range_start);
	b->volume = NULL;
	b->range_start = NULL;
}

/* Take in source i, which the keys opened.  Of a set the key is enough, even
 * where this volume has no root any more: the others have theirs. */
static int begin_with(struct bundle *b, const struct source *source, unsigned i,
                      enum header_copy copy)
{
	int status = begin_set(b);

	if (status == STATUS_OK)
		status = add_volume(b, source, i, copy);
	if (status == STATUS_DAMAGED && b->volume_count > 1) {
		note_rootless(b, i, copy);
		return STATUS_OK;
	}
	return status;
}

/* Find the first source that the keys open. */
static int open_first(struct bundle *b, struct source *const *sources, unsigned count,
                      const struct header_keys *keys, unsigned *opened)
{
	int result = STATUS_NOKEY;
	enum header_copy copy;

	for (unsigned i = 0; i < count; i++) {
		int status = header_open(&b->inner->slot, &copy, &b->profile, sources[i], b->length,
		                         keys);

		if (status == STATUS_OK)
			status = begin_with(b, sources[i], i, copy);
		if (status == STATUS_OK) {
			*opened = i;
			return STATUS_OK;
		}
		forget_volumes(b);
		if (result == STATUS_NOKEY)
			result = status;
	}
	return result;
}

/* Where header A is lost and bytes were appended, the length of the others tells
 * where header B is. */
static int open_sibling(struct bundle *b, const struct source *source, enum header_copy *copy)
{
	struct inner *in = b->inner;
	int status = header_open_sibling(&in->slot, copy, source, b->length, in->ck);

	if (status != STATUS_NOKEY || source_len(source) <= b->file_len)
		return status;
	*copy = HEADER_B;
	return header_open_sibling_copy(&in->slot, source, b->file_len, HEADER_B, in->ck);
}

/* What does not belong, or cannot be opened, is a volume that is not at hand. */
int bundle_add(struct bundle *b, const struct source *source, unsigned source_no)
{
	const struct format_slot *slot = &b->inner->slot;
	enum header_copy copy;
	int status;

	if (open_sibling(b, source, &copy) || slot->volume_count != b->volume_count ||
	    b->volume[slot->volume_no].pages)
		return 0;
	status = add_volume(b, source, source_no, copy);
	if (status == STATUS_NOMEM)
		return status;
	if (status == STATUS_DAMAGED)
		note_rootless(b, source_no, copy);
	else if (status && !b->unfit)
		b->unfit = status;
	return status == STATUS_OK;
}

/* The rest of a set, without asking the keys again. */
static int open_siblings(struct bundle *b, struct source *const *sources, unsigned count,
                         unsigned opened)
{
	for (unsigned i = 0; i < count && b->volume_count > 1; i++)
		if (i != opened && bundle_add(b, sources[i], i) == STATUS_NOMEM)
			return STATUS_NOMEM;
	return STATUS_OK;
}

size_t bundle_size(void)
{
	return sizeof(struct inner) + repair_size() + FORMAT_PAYLOAD + 3 * 64;
}

int bundle_begin(struct bundle **bundle, struct arena *arena, struct source *const *sources,
                 unsigned count, uint64_t length, const struct header_keys *keys)
{
	struct bundle *b = calloc(1, sizeof(*b));
	unsigned opened = 0;
	int status;

	if (!b)
		return STATUS_NOMEM;
	b->arena = arena;
	b->length = length;
	b->inner = arena_alloc(arena, sizeof(*b->inner));
	status = b->inner ? repair_new(&b->repair, arena) : STATUS_NOMEM;
	if (status == STATUS_OK)
		status = pages_io_init(&b->io, arena, b->repair);
	if (status == STATUS_OK)
		status = open_first(b, sources, count, keys, &opened);
	if (status == STATUS_OK)
		status = open_siblings(b, sources, count, opened);
	if (status) {
		bundle_close(b);
		return status;
	}
	*bundle = b;
	return STATUS_OK;
}

int bundle_ready(const struct bundle *bundle)
{
	if (bundle->has_content)
		return STATUS_OK;
	return bundle->unfit ? bundle->unfit : STATUS_DAMAGED;
}

int bundle_open(struct bundle **bundle, struct arena *arena, struct source *const *sources,
                unsigned count, uint64_t length, const struct header_keys *keys)
{
	struct bundle *b;
	int status = bundle_begin(&b, arena, sources, count, length, keys);

	if (status)
		return status;
	status = bundle_ready(b);
	if (status)
		bundle_close(b);
	else
		*bundle = b;
	return status;
}

void bundle_close(struct bundle *bundle)
{
	if (!bundle)
		return;
	forget_volumes(bundle);
	pages_io_fini(&bundle->io);
	cache_free(bundle->cache);
	repair_free(bundle->repair);
	if (bundle->inner)
		sodium_memzero(bundle->inner, sizeof(*bundle->inner));
	free(bundle);
}

const struct format_content *bundle_content(const struct bundle *bundle)
{
	return &bundle->inner->content;
}

unsigned bundle_volume_count(const struct bundle *bundle)
{
	return bundle->volume_count;
}

unsigned bundle_missing(const struct bundle *bundle)
{
	unsigned missing = 0;

	for (unsigned v = 0; v < bundle_volume_count(bundle); v++)
		missing += !bundle_volume(bundle, v)->pages;
	return missing;
}

bool bundle_volume_is_damaged(const struct bundle_volume *volume)
{
	return volume->pages && (volume->header != HEADER_A || volume->bad_roots ||
	                         volume->missing || atomic_load(&volume->pages->health.repaired) ||
	                         atomic_load(&volume->pages->health.lost));
}

const struct bundle_volume *bundle_volume(const struct bundle *bundle, unsigned v)
{
	return &bundle->volume[v];
}

uint64_t bundle_range_start(const struct bundle *bundle, unsigned v)
{
	return bundle->range_start[v];
}

uint64_t bundle_stream_off(const struct bundle *bundle, unsigned v, uint64_t off)
{
	return bundle->volume[v].front + (off - bundle->range_start[v]);
}

uint64_t bundle_content_end(const struct bundle *bundle, unsigned v)
{
	const struct pages *pages = bundle->volume[v].pages;
	uint64_t begin = bundle->range_start[v], there;

	if (!pages)
		return begin;
	there = (uint64_t)pages_cut(pages) * FORMAT_PAYLOAD;
	if (there <= bundle->volume[v].front)
		return begin;
	return min_u64(begin + (there - bundle->volume[v].front), bundle->range_start[v + 1]);
}

/* The last whose range begins at or before off; ranges may be empty. */
unsigned bundle_volume_of(const struct bundle *bundle, uint64_t off)
{
	unsigned low = 0, high = bundle->volume_count - 1;

	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;

		if (bundle->range_start[middle] <= off)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}
