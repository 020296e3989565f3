#include "tests/fuzz/shape.h"

#include <sodium.h>

#include "common/bytes.h"
#include "common/header.h"
#include "common/status.h"

enum {
	IN_FRONT = 128,
	DAMAGED = 8,
	STREAM_MAX = 18000,
	INPUT_MAX = 2 + DAMAGED + FORMAT_CONTENT_PART + STREAM_MAX
};

const uint8_t shape_key_file[32] = "thirty-two bytes that all know.";

struct input {
	unsigned parity, damaged;
	bool in_front;
	const uint8_t *damage;
	const uint8_t *content_part;
	const uint8_t *stream;
	size_t stream_len;
};

void shape_key(uint8_t key[static 32])
{
	crypto_generichash(key, KDF_KEYBYTES, shape_key_file, sizeof shape_key_file, NULL, 0);
}

static bool take_input(struct input *in, const uint8_t *data, size_t len)
{
	static const uint8_t parity[] = {0, 2, 4, 8, 16};

	if (len < 2 + FORMAT_CONTENT_PART)
		return false;
	in->parity = parity[data[0] % IN_FRONT % sizeof parity];
	in->in_front = data[0] >= IN_FRONT;
	in->damaged = data[1] % (DAMAGED + 1);
	if (len < 2 + in->damaged + FORMAT_CONTENT_PART)
		return false;
	in->damage = data + 2;
	in->content_part = in->damage + in->damaged;
	in->stream = in->content_part + FORMAT_CONTENT_PART;
	in->stream_len = (size_t)(data + len - in->stream);
	return true;
}

/* --- the volume --------------------------------------------------------------- */

static uint8_t *page_at(uint8_t *volume, uint32_t page)
{
	return volume + format_page_offset(page);
}

static void put_payload(uint8_t *volume, uint32_t page, const uint8_t *payload, size_t len)
{
	memset(page_at(volume, page), 0, FORMAT_PAGE);
	if (len)
		memcpy(page_at(volume, page), payload, len);
}

static void put_header(uint8_t *header, const struct format_slot *slot)
{
	uint8_t kek[KDF_KEYBYTES], contents[FORMAT_SLOT_CONTENTS];
	struct header_secrets secrets = {.kinds = HEADER_KEY_FILE};

	shape_key(secrets.key_file);
	header_kek(kek, header, &secrets);
	format_slot_encode(contents, slot);
	header_seal_slot(header + FORMAT_SLOT_OFFSET, header, 0, kek, contents);
}

/* The physical page of logical page t: all are owned, and three are roots. */
static uint32_t physical(const struct format_slot *slot, uint32_t t)
{
	uint32_t page = 0;

	for (uint32_t left = t;; page++) {
		bool is_root = page == slot->root_page[0] || page == slot->root_page[1] ||
		               page == slot->root_page[2];

		if (!is_root && left-- == 0)
			return page;
	}
}

static bool plan(const struct input *in, const struct format_content *content,
                 struct format_slot *slot, struct format_layout *layout)
{
	uint64_t blocks = div_ceil(content->leaf_count, FORMAT_LEAVES_PER_BLOCK), stream;

	if (content->content_len > SHAPE_DATA * FORMAT_PAYLOAD ||
	    content->index_len > SHAPE_DATA * FORMAT_PAYLOAD || content->leaf_count > 1 << 16)
		return false;
	stream = content->leaf_count * FORMAT_DIGEST + content->index_len;
	stream = content->content_len + (in->in_front ? 2 : 1) * stream;
	*slot = (struct format_slot){
		.parity = (uint8_t)in->parity,
		.volume_count = 1,
		.file_len = SHAPE_FILE,
		.data_pages = (uint32_t)div_ceil(stream, FORMAT_PAYLOAD),
		.root_page = {0, SHAPE_PAGES / 2, SHAPE_PAGES - 1},
	};
	*layout = (struct format_layout){
		.owned = SHAPE_PAGES,
		.volume_count = 1,
		.index_in_front = in->in_front,
		.leaf_blocks = blocks,
		.range_start = {0, content->content_len},
	};
	memset(layout->map, 0xff, SHAPE_PAGES / 8);
	for (unsigned i = SHAPE_PAGES / 8 * 8; i < SHAPE_PAGES; i++)
		layout->map[i / 8] |= (uint8_t)(1 << i % 8);
	return slot->data_pages >= 1 && slot->data_pages <= SHAPE_DATA;
}

