#include "common/format.h"

#include <string.h>

#include "common/bytes.h"
#include "common/path.h"
#include "common/status.h"

/* --- where things lie in a volume file ----------------------------------- */

int format_geometry_make(struct format_geometry *geometry, uint64_t file_len)
{
	uint64_t pages, slice_pages = 1;

	if (file_len < 2 * FORMAT_HEADER || file_len > FORMAT_MAX_FILE)
		return STATUS_INVALID;
	pages = (file_len - 2 * FORMAT_HEADER) / FORMAT_PAGE;
	while (pages / slice_pages > FORMAT_MAX_SLICES)
		slice_pages *= 2;
	if (pages / slice_pages < FORMAT_MIN_SLICES)
		return STATUS_INVALID;

	geometry->file_len = file_len;
	geometry->page_count = (uint32_t)pages;
	geometry->slice_pages = (uint32_t)slice_pages;
	geometry->slice_count = (uint32_t)(pages / slice_pages);
	return STATUS_OK;
}

static bool parity_ok(unsigned m)
{
	return m == 0 || m == 2 || m == 4 || m == 8 || m == 16;
}

int format_parity_make(struct format_parity *parity, unsigned m, uint32_t data_pages)
{
	uint64_t most;

	if (!parity_ok(m) || data_pages == 0)
		return STATUS_INVALID;
	*parity = (struct format_parity){.m = m, .data_pages = data_pages};
	if (m == 0)
		return STATUS_OK;

	most = min_u64(1024, 4096 / m);
	parity->bands = (uint32_t)div_ceil(data_pages, FORMAT_ROWS * most);
	parity->columns = (uint32_t)div_ceil(data_pages, (uint64_t)FORMAT_ROWS * parity->bands);
	most = (uint64_t)parity->bands * m * parity->columns;
	if (most + data_pages > UINT32_MAX)
		return STATUS_INVALID;
	parity->parity_pages = (uint32_t)most;
	return STATUS_OK;
}

uint32_t format_band_pages(const struct format_parity *parity, uint32_t band)
{
	uint32_t full = FORMAT_ROWS * parity->columns;

	return band + 1 < parity->bands ? full : parity->data_pages - full * (parity->bands - 1);
}

uint32_t format_data_page(const struct format_parity *parity, uint32_t i)
{
	if (parity->m == 0)
		return i;
	return i + i / (FORMAT_ROWS * parity->columns) * parity->m * parity->columns;
}

/* --- slot ---------------------------------------------------------------- */

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	while (len--)
		any |= *p++;
	return any == 0;
}

void format_slot_encode(uint8_t out[static FORMAT_SLOT_CONTENTS], const struct format_slot *slot)
{
	memset(out, 0, FORMAT_SLOT_CONTENTS);
	out[0] = FORMAT_VERSION;
	out[1] = slot->parity;
	store_le16(out + 2, slot->volume_no);
	store_le16(out + 4, slot->volume_count);
	store_le64(out + 8, slot->file_len);
	store_le32(out + 16, slot->data_pages);
	for (int i = 0; i < FORMAT_ROOTS; i++)
		store_le32(out + 20 + 4 * i, slot->root_page[i]);
	memcpy(out + 32, slot->ck, FORMAT_KEY);
}

/* The first and the middle copy begin a slice, the last one ends one. */
static bool roots_ok(const struct format_slot *slot, const struct format_geometry *geometry)
{
	uint32_t pages = geometry->slice_pages;
	const uint32_t *at = slot->root_page;

	return at[0] % pages == 0 && at[1] % pages == 0 && (at[2] + 1) % pages == 0 &&
	       at[0] < at[1] && at[1] < at[2] && at[2] < geometry->slice_count * pages;
}

int format_slot_decode(struct format_slot *slot, const uint8_t in[static FORMAT_SLOT_CONTENTS])
{
	struct format_geometry geometry;
	struct format_parity parity;

	if (in[0] != FORMAT_VERSION)
		return STATUS_VERSION;
	slot->parity = in[1];
	slot->volume_no = load_le16(in + 2);
	slot->volume_count = load_le16(in + 4);
	slot->file_len = load_le64(in + 8);
	slot->data_pages = load_le32(in + 16);
	for (int i = 0; i < FORMAT_ROOTS; i++)
		slot->root_page[i] = load_le32(in + 20 + 4 * i);
	memcpy(slot->ck, in + 32, FORMAT_KEY);

	if (!all_zero(in + 6, 2) || !all_zero(in + 64, 32))
		return STATUS_INVALID;
	if (slot->volume_count < 1 || slot->volume_count > FORMAT_MAX_VOLUMES ||
	    slot->volume_no >= slot->volume_count)
		return STATUS_INVALID;
	if (format_geometry_make(&geometry, slot->file_len) ||
	    format_parity_make(&parity, slot->parity, slot->data_pages) ||
	    !roots_ok(slot, &geometry))
		return STATUS_INVALID;
	return STATUS_OK;
}

/* --- root ---------------------------------------------------------------- */

