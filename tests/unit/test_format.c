#include "tests/unit/unit.h"

#include "common/bytes.h"
#include "common/format.h"
#include "common/status.h"

/* --- numbers that are the same in every run ---------------------------------------- */

static uint64_t seed = 1;

static uint64_t number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t below(uint64_t limit)
{
	return number() % limit;
}

/* Small ones as often as large ones. */
static uint64_t any_below(uint64_t limit)
{
	return (number() >> below(64)) % limit;
}

/* --- geometry ------------------------------------------------------------------------ */

static void geometry_is_what_the_length_says(void **state)
{
	struct format_geometry g;

	(void)state;
	assert_int_equal(format_geometry_make(&g, 0), STATUS_INVALID);
	assert_int_equal(format_geometry_make(&g, 2 * FORMAT_HEADER), STATUS_INVALID);
	assert_int_equal(format_geometry_make(&g, 5 * FORMAT_PAGE - 1), STATUS_INVALID);
	assert_int_equal(format_geometry_make(&g, 5 * FORMAT_PAGE), STATUS_OK);
	assert_int_equal(g.slice_count, 3);
	assert_int_equal(g.slice_pages, 1);
	assert_int_equal(format_geometry_make(&g, FORMAT_MAX_FILE), STATUS_OK);
	assert_int_equal(format_geometry_make(&g, FORMAT_MAX_FILE + 1), STATUS_INVALID);
	/* The smallest power of two that makes at most 8,192. */
	assert_int_equal(format_geometry_make(&g, (8192 + 2) * (uint64_t)FORMAT_PAGE), STATUS_OK);
	assert_int_equal(g.slice_pages, 1);
	assert_int_equal(g.slice_count, 8192);
	assert_int_equal(format_geometry_make(&g, (8193 + 2) * (uint64_t)FORMAT_PAGE), STATUS_OK);
	assert_int_equal(g.slice_pages, 2);
	assert_int_equal(g.slice_count, 4096);
	for (int i = 0; i < 2000; i++) {
		uint64_t len = 5 * FORMAT_PAGE + any_below(FORMAT_MAX_FILE - 5 * FORMAT_PAGE);
		uint64_t pages = (len - 2 * FORMAT_HEADER) / FORMAT_PAGE;

		assert_int_equal(format_geometry_make(&g, len), STATUS_OK);
		assert_int_equal(g.page_count, pages);
		assert_int_equal(g.slice_count, pages / g.slice_pages);
		assert_true(g.slice_count <= FORMAT_MAX_SLICES);
		assert_true(g.slice_pages == 1 || pages / (g.slice_pages / 2) > FORMAT_MAX_SLICES);
	}
}

static void parity_shapes_are_those_of_the_manual(void **state)
{
	static const unsigned ms[] = {0, 2, 4, 8, 16};
	struct format_parity p;

	(void)state;
	for (unsigned m = 0; m < 256; m++)
		assert_int_equal(format_parity_make(&p, m, 1),
		                 m == 0 || m == 2 || m == 4 || m == 8 || m == 16 ? STATUS_OK
		                                                                 : STATUS_INVALID);
	assert_int_equal(format_parity_make(&p, 4, 0), STATUS_INVALID);
	for (int i = 0; i < 3000; i++) {
		unsigned m = ms[i % 5];
		uint32_t d = 1 + (uint32_t)any_below(3000000000), sum = 0;
		uint64_t most = m ? min_u64(1024, 4096 / m) : 0;

		assert_int_equal(format_parity_make(&p, m, d), STATUS_OK);
		if (m == 0) {
			assert_int_equal(p.parity_pages, 0);
			assert_int_equal(format_data_page(&p, d - 1), d - 1);
			continue;
		}
		assert_int_equal(p.bands, div_ceil(d, 64 * most));
		assert_int_equal(p.columns, div_ceil(d, 64 * (uint64_t)p.bands));
		assert_int_equal(p.parity_pages, (uint64_t)p.bands * m * p.columns);
		for (uint32_t b = 0; b < p.bands; b += p.bands / 7 + 1)
			assert_true(format_band_pages(&p, b) >= 1);
		assert_int_equal(format_data_page(&p, d - 1),
		                 d - 1 + (uint64_t)(p.bands - 1) * m * p.columns);
		if (p.bands < 50) {
			for (uint32_t b = 0; b < p.bands; b++)
				sum += format_band_pages(&p, b);
			assert_int_equal(sum, d);
		}
	}
	assert_int_equal(format_parity_make(&p, 16, UINT32_MAX), STATUS_INVALID);
}

/* --- slots ------------------------------------------------------------------------------ */

static struct format_slot sound_slot(void)
{
	struct format_slot slot = {
		.parity = 4,
		.volume_no = 1,
		.volume_count = 3,
		.file_len = 20000 * (uint64_t)FORMAT_PAGE,
		.data_pages = 12345,
		.root_page = {0, 8, 8 + 4 * 3 - 1},
	};

	memset(slot.ck, 0xc5, sizeof slot.ck);
	return slot;
}

static int try_slot(const struct format_slot *slot)
{
	uint8_t bytes[FORMAT_SLOT_CONTENTS];
	struct format_slot got;

	format_slot_encode(bytes, slot);
	return format_slot_decode(&got, bytes);
}

