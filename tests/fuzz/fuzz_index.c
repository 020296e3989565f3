/* Tables of any size, of which only what is asked for exists: nodes and blocks are made
 * when they are read, from the tree of an index that is right, and then the input has
 * bytes of them changed.  So trees of height 4 stand behind a few bytes.  Where nothing
 * was changed, everything must be found.
 *
 *   5 each     records of the tables, in as many bits as the first byte says
 *   4          children of a directory
 *   1          bit 0 signed, 1 full metadata
 *   1          how many changes follow
 *   6 each     table and height (0: a block), which look-up's path, where, the mask
 *   9 each     look-ups: of which kind, of what */
#include "common/arena.h"
#include "common/bytes.h"
#include "common/index.h"
#include "common/squeeze.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

enum {
	FRONT = 5 * TABLE_COUNT + 4 + 2,
	CHANGE = 6,
	CHANGES = 8,
	LOOK = 9,
	LOOKS = 24,
	SLOT_LEN = 65536,        /* of the index, for each block and node */
	STEP_LEN = 8 * SLOT_LEN, /* for a block, and the nodes that end with it */
	FILE_RUNS = 5000,
	EXTENT = 100,
	READS_MAX = 800, /* of one look-up: log2 of the blocks times the height, and some */
};

#define TABLE_LEN (UINT64_C(1) << 44)

struct change {
	unsigned table, height;
	uint64_t number;
	unsigned at;
	uint8_t mask;
};

struct world {
	struct format_content content;
	uint64_t fan;
	struct change change[CHANGES];
	unsigned changes, reads;
	const uint8_t *look;
	unsigned looks;
};

/* --- an index that is right ---------------------------------------------------------- */

static uint64_t entries(const struct world *w)
{
	return w->content.table[TABLE_ENTRIES].records;
}

static void make_name(char name[static 9], uint64_t id)
{
	for (unsigned i = 0; i < 8; i++)
		name[i] = "0123456789abcdef"[id >> 4 * (7 - i) & 15];
	name[8] = '\0';
}

/* Directories have fan children each, as far as there are any; the rest are files. */
static struct format_entry make_entry(const struct world *w, uint64_t id, char name[static 9])
{
	uint64_t child = id * w->fan + 1, left = child < entries(w) ? entries(w) - child : 0;
	struct format_entry e = {.id = (uint32_t)id, .links = 1, .mode = 0444};

	make_name(name, id);
	e.name = name;
	e.name_len = id ? 8 : 0;
	e.parent = id ? (uint32_t)((id - 1) / w->fan) : 0;
	e.kind = left || id == 0 ? KIND_DIRECTORY : KIND_FILE;
	if (e.kind == KIND_DIRECTORY) {
		e.size = min_u64(w->fan, left);
		e.place = min_u64(child, entries(w));
	} else {
		e.size = EXTENT;
		e.place = id * EXTENT;
	}
	return e;
}

static unsigned records_in(const struct world *w, unsigned table, uint64_t b)
{
	uint64_t per = format_per_block[table];

	return (unsigned)min_u64(w->content.table[table].records - b * per, per);
}

static size_t make_entries(const struct world *w, uint64_t b, uint8_t *out)
{
	static char name[FORMAT_ENTRIES_PER_BLOCK][9];
	struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	unsigned count = records_in(w, TABLE_ENTRIES, b);

	for (unsigned i = 0; i < count; i++)
		entry[i] = make_entry(w, b * FORMAT_ENTRIES_PER_BLOCK + i, name[i]);
	return format_entries_encode(out, entry, count, w->content.full_metadata);
}

/* How long that is, without making it: a node wants it of 256 blocks.  All but the
 * numbers at the front, the names and the sizes is a byte for each field, two for the
 * mode; of a name one is new, of each sixteenth two. */
static size_t entries_len(const struct world *w, uint64_t b)
{
	uint64_t first = b * FORMAT_ENTRIES_PER_BLOCK, child = 0, addr = 0;
	unsigned count = records_in(w, TABLE_ENTRIES, b);
	size_t len = 2 + (size_t)count * 7 + count - 1 + (count - 1) / 16;
	uint8_t varint[10];
	char name[9];

	len += b ? 8 : count > 1 ? 7 : 0;
	len += w->content.full_metadata ? 1 + (size_t)count * 4 : 0;
	if (b && first * w->fan + 1 >= entries(w)) { /* only files, as nearly everywhere */
		len += (size_t)count * 2;
		addr = first * EXTENT;
		count = 0;
	}
	while (count-- > 0) {
		struct format_entry e = make_entry(w, first + count, name);

		len += format_varint_encode(varint, e.size) + (e.kind == KIND_FILE);
		if (e.kind == KIND_DIRECTORY)
			child = e.place;
		else
			addr = e.place;
	}
	len += format_varint_encode(varint, first ? (first - 1) / w->fan : 0);
	return len + format_varint_encode(varint, child) + format_varint_encode(varint, addr);
}

