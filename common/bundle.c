#include "common/bundle.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/cache.h"
#include "common/index.h"
#include "common/pages.h"
#include "common/path.h"
#include "common/repair.h"
#include "common/seal.h"
#include "common/source.h"
#include "common/squeeze.h"
#include "common/status.h"

/* What lies in the arena: everything that tells what the bundle is. */
struct inner {
	uint8_t ck[FORMAT_KEY];
	uint8_t page_key[FORMAT_MAX_VOLUMES][FORMAT_KEY];
	uint8_t content_part[FORMAT_CONTENT_PART]; /* as read: volumes must agree */
	struct format_content content;
	struct format_slot slot; /* of the volume being opened */
	struct format_layout layout;
	uint8_t root[FORMAT_PAYLOAD];
};

struct bundle {
	struct arena *arena;
	struct inner *inner;
	struct bundle_volume *volume;
	uint64_t *range_start; /* of each volume, and the content's end */
	unsigned volume_count;
	bool has_content;  /* the root of some volume has been taken in */
	uint64_t length;   /* as given to bundle_open */
	uint64_t file_len; /* of the first volume, and so of all */
	struct repair *repair;
	struct pages_io io;  /* for opening, and the caller's own thread */
	struct cache *cache; /* of frames, for all cursors; NULL: each has its own */
};

struct cursor {
	struct bundle *bundle;
	struct pages_io io;
	struct expander *expander;
	struct index *index;
	uint8_t *stored;      /* a frame as it is stored, or a leaf */
	uint64_t stored_leaf; /* the checked leaf that it holds; UINT64_MAX: none */
	struct cache *frames; /* decoded */
	struct cache *own_frames;
	struct cache_slot *lent[BUNDLE_LENT];
	unsigned lent_count;
	uint8_t *leaf_block;
	uint64_t leaf_block_no; /* UINT64_MAX: none */
	struct bundle_entry *scratch;
};

/* --- opening -------------------------------------------------------------- */