static void a_slot_comes_back(void **state)
{
	struct format_slot slot = sound_slot(), got;
	uint8_t bytes[FORMAT_SLOT_CONTENTS], again[FORMAT_SLOT_CONTENTS];

	(void)state;
	format_slot_encode(bytes, &slot);
	assert_int_equal(format_slot_decode(&got, bytes), STATUS_OK);
	assert_int_equal(got.parity, 4);
	assert_int_equal(got.volume_no, 1);
	assert_int_equal(got.volume_count, 3);
	assert_true(got.file_len == slot.file_len);
	assert_int_equal(got.data_pages, 12345);
	assert_memory_equal(got.root_page, slot.root_page, sizeof slot.root_page);
	assert_memory_equal(got.ck, slot.ck, sizeof slot.ck);
	format_slot_encode(again, &got);
	assert_memory_equal(bytes, again, sizeof bytes);
}

static void slots_out_of_bounds_are_refused(void **state)
{
	struct format_slot slot = sound_slot(), got;
	uint8_t bytes[FORMAT_SLOT_CONTENTS];

	(void)state;
	for (int at = 0; at < FORMAT_SLOT_CONTENTS; at++) {
		format_slot_encode(bytes, &slot);
		bytes[at] ^= 0x80;
		if (at == 0)
			assert_int_equal(format_slot_decode(&got, bytes), STATUS_VERSION);
		else if (at == 6 || at == 7 || at >= 64)
			assert_int_equal(format_slot_decode(&got, bytes), STATUS_INVALID);
	}
#define REFUSED(field, value)                                      \
	do {                                                       \
		slot = sound_slot();                               \
		slot.field = (value);                              \
		assert_int_equal(try_slot(&slot), STATUS_INVALID); \
	} while (0)
	REFUSED(parity, 3);
	REFUSED(parity, 32);
	REFUSED(volume_count, 0);
	REFUSED(volume_count, 1);
	REFUSED(volume_count, FORMAT_MAX_VOLUMES + 1);
	REFUSED(volume_no, 3);
	REFUSED(file_len, 5 * FORMAT_PAGE - 1);
	REFUSED(file_len, FORMAT_MAX_FILE + 1);
	REFUSED(data_pages, 0);
	REFUSED(root_page[0], 1);
	REFUSED(root_page[0], 8);
	REFUSED(root_page[1], 9);
	REFUSED(root_page[1], 20);
	REFUSED(root_page[2], 20);
	REFUSED(root_page[2], 4 * 5000 - 1);
	REFUSED(root_page[2], UINT32_MAX);
#undef REFUSED
}

/* --- roots -------------------------------------------------------------------------------- */

static struct format_content sound_content(void)
{
	struct format_content c = {
		.is_signed = true,
		.full_metadata = true,
		.content_len = 100000,
		.plain_len = 200000,
		.index_len = 50000,
		.leaf_count = 5,
		.edition = UINT64_MAX,
		.series = "nightly",
		.label = "Ein B\303\274ndel",
	};

	memset(c.key_id, 1, sizeof c.key_id);
	memset(c.publisher, 2, sizeof c.publisher);
	for (int t = 0; t < TABLE_COUNT; t++) {
		c.table[t].records = t == TABLE_LEAF_SUMS ? 1 : (uint64_t)t + 1;
		c.table[t].top = (struct format_ref){
			.off = 100 * (uint64_t)t, .stored_len = 60, .raw_len = 64};
		memset(c.table[t].top.digest, t, FORMAT_DIGEST);
	}
	return c;
}

static int try_content(const struct format_content *c)
{
	uint8_t bytes[FORMAT_CONTENT_PART];
	struct format_content got;

	format_content_encode(bytes, c);
	return format_content_decode(&got, bytes);
}

static void a_content_part_comes_back(void **state)
{
	struct format_content c = sound_content(), got;
	uint8_t bytes[FORMAT_CONTENT_PART], again[FORMAT_CONTENT_PART];

	(void)state;
	format_content_encode(bytes, &c);
	assert_int_equal(format_content_decode(&got, bytes), STATUS_OK);
	assert_true(got.is_signed && got.full_metadata && got.edition == UINT64_MAX);
	assert_string_equal(got.label, c.label);
	assert_string_equal(got.series, c.series);
	assert_true(got.table[TABLE_HEAP].records == c.table[TABLE_HEAP].records);
	format_content_encode(again, &got);
	assert_memory_equal(bytes, again, sizeof bytes);

	memset(c.label, 'l', FORMAT_LABEL);
	memset(c.series, 's', FORMAT_SERIES);
	format_content_encode(bytes, &c);
	assert_int_equal(format_content_decode(&got, bytes), STATUS_OK);
	assert_int_equal(strlen(got.label), FORMAT_LABEL);
	assert_int_equal(strlen(got.series), FORMAT_SERIES);
}