bool shape_lay_out(uint8_t volume[static SHAPE_FILE], struct format_content *content,
                   const uint8_t *data, size_t len)
{
	static const uint8_t signature[FORMAT_SIGNATURE];
	uint8_t root[FORMAT_PAYLOAD];
	struct format_layout layout;
	struct format_parity parity;
	struct format_slot slot;
	struct input in;

	if (!take_input(&in, data, len) || format_content_decode(content, in.content_part) ||
	    !plan(&in, content, &slot, &layout) ||
	    format_parity_make(&parity, in.parity, slot.data_pages) ||
	    parity.data_pages + parity.parity_pages + FORMAT_ROOTS > SHAPE_PAGES)
		return false;
	memset(volume, 0, SHAPE_FILE);
	format_root_encode(root, in.content_part, signature, &layout);
	for (unsigned i = 0; i < FORMAT_ROOTS; i++)
		put_payload(volume, slot.root_page[i], root, sizeof root);
	for (uint32_t i = 0; i < slot.data_pages; i++) {
		size_t off = (size_t)i * FORMAT_PAYLOAD;
		size_t left = off < in.stream_len ? in.stream_len - off : 0;

		put_payload(volume, physical(&slot, format_data_page(&parity, i)), in.stream + off,
		            left < FORMAT_PAYLOAD ? left : FORMAT_PAYLOAD);
	}
	for (unsigned i = 0; i < in.damaged; i++)
		page_at(volume, in.damage[i] % SHAPE_PAGES)[FORMAT_PAYLOAD] = 0xff;
	put_header(volume, &slot);
	put_header(volume + SHAPE_FILE - FORMAT_HEADER, &slot);
	return true;
}

/* --- changes -------------------------------------------------------------------- */

uint64_t shape_near(uint64_t value, unsigned seed)
{
	static const int64_t step[] = {1, -1, 2, 64, -64, FORMAT_PAGE, -FORMAT_PAGE};

	if (seed % 9 == 7)
		return 0;
	if (seed % 9 == 8)
		return UINT64_MAX >> seed / 9 % 64;
	return value + (uint64_t)step[seed % 9];
}

bool shape_change_content(uint8_t root[static FORMAT_CONTENT_PART], unsigned seed)
{
	struct format_content content;
	uint64_t *field[4 + 2 * TABLE_COUNT];
	unsigned which = seed % (4 + 2 * TABLE_COUNT);

	if (format_content_decode(&content, root))
		return false;
	field[0] = &content.content_len;
	field[1] = &content.plain_len;
	field[2] = &content.index_len;
	field[3] = &content.leaf_count;
	for (unsigned t = 0; t < TABLE_COUNT; t++) {
		field[4 + 2 * t] = &content.table[t].records;
		field[5 + 2 * t] = &content.table[t].top.off;
	}
	*field[which] = shape_near(*field[which], seed / 14);
	format_content_encode(root, &content);
	return true;
}

/* An input that is being changed. */
struct draft {
	uint8_t front[2 + DAMAGED];
	size_t front_len;
	uint8_t content_part[FORMAT_CONTENT_PART];
	uint8_t stream[STREAM_MAX + FORMAT_ENTRY_BLOCK];
	size_t stream_len;
	struct format_content content;
};

/* Where the index lies in the stream: the last, if there are two. */
static uint64_t index_at(const struct draft *d)
{
	uint64_t leaves = d->content.leaf_count * FORMAT_DIGEST;
	uint64_t front = d->front[0] >= IN_FRONT ? d->content.index_len + leaves : 0;

	return front + d->content.content_len + leaves;
}

/* Where the only block of a table lies in the stream; NULL: not all of it is there. */
static const uint8_t *find_block(const struct draft *d, enum format_table_no table)
{
	const struct format_table *t = &d->content.table[table];
	uint64_t index = index_at(d);

	if (format_block_count(table, t->records) != 1 || t->top.stored_len != t->top.raw_len ||
	    !range_within(index + t->top.off, t->top.raw_len, d->stream_len))
		return NULL;
	return d->stream + index + t->top.off;
}

/* In the same place if there is room, else behind all others. */
static bool put_block(struct draft *d, enum format_table_no table, const uint8_t *block, size_t len)
{
	uint64_t index = index_at(d);
	struct format_ref *top = &d->content.table[table].top;

	if (len > top->raw_len) {
		top->off = d->content.index_len;
		d->content.index_len += len;
	}
	if (index + d->content.index_len > STREAM_MAX)
		return false;
	top->raw_len = top->stored_len = (uint32_t)len;
	if (d->stream_len < index + top->off + len) {
		memset(d->stream + d->stream_len, 0, STREAM_MAX - d->stream_len);
		d->stream_len = (size_t)(index + top->off + len);
	}
	memcpy(d->stream + index + top->off, block, len);
	format_content_encode(d->content_part, &d->content);
	return true;
}

static void change_entry(struct format_entry *e, char name[static FORMAT_NAME], unsigned seed)
{
	unsigned how = seed / 16;

	switch (seed % 16) {
	case 0: e->kind = how % 4; break;
	case 1: e->sparse = !e->sparse; break;
	case 2: e->mode ^= (uint16_t)(1 << how % 12); break;
	case 3: e->parent = (uint32_t)shape_near(e->parent, how); break;
	case 4: e->links = (uint32_t)shape_near(e->links, how); break;
	case 5: e->mtime = (int64_t)shape_near((uint64_t)e->mtime, how); break;
	case 6: e->runs = shape_near(e->runs, how); break;
	case 7: e->xattr_len = (uint32_t)shape_near(e->xattr_len, how); break;
	case 8: e->xattr_off = shape_near(e->xattr_off, how); break;
	case 9:
	case 10: e->place = shape_near(e->place, how); break;
	case 11:
	case 12: e->size = shape_near(e->size, how); break;
	default:
		memcpy(name, e->name, e->name_len);
		e->name_len = (uint8_t)LLVMFuzzerMutate((uint8_t *)name, e->name_len, FORMAT_NAME);
		e->name = name;
	}
}