static struct format_segment make_segment(uint64_t n)
{
	return (struct format_segment){
		.addr = n * EXTENT, .off = n * EXTENT, .plain_len = EXTENT, .stored_len = EXTENT};
}

static size_t make_segments(const struct world *w, uint64_t b, uint8_t *out)
{
	struct format_segment segment[FORMAT_SEGMENTS_PER_BLOCK];
	uint64_t first = b * FORMAT_SEGMENTS_PER_BLOCK;
	unsigned count = records_in(w, TABLE_SEGMENTS, b);

	for (unsigned i = 0; i < count; i++) {
		segment[i] = make_segment(first + i);
		segment[i].leaf = w->content.is_signed ? first + i : 0;
	}
	return format_segments_encode(out, segment, count);
}

/* Every FILE_RUNS runs are a file; one byte in two of it is there. */
static struct format_run make_run(uint64_t n)
{
	return (struct format_run){.file_off = n % FILE_RUNS * 2, .addr = n % 1000, .len = 1};
}

static size_t make_runs(const struct world *w, uint64_t b, uint8_t *out)
{
	uint64_t first = b * FORMAT_RUNS_PER_BLOCK;
	unsigned count = records_in(w, TABLE_RUNS, b);

	for (unsigned i = 0; i < count; i++) {
		struct format_run run = make_run(first + i);

		format_run_encode(out + i * FORMAT_RUN, &run);
	}
	return (size_t)count * FORMAT_RUN;
}

/* What is alike everywhere: byte i of the heap is i, digests are those of the door. */
static size_t make_plain(const struct world *w, unsigned table, uint64_t b, uint8_t *out)
{
	size_t len = records_in(w, table, b) * (table == TABLE_HEAP ? 1u : FORMAT_DIGEST);
	uint64_t first = b * format_per_block[table];

	for (size_t i = 0; i < len; i++)
		out[i] = table == TABLE_HEAP ? (uint8_t)(first + i) : 0;
	return len;
}

static size_t make_block(const struct world *w, unsigned table, uint64_t b, uint8_t *out)
{
	switch (table) {
	case TABLE_ENTRIES: return make_entries(w, b, out);
	case TABLE_SEGMENTS: return make_segments(w, b, out);
	case TABLE_RUNS: return make_runs(w, b, out);
	default: return make_plain(w, table, b, out);
	}
}

static size_t block_len(const struct world *w, unsigned table, uint64_t b)
{
	unsigned count = records_in(w, table, b);

	switch (table) {
	case TABLE_ENTRIES: return entries_len(w, b);
	case TABLE_SEGMENTS: return 24 + 2 * (size_t)count;
	case TABLE_RUNS: return (size_t)count * FORMAT_RUN;
	case TABLE_HEAP: return count;
	default: return (size_t)count * FORMAT_DIGEST;
	}
}

static uint64_t block_count(const struct world *w, unsigned table)
{
	return format_block_count(table, w->content.table[table].records);
}

/* How many nodes, or blocks, there are at a height. */
static uint64_t count_at(const struct world *w, unsigned table, unsigned height)
{
	uint64_t count = block_count(w, table);

	while (height-- > 0)
		count = div_ceil(count, FORMAT_FANOUT);
	return count;
}

/* The key of block b. */
static void make_key(unsigned table, uint64_t b, uint8_t key[static 16])
{
	char name[9];

	memset(key, 0, 16);
	if (table == TABLE_ENTRIES && b) {
		make_name(name, b * FORMAT_ENTRIES_PER_BLOCK);
		memcpy(key, name, 8);
	} else if (table == TABLE_SEGMENTS) {
		store_le64(key, b * FORMAT_SEGMENTS_PER_BLOCK * EXTENT);
		store_le64(key + 8, b * FORMAT_SEGMENTS_PER_BLOCK * EXTENT);
	} else if (table == TABLE_RUNS) {
		store_le64(key, make_run(b * FORMAT_RUNS_PER_BLOCK).file_off);
	}
}

/* The last block that a node leads to, behind which it lies; of a block, itself. */
static uint64_t last_block(const struct world *w, unsigned table, unsigned height, uint64_t number)
{
	return min_u64((number + 1) << 8 * height, block_count(w, table)) - 1;
}

/* The reference to what lies at a height: 0 is a block. */
static struct format_ref make_ref(const struct world *w, unsigned table, unsigned height,
                                  uint64_t number)
{
	struct format_ref ref = {.off = table * TABLE_LEN + height * SLOT_LEN};
	uint64_t below = 0;

	ref.off += last_block(w, table, height, number) * STEP_LEN;
	if (height == 0) {
		ref.raw_len = (uint32_t)block_len(w, table, number);
	} else {
		below = count_at(w, table, height - 1) - number * FORMAT_FANOUT;
		ref.raw_len = (uint32_t)min_u64(below, FORMAT_FANOUT) * FORMAT_REF;
	}
	ref.stored_len = ref.raw_len;
	make_key(table, number << 8 * height, ref.key);
	return ref;
}