static void content_parts_out_of_bounds_are_refused(void **state)
{
	struct format_content c, got;
	uint8_t bytes[FORMAT_CONTENT_PART];

	(void)state;
#define REFUSED(field, value)                                      \
	do {                                                       \
		c = sound_content();                               \
		c.field = (value);                                 \
		assert_int_equal(try_content(&c), STATUS_INVALID); \
	} while (0)
	REFUSED(content_len, 0);
	REFUSED(plain_len, 0);
	REFUSED(content_len, UINT64_MAX);
	REFUSED(plain_len, (uint64_t)INT64_MAX + 1);
	REFUSED(index_len, UINT64_MAX);
	REFUSED(index_len, 459); /* table 4's block is behind it */
	REFUSED(leaf_count, 513);
	REFUSED(leaf_count, UINT64_MAX);
	REFUSED(is_signed, false);
	REFUSED(table[TABLE_ENTRIES].records, 0);
	REFUSED(table[TABLE_ENTRIES].records, FORMAT_MAX_ENTRIES + 1);
	REFUSED(table[TABLE_SEGMENTS].records, 100001);
	REFUSED(table[TABLE_RUNS].records, UINT64_MAX);
	REFUSED(table[TABLE_HEAP].records, UINT64_MAX);
	REFUSED(table[TABLE_LEAF_SUMS].records, 2);
	REFUSED(table[TABLE_ENTRIES].top.raw_len, 59);
	REFUSED(table[TABLE_ENTRIES].top.raw_len, FORMAT_ENTRY_BLOCK + 1);
	REFUSED(table[TABLE_SEGMENTS].top.raw_len, FORMAT_SEGMENT_BLOCK + 1);
	REFUSED(table[TABLE_RUNS].top.raw_len, FORMAT_RUNS_PER_BLOCK * FORMAT_RUN + 1);
	REFUSED(table[TABLE_HEAP].top.raw_len, FORMAT_HEAP_BLOCK + 1);
	REFUSED(table[TABLE_LEAF_SUMS].top.raw_len, FORMAT_LEAF_BLOCK + 1);
	REFUSED(table[TABLE_HEAP].top.stored_len, 0);
	REFUSED(table[TABLE_HEAP].top.off, UINT64_MAX);
#undef REFUSED
	c = sound_content();
	strcpy(c.label, "\xff");
	assert_int_equal(try_content(&c), STATUS_INVALID);

	c = sound_content();
	format_content_encode(bytes, &c);
	bytes[0] = 2;
	assert_int_equal(format_content_decode(&got, bytes), STATUS_VERSION);
	for (int at = 1; at < FORMAT_CONTENT_PART; at++) {
		bool zero = (at >= 2 && at < 8) || at >= 768;

		format_content_encode(bytes, &c);
		bytes[at] ^= 0x80;
		if (at == 1 || zero || at == 48 || at == 48 + 63 || at == 112 + 255)
			assert_int_equal(format_content_decode(&got, bytes), STATUS_INVALID);
	}
}

/* A root of one volume that owns slices 0, 2 and 5 of 8 of one page each. */
struct root {
	struct format_content content;
	struct format_geometry geometry;
	struct format_slot slot;
	struct format_layout layout;
	uint8_t payload[FORMAT_PAYLOAD];
};

static void sound_root(struct root *r)
{
	uint8_t part[FORMAT_CONTENT_PART], signature[FORMAT_SIGNATURE] = {9};

	memset(r, 0, sizeof *r);
	r->content = sound_content();
	r->content.content_len = 300;
	r->content.leaf_count = 2;
	r->content.index_len = 1000;
	r->slot = (struct format_slot){
		.volume_count = 1,
		.file_len = (2 * 8 + 2) * FORMAT_PAGE,
		.data_pages = 1,
		.root_page = {0, 2, 5},
	};
	r->slot.file_len = 10 * FORMAT_PAGE;
	assert_int_equal(format_geometry_make(&r->geometry, r->slot.file_len), STATUS_OK);
	assert_int_equal(r->geometry.slice_count, 8);
	r->layout = (struct format_layout){
		.owned = 4,
		.volume_count = 1,
		.leaf_blocks = 1,
		.map = {1 << 0 | 1 << 2 | 1 << 5 | 1 << 3},
		.range_start = {0, 300},
	};
	r->slot.root_page[1] = 3;
	format_content_encode(part, &r->content);
	format_root_encode(r->payload, part, signature, &r->layout);
}

static int try_root(const struct root *r)
{
	static struct format_layout got;

	return format_layout_decode(&got, r->payload, &r->slot, &r->geometry, &r->content);
}

static void a_layout_comes_back(void **state)
{
	static struct format_layout got;
	static struct root r;

	(void)state;
	sound_root(&r);
	assert_int_equal(format_layout_decode(&got, r.payload, &r.slot, &r.geometry, &r.content),
	                 STATUS_OK);
	assert_int_equal(got.owned, 4);
	assert_memory_equal(got.map, r.layout.map, sizeof got.map);
	assert_true(format_range_len(&got, 0) == 300);
	assert_true(format_front_len(&got, &r.content) == 0);
	assert_true(format_index_off(&got, 0, &r.content) == 300 + 2 * FORMAT_DIGEST);
}

/* Then the stream is longer by that. */
static void an_index_in_front_is_counted(void **state)
{
	static struct format_layout got;
	static struct root r;

	(void)state;
	sound_root(&r);
	r.payload[1090] = 1;
	assert_int_equal(format_layout_decode(&got, r.payload, &r.slot, &r.geometry, &r.content),
	                 STATUS_OK);
	assert_true(got.index_in_front);
	assert_true(format_front_len(&got, &r.content) == 1000 + 2 * FORMAT_DIGEST);
	assert_true(format_range_len(&got, 0) == 300);
	assert_true(format_index_off(&got, 0, &r.content) == 1000 + 300 + 4 * FORMAT_DIGEST);
	r.content.index_len = (FORMAT_PAYLOAD - 300 - 4 * FORMAT_DIGEST) / 2;
	assert_int_equal(try_root(&r), STATUS_OK);
	r.content.index_len++;
	assert_int_equal(try_root(&r), STATUS_INVALID);
	r.payload[1090] = 0;
	assert_int_equal(try_root(&r), STATUS_OK);
	/* As much as there may be of everything. */
	r.content.index_len = FORMAT_MAX_FILE;
	r.content.content_len = FORMAT_MAX_VOLUMES * FORMAT_MAX_FILE;
	r.payload[1090] = 1;
	assert_int_equal(try_root(&r), STATUS_INVALID);
}