const uint32_t format_per_block[TABLE_COUNT] = {
	[TABLE_ENTRIES] = FORMAT_ENTRIES_PER_BLOCK,  [TABLE_SEGMENTS] = FORMAT_SEGMENTS_PER_BLOCK,
	[TABLE_RUNS] = FORMAT_RUNS_PER_BLOCK,        [TABLE_HEAP] = FORMAT_HEAP_BLOCK,
	[TABLE_LEAF_SUMS] = FORMAT_LEAVES_PER_BLOCK,
};

uint64_t format_block_count(enum format_table_no table, uint64_t records)
{
	return div_ceil(records, format_per_block[table]);
}

unsigned format_tree_height(uint64_t blocks)
{
	unsigned height = 0;

	for (; blocks > 1; blocks = div_ceil(blocks, FORMAT_FANOUT))
		height++;
	return height;
}

/* A text with its length in front, at most max bytes, zero-filled. */
static void text_encode(uint8_t *out, size_t max, const char *text)
{
	size_t len = strnlen(text, max);

	out[0] = (uint8_t)len;
	memcpy(out + 1, text, len);
}

static bool text_decode(char *text, size_t max, const uint8_t *in)
{
	size_t len = in[0];

	if (len > max || !all_zero(in + 1 + len, max - len))
		return false;
	memcpy(text, in + 1, len);
	text[len] = '\0';
	return strlen(text) == len && path_is_utf8(text, len);
}

enum {
	FLAG_SIGNED = 1,
	FLAG_FULL_METADATA = 2,
	CONTENT_SERIES = 48,
	CONTENT_LABEL = 112,
	CONTENT_KEY_ID = 368,
	CONTENT_PUBLISHER = 376,
	CONTENT_TABLES = 408,
	CONTENT_TABLE = 72,
	CONTENT_END = CONTENT_TABLES + TABLE_COUNT * CONTENT_TABLE,
	ROOT_LAYOUT = FORMAT_CONTENT_PART + FORMAT_SIGNATURE,
	ROOT_MAP = ROOT_LAYOUT + 24,
	ROOT_RANGES = ROOT_MAP + FORMAT_MAX_SLICES / 8,
};

void format_content_encode(uint8_t out[static FORMAT_CONTENT_PART],
                           const struct format_content *content)
{
	memset(out, 0, FORMAT_CONTENT_PART);
	out[0] = FORMAT_VERSION;
	out[1] = (uint8_t)((content->is_signed ? FLAG_SIGNED : 0) |
	                   (content->full_metadata ? FLAG_FULL_METADATA : 0));
	store_le64(out + 8, content->content_len);
	store_le64(out + 16, content->plain_len);
	store_le64(out + 24, content->index_len);
	store_le64(out + 32, content->leaf_count);
	store_le64(out + 40, content->edition);
	text_encode(out + CONTENT_SERIES, FORMAT_SERIES, content->series);
	text_encode(out + CONTENT_LABEL, FORMAT_LABEL, content->label);
	memcpy(out + CONTENT_KEY_ID, content->key_id, sizeof(content->key_id));
	memcpy(out + CONTENT_PUBLISHER, content->publisher, sizeof(content->publisher));
	for (int t = 0; t < TABLE_COUNT; t++) {
		uint8_t *at = out + CONTENT_TABLES + t * CONTENT_TABLE;

		store_le64(at, content->table[t].records);
		if (content->table[t].records)
			format_ref_encode(at + 8, &content->table[t].top);
	}
}

/* What decodes to more than this is no block or node of the table. */
static uint32_t block_raw_max(enum format_table_no table)
{
	switch (table) {
	case TABLE_ENTRIES: return FORMAT_ENTRY_BLOCK;
	case TABLE_SEGMENTS: return FORMAT_SEGMENT_BLOCK;
	case TABLE_RUNS: return FORMAT_RUNS_PER_BLOCK * FORMAT_RUN;
	case TABLE_HEAP: return FORMAT_HEAP_BLOCK;
	default: return FORMAT_LEAF_BLOCK;
	}
}

static int table_decode(struct format_table *table, enum format_table_no no, const uint8_t *in,
                        uint64_t index_len)
{
	table->records = load_le64(in);
	if (table->records == 0) {
		memset(&table->top, 0, sizeof(table->top));
		return all_zero(in + 8, FORMAT_REF) ? STATUS_OK : STATUS_INVALID;
	}
	return format_ref_decode(&table->top, in + 8, index_len, block_raw_max(no));
}

/* A table of several blocks has a reference to each in its nodes, which are
 * stored as they are: more blocks than that would share bytes, without end. */
static bool tables_fit(const struct format_content *c)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		uint64_t blocks = format_block_count(t, c->table[t].records);

		if (blocks > 1 && blocks > c->index_len / FORMAT_REF)
			return false;
	}
	return true;
}

/* No count is larger than what it counts can be; this keeps every product of a
 * count and a size within 64 bits. */