static size_t make_node(const struct world *w, unsigned table, unsigned height, uint64_t number,
                        uint8_t *out)
{
	uint64_t first = number * FORMAT_FANOUT, all = count_at(w, table, height - 1);
	size_t count = (size_t)min_u64(all - first, FORMAT_FANOUT);

	for (size_t i = 0; i < count; i++) {
		struct format_ref ref = make_ref(w, table, height - 1, first + i);

		format_ref_encode(out + i * FORMAT_REF, &ref);
	}
	return count * FORMAT_REF;
}

/* --- reading it ----------------------------------------------------------------------- */

static void change(const struct world *w, unsigned table, unsigned height, uint64_t number,
                   uint8_t *out, size_t len)
{
	for (unsigned i = 0; i < w->changes; i++) {
		const struct change *c = &w->change[i];

		if (len && c->table == table && c->height == height && c->number == number)
			out[c->at % len] ^= c->mask;
	}
}

/* Whatever lies there, from the start of it or from its middle, zeros behind it. */
static int read_at(void *context, uint64_t off, size_t len, uint8_t *out)
{
	static uint8_t made[2 * SLOT_LEN];
	struct world *w = context;
	unsigned table = (unsigned)(off / TABLE_LEN);
	uint64_t at = off % TABLE_LEN, block = at / STEP_LEN;
	unsigned height = (unsigned)(at % STEP_LEN / SLOT_LEN);
	uint64_t number = block >> 8 * height;

	MUST(range_within(off, len, w->content.index_len) && len <= FORMAT_ENTRY_BLOCK);
	w->reads++;
	memset(made, 0, sizeof made);
	if (number < count_at(w, table, height) && last_block(w, table, height, number) == block) {
		size_t n = height ? make_node(w, table, height, number, made)
		                  : make_block(w, table, number, made);

		MUST(height || n == block_len(w, table, number));
		change(w, table, height, number, made, n);
	}
	memcpy(out, made + at % SLOT_LEN, len);
	return STATUS_OK;
}

/* --- what is asked ---------------------------------------------------------------------- */

static void ask_entry(struct index *x, const struct world *w, uint64_t id)
{
	const struct format_entry *found = NULL;
	struct format_entry parent;
	uint32_t child = 0;
	char name[9];
	int status = index_entry(x, (uint32_t)id, &found);

	make_name(name, id);
	if (status == STATUS_OK)
		MUST(found->id == id);
	parent = make_entry(w, id ? (id - 1) / w->fan : 0, (char[9]){0});
	if (!w->changes) {
		MUST(status == STATUS_OK && found->name_len == (id ? 8 : 0));
		MUST(!id || !memcmp(found->name, name, 8));
	}
	status = index_lookup(x, &parent, name, 8, &child);
	if (status == STATUS_OK)
		MUST(child >= parent.place && child < parent.place + parent.size);
	if (!w->changes)
		MUST(id ? status == STATUS_OK && child == id : status == STATUS_NOENT);
}

static void ask_segment(struct index *x, const struct world *w, uint64_t n)
{
	const struct format_segment *found = NULL;
	uint64_t addr = n * EXTENT + n % EXTENT;
	int status = index_segment(x, n, &found);

	if (!w->changes)
		MUST(status == STATUS_OK && found->addr == n * EXTENT);
	status = index_segment_at(x, addr, &found);
	if (status == STATUS_OK)
		MUST(found->addr <= addr && addr - found->addr < found->plain_len);
	if (!w->changes)
		MUST(status == STATUS_OK && found->addr == n * EXTENT);
}

/* The file that run n is of, at that run and in the hole behind it. */
static void ask_run(struct index *x, const struct world *w, uint64_t n)
{
	uint64_t records = w->content.table[TABLE_RUNS].records, place = n - n % FILE_RUNS;
	struct format_entry file = {.kind = KIND_FILE, .sparse = true, .size = 2 * FILE_RUNS};
	struct format_run run = {0};
	uint64_t next = 0;
	int status;

	file.place = place;
	file.runs = min_u64(FILE_RUNS, records - place);
	for (unsigned hole = 0; hole < 2; hole++) {
		uint64_t off = n % FILE_RUNS * 2 + hole;

		status = index_run_at(x, &file, off, &run, &next);
		if (status == 1)
			MUST(run.file_off <= off && run.len <= file.size - run.file_off &&
			     next >= run.file_off + run.len);
		if (!w->changes)
			MUST(status == 1 && run.file_off == n % FILE_RUNS * 2 && next > off);
	}
}