static void layouts_out_of_bounds_are_refused(void **state)
{
	static struct root r;
	enum { LAYOUT = 1088, MAP = 1112, RANGES = 2136 };
	static const struct {
		int at;
		uint8_t value;
		bool fine;
	} row[] = {
		{LAYOUT, 4, true},  /* as it was */
		{LAYOUT, 3, false}, /* slices that the map does not have */
		{LAYOUT, 5, false},
		{LAYOUT + 1, 1, false},
		{LAYOUT + 2, 1, true}, /* the index is in front, too */
		{LAYOUT + 2, 2, false},
		{LAYOUT + 3, 1, false}, /* zero */
		{LAYOUT + 7, 1, false},
		{LAYOUT + 8, 1, false}, /* leaf blocks past the last */
		{LAYOUT + 16, 2, false},
		{LAYOUT + 23, 0xff, false},
		{MAP, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 4, false}, /* the middle is elsewhere */
		{MAP, 1 << 1 | 1 << 2 | 1 << 5 | 1 << 3, false},
		{MAP, 1 << 0 | 1 << 2 | 1 << 6 | 1 << 3, false},
		{MAP + 1, 1, false}, /* past the slices that there are */
		{MAP + 1023, 0x80, false},
		{RANGES, 1, false}, /* begins at 0 */
		{RANGES + 8, 1, false},
		{FORMAT_PAYLOAD - 1, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		sound_root(&r);
		r.payload[row[i].at] = row[i].value;
		assert_int_equal(try_root(&r), row[i].fine ? STATUS_OK : STATUS_INVALID);
	}
	sound_root(&r);
	r.slot.data_pages = 2; /* more than the stream needs */
	assert_int_equal(try_root(&r), STATUS_INVALID);
	sound_root(&r);
	r.content.index_len = FORMAT_PAYLOAD; /* and fewer */
	assert_int_equal(try_root(&r), STATUS_INVALID);
	sound_root(&r);
	r.slot.parity = 2; /* for which there is no room */
	assert_int_equal(try_root(&r), STATUS_INVALID);
}

/* --- references ------------------------------------------------------------------------------ */

static void a_reference_comes_back(void **state)
{
	uint8_t bytes[FORMAT_REF], again[FORMAT_REF];
	struct format_ref ref, got;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		ref.off = any_below(INT64_MAX / 4);
		ref.raw_len = 1 + (uint32_t)any_below(FORMAT_ENTRY_BLOCK);
		ref.stored_len = 1 + (uint32_t)below(ref.raw_len);
		for (size_t j = 0; j < sizeof ref.key; j++)
			ref.key[j] = (uint8_t)number();
		for (size_t j = 0; j < sizeof ref.digest; j++)
			ref.digest[j] = (uint8_t)number();
		format_ref_encode(bytes, &ref);
		assert_int_equal(format_ref_decode(&got, bytes, ref.off + ref.stored_len,
		                                   FORMAT_ENTRY_BLOCK),
		                 STATUS_OK);
		format_ref_encode(again, &got);
		assert_memory_equal(bytes, again, sizeof bytes);
		assert_int_equal(format_ref_decode(&got, bytes, ref.off + ref.stored_len - 1,
		                                   FORMAT_ENTRY_BLOCK),
		                 STATUS_INVALID);
		assert_int_equal(format_ref_decode(&got, bytes, UINT64_MAX, ref.raw_len - 1),
		                 STATUS_INVALID);
	}
}

static void trees_are_as_high_as_they_must_be(void **state)
{
	(void)state;
	assert_int_equal(format_tree_height(0), 0);
	assert_int_equal(format_tree_height(1), 0);
	assert_int_equal(format_tree_height(2), 1);
	assert_int_equal(format_tree_height(256), 1);
	assert_int_equal(format_tree_height(257), 2);
	assert_int_equal(format_tree_height(65536), 2);
	assert_int_equal(format_tree_height(65537), 3);
	assert_int_equal(format_block_count(TABLE_ENTRIES, 0), 0);
	assert_int_equal(format_block_count(TABLE_ENTRIES, 128), 1);
	assert_int_equal(format_block_count(TABLE_ENTRIES, 129), 2);
}

/* --- entries ------------------------------------------------------------------------------------ */

static const struct format_content *roomy(bool full)
{
	static struct format_content content[2];
	struct format_content *c = &content[full];

	c->full_metadata = full;
	c->plain_len = INT64_MAX;
	c->content_len = INT64_MAX / 2;
	c->table[TABLE_ENTRIES].records = FORMAT_MAX_ENTRIES;
	c->table[TABLE_RUNS].records = UINT64_C(1) << 58;
	c->table[TABLE_HEAP].records = INT64_MAX;
	return c;
}

static char names[FORMAT_ENTRIES_PER_BLOCK][FORMAT_NAME + 1];

/* A name that is behind the one before: a count in front, then anything. */
static void random_name(struct format_entry *e, unsigned i)
{
	size_t len = 3 + below(FORMAT_NAME - 3 + 1);

	if (below(4))
		len = 3 + below(10);
	snprintf(names[i], sizeof names[i], "%03u", i);
	for (size_t j = 3; j < len; j++)
		do
			names[i][j] = (char)number();
		while (names[i][j] == '/' || names[i][j] == '\0');
	e->name = names[i];
	e->name_len = (uint8_t)len;
}

static void random_file(struct format_entry *e)
{
	e->size = any_below(INT64_MAX);
	e->sparse = below(4) == 0;
	e->links = below(4) ? 1 : 2 + (uint32_t)below(100);
	if (e->sparse) {
		e->runs = e->size ? any_below(1000) : 0;
		e->place = e->runs ? any_below(UINT64_C(1) << 57) : 0;
	} else if (e->size) {
		e->place = any_below(INT64_MAX - e->size);
	}
}