static bool counts_ok(const struct format_content *c)
{
	uint64_t sums = div_ceil(c->leaf_count, FORMAT_LEAVES_PER_BLOCK);

	return c->content_len <= FORMAT_MAX_VOLUMES * FORMAT_MAX_FILE &&
	       c->plain_len <= INT64_MAX && c->index_len <= FORMAT_MAX_FILE && tables_fit(c) &&
	       c->table[TABLE_ENTRIES].records >= 1 &&
	       c->table[TABLE_ENTRIES].records <= FORMAT_MAX_ENTRIES &&
	       c->table[TABLE_SEGMENTS].records <= c->content_len &&
	       c->table[TABLE_RUNS].records <= INT64_MAX / FORMAT_RUN &&
	       c->table[TABLE_HEAP].records <= INT64_MAX && c->leaf_count <= c->content_len &&
	       c->table[TABLE_LEAF_SUMS].records == sums &&
	       (c->content_len == 0) == (c->plain_len == 0);
}

int format_content_decode(struct format_content *content,
                          const uint8_t in[static FORMAT_CONTENT_PART])
{
	if (in[0] != FORMAT_VERSION)
		return STATUS_VERSION;
	if (in[1] & ~(FLAG_SIGNED | FLAG_FULL_METADATA))
		return STATUS_INVALID;
	if (!all_zero(in + 2, 6) || !all_zero(in + CONTENT_END, FORMAT_CONTENT_PART - CONTENT_END))
		return STATUS_INVALID;
	content->is_signed = in[1] & FLAG_SIGNED;
	content->full_metadata = in[1] & FLAG_FULL_METADATA;
	content->content_len = load_le64(in + 8);
	content->plain_len = load_le64(in + 16);
	content->index_len = load_le64(in + 24);
	content->leaf_count = load_le64(in + 32);
	content->edition = load_le64(in + 40);
	if (!text_decode(content->series, FORMAT_SERIES, in + CONTENT_SERIES) ||
	    !text_decode(content->label, FORMAT_LABEL, in + CONTENT_LABEL))
		return STATUS_INVALID;
	memcpy(content->key_id, in + CONTENT_KEY_ID, sizeof(content->key_id));
	memcpy(content->publisher, in + CONTENT_PUBLISHER, sizeof(content->publisher));
	if (!content->is_signed &&
	    (content->leaf_count ||
	     !all_zero(in + CONTENT_KEY_ID, CONTENT_TABLES - CONTENT_KEY_ID)))
		return STATUS_INVALID;
	for (int t = 0; t < TABLE_COUNT; t++)
		if (table_decode(&content->table[t], t, in + CONTENT_TABLES + t * CONTENT_TABLE,
		                 content->index_len))
			return STATUS_INVALID;
	return counts_ok(content) ? STATUS_OK : STATUS_INVALID;
}

void format_root_encode(uint8_t payload[static FORMAT_PAYLOAD],
                        const uint8_t content_part[static FORMAT_CONTENT_PART],
                        const uint8_t signature[static FORMAT_SIGNATURE],
                        const struct format_layout *layout)
{
	memset(payload, 0, FORMAT_PAYLOAD);
	memcpy(payload, content_part, FORMAT_CONTENT_PART);
	memcpy(payload + FORMAT_CONTENT_PART, signature, FORMAT_SIGNATURE);
	store_le16(payload + ROOT_LAYOUT, layout->owned);
	payload[ROOT_LAYOUT + 2] = layout->index_in_front;
	store_le64(payload + ROOT_LAYOUT + 8, layout->first_leaf_block);
	store_le64(payload + ROOT_LAYOUT + 16, layout->leaf_blocks);
	memcpy(payload + ROOT_MAP, layout->map, sizeof(layout->map));
	for (unsigned v = 0; v < layout->volume_count; v++)
		store_le64(payload + ROOT_RANGES + 8 * v, layout->range_start[v]);
}

static bool map_ok(const struct format_layout *layout, const struct format_slot *slot,
                   const struct format_geometry *geometry)
{
	uint32_t found = 0, first = 0, middle = 0, last = 0;

	for (uint32_t q = 0; q < FORMAT_MAX_SLICES; q++) {
		if (!(layout->map[q / 8] >> q % 8 & 1))
			continue;
		if (found == 0)
			first = q;
		if (found == layout->owned / 2u)
			middle = q;
		last = q;
		found++;
	}
	return found == layout->owned && found >= FORMAT_MIN_SLICES &&
	       last < geometry->slice_count &&
	       slot->root_page[0] == first * geometry->slice_pages &&
	       slot->root_page[1] == middle * geometry->slice_pages &&
	       slot->root_page[2] == (last + 1) * geometry->slice_pages - 1;
}

static bool ranges_decode(struct format_layout *layout, const uint8_t *in, uint64_t content_len)
{
	unsigned count = layout->volume_count;
	size_t used = ROOT_RANGES + 8 * (size_t)count;

	if (!all_zero(in + used, FORMAT_PAYLOAD - used))
		return false;
	for (unsigned v = 0; v < count; v++)
		layout->range_start[v] = load_le64(in + ROOT_RANGES + 8 * v);
	layout->range_start[count] = content_len;
	if (layout->range_start[0] != 0)
		return false;
	for (unsigned v = 0; v < count; v++)
		if (layout->range_start[v] > layout->range_start[v + 1])
			return false;
	return true;
}