static void ask_heap(struct index *x, const struct world *w, uint64_t off)
{
	uint64_t records = w->content.table[TABLE_HEAP].records;
	size_t len = (size_t)min_u64(records - off, 3 * FORMAT_HEAP_BLOCK);
	static uint8_t out[3 * FORMAT_HEAP_BLOCK];
	int status = index_heap(x, off, len, out);

	if (w->changes)
		return;
	MUST(status == STATUS_OK);
	for (size_t i = 0; i < len; i += 997)
		MUST(out[i] == (uint8_t)(off + i));
}

static void ask_leaf_sum(struct index *x, const struct world *w, uint64_t j)
{
	uint8_t digest[FORMAT_DIGEST];
	int status = index_leaf_sum(x, j, digest);

	if (!w->changes)
		MUST(status == STATUS_OK);
}

/* The block of a record, and on from it. */
static void ask_blocks(struct index *x, const struct world *w, unsigned table, uint64_t record)
{
	uint64_t b = record / format_per_block[table], count = block_count(w, table);

	for (unsigned i = 0; i < 3 && b < count; i++) {
		int status = index_check_block(x, table, b);
		uint64_t next = index_next_block(x, table, b);

		MUST(next > b && next <= count);
		if (!w->changes)
			MUST(status == STATUS_OK && next == b + 1);
		b = next;
	}
}

static void ask(struct index *x, struct world *w, const uint8_t look[static LOOK])
{
	static void (*const questions[TABLE_COUNT])(struct index *, const struct world *,
	                                            uint64_t) = {ask_entry, ask_segment, ask_run,
	                                                         ask_heap, ask_leaf_sum};
	unsigned table = look[0] % TABLE_COUNT;
	uint64_t records = w->content.table[table].records;

	if (!records)
		return;
	w->reads = 0;
	if (look[0] & 128)
		ask_blocks(x, w, table, load_le64(look + 1) % records);
	else
		questions[table](x, w, load_le64(look + 1) % records);
	MUST(w->reads <= READS_MAX);
}

/* --- the input --------------------------------------------------------------------------- */

static uint64_t load_le40(const uint8_t *p)
{
	return load_le32(p) | (uint64_t)p[4] << 32;
}

static void take_change(struct world *w, const uint8_t *in)
{
	struct change *c = &w->change[w->changes++];
	const uint8_t *look = w->looks ? w->look + in[1] % w->looks * LOOK : NULL;
	uint64_t records;

	c->table = in[0] % TABLE_COUNT;
	c->height = in[0] / TABLE_COUNT % 5;
	c->at = load_le16(in + 3);
	c->mask = in[5];
	records = w->content.table[c->table].records;
	if (look && records)
		c->number =
			load_le64(look + 1) % records / format_per_block[c->table] >> 8 * c->height;
	c->number += in[2] & 1;
}

static bool take_input(struct world *w, const uint8_t *data, size_t len)
{
	const uint8_t *changes = data + FRONT;
	unsigned count;

	if (len < FRONT)
		return false;
	w->content.index_len = TABLE_COUNT * TABLE_LEN;
	w->content.plain_len = w->content.content_len = UINT64_C(1) << 50;
	w->content.leaf_count = UINT64_C(1) << 40;
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		w->content.table[t].records =
			load_le40(data + 5 * t) & ((UINT64_C(1) << data[5 * t] % 33) - 1);
	if (entries(w) == 0)
		w->content.table[TABLE_ENTRIES].records = 1;
	w->fan = max_u64(load_le32(data + 5 * TABLE_COUNT), 1);
	w->content.is_signed = data[FRONT - 2] & 1;
	w->content.full_metadata = data[FRONT - 2] & 2;
	count = (unsigned)min_u64(data[FRONT - 1] % (CHANGES + 1), (len - FRONT) / CHANGE);
	w->look = changes + count * CHANGE;
	w->looks = (unsigned)min_u64((size_t)(data + len - w->look) / LOOK, LOOKS);
	for (unsigned i = 0; i < count; i++)
		take_change(w, changes + i * CHANGE);
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		if (w->content.table[t].records)
			w->content.table[t].top =
				make_ref(w, t, format_tree_height(block_count(w, t)), 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct expander *expander = NULL;
	struct arena *arena = NULL;
	struct index *index = NULL;
	struct world world = {0};

	if (!take_input(&world, data, len))
		return 0;
	MUST(!arena_new(&arena, index_size() + expander_size() + 4096, true));
	MUST(!expander_new(&expander, arena));
	MUST(!index_new(&index, arena, &world.content, expander, read_at, &world));
	fuzz_good += world.looks && !world.changes;
	for (unsigned i = 0; i < world.looks; i++)
		ask(index, &world, world.look + i * LOOK);
	index_free(index);
	arena_free(arena);
	return 0;
}