static void random_entry(struct format_entry *e, unsigned i, bool full, uint64_t *next_child)
{
	random_name(e, i);
	e->links = 1;
	e->mode = (uint16_t)(number() & (full ? 07777 : 0555));
	e->mtime = full ? (int64_t)any_below(UINT64_C(1) << 56) - (INT64_C(1) << 55)
	                : ((int64_t)any_below(UINT64_C(1) << 39) - (INT64_C(1) << 38)) * 86400;
	if (full) {
		e->mtime_nsec = (uint32_t)below(1000000000);
		e->uid = (uint32_t)number();
		e->gid = (uint32_t)any_below(UINT64_C(1) << 32);
		e->xattr_len = below(3) ? 0 : 1 + (uint32_t)below(FORMAT_XATTRS);
		e->xattr_off = e->xattr_len ? any_below(INT64_MAX - e->xattr_len) : 0;
	}
	switch (below(8)) {
	case 0:
		e->kind = KIND_DIRECTORY;
		e->size = any_below(1000);
		e->place = *next_child;
		*next_child += e->size;
		break;
	case 1:
		e->kind = KIND_SYMLINK;
		e->mode = 0;
		e->size = 1 + below(FORMAT_LINK);
		e->place = any_below(INT64_MAX - e->size);
		e->links = below(4) ? 1 : 2;
		break;
	case 2:
		*e = (struct format_entry){
			.kind = KIND_HARDLINK, .name = e->name, .name_len = e->name_len};
		e->links = 1;
		break;
	default: e->kind = KIND_FILE; random_file(e);
	}
}

static void check_entry(const struct format_entry *a, const struct format_entry *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->sparse, b->sparse);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->name_len, b->name_len);
	assert_memory_equal(a->name, b->name, a->name_len);
	assert_int_equal(a->links, b->links);
	assert_true(a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec);
	assert_true(a->uid == b->uid && a->gid == b->gid);
	assert_true(a->size == b->size && a->place == b->place && a->runs == b->runs);
	assert_true(a->xattr_off == b->xattr_off && a->xattr_len == b->xattr_len);
}

/* count entries from id first on; returns the block's length. */
static size_t random_block(struct format_entry *entry, uint8_t *bytes, uint32_t first,
                           unsigned count, bool full)
{
	uint64_t next_child = (uint64_t)first + 1000 + below(1000);
	uint32_t parent = (uint32_t)below(first);

	memset(entry, 0, count * sizeof *entry);
	for (unsigned i = 0; i < count; i++) {
		random_entry(&entry[i], i, full, &next_child);
		parent += (uint32_t)(below(3) ? 0 : below(first - parent));
		entry[i].id = first + i;
		entry[i].parent = parent;
		if (entry[i].kind == KIND_HARDLINK)
			entry[i].place = below(entry[i].id);
	}
	return format_entries_encode(bytes, entry, count, full);
}

static void entries_come_back(void **state)
{
	static struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	static struct format_entry_block block;
	static uint8_t bytes[FORMAT_ENTRY_BLOCK], again[FORMAT_ENTRY_BLOCK];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		bool full = i % 2;
		unsigned count = 1 + (unsigned)below(FORMAT_ENTRIES_PER_BLOCK);
		uint32_t first = 128 * (1 + (uint32_t)any_below(1000000));
		size_t len = random_block(entry, bytes, first, count, full);

		assert_true(len <= FORMAT_ENTRY_BLOCK);
		assert_int_equal(
			format_entries_decode(&block, bytes, len, first, count, roomy(full)),
			STATUS_OK);
		for (unsigned j = 0; j < count; j++)
			check_entry(&entry[j], &block.entry[j]);
		assert_int_equal(format_entries_encode(again, block.entry, count, full), len);
		assert_memory_equal(bytes, again, len);
		/* Neither shorter nor longer. */
		assert_int_equal(
			format_entries_decode(&block, bytes, len - 1, first, count, roomy(full)),
			STATUS_INVALID);
		bytes[len] = 0;
		assert_int_equal(
			format_entries_decode(&block, bytes, len + 1, first, count, roomy(full)),
			STATUS_INVALID);
	}
}

/* The largest block there can be fits. */
static void the_largest_entries_fit(void **state)
{
	static struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	static struct format_entry_block block;
	static uint8_t bytes[FORMAT_ENTRY_BLOCK];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < FORMAT_ENTRIES_PER_BLOCK; i++) {
		memset(names[i], i + 1 == '/' ? 0xff : (int)i + 1, FORMAT_NAME);
		names[i][FORMAT_NAME] = '\0';
		entry[i] = (struct format_entry){
			.id = UINT32_MAX - 200 + i,
			.parent = UINT32_MAX - 300,
			.sparse = true,
			.mode = 07777,
			.name = names[i],
			.name_len = FORMAT_NAME,
			.links = UINT32_MAX,
			.mtime = i % 2 ? INT64_C(1) << 55 : -(INT64_C(1) << 55),
			.mtime_nsec = 999999999,
			.uid = UINT32_MAX,
			.gid = UINT32_MAX,
			.size = INT64_MAX,
			.place = i % 2 ? UINT64_C(1) << 57 : 0,
			.runs = UINT64_C(1) << 57,
			.xattr_off = i % 2 ? INT64_MAX - FORMAT_XATTRS : 0,
			.xattr_len = FORMAT_XATTRS,
		};
	}
	/* '/' may be in no name, and names ascend. */
	memset(names['/' - 1], '/' - 1, FORMAT_NAME);
	memset(names['/' - 1] + 100, '0', FORMAT_NAME - 100);
	len = format_entries_encode(bytes, entry, FORMAT_ENTRIES_PER_BLOCK, true);
	assert_true(len <= FORMAT_ENTRY_BLOCK);
	assert_int_equal(format_entries_decode(&block, bytes, len, entry[0].id,
	                                       FORMAT_ENTRIES_PER_BLOCK, roomy(true)),
	                 STATUS_OK);
}