static int check_signature(const struct inner *in)
{
	static const char label[] = "satchel root 1"; /* with its NUL */
	uint8_t message[sizeof(label) + 64];

	memcpy(message, label, sizeof(label));
	crypto_generichash(message + sizeof(label), 64, in->content_part, FORMAT_CONTENT_PART, NULL,
	                   0);
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
		return memcmp(in->content_part, in->root, FORMAT_CONTENT_PART) ? STATUS_INVALID
		                                                               : STATUS_OK;
	memcpy(in->content_part, in->root, FORMAT_CONTENT_PART);
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
	uint8_t number[2], *key;
	int status;

	key = in->page_key[slot->volume_no];
	store_le16(number, slot->volume_no);
	kdf_derive(key, in->ck, "satchel page key 1", number, sizeof(number));

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
	volume.index_off = format_index_off(&in->layout, slot->volume_no, in->content.leaf_count);
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
		int status = header_open(&b->inner->slot, &copy, sources[i], b->length, keys);

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
	return bundle->has_content ? STATUS_OK : STATUS_DAMAGED;
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

const struct bundle_volume *bundle_volume(const struct bundle *bundle, unsigned v)
{
	return &bundle->volume[v];
}

uint64_t bundle_range_start(const struct bundle *bundle, unsigned v)
{
	return bundle->range_start[v];
}

uint64_t bundle_content_end(const struct bundle *bundle, unsigned v)
{
	const struct pages *pages = bundle->volume[v].pages;
	uint64_t begin = bundle->range_start[v];

	if (!pages)
		return begin;
	if (pages_cut(pages) == pages->parity.data_pages)
		return bundle->range_start[v + 1];
	return begin + (uint64_t)pages_cut(pages) * FORMAT_PAYLOAD;
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

/* --- cursors -------------------------------------------------------------- */

/* Every volume has the whole index: where one is damaged, another may serve. */
static int read_index(void *context, uint64_t off, size_t len, uint8_t *out)
{
	struct cursor *c = context;
	int status = STATUS_DAMAGED;

	for (unsigned v = 0; v < c->bundle->volume_count && status == STATUS_DAMAGED; v++) {
		const struct bundle_volume *volume = &c->bundle->volume[v];

		if (volume->pages)
			status = pages_read(volume->pages, &c->io, volume->index_off + off, len,
			                    out);
	}
	return status;
}

int bundle_share_frames(struct bundle *bundle, unsigned count)
{
	return cache_new(&bundle->cache, bundle->arena, count);
}

size_t bundle_frames_size(unsigned count)
{
	return cache_size(count);
}

size_t cursor_size(void)
{
	return FORMAT_PAYLOAD + expander_size() + index_size() + FORMAT_FRAME + cache_size(1) +
	       FORMAT_LEAF_BLOCK + sizeof(struct bundle_entry) + 8 * 64;
}

/* What lies in the arena, and what takes from there. */
static int equip_cursor(struct cursor *c, struct arena *arena)
{
	struct bundle *bundle = c->bundle;
	int status;

	c->stored = arena_alloc(arena, FORMAT_FRAME);
	c->leaf_block = arena_alloc(arena, FORMAT_LEAF_BLOCK);
	c->scratch = arena_alloc(arena, sizeof(*c->scratch));
	if (!c->stored || !c->leaf_block || !c->scratch)
		return STATUS_NOMEM;
	status = pages_io_init(&c->io, arena, bundle->repair);
	if (status == STATUS_OK && !bundle->cache)
		status = cache_new(&c->own_frames, arena, 1);
	c->frames = bundle->cache ? bundle->cache : c->own_frames;
	if (status == STATUS_OK)
		status = expander_new(&c->expander, arena);
	if (status == STATUS_OK)
		status = index_new(&c->index, arena, &bundle->inner->content, c->expander,
		                   c->io.seal, read_index, c);
	return status;
}

int cursor_new(struct cursor **cursor, struct bundle *bundle)
{
	struct cursor *c = calloc(1, sizeof(*c));
	int status;

	if (!c)
		return STATUS_NOMEM;
	c->bundle = bundle;
	c->stored_leaf = c->leaf_block_no = UINT64_MAX;
	status = equip_cursor(c, bundle->arena);
	if (status)
		cursor_free(c);
	else
		*cursor = c;
	return status;
}

void cursor_free(struct cursor *cursor)
{
	if (!cursor)
		return;
	index_free(cursor->index);
	cache_free(cursor->own_frames);
	pages_io_fini(&cursor->io);
	free(cursor);
}

/* --- the tree ------------------------------------------------------------- */

static void copy_entry(struct bundle_entry *out, const struct format_entry *e)
{
	out->e = *e;
	memcpy(out->name, e->name, e->name_len);
	out->name[e->name_len] = '\0';
	out->e.name = out->name;
}

int bundle_entry(struct cursor *cursor, uint32_t id, struct bundle_entry *entry)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, id, &e);

	if (status == STATUS_OK)
		copy_entry(entry, e);
	return status;
}

int bundle_inode(struct cursor *cursor, uint32_t id, struct bundle_entry *entry, uint32_t *inode)
{
	const struct format_entry *target;
	int status = bundle_entry(cursor, id, entry);
	uint32_t parent;
	uint8_t name_len;

	if (status)
		return status;
	*inode = id;
	if (entry->e.kind != KIND_HARDLINK)
		return STATUS_OK;
	parent = entry->e.parent;
	name_len = entry->e.name_len;
	*inode = (uint32_t)entry->e.place;
	status = index_entry(cursor->index, *inode, &target);
	if (status)
		return status;
	if (target->kind != KIND_FILE && target->kind != KIND_SYMLINK)
		return STATUS_INVALID;
	entry->e = *target;
	entry->e.id = id;
	entry->e.parent = parent;
	entry->e.name = entry->name;
	entry->e.name_len = name_len;
	return STATUS_OK;
}

int bundle_lookup(struct cursor *cursor, uint32_t directory, const char *name, size_t len,
                  uint32_t *id)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, directory, &e);

	if (status)
		return status;
	return index_lookup(cursor->index, e, name, len, id);
}

static int parent_of(struct cursor *cursor, uint32_t id, uint32_t *parent)
{
	const struct format_entry *e;
	int status = index_entry(cursor->index, id, &e);

	if (status == STATUS_OK)
		*parent = e->parent;
	return status;
}