int format_layout_decode(struct format_layout *layout, const uint8_t payload[static FORMAT_PAYLOAD],
                         const struct format_slot *slot, const struct format_geometry *geometry,
                         const struct format_content *content)
{
	struct format_parity parity;
	uint64_t stream_len, sums = content->table[TABLE_LEAF_SUMS].records;

	layout->owned = load_le16(payload + ROOT_LAYOUT);
	layout->volume_count = slot->volume_count;
	layout->index_in_front = payload[ROOT_LAYOUT + 2];
	layout->first_leaf_block = load_le64(payload + ROOT_LAYOUT + 8);
	layout->leaf_blocks = load_le64(payload + ROOT_LAYOUT + 16);
	memcpy(layout->map, payload + ROOT_MAP, sizeof(layout->map));
	if (payload[ROOT_LAYOUT + 2] > 1 || !all_zero(payload + ROOT_LAYOUT + 3, 5) ||
	    !map_ok(layout, slot, geometry) ||
	    !ranges_decode(layout, payload, content->content_len) ||
	    !range_within(layout->first_leaf_block, layout->leaf_blocks, sums) ||
	    (layout->leaf_blocks == 0 && layout->first_leaf_block))
		return STATUS_INVALID;

	stream_len = format_index_off(layout, slot->volume_no, content) + content->index_len;
	if (div_ceil(stream_len, FORMAT_PAYLOAD) != slot->data_pages)
		return STATUS_INVALID;
	if (format_parity_make(&parity, slot->parity, slot->data_pages) ||
	    (uint64_t)parity.data_pages + parity.parity_pages + FORMAT_ROOTS >
	            (uint64_t)layout->owned * geometry->slice_pages)
		return STATUS_INVALID;
	return STATUS_OK;
}

uint32_t format_leaf_block_len(uint64_t leaf_count, uint64_t j)
{
	uint64_t left = leaf_count - j * FORMAT_LEAVES_PER_BLOCK;

	return (uint32_t)min_u64(left, FORMAT_LEAVES_PER_BLOCK) * FORMAT_DIGEST;
}

/* Bytes of the leaf blocks. */
static uint64_t leaf_area(const struct format_layout *layout, const struct format_content *content)
{
	if (layout->leaf_blocks == 0)
		return 0;
	return (layout->leaf_blocks - 1) * FORMAT_LEAF_BLOCK +
	       format_leaf_block_len(content->leaf_count,
	                             layout->first_leaf_block + layout->leaf_blocks - 1);
}

uint64_t format_front_len(const struct format_layout *layout, const struct format_content *content)
{
	return layout->index_in_front ? content->index_len + leaf_area(layout, content) : 0;
}

uint64_t format_range_len(const struct format_layout *layout, unsigned v)
{
	return layout->range_start[v + 1] - layout->range_start[v];
}

uint64_t format_index_off(const struct format_layout *layout, unsigned v,
                          const struct format_content *content)
{
	return format_front_len(layout, content) + format_range_len(layout, v) +
	       leaf_area(layout, content);
}

/* --- index: references ---------------------------------------------------- */

void format_ref_encode(uint8_t out[static FORMAT_REF], const struct format_ref *ref)
{
	store_le64(out, ref->off);
	store_le32(out + 8, ref->stored_len);
	store_le32(out + 12, ref->raw_len);
	memcpy(out + 16, ref->key, sizeof(ref->key));
	memcpy(out + 32, ref->digest, sizeof(ref->digest));
}

int format_ref_decode(struct format_ref *ref, const uint8_t in[static FORMAT_REF],
                      uint64_t index_len, uint32_t raw_max)
{
	ref->off = load_le64(in);
	ref->stored_len = load_le32(in + 8);
	ref->raw_len = load_le32(in + 12);
	memcpy(ref->key, in + 16, sizeof(ref->key));
	memcpy(ref->digest, in + 32, sizeof(ref->digest));
	if (ref->stored_len == 0 || ref->stored_len > ref->raw_len || ref->raw_len > raw_max ||
	    !range_within(ref->off, ref->stored_len, index_len))
		return STATUS_INVALID;
	return STATUS_OK;
}

/* --- varints -------------------------------------------------------------- */

/* A reader over a block's bytes: the first fault sticks, values are 0 from then
 * on, so that a column is read without a test at each value. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift)
			break; /* not the shortest form */
		return value;
	}
	r->bad = true;
	return 0;
}

static uint64_t read_bounded(struct reader *r, uint64_t max)
{
	uint64_t value = read_varint(r);

	if (value <= max)
		return value;
	r->bad = true;
	return 0;
}

/* base + a zigzag, modulo 2^64: the caller bounds the sum. */
static uint64_t read_zigzag(struct reader *r, uint64_t base)
{
	uint64_t value = read_varint(r);

	return base + (value >> 1 ^ -(value & 1));
}