/* Two entries below the root, as they should be. */
static void sound_entries(struct format_entry entry[static 2])
{
	memset(entry, 0, 2 * sizeof *entry);
	entry[0] = (struct format_entry){
		.id = 128,
		.parent = 5,
		.name = "a",
		.name_len = 1,
		.links = 1,
		.mode = 0444,
		.size = 100,
		.place = 1000,
	};
	entry[1] = entry[0];
	entry[1].id = 129;
	entry[1].name = "b";
	entry[1].place = 5000;
}

static int try_entries(const struct format_entry *entry, unsigned count, bool full)
{
	static struct format_entry_block block;
	static uint8_t bytes[FORMAT_ENTRY_BLOCK];
	struct format_content content = *roomy(full);
	size_t len = format_entries_encode(bytes, entry, count, full);

	content.plain_len = 100000;
	content.table[TABLE_RUNS].records = 50;
	content.table[TABLE_HEAP].records = 5000;
	content.table[TABLE_ENTRIES].records = 10000;
	return format_entries_decode(&block, bytes, len, entry[0].id, count, &content);
}

/* Where no entry of a block has children, its first child is the second varint and any number. */
static void a_first_child_of_nobody_may_be_any(void **state)
{
	static struct format_entry_block block;
	uint8_t bytes[FORMAT_ENTRY_BLOCK], more[FORMAT_ENTRY_BLOCK + 10];
	struct format_entry entry[2];
	size_t len, child;

	(void)state;
	sound_entries(entry);
	len = format_entries_encode(bytes, entry, 2, false);
	assert_int_equal(bytes[0], 5);
	assert_int_equal(bytes[1], 0);
	more[0] = bytes[0];
	child = format_varint_encode(more + 1, UINT64_C(1) << 40);
	memcpy(more + 1 + child, bytes + 2, len - 2);
	assert_int_equal(
		format_entries_decode(&block, more, len - 1 + child, entry[0].id, 2, roomy(false)),
		STATUS_OK);
	assert_int_equal(block.entry[1].place, 5000);
}

static void entries_out_of_bounds_are_refused(void **state)
{
	struct format_entry entry[2];

	(void)state;
	sound_entries(entry);
	assert_int_equal(try_entries(entry, 2, false), STATUS_OK);
#define REFUSED(full, ...)                                                     \
	do {                                                                   \
		sound_entries(entry);                                          \
		__VA_ARGS__;                                                   \
		assert_int_equal(try_entries(entry, 2, full), STATUS_INVALID); \
	} while (0)
	REFUSED(false, entry[1].name = "a");
	REFUSED(false, entry[0].name = "c");
	REFUSED(false, entry[1].name = "x/y", entry[1].name_len = 3);
	REFUSED(false, entry[0].name = "..", entry[0].name_len = 2);
	REFUSED(false, entry[0].name = ".");
	REFUSED(false, entry[0].name_len = 0);
	REFUSED(false, entry[1].name = "z\0z", entry[1].name_len = 3);
	REFUSED(false, entry[0].parent = entry[1].parent = 128);
	REFUSED(false, entry[1].parent = 4);
	REFUSED(false, entry[0].mode = 0222);
	REFUSED(false, entry[0].mode = 01000);
	REFUSED(true, entry[0].mode = 010000);
	REFUSED(false, entry[0].place = 100000);
	REFUSED(false, entry[0].size = 100000);
	REFUSED(false, entry[0].size = UINT64_MAX);
	REFUSED(false, entry[0].mtime = ((INT64_C(1) << 38) + 1) * 86400);
	REFUSED(true, entry[0].mtime = (INT64_C(1) << 55) + 1);
	REFUSED(true, entry[0].mtime = -(INT64_C(1) << 55) - 1);
	REFUSED(true, entry[0].mtime_nsec = 1000000000);
	REFUSED(true, entry[0].xattr_len = FORMAT_XATTRS + 1);
	REFUSED(true, entry[0].xattr_len = 5001);
	REFUSED(true, entry[0].xattr_len = 10, entry[0].xattr_off = 4991);
	REFUSED(false, entry[0].sparse = true, entry[0].runs = 51, entry[0].place = 0);
	REFUSED(false, entry[0].sparse = true, entry[0].runs = 1, entry[0].place = 50);
	REFUSED(false, entry[0].sparse = true, entry[0].runs = 1, entry[0].place = 0,
	        entry[0].size = 0);
	REFUSED(false, entry[0].kind = KIND_DIRECTORY, entry[0].sparse = true,
	        entry[0].place = 200);
	REFUSED(false, entry[0].kind = KIND_DIRECTORY, entry[0].place = 128);
	REFUSED(false, entry[0].kind = KIND_DIRECTORY, entry[0].place = 9901);
	REFUSED(false, entry[0].kind = KIND_DIRECTORY, entry[0].links = 2, entry[0].place = 200);
	REFUSED(false, entry[0].kind = KIND_SYMLINK, entry[0].size = 0, entry[0].place = 0);
	REFUSED(false, entry[0].kind = KIND_SYMLINK, entry[0].size = FORMAT_LINK + 1,
	        entry[0].place = 0);
	REFUSED(false, entry[0].kind = KIND_SYMLINK, entry[0].place = 4901);
	REFUSED(false, entry[0].kind = KIND_HARDLINK, entry[0].place = 128);
	REFUSED(false, entry[0].kind = KIND_HARDLINK, entry[0].place = 129);
#undef REFUSED
	/* The root is a directory without a name. */
	sound_entries(entry);
	entry[0].id = 0;
	entry[1].id = 1;
	entry[0].parent = entry[1].parent = 0;
	entry[0].kind = KIND_DIRECTORY;
	entry[0].place = 1;
	entry[0].size = 1;
	assert_int_equal(try_entries(entry, 2, false), STATUS_INVALID);
	entry[0].name_len = 0;
	assert_int_equal(try_entries(entry, 2, false), STATUS_OK);
	entry[0].kind = KIND_FILE;
	assert_int_equal(try_entries(entry, 2, false), STATUS_INVALID);
}