int bundle_resolve(struct cursor *cursor, const char *path, uint32_t *id)
{
	uint32_t at = 0;
	int status = STATUS_OK;

	while (*path && status == STATUS_OK) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			status = parent_of(cursor, at, &at);
		else if (len && !(len == 1 && path[0] == '.'))
			status = bundle_lookup(cursor, at, path, len, &at);
		path += len + (path[len] == '/');
	}
	if (status == STATUS_OK)
		*id = at;
	return status;
}

/* From the last component to the first, then moved to the front. */
int bundle_path(struct cursor *cursor, uint32_t id, char out[static FORMAT_PATH + 1])
{
	size_t at = FORMAT_PATH;

	out[0] = out[at] = '\0'; /* nothing, should it fail */
	while (id) {
		const struct format_entry *e;
		int status = index_entry(cursor->index, id, &e);

		if (status)
			return status;
		if (at < (size_t)e->name_len + (out[at] != '\0'))
			return STATUS_INVALID;
		if (out[at])
			out[--at] = '/';
		at -= e->name_len;
		memcpy(out + at, e->name, e->name_len);
		id = e->parent; /* less than id: this ends */
	}
	memmove(out, out + at, FORMAT_PATH + 1 - at);
	return STATUS_OK;
}

/* --- contents ------------------------------------------------------------- */

/* Pieces of one read that other threads may be busy with. */
enum { POSTPONED_MAX = 8 };

/* Bytes of the content, from whichever volumes hold them. */
static int read_content(struct cursor *c, uint64_t off, size_t len, uint8_t *out)
{
	struct bundle *b = c->bundle;

	while (len) {
		unsigned v = bundle_volume_of(b, off);
		size_t n = (size_t)min_u64(len, b->range_start[v + 1] - off);
		int status;

		if (!b->volume[v].pages)
			return b->volume[v].rootless ? STATUS_DAMAGED : STATUS_VOLUME;
		status = pages_read(b->volume[v].pages, &c->io, off - b->range_start[v], n, out);
		if (status)
			return status;
		off += n;
		out += n;
		len -= n;
	}
	return STATUS_OK;
}

/* Leaf block j, from any volume that has it, checked. */
static int load_leaf_block(struct cursor *c, uint64_t j)
{
	uint32_t len = format_leaf_block_len(c->bundle->inner->content.leaf_count, j);
	uint8_t digest[FORMAT_DIGEST], sum[FORMAT_DIGEST];
	int status = index_leaf_sum(c->index, j, digest), result = STATUS_VOLUME;

	if (status)
		return status;
	c->leaf_block_no = UINT64_MAX;
	for (unsigned v = 0; v < c->bundle->volume_count; v++) {
		const struct bundle_volume *volume = &c->bundle->volume[v];
		uint64_t at;

		if (!volume->pages || j - volume->first_leaf_block >= volume->leaf_blocks)
			continue;
		at = c->bundle->range_start[v + 1] - c->bundle->range_start[v] +
		     (j - volume->first_leaf_block) * FORMAT_LEAF_BLOCK;
		result = pages_read(volume->pages, &c->io, at, len, c->leaf_block);
		if (result)
			continue;
		seal_digest(c->io.seal, sum, c->leaf_block, len);
		if (memcmp(sum, digest, sizeof(sum)) == 0) {
			c->leaf_block_no = j;
			return STATUS_OK;
		}
		result = STATUS_ALTERED;
	}
	return result;
}

/* Is this the digest that leaf was signed with? */
static int compare_leaf(struct cursor *c, uint64_t leaf, const uint8_t sum[static FORMAT_DIGEST])
{
	uint64_t j = leaf / FORMAT_LEAVES_PER_BLOCK;

	if (j != c->leaf_block_no) {
		int status = load_leaf_block(c, j);

		if (status)
			return status;
	}
	return memcmp(sum, c->leaf_block + leaf % FORMAT_LEAVES_PER_BLOCK * FORMAT_DIGEST,
	              FORMAT_DIGEST)
	               ? STATUS_ALTERED
	               : STATUS_OK;
}

/* Are these the bytes that leaf was signed for? */
static int check_leaf(struct cursor *c, uint64_t leaf, const uint8_t *bytes, size_t len)
{
	uint8_t sum[FORMAT_DIGEST];

	seal_digest(c->io.seal, sum, bytes, len);
	return compare_leaf(c, leaf, sum);
}