/* One more, behind the last and in the same directory. */
static bool add_entry(struct draft *d, struct format_entry_block *block,
                      char name[static FORMAT_NAME])
{
	struct format_entry *last = &block->entry[block->count - 1], *more = last + 1;

	if (block->count == FORMAT_ENTRIES_PER_BLOCK || last->id == 0 ||
	    last->name_len == FORMAT_NAME || last->parent >= block->count)
		return false;
	memcpy(name, last->name, last->name_len);
	name[last->name_len] = 'x';
	*more = *last;
	more->id++;
	more->name = name;
	more->name_len++;
	block->entry[last->parent].size++;
	block->count++;
	d->content.table[TABLE_ENTRIES].records++;
	return true;
}

static bool change_entries(struct draft *d, unsigned seed)
{
	static struct format_entry_block block;
	static uint8_t out[2 * FORMAT_ENTRY_BLOCK];
	const struct format_table *table = &d->content.table[TABLE_ENTRIES];
	const uint8_t *in = find_block(d, TABLE_ENTRIES);
	char name[FORMAT_NAME];

	if (!in || format_entries_decode(&block, in, table->top.raw_len, 0,
	                                 (uint32_t)table->records, &d->content))
		return false;
	if (seed % 8 == 0 && !add_entry(d, &block, name))
		return false;
	if (seed % 8)
		change_entry(&block.entry[seed / 8 % block.count], name, seed / 8 / block.count);
	return put_block(
		d, TABLE_ENTRIES, out,
		format_entries_encode(out, block.entry, block.count, d->content.full_metadata));
}

static bool change_segments(struct draft *d, unsigned seed)
{
	static struct format_segment_block block;
	static uint8_t out[2 * FORMAT_SEGMENT_BLOCK];
	struct format_table *table = &d->content.table[TABLE_SEGMENTS];
	const uint8_t *in = find_block(d, TABLE_SEGMENTS);
	struct format_segment *s;

	if (!in || table->top.raw_len > FORMAT_SEGMENT_BLOCK ||
	    format_segments_decode(&block, in, table->top.raw_len, (uint32_t)table->records,
	                           &d->content))
		return false;
	s = &block.segment[seed / 5 % block.count];
	switch (seed % 5) {
	case 0: s->frame = !s->frame; break;
	case 1: s->plain_len = shape_near(s->plain_len, seed / 5); break;
	case 2: s->stored_len = shape_near(s->stored_len, seed / 5); break;
	case 3: block.segment[0].addr = shape_near(block.segment[0].addr, seed / 5); break;
	default: block.segment[0].off = shape_near(block.segment[0].off, seed / 5);
	}
	store_le64(table->top.key, block.segment[0].addr);
	store_le64(table->top.key + 8, block.segment[0].off);
	return put_block(d, TABLE_SEGMENTS, out,
	                 format_segments_encode(out, block.segment, block.count));
}

static bool change_draft(struct draft *d, unsigned seed)
{
	switch (seed % 10) {
	case 0:
		d->front_len = 2 + (size_t)(d->front[1] = (uint8_t)(seed / 10 % (DAMAGED + 1)));
		for (unsigned i = 0; i < d->front[1]; i++)
			d->front[2 + i] = (uint8_t)(seed / 90 * (i + 1));
		return true;
	case 1: d->front[0] = (uint8_t)(seed / 10); return true;
	case 2: return shape_change_content(d->content_part, seed / 10);
	case 3:
	case 4:
	case 5:
	case 6: return change_entries(d, seed / 10);
	case 7: return change_segments(d, seed / 10);
	default:
		d->stream_len = LLVMFuzzerMutate(d->stream, d->stream_len, STREAM_MAX);
		return true;
	}
}

size_t shape_mutate(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	static struct draft d;
	struct input in;
	size_t all;

	if (!take_input(&in, data, len) || in.stream_len > STREAM_MAX ||
	    format_content_decode(&d.content, in.content_part))
		return LLVMFuzzerMutate(data, len, room);
	d.front_len = 2 + in.damaged;
	memcpy(d.front, data, d.front_len);
	d.front[1] = (uint8_t)in.damaged;
	memcpy(d.content_part, in.content_part, sizeof d.content_part);
	memcpy(d.stream, in.stream, in.stream_len);
	d.stream_len = in.stream_len;
	if (!change_draft(&d, seed))
		return LLVMFuzzerMutate(data, len, room);
	all = d.front_len + sizeof d.content_part + d.stream_len;
	if (all > room)
		return LLVMFuzzerMutate(data, len, room);
	memcpy(data, d.front, d.front_len);
	memcpy(data + d.front_len, d.content_part, sizeof d.content_part);
	memcpy(data + d.front_len + sizeof d.content_part, d.stream, d.stream_len);
	return all;
}