/* Whatever stands in a block, it is taken or refused. */
static void random_bytes_do_no_harm(void **state)
{
	static struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	static struct format_entry_block block;
	static struct format_segment_block segments;
	static uint8_t bytes[FORMAT_ENTRY_BLOCK];
	unsigned taken = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t len = random_block(entry, bytes, 1280, 1 + (unsigned)below(64), i % 2);
		unsigned count = 1 + (unsigned)below(FORMAT_ENTRIES_PER_BLOCK);
		uint8_t *exact;

		for (uint64_t flips = below(4); flips > 0; flips--)
			bytes[below(len)] = (uint8_t)number();
		exact = malloc(len); /* so that a sanitizer sees its end */
		memcpy(exact, bytes, len);
		taken += !format_entries_decode(&block, exact, len, 1280, count, roomy(i % 2));
		(void)format_segments_decode(&segments, exact, len, count, roomy(false));
		free(exact);
	}
	assert_true(taken < 3000);
}

/* --- segments, runs ----------------------------------------------------------------------------- */

static void segments_come_back(void **state)
{
	static struct format_segment s[FORMAT_SEGMENTS_PER_BLOCK];
	static struct format_segment_block block;
	static uint8_t bytes[FORMAT_SEGMENT_BLOCK];

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct format_content content = *roomy(false);
		unsigned count = 1 + (unsigned)below(FORMAT_SEGMENTS_PER_BLOCK);
		uint64_t addr = any_below(UINT64_C(1) << 60), off = any_below(UINT64_C(1) << 60);
		uint64_t leaf = any_below(UINT64_C(1) << 40);
		size_t len;

		content.is_signed = i % 2;
		content.leaf_count = UINT64_C(1) << 60;
		leaf = content.is_signed ? leaf : 0;
		for (unsigned j = 0; j < count; j++) {
			s[j] = (struct format_segment){.addr = addr, .off = off, .leaf = leaf};
			s[j].frame = below(2);
			s[j].plain_len = s[j].frame ? 2 + below(FORMAT_FRAME - 1)
			                            : 1 + any_below(UINT64_C(1) << 49);
			s[j].stored_len =
				s[j].frame ? 1 + below(s[j].plain_len - 1) : s[j].plain_len;
			addr += s[j].plain_len;
			off += s[j].stored_len;
			leaf += content.is_signed ? format_segment_leaves(&s[j]) : 0;
		}
		len = format_segments_encode(bytes, s, count);
		assert_true(len <= FORMAT_SEGMENT_BLOCK);
		assert_int_equal(format_segments_decode(&block, bytes, len, count, &content),
		                 STATUS_OK);
		for (unsigned j = 0; j < count; j++) {
			const struct format_segment *t = &block.segment[j];

			assert_true(t->addr == s[j].addr && t->off == s[j].off &&
			            t->leaf == s[j].leaf && t->plain_len == s[j].plain_len &&
			            t->stored_len == s[j].stored_len && t->frame == s[j].frame);
		}
		/* One byte less than the last one needs. */
		content.plain_len = addr - 1;
		assert_int_equal(format_segments_decode(&block, bytes, len, count, &content),
		                 STATUS_INVALID);
		content.plain_len = addr;
		content.content_len = off - 1;
		assert_int_equal(format_segments_decode(&block, bytes, len, count, &content),
		                 STATUS_INVALID);
		content.content_len = off;
		content.leaf_count = content.is_signed ? leaf - 1 : 0;
		assert_int_equal(format_segments_decode(&block, bytes, len, count, &content),
		                 content.is_signed ? STATUS_INVALID : STATUS_OK);
		assert_int_equal(format_segments_decode(&block, bytes, len - 1, count, &content),
		                 STATUS_INVALID);
	}
}

static void segments_out_of_bounds_are_refused(void **state)
{
	static struct format_segment_block block;
	static uint8_t bytes[FORMAT_SEGMENT_BLOCK];
	struct format_segment s;
	struct format_content content = *roomy(false);

	(void)state;
#define TRY(...)                                   \
	(s = (struct format_segment){__VA_ARGS__}, \
	 format_segments_decode(&block, bytes, format_segments_encode(bytes, &s, 1), 1, &content))
	assert_int_equal(TRY(.plain_len = 10, .stored_len = 10), STATUS_OK);
	assert_int_equal(TRY(.plain_len = 10, .stored_len = 9, .frame = true), STATUS_OK);
	assert_int_equal(TRY(.plain_len = 0, .stored_len = 0), STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = 10, .stored_len = 10, .frame = true), STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = 10, .stored_len = 0, .frame = true), STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = FORMAT_FRAME + 1, .stored_len = 9, .frame = true),
	                 STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = 10, .stored_len = 10, .leaf = 1), STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = 10, .addr = UINT64_MAX), STATUS_INVALID);
	assert_int_equal(TRY(.plain_len = 10, .off = UINT64_MAX - 3), STATUS_INVALID);