/* The same of two to four leaves of an extent that are as long as leaves can be. */
static int check_few(struct cursor *c, uint64_t leaf, const uint8_t *bytes, unsigned count)
{
	uint8_t sum[SEAL_FOUR][FORMAT_DIGEST];
	const uint8_t *data[SEAL_FOUR];
	int status = STATUS_OK;

	for (unsigned i = 0; i < SEAL_FOUR; i++)
		data[i] = bytes + (size_t)(i < count ? i : 0) * FORMAT_LEAF;
	seal_digest_four(c->io.seal, sum, data, FORMAT_LEAF);
	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = compare_leaf(c, leaf + i, sum[i]);
	return status;
}

/* The same of leaves of an extent, of which only the last may be shorter. */
static int check_leaves(struct cursor *c, uint64_t leaf, const uint8_t *bytes, size_t len)
{
	int status = STATUS_OK;

	while (len && status == STATUS_OK) {
		unsigned count = (unsigned)min_u64(len / FORMAT_LEAF, SEAL_FOUR);
		size_t n = count > 1 ? (size_t)count * FORMAT_LEAF : min_u64(len, FORMAT_LEAF);

		status = count > 1 ? check_few(c, leaf, bytes, count)
		                   : check_leaf(c, leaf, bytes, n);
		leaf += div_ceil(n, FORMAT_LEAF);
		bytes += n;
		len -= n;
	}
	return status;
}

/* Decode a frame to out. */
static int decode_frame(struct cursor *c, const struct format_segment *s, uint8_t *out)
{
	int status;

	c->stored_leaf = UINT64_MAX;
	status = read_content(c, s->off, (size_t)s->stored_len, c->stored);
	if (status == STATUS_OK && c->bundle->inner->content.is_signed)
		status = check_leaf(c, s->leaf, c->stored, (size_t)s->stored_len);
	if (status == STATUS_OK)
		status = expander_run(c->expander, out, (size_t)s->plain_len, c->stored,
		                      (size_t)s->stored_len);
	return status;
}

/* n bytes of an extent that are whole leaves, from leaf number on. */
static int read_leaves(struct cursor *c, const struct format_segment *s, uint64_t number, size_t n,
                       uint8_t *out)
{
	int status = read_content(c, s->off + number * FORMAT_LEAF, n, out);

	if (status == STATUS_OK)
		status = check_leaves(c, s->leaf + number, out, n);
	if (status)
		sodium_memzero(out, n);
	return status;
}

/* A part of one leaf, through c->stored. */
static int read_in_leaf(struct cursor *c, const struct format_segment *s, uint64_t number,
                        size_t from, size_t len, uint8_t *out)
{
	uint64_t begin = number * FORMAT_LEAF;

	if (c->stored_leaf != s->leaf + number) {
		size_t whole = (size_t)min_u64(FORMAT_LEAF, s->stored_len - begin);
		int status;

		c->stored_leaf = UINT64_MAX;
		status = read_leaves(c, s, number, whole, c->stored);
		if (status)
			return status;
		c->stored_leaf = s->leaf + number;
	}
	memcpy(out, c->stored + from, len);
	return STATUS_OK;
}

static int read_extent(struct cursor *c, const struct format_segment *s, uint64_t from, size_t len,
                       uint8_t *out)
{
	int status = STATUS_OK;

	if (!c->bundle->inner->content.is_signed)
		return read_content(c, s->off + from, len, out);
	while (len && status == STATUS_OK) {
		uint64_t number = from / FORMAT_LEAF;
		size_t skip = from % FORMAT_LEAF;
		size_t n = from + len == s->stored_len ? len : len - (from + len) % FORMAT_LEAF;

		if (skip == 0 && len >= FORMAT_LEAF) {
			status = read_leaves(c, s, number, n, out);
		} else {
			n = (size_t)min_u64(len, FORMAT_LEAF - skip);
			status = read_in_leaf(c, s, number, skip, n, out);
		}
		from += n;
		out += n;
		len -= n;
	}
	return status;
}

/* What a slot of the cache holds around byte from of a segment: a whole frame,
 * or a piece of an extent. */
struct piece {
	uint64_t begin; /* in the segment */
	size_t len;
};