static const uint8_t *read_bytes(struct reader *r, size_t len)
{
	const uint8_t *p = r->at;

	if ((size_t)(r->end - r->at) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return p;
}

size_t format_varint_encode(uint8_t *out, uint64_t value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		out[len++] = (uint8_t)(value | 0x80);
	out[len++] = (uint8_t)value;
	return len;
}

static uint8_t *write_varint(uint8_t *p, uint64_t value)
{
	return p + format_varint_encode(p, value);
}

static uint8_t *write_zigzag(uint8_t *p, uint64_t value, uint64_t base)
{
	uint64_t diff = value - base;

	return write_varint(p, diff << 1 ^ -(diff >> 63));
}

/* --- index: entries ------------------------------------------------------- */

enum { KIND_MASK = 3, KIND_SPARSE = 4, KIND_LINKED = 8 };

#define DAY 86400
#define SECONDS_MAX (INT64_C(1) << 55)
#define DAYS_MAX (INT64_C(1) << 38)

/* The running values of a block: what the next place is likely to be. */
struct expected {
	uint64_t child, addr, run, link, xattr;
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The first place of each sort, so that the first difference is 0. */
static struct expected first_places(const struct format_entry *entry, unsigned count)
{
	struct expected first = {0};

	for (unsigned i = count; i-- > 0;) {
		const struct format_entry *e = &entry[i];

		if (e->kind == KIND_DIRECTORY)
			first.child = e->place;
		else if (e->kind == KIND_SYMLINK)
			first.link = e->place;
		else if (e->kind == KIND_FILE && e->sparse && e->runs)
			first.run = e->place;
		else if (e->kind == KIND_FILE && !e->sparse && e->size)
			first.addr = e->place;
		if (e->kind != KIND_HARDLINK && e->xattr_len)
			first.xattr = e->xattr_off;
	}
	return first;
}

static unsigned shared_prefix(const struct format_entry *a, const struct format_entry *b)
{
	unsigned n = 0;

	while (n < a->name_len && n < b->name_len && a->name[n] == b->name[n])
		n++;
	return n;
}

static uint8_t *write_names(uint8_t *p, const struct format_entry *entry, unsigned count)
{
	uint8_t *rest = p + count, *text = p + 2 * count;

	for (unsigned i = 0; i < count; i++) {
		unsigned shared = i ? shared_prefix(&entry[i - 1], &entry[i]) : 0;

		p[i] = (uint8_t)shared;
		rest[i] = (uint8_t)(entry[i].name_len - shared);
		memcpy(text, entry[i].name + shared, rest[i]);
		text += rest[i];
	}
	return text;
}

static uint8_t *write_place(uint8_t *p, const struct format_entry *e, struct expected *next)
{
	if (e->kind == KIND_SYMLINK) {
		p = write_zigzag(p, e->place, next->link);
		next->link = e->place + e->size;
	} else if (e->kind == KIND_FILE && e->sparse) {
		p = write_varint(p, e->runs);
		if (e->runs) {
			p = write_zigzag(p, e->place, next->run);
			next->run = e->place + e->runs;
		}
	} else if (e->kind == KIND_FILE && e->size) {
		p = write_zigzag(p, e->place, next->addr);
		next->addr = e->place + e->size;
	}
	return p;
}

static uint8_t *write_full_metadata(uint8_t *p, const struct format_entry *entry, unsigned count,
                                    uint64_t next_xattr)
{
	for (unsigned i = 0; i < count; i++)
		if (entry[i].kind != KIND_HARDLINK)
			p = write_varint(p, entry[i].mtime_nsec);
	for (unsigned i = 0; i < count; i++)
		if (entry[i].kind != KIND_HARDLINK)
			p = write_varint(p, entry[i].uid);
	for (unsigned i = 0; i < count; i++)
		if (entry[i].kind != KIND_HARDLINK)
			p = write_varint(p, entry[i].gid);
	for (unsigned i = 0; i < count; i++) {
		const struct format_entry *e = &entry[i];

		if (e->kind == KIND_HARDLINK)
			continue;
		p = write_varint(p, e->xattr_len);
		if (e->xattr_len) {
			p = write_zigzag(p, e->xattr_off, next_xattr);
			next_xattr = e->xattr_off + e->xattr_len;
		}
	}
	return p;
}

size_t format_entries_encode(uint8_t out[static FORMAT_ENTRY_BLOCK],
                             const struct format_entry *entry, unsigned count, bool full_metadata)
{
	struct expected next = first_places(entry, count);
	uint64_t parent = entry[0].parent, time = 0;
	uint8_t *p = out;

	p = write_varint(p, parent);
	p = write_varint(p, next.child);
	p = write_varint(p, next.addr);
	p = write_varint(p, next.run);
	p = write_varint(p, next.link);
	if (full_metadata)
		p = write_varint(p, next.xattr);
	for (unsigned i = 0; i < count; i++)
		*p++ = (uint8_t)(entry[i].kind | (entry[i].sparse ? KIND_SPARSE : 0) |
		                 (entry[i].links > 1 && entry[i].kind != KIND_HARDLINK ? KIND_LINKED
		                                                                       : 0));
	for (unsigned i = 0; i < count; parent = entry[i++].parent)
		p = write_varint(p, entry[i].parent - parent);
	p = write_names(p, entry, count);
	for (unsigned i = 0; i < count; i++)
		if (entry[i].kind != KIND_HARDLINK)
			p = write_varint(p, entry[i].kind == KIND_SYMLINK ? 0 : entry[i].mode);
	for (unsigned i = 0; i < count; i++) {
		uint64_t now =
			(uint64_t)(full_metadata ? entry[i].mtime : floor_div(entry[i].mtime, DAY));

		if (entry[i].kind == KIND_HARDLINK)
			continue;
		p = write_zigzag(p, now, time);
		time = now;
	}
	for (unsigned i = 0; i < count; i++)
		p = write_varint(p, entry[i].kind == KIND_HARDLINK ? entry[i].id - entry[i].place
		                                                   : entry[i].size);
	for (unsigned i = 0; i < count; i++)
		if (entry[i].links > 1 && entry[i].kind != KIND_HARDLINK)
			p = write_varint(p, entry[i].links);
	for (unsigned i = 0; i < count; i++)
		p = write_place(p, &entry[i], &next);
	if (full_metadata)
		p = write_full_metadata(p, entry, count, next.xattr);
	return (size_t)(p - out);
}

static void read_kinds(struct reader *r, struct format_entry_block *block)
{
	const uint8_t *kind = read_bytes(r, block->count);

	for (uint32_t i = 0; kind && i < block->count; i++) {
		struct format_entry *e = &block->entry[i];

		e->kind = kind[i] & KIND_MASK;
		e->sparse = kind[i] & KIND_SPARSE;
		e->links = kind[i] & KIND_LINKED ? 2 : 1; /* until the column of links */
		if (kind[i] & ~(KIND_MASK | KIND_SPARSE | KIND_LINKED) ||
		    (e->sparse && e->kind != KIND_FILE) ||
		    (e->links > 1 && e->kind != KIND_FILE && e->kind != KIND_SYMLINK))
			r->bad = true;
	}
}

static void read_parents(struct reader *r, struct format_entry_block *block, uint64_t parent)
{
	for (uint32_t i = 0; i < block->count; i++) {
		struct format_entry *e = &block->entry[i];

		parent += read_bounded(r, i ? UINT32_MAX : 0);
		if (e->id ? parent >= e->id : parent != 0)
			r->bad = true;
		e->parent = (uint32_t)parent;
	}
}

static bool name_fits(const struct format_entry *before, const struct format_entry *e)
{
	if (e->id == 0)
		return e->name_len == 0;
	if (!path_name_ok(e->name, e->name_len))
		return false;
	return !before || before->id == 0 || before->parent != e->parent ||
	       path_name_compare(before->name, before->name_len, e->name, e->name_len) < 0;
}

static void read_names(struct reader *r, struct format_entry_block *block)
{
	const uint8_t *shared = read_bytes(r, block->count), *rest = read_bytes(r, block->count);
	const struct format_entry *before = NULL;
	char *text = block->names;

	if (!shared || !rest)
		return;
	for (uint32_t i = 0; i < block->count; i++) {
		struct format_entry *e = &block->entry[i];
		const uint8_t *bytes = read_bytes(r, rest[i]);

		if (!bytes || shared[i] + rest[i] > FORMAT_NAME ||
		    shared[i] > (before ? before->name_len : 0)) {
			r->bad = true;
			return;
		}
		e->name = text;
		e->name_len = (uint8_t)(shared[i] + rest[i]);
		if (before)
			memcpy(text, before->name, shared[i]);
		memcpy(text + shared[i], bytes, rest[i]);
		text += e->name_len;
		if (!name_fits(before, e))
			r->bad = true;
		before = e;
	}
}

static void read_modes(struct reader *r, struct format_entry_block *block, bool full_metadata)
{
	for (uint32_t i = 0; i < block->count; i++) {
		struct format_entry *e = &block->entry[i];
		unsigned mask = full_metadata ? 07777 : 0555;

		if (e->kind == KIND_HARDLINK)
			continue;
		e->mode = (uint16_t)read_bounded(r, e->kind == KIND_SYMLINK ? 0 : mask);
		if (e->mode & ~mask)
			r->bad = true;
	}
}

static void read_times(struct reader *r, struct format_entry_block *block, bool full_metadata)
{
	const int64_t most = full_metadata ? SECONDS_MAX : DAYS_MAX;
	uint64_t time = 0;

	for (uint32_t i = 0; i < block->count && !r->bad; i++) {
		struct format_entry *e = &block->entry[i];
		int64_t now;

		if (e->kind == KIND_HARDLINK)
			continue;
		time = read_zigzag(r, time);
		now = (int64_t)time;
		if (now < -most || now > most)
			r->bad = true;
		else
			e->mtime = full_metadata ? now : now * DAY;
	}
}

static void read_sizes(struct reader *r, struct format_entry_block *block, uint64_t entry_count)
{
	for (uint32_t i = 0; i < block->count; i++) {
		struct format_entry *e = &block->entry[i];

		switch (e->kind) {
		case KIND_FILE: e->size = read_bounded(r, INT64_MAX); break;
		case KIND_DIRECTORY: e->size = read_bounded(r, entry_count); break;
		case KIND_SYMLINK: e->size = read_bounded(r, FORMAT_LINK); break;
		case KIND_HARDLINK: e->place = e->id - read_bounded(r, e->id); break;
		}
		if ((e->kind == KIND_SYMLINK && e->size == 0) ||
		    (e->kind == KIND_HARDLINK && e->place == e->id))
			r->bad = true;
	}
}

static void read_links(struct reader *r, struct format_entry_block *block)
{
	for (uint32_t i = 0; i < block->count; i++) {
		struct format_entry *e = &block->entry[i];

		if (e->links < 2)
			continue;
		e->links = (uint32_t)read_bounded(r, UINT32_MAX);
		if (e->links < 2)
			r->bad = true;
	}
}

/* len units at the next place, which must lie within limit. */
static uint64_t read_place(struct reader *r, uint64_t *next, uint64_t len, uint64_t limit)
{
	uint64_t place = read_zigzag(r, *next);

	if (!range_within(place, len, limit)) {
		r->bad = true;
		return 0;
	}
	*next = place + len;
	return place;
}

static void read_places(struct reader *r, struct format_entry_block *block, struct expected *next,
                        const struct format_content *content)
{
	const struct format_table *table = content->table;

	for (uint32_t i = 0; i < block->count && !r->bad; i++) {
		struct format_entry *e = &block->entry[i];

		if (e->kind == KIND_SYMLINK) {
			e->place = read_place(r, &next->link, e->size, table[TABLE_HEAP].records);
		} else if (e->kind == KIND_FILE && e->sparse) {
			e->runs = read_bounded(r, e->size ? table[TABLE_RUNS].records : 0);
			if (e->runs)
				e->place = read_place(r, &next->run, e->runs,
				                      table[TABLE_RUNS].records);
		} else if (e->kind == KIND_FILE && e->size) {
			e->place = read_place(r, &next->addr, e->size, content->plain_len);
		} else if (e->kind == KIND_DIRECTORY) {
			e->place = next->child;
			if (e->size &&
			    (next->child <= e->id ||
			     !range_within(next->child, e->size, table[TABLE_ENTRIES].records)))
				r->bad = true;
			next->child += e->size;
		}
	}
}

static void read_full_metadata(struct reader *r, struct format_entry_block *block,
                               uint64_t next_xattr, uint64_t heap_len)
{
	struct format_entry *e, *end = block->entry + block->count;

	for (e = block->entry; e < end; e++)
		if (e->kind != KIND_HARDLINK)
			e->mtime_nsec = (uint32_t)read_bounded(r, 999999999);
	for (e = block->entry; e < end; e++)
		if (e->kind != KIND_HARDLINK)
			e->uid = (uint32_t)read_bounded(r, UINT32_MAX);
	for (e = block->entry; e < end; e++)
		if (e->kind != KIND_HARDLINK)
			e->gid = (uint32_t)read_bounded(r, UINT32_MAX);
	for (e = block->entry; e < end; e++) {
		if (e->kind == KIND_HARDLINK)
			continue;
		e->xattr_len = (uint32_t)read_bounded(r, FORMAT_XATTRS);
		if (e->xattr_len)
			e->xattr_off = read_place(r, &next_xattr, e->xattr_len, heap_len);
	}
}

int format_entries_decode(struct format_entry_block *block, const uint8_t *in, size_t len,
                          uint32_t first_id, uint32_t count, const struct format_content *content)
{
	struct reader r = {in, in + len, false};
	struct expected next;
	uint64_t parent;

	block->count = count;
	memset(block->entry, 0, count * sizeof(block->entry[0]));
	for (uint32_t i = 0; i < count; i++)
		block->entry[i].id = first_id + i;

	parent = read_bounded(&r, UINT32_MAX);
	next.child = read_bounded(&r, INT64_MAX);
	next.addr = read_bounded(&r, INT64_MAX);
	next.run = read_bounded(&r, INT64_MAX);
	next.link = read_bounded(&r, INT64_MAX);
	next.xattr = content->full_metadata ? read_bounded(&r, INT64_MAX) : 0;
	read_kinds(&r, block);
	if (first_id == 0 && block->entry[0].kind != KIND_DIRECTORY)
		return STATUS_INVALID;
	read_parents(&r, block, parent);
	read_names(&r, block);
	read_modes(&r, block, content->full_metadata);
	read_times(&r, block, content->full_metadata);
	read_sizes(&r, block, content->table[TABLE_ENTRIES].records);
	read_links(&r, block);
	read_places(&r, block, &next, content);
	if (content->full_metadata)
		read_full_metadata(&r, block, next.xattr, content->table[TABLE_HEAP].records);
	return r.bad || r.at != r.end ? STATUS_INVALID : STATUS_OK;
}

/* --- index: segments, runs, attributes ------------------------------------ */

uint64_t format_segment_leaves(const struct format_segment *segment)
{
	return segment->frame ? 1 : div_ceil(segment->stored_len, FORMAT_LEAF);
}

size_t format_segments_encode(uint8_t out[static FORMAT_SEGMENT_BLOCK],
                              const struct format_segment *segment, unsigned count)
{
	uint8_t *p = out;

	store_le64(p, segment[0].addr);
	store_le64(p + 8, segment[0].off);
	store_le64(p + 16, segment[0].leaf);
	p += 24;
	for (unsigned i = 0; i < count; i++)
		*p++ = segment[i].frame;
	for (unsigned i = 0; i < count; i++)
		p = write_varint(p, segment[i].plain_len);
	for (unsigned i = 0; i < count; i++)
		if (segment[i].frame)
			p = write_varint(p, segment[i].stored_len);
	return (size_t)(p - out);
}

static bool segment_ok(const struct format_segment *s, const struct format_content *content)
{
	if (!range_within(s->addr, s->plain_len, content->plain_len) ||
	    !range_within(s->off, s->stored_len, content->content_len) || s->stored_len == 0)
		return false;
	if (s->frame && (s->plain_len > FORMAT_FRAME || s->stored_len >= s->plain_len))
		return false;
	return !content->is_signed ||
	       range_within(s->leaf, format_segment_leaves(s), content->leaf_count);
}

int format_segments_decode(struct format_segment_block *block, const uint8_t *in, size_t len,
                           uint32_t count, const struct format_content *content)
{
	struct reader r = {in, in + len, false};
	const uint8_t *head = read_bytes(&r, 24), *kind = read_bytes(&r, count);
	struct format_segment *s = block->segment;
	uint64_t addr, off, leaf;

	if (!head || !kind)
		return STATUS_INVALID;
	block->count = count;
	addr = load_le64(head);
	off = load_le64(head + 8);
	leaf = load_le64(head + 16);
	for (uint32_t i = 0; i < count; i++) {
		s[i].frame = kind[i];
		s[i].plain_len = s[i].stored_len = read_bounded(&r, content->plain_len);
		if (kind[i] > 1)
			r.bad = true;
	}
	for (uint32_t i = 0; i < count; i++)
		if (s[i].frame)
			s[i].stored_len = read_bounded(&r, FORMAT_FRAME);
	if (r.bad || r.at != r.end || (!content->is_signed && leaf))
		return STATUS_INVALID;
	for (uint32_t i = 0; i < count; i++) {
		s[i].addr = addr;
		s[i].off = off;
		s[i].leaf = leaf;
		if (!segment_ok(&s[i], content))
			return STATUS_INVALID;
		addr += s[i].plain_len;
		off += s[i].stored_len;
		leaf += content->is_signed ? format_segment_leaves(&s[i]) : 0;
	}
	return STATUS_OK;
}

void format_run_encode(uint8_t out[static FORMAT_RUN], const struct format_run *run)
{
	store_le64(out, run->file_off);
	store_le64(out + 8, run->addr);
	store_le64(out + 16, run->len);
}

int format_run_decode(struct format_run *run, const uint8_t in[static FORMAT_RUN],
                      uint64_t file_size, uint64_t plain_len)
{
	run->file_off = load_le64(in);
	run->addr = load_le64(in + 8);
	run->len = load_le64(in + 16);
	if (run->len == 0 || !range_within(run->file_off, run->len, file_size) ||
	    !range_within(run->addr, run->len, plain_len))
		return STATUS_INVALID;
	return STATUS_OK;
}

static void read_xattr(struct reader *r, struct format_xattr *xattr)
{
	const uint8_t *name_len = read_bytes(r, 1);

	xattr->name_len = name_len ? *name_len : 0;
	xattr->name = (const char *)read_bytes(r, xattr->name_len);
	xattr->value_len = (uint32_t)read_bounded(r, FORMAT_XATTR_VALUE);
	xattr->value = read_bytes(r, xattr->value_len);
	if (!xattr->name || xattr->name_len == 0 || memchr(xattr->name, '\0', xattr->name_len))
		r->bad = true;
}

/* As many as it says, and nothing behind them. */
static bool xattrs_ok(struct reader r, uint64_t count)
{
	struct format_xattr xattr;

	if (count == 0)
		return false;
	for (; count && !r.bad; count--)
		read_xattr(&r, &xattr);
	return !r.bad && r.at == r.end;
}

int format_xattr_next(const uint8_t *set, size_t len, size_t *pos, struct format_xattr *xattr)
{
	struct reader r = {set, set + len, false};

	if (*pos == 0) {
		uint64_t count = read_bounded(&r, FORMAT_XATTRS);

		if (r.bad || !xattrs_ok(r, count))
			return STATUS_INVALID;
	} else if (*pos >= len) {
		return 0;
	} else {
		r.at = set + *pos;
	}
	read_xattr(&r, xattr);
	*pos = (size_t)(r.at - set);
	return r.bad ? STATUS_INVALID : 1;
}