#undef TRY
	s = (struct format_segment){.plain_len = 10};
	format_segments_encode(bytes, &s, 1);
	bytes[24] = 2; /* a kind that there is not */
	assert_int_equal(format_segments_decode(&block, bytes, 26, 1, &content), STATUS_INVALID);
}

static void a_run_comes_back(void **state)
{
	uint8_t bytes[FORMAT_RUN];
	struct format_run run, got;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		run.file_off = any_below(INT64_MAX / 2);
		run.addr = any_below(INT64_MAX / 2);
		run.len = 1 + any_below(INT64_MAX / 2);
		format_run_encode(bytes, &run);
		assert_int_equal(
			format_run_decode(&got, bytes, run.file_off + run.len, run.addr + run.len),
			STATUS_OK);
		assert_true(got.file_off == run.file_off && got.addr == run.addr &&
		            got.len == run.len);
		assert_int_equal(
			format_run_decode(&got, bytes, run.file_off + run.len - 1, INT64_MAX),
			STATUS_INVALID);
		assert_int_equal(format_run_decode(&got, bytes, INT64_MAX, run.addr + run.len - 1),
		                 STATUS_INVALID);
	}
	run.len = 0;
	format_run_encode(bytes, &run);
	assert_int_equal(format_run_decode(&got, bytes, INT64_MAX, INT64_MAX), STATUS_INVALID);
}

/* --- attributes, varints ---------------------------------------------------------------------- */

static void attributes_are_walked(void **state)
{
	static const uint8_t set[] = "\2\6user.a\1x\6user.b\0";
	struct format_xattr x;
	size_t pos = 0;

	(void)state;
	assert_int_equal(format_xattr_next(set, sizeof set - 1, &pos, &x), 1);
	assert_int_equal(x.name_len, 6);
	assert_memory_equal(x.name, "user.a", 6);
	assert_int_equal(x.value_len, 1);
	assert_int_equal(*x.value, 'x');
	assert_int_equal(format_xattr_next(set, sizeof set - 1, &pos, &x), 1);
	assert_memory_equal(x.name, "user.b", 6);
	assert_int_equal(x.value_len, 0);
	assert_int_equal(format_xattr_next(set, sizeof set - 1, &pos, &x), 0);
}

static int walk_attributes(const char *set, size_t len)
{
	struct format_xattr x;
	size_t pos = 0;
	int status;

	do
		status = format_xattr_next((const uint8_t *)set, len, &pos, &x);
	while (status == 1);
	return status;
}

static void attributes_out_of_bounds_are_refused(void **state)
{
	(void)state;
	assert_int_equal(walk_attributes("", 0), STATUS_INVALID);
	assert_int_equal(walk_attributes("\0", 1), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\0\0", 3), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\2a", 3), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\2a\0\0", 5), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\2x", 5), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\x81\x80\4x", 7), STATUS_INVALID); /* 65,537 */
	assert_int_equal(walk_attributes("\1\1a", 3), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\1x", 5), STATUS_OK);
}

static void varints_are_the_shortest(void **state)
{
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(format_varint_encode(bytes, 0), 1);
	assert_int_equal(format_varint_encode(bytes, 127), 1);
	assert_int_equal(format_varint_encode(bytes, 128), 2);
	assert_int_equal(bytes[0], 0x80);
	assert_int_equal(bytes[1], 1);
	assert_int_equal(format_varint_encode(bytes, UINT64_MAX), 10);
	/* As a length of a value: longer than it must be, or past 64 bits. */
	assert_int_equal(walk_attributes("\1\1a\x80\0", 5), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\x81\0x", 6), STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", 13),
	                 STATUS_INVALID);
	assert_int_equal(walk_attributes("\1\1a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", 14),
	                 STATUS_INVALID);
}

static void leaf_blocks_are_as_long_as_their_leaves(void **state)
{
	struct format_segment s = {.stored_len = 1};

	(void)state;
	assert_int_equal(format_leaf_block_len(512, 0), FORMAT_LEAF_BLOCK);
	assert_int_equal(format_leaf_block_len(513, 0), FORMAT_LEAF_BLOCK);
	assert_int_equal(format_leaf_block_len(513, 1), FORMAT_DIGEST);
	assert_int_equal(format_segment_leaves(&s), 1);
	s.stored_len = FORMAT_LEAF + 1;
	assert_int_equal(format_segment_leaves(&s), 2);
	s.frame = true;
	assert_int_equal(format_segment_leaves(&s), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometry_is_what_the_length_says),
		cmocka_unit_test(parity_shapes_are_those_of_the_manual),
		cmocka_unit_test(a_slot_comes_back),
		cmocka_unit_test(slots_out_of_bounds_are_refused),
		cmocka_unit_test(a_content_part_comes_back),
		cmocka_unit_test(content_parts_out_of_bounds_are_refused),
		cmocka_unit_test(a_layout_comes_back),
		cmocka_unit_test(an_index_in_front_is_counted),
		cmocka_unit_test(layouts_out_of_bounds_are_refused),
		cmocka_unit_test(a_reference_comes_back),
		cmocka_unit_test(trees_are_as_high_as_they_must_be),
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(the_largest_entries_fit),
		cmocka_unit_test(a_first_child_of_nobody_may_be_any),
		cmocka_unit_test(entries_out_of_bounds_are_refused),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(segments_come_back),
		cmocka_unit_test(segments_out_of_bounds_are_refused),
		cmocka_unit_test(a_run_comes_back),
		cmocka_unit_test(attributes_are_walked),
		cmocka_unit_test(attributes_out_of_bounds_are_refused),
		cmocka_unit_test(varints_are_the_shortest),
		cmocka_unit_test(leaf_blocks_are_as_long_as_their_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