static struct piece piece_around(const struct format_segment *s, uint64_t from)
{
	uint64_t begin = s->frame ? 0 : from - from % FORMAT_FRAME;

	return (struct piece){begin, (size_t)min_u64(FORMAT_FRAME, s->plain_len - begin)};
}

/* Fill the slot that this thread was given. */
static int fill_slot(struct cursor *c, struct cache_slot *slot, const struct format_segment *s,
                     struct piece piece)
{
	int status = s->frame ? decode_frame(c, s, slot->bytes)
	                      : read_extent(c, s, piece.begin, piece.len, slot->bytes);

	return cache_filled(c->frames, slot, status);
}

/* len bytes at from of a segment, all of one piece.  What is in no slot is read
 * straight to out, but for a part of a frame, which is decoded into a slot, where
 * the next part will be found.
 * wait: for what another thread is decoding; otherwise BUSY. */
enum { BUSY = 1 };
static int read_piece(struct cursor *c, const struct format_segment *s, uint64_t from, size_t len,
                      uint8_t *out, bool wait)
{
	struct piece piece = piece_around(s, from);
	enum cache_want want = wait || (s->frame && len < piece.len) ? CACHE_GET : CACHE_PEEK;
	struct cache_slot *slot;
	int status = STATUS_OK;

	switch (cache_pin(c->frames, s->addr + piece.begin, want, &slot)) {
	case CACHE_BUSY: return BUSY;
	case CACHE_MISS:
		return s->frame ? decode_frame(c, s, out) : read_extent(c, s, from, len, out);
	case CACHE_FILL: status = fill_slot(c, slot, s, piece); break;
	case CACHE_READY: break;
	}
	/* What of a piece is lost may lie beside what is wanted. */
	if (status && !s->frame && len < piece.len)
		return read_extent(c, s, from, len, out);
	if (status)
		return status;
	memcpy(out, slot->bytes + (from - piece.begin), len);
	cache_unpin(c->frames, slot);
	return STATUS_OK;
}

/* What another thread was busy with when it was wanted. */
struct postponed {
	uint64_t addr;
	size_t len;
	uint8_t *out;
};

/* The segment that holds addr, and how many of len bytes the piece there has. */
static int find_piece(struct cursor *c, uint64_t addr, size_t *len, struct format_segment *segment)
{
	const struct format_segment *found;
	int status = index_segment_at(c->index, addr, &found);
	struct piece piece;

	if (status)
		return status;
	*segment = *found;
	piece = piece_around(segment, addr - segment->addr);
	*len = (size_t)min_u64(*len, segment->addr + piece.begin + piece.len - addr);
	return STATUS_OK;
}

static int read_at(struct cursor *c, uint64_t addr, size_t *len, uint8_t *out, bool wait)
{
	struct format_segment s;
	int status = find_piece(c, addr, len, &s);

	return status ? status : read_piece(c, &s, addr - s.addr, *len, out, wait);
}

/* len bytes of plaintext at an address.  What others are decoding comes last, so
 * that nobody waits who could work. */
static int read_plain(struct cursor *c, uint64_t addr, size_t len, uint8_t *out)
{
	struct postponed late[POSTPONED_MAX];
	unsigned count = 0;
	int status = STATUS_OK;

	while (len && status == STATUS_OK) {
		size_t n = len;

		status = read_at(c, addr, &n, out, count == POSTPONED_MAX);
		if (status == BUSY) {
			late[count++] = (struct postponed){addr, n, out};
			status = STATUS_OK;
		}
		addr += n;
		out += n;
		len -= n;
	}
	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = read_at(c, late[i].addr, &late[i].len, late[i].out, true);
	return status;
}

static int read_sparse(struct cursor *c, const struct format_entry *file, uint64_t off, size_t len,
                       uint8_t *out)
{
	while (len) {
		struct format_run run;
		uint64_t next, in_run = 0;
		int found = index_run_at(c->index, file, off, &run, &next);
		size_t n;

		if (found < 0)
			return found;
		if (found && off - run.file_off < run.len)
			in_run = run.len - (off - run.file_off);
		n = (size_t)min_u64(len, in_run ? in_run : next - off);
		if (in_run) {
			int status = read_plain(c, run.addr + (off - run.file_off), n, out);

			if (status)
				return status;
		} else {
			memset(out, 0, n);
		}
		off += n;
		out += n;
		len -= n;
	}
	return STATUS_OK;
}

int bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off, size_t len,
                uint8_t *out, size_t *got)
{
	int status;

	if (file->kind != KIND_FILE)
		return STATUS_ISDIR;
	len = off < file->size ? (size_t)min_u64(len, file->size - off) : 0;
	status = file->sparse ? read_sparse(cursor, file, off, len, out)
	                      : read_plain(cursor, file->place + off, len, out);
	if (status == STATUS_OK)
		*got = len;
	else
		sodium_memzero(out, len);
	return status;
}

/* Runs out of order must not lead back: callers go on behind what they were given. */
static int next_run(struct cursor *c, const struct format_entry *file, uint64_t off,
                    struct bundle_extent *extent)
{
	struct format_run run;
	uint64_t next;
	int found = index_run_at(c->index, file, off, &run, &next);

	if (found == 0 || (found > 0 && off - run.file_off >= run.len)) {
		off = next;
		if (off == file->size)
			return STATUS_OK;
		found = index_run_at(c->index, file, off, &run, &next);
	}
	if (found < 0)
		return found;
	if (found == 0 || run.file_off > off || run.len <= off - run.file_off)
		return STATUS_INVALID;
	*extent = (struct bundle_extent){
		.off = off,
		.addr = run.addr + (off - run.file_off),
		.len = run.len - (off - run.file_off),
	};
	return STATUS_OK;
}

int bundle_next_extent(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       struct bundle_extent *extent)
{
	*extent = (struct bundle_extent){.off = file->size};
	if (off >= file->size)
		return STATUS_OK;
	if (file->sparse)
		return next_run(cursor, file, off, extent);
	*extent = (struct bundle_extent){off, file->place + off, file->size - off};
	return STATUS_OK;
}

int bundle_data_range(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t *begin, uint64_t *end)
{
	struct bundle_extent extent;
	int status = bundle_next_extent(cursor, file, off, &extent);

	*begin = extent.off;
	*end = extent.len ? extent.off + extent.len : file->size;
	return status;
}

/* Advice for the bytes of the content at off. */
static void content_will_need(const struct bundle *b, uint64_t off, uint64_t len)
{
	while (len) {
		unsigned v = bundle_volume_of(b, off);
		uint64_t n = min_u64(len, b->range_start[v + 1] - off);

		if (b->volume[v].pages)
			pages_will_need(b->volume[v].pages, off - b->range_start[v], n);
		off += n;
		len -= n;
	}
}

static int plain_will_need(struct cursor *c, uint64_t addr, uint64_t len)
{
	while (len) {
		const struct format_segment *s;
		int status = index_segment_at(c->index, addr, &s);
		uint64_t from, n;

		if (status)
			return status;
		from = addr - s->addr;
		n = min_u64(len, s->plain_len - from);
		if (s->frame)
			content_will_need(c->bundle, s->off, s->stored_len);
		else
			content_will_need(c->bundle, s->off + from, n);
		addr += n;
		len -= n;
	}
	return STATUS_OK;
}

/* The run of plaintext behind off of a file, at most len bytes.  False: a hole,
 * or the end. */
static bool find_plain(struct cursor *c, const struct format_entry *file, uint64_t off,
                       uint64_t *addr, uint64_t *len)
{
	struct format_run run;
	uint64_t next;

	if (file->kind != KIND_FILE || off >= file->size)
		return false;
	*len = min_u64(*len, file->size - off);
	*addr = file->place + off;
	if (!file->sparse)
		return true;
	if (index_run_at(c->index, file, off, &run, &next) <= 0 || off - run.file_off >= run.len)
		return false;
	*addr = run.addr + (off - run.file_off);
	*len = min_u64(*len, run.len - (off - run.file_off));
	return true;
}

void bundle_will_need(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t len)
{
	uint64_t addr;

	if (find_plain(cursor, file, off, &addr, &len))
		plain_will_need(cursor, addr, len);
}

bool bundle_decode_ahead(struct cursor *cursor, const struct format_entry *file, uint64_t off)
{
	struct format_segment s;
	struct cache_slot *slot;
	struct piece piece;
	uint64_t addr, len = 1;
	size_t n = 1;

	if (!find_plain(cursor, file, off, &addr, &len) || find_piece(cursor, addr, &n, &s))
		return true;
	piece = piece_around(&s, addr - s.addr);
	switch (cache_pin(cursor->frames, s.addr + piece.begin, CACHE_AHEAD, &slot)) {
	case CACHE_FILL:
		if (fill_slot(cursor, slot, &s, piece) == STATUS_OK)
			cache_unpin(cursor->frames, slot);
		return true;
	case CACHE_BUSY: return true;
	default: return false;
	}
}

/* The first part of len bytes of plaintext at an address.  False: no slot has it. */
static bool lend_piece(struct cursor *c, uint64_t addr, size_t len, struct iovec *part)
{
	struct cache_slot **slot = &c->lent[c->lent_count];
	struct format_segment s;
	struct piece piece;

	if (find_piece(c, addr, &len, &s))
		return false;
	piece = piece_around(&s, addr - s.addr);
	if (cache_pin(c->frames, s.addr + piece.begin, CACHE_PEEK, slot) != CACHE_READY)
		return false;
	*part = (struct iovec){(*slot)->bytes + (addr - s.addr - piece.begin), len};
	c->lent_count++;
	return true;
}

unsigned bundle_lend(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                     size_t len, struct iovec part[static BUNDLE_LENT])
{
	uint64_t addr, run = len;

	if (!find_plain(cursor, file, off, &addr, &run) || run < len)
		return 0;
	while (len && cursor->lent_count < BUNDLE_LENT &&
	       lend_piece(cursor, addr, len, &part[cursor->lent_count])) {
		size_t n = part[cursor->lent_count - 1].iov_len;

		addr += n;
		len -= n;
	}
	if (len)
		bundle_give_back(cursor);
	return cursor->lent_count;
}

void bundle_give_back(struct cursor *cursor)
{
	while (cursor->lent_count)
		cache_unpin(cursor->frames, cursor->lent[--cursor->lent_count]);
}

int bundle_readlink(struct cursor *cursor, const struct format_entry *link,
                    char out[static FORMAT_LINK + 1])
{
	int status;

	if (link->kind != KIND_SYMLINK)
		return STATUS_INVALID;
	status = index_heap(cursor->index, link->place, (size_t)link->size, (uint8_t *)out);
	if (status)
		return status;
	out[link->size] = '\0';
	return strlen(out) == link->size ? STATUS_OK : STATUS_INVALID;
}

int bundle_xattrs(struct cursor *cursor, const struct format_entry *entry, uint8_t *out)
{
	return index_heap(cursor->index, entry->xattr_off, entry->xattr_len, out);
}

static int volume_of_plain(struct cursor *c, uint64_t addr, unsigned *v)
{
	const struct format_segment *s;
	int status = index_segment_at(c->index, addr, &s);

	if (status == STATUS_OK)
		*v = bundle_volume_of(c->bundle, s->frame ? s->off : s->off + (addr - s->addr));
	return status;
}

/* The volumes of len bytes of plaintext at addr: the content never goes back, so
 * they are those from that of the first byte to that of the last. */
static int plain_volumes(struct cursor *c, uint64_t addr, uint64_t len,
                         void (*seen)(void *context, unsigned v), void *context)
{
	unsigned v, last;
	int status = volume_of_plain(c, addr, &v);

	if (status == STATUS_OK)
		status = volume_of_plain(c, addr + len - 1, &last);
	for (; status == STATUS_OK && v <= last; v++)
		seen(context, v);
	return status;
}

int bundle_file_volumes(struct cursor *cursor, const struct format_entry *file,
                        void (*seen)(void *context, unsigned v), void *context)
{
	struct bundle_extent extent = {0};
	int status = STATUS_OK;

	while (file->kind == KIND_FILE && status == STATUS_OK) {
		status = bundle_next_extent(cursor, file, extent.off + extent.len, &extent);
		if (status || !extent.len)
			break;
		status = plain_volumes(cursor, extent.addr, extent.len, seen, context);
	}
	return status;
}

/* --- verification --------------------------------------------------------- */

int bundle_segment(struct cursor *cursor, uint64_t n, struct format_segment *segment)
{
	const struct format_segment *s;
	int status = index_segment(cursor->index, n, &s);

	if (status == STATUS_OK)
		*segment = *s;
	return status;
}

int bundle_segment_at(struct cursor *cursor, uint64_t addr, struct format_segment *segment,
                      uint64_t *end)
{
	const struct format_segment *s;
	int status = index_segment_at(cursor->index, addr, &s);

	if (status == STATUS_OK)
		*segment = *s;
	else
		*end = index_next_address(cursor->index, addr);
	return status;
}

int bundle_check_segment(struct cursor *cursor, const struct format_segment *segment, uint64_t off,
                         size_t len)
{
	if (segment->frame)
		return read_piece(cursor, segment, 0, 0, cursor->stored, true);
	cursor->stored_leaf = UINT64_MAX;
	return read_extent(cursor, segment, off, len, cursor->stored);
}

int bundle_check_block(struct cursor *cursor, enum format_table_no table, uint64_t b)
{
	return index_check_block(cursor->index, table, b);
}

uint64_t bundle_next_block(struct cursor *cursor, enum format_table_no table, uint64_t b)
{
	return index_next_block(cursor->index, table, b);
}

/* What is behind the index in the last data page, which is in the bounce page. */
static bool padding_is_zero(const struct cursor *cursor, const struct bundle_volume *volume)
{
	uint64_t before = (uint64_t)(volume->pages->parity.data_pages - 1) * FORMAT_PAYLOAD;
	uint64_t used = volume->index_off + cursor->bundle->inner->content.index_len - before;

	return sodium_is_zero(cursor->io.bounce + used, FORMAT_PAYLOAD - used);
}

int bundle_check_page(struct cursor *cursor, unsigned v, uint32_t t)
{
	const struct bundle_volume *volume = &cursor->bundle->volume[v];
	const struct format_parity *parity = &volume->pages->parity;
	int status = pages_check_logical(volume->pages, &cursor->io, t);

	if (status == STATUS_OK && t == format_data_page(parity, parity->data_pages - 1) &&
	    !padding_is_zero(cursor, volume))
		status = STATUS_INVALID;
	return status;
}

int bundle_restore(struct cursor *cursor, unsigned v, enum pages_role role, uint32_t number,
                   uint8_t page[static FORMAT_PAGE], bool readable)
{
	struct pages *pages = cursor->bundle->volume[v].pages;

	switch (role) {
	case PAGES_ROOT: return pages_restore_root(pages, &cursor->io, number, page, readable);
	case PAGES_SEALED: return pages_restore(pages, &cursor->io, number, page, readable);
	case PAGES_OTHER: break;
	}
	return 0;
}

int bundle_check_root(struct cursor *cursor, unsigned v, unsigned c)
{
	const struct bundle_volume *volume = &cursor->bundle->volume[v];

	cursor->io.held = NULL;
	return pages_check_root(&cursor->io, volume->source, pages_root_page(volume->pages, c),
	                        volume->pages->key, c, cursor->io.bounce);
}

/* All of a header, also what is behind the slots. */
static bool header_is_readable(const struct source *source, uint64_t file_len,
                               enum header_copy copy)
{
	uint8_t header[FORMAT_HEADER];

	return source_read_at(source, header, FORMAT_HEADER,
	                      copy == HEADER_A ? 0 : file_len - FORMAT_HEADER) == STATUS_OK;
}

int bundle_check_header(struct bundle *bundle, unsigned v, enum header_copy copy,
                        const struct header_keys *keys)
{
	const struct bundle_volume *volume = &bundle->volume[v];
	uint64_t len = volume->pages->geometry.file_len;
	struct format_slot slot;
	int status = STATUS_OK;

	if (bundle->volume_count > 1)
		status = header_open_sibling_copy(&slot, volume->source, len, copy,
		                                  bundle->inner->ck);
	/* Both ways in: the key of a sibling is no help to who has this volume alone. */
	if (status == STATUS_OK)
		status = header_open_copy(&slot, volume->source, len, copy, keys);
	if (status == STATUS_OK && sodium_memcmp(slot.ck, bundle->inner->ck, FORMAT_KEY))
		status = STATUS_INVALID;
	sodium_memzero(&slot, sizeof(slot));
	if (status == STATUS_OK && !header_is_readable(volume->source, len, copy))
		status = STATUS_DAMAGED;
	return status;
}
