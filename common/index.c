#include "common/index.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/hash4.h"
#include "common/path.h"
#include "common/squeeze.h"
#include "common/status.h"

/* The cache: a few buffers for each sort of thing, the least recently used of a
 * sort gives way.  Sorts 0 to TABLE_COUNT - 1 are blocks, decoded; then nodes. */
enum { SORT_NODE = TABLE_COUNT, SORTS };

/* Where the key lies in a reference; the first of a node is that of the node. */
enum { REF_KEY = 16 };

static const struct {
	unsigned count;
	size_t size;
} plan[SORTS] = {
	[TABLE_ENTRIES] = {4, sizeof(struct format_entry_block)},
	[TABLE_SEGMENTS] = {2, sizeof(struct format_segment_block)},
	[TABLE_RUNS] = {1, (size_t)FORMAT_RUNS_PER_BLOCK *FORMAT_RUN},
	[TABLE_HEAP] = {2, FORMAT_HEAP_BLOCK},
	[TABLE_LEAF_SUMS] = {1, FORMAT_LEAF_BLOCK},
	[SORT_NODE] = {6, FORMAT_NODE},
};

enum { BUFFERS = 4 + 2 + 1 + 2 + 1 + 6 };

struct buffer {
	uint8_t table, height; /* of a node */
	uint64_t number;
	uint64_t used; /* when, 0: empty */
	void *data;
};

struct index {
	const struct format_content *content;
	struct expander *expander;
	index_read_fn *read;
	void *context;
	uint64_t clock;
	uint8_t *stored, *raw; /* one block on its way in */
	struct buffer buffer[BUFFERS];
};

size_t index_size(void)
{
	size_t size = 2 * FORMAT_ENTRY_BLOCK + 256;

	for (int s = 0; s < SORTS; s++)
		size += plan[s].count * (plan[s].size + 64);
	return size;
}

/* What lies in the arena: everything but the bookkeeping. */
static bool equip(struct index *x, struct arena *arena)
{
	struct buffer *b = x->buffer;
	bool complete;

	x->stored = arena_alloc(arena, FORMAT_ENTRY_BLOCK);
	x->raw = arena_alloc(arena, FORMAT_ENTRY_BLOCK);
	complete = x->stored && x->raw;
	for (uint8_t s = 0; s < SORTS; s++)
		for (unsigned i = 0; i < plan[s].count; i++, b++) {
			b->data = arena_alloc(arena, plan[s].size);
			complete &= b->data != NULL;
		}
	return complete;
}

int index_new(struct index **index, struct arena *arena, const struct format_content *content,
              struct expander *expander, index_read_fn *read, void *context)
{
	struct index *x = calloc(1, sizeof(*x));

	if (!x)
		return STATUS_NOMEM;
	x->content = content;
	x->expander = expander;
	x->read = read;
	x->context = context;
	if (!equip(x, arena)) {
		index_free(x);
		return STATUS_NOMEM;
	}
	*index = x;
	return STATUS_OK;
}

void index_free(struct index *index)
{
	free(index);
}

/* Buffers stand in the order of their sorts. */
static unsigned first_buffer(unsigned sort)
{
	unsigned first = 0;

	while (sort > 0)
		first += plan[--sort].count;
	return first;
}

/* The buffer that holds this, or the one that it may have (used is then 0). */
static struct buffer *find_buffer(struct index *x, unsigned sort, unsigned table, unsigned height,
                                  uint64_t number)
{
	struct buffer *first = x->buffer + first_buffer(sort), *oldest = first;

	for (struct buffer *b = first; b < first + plan[sort].count; b++) {
		if (b->used && b->table == table && b->height == height && b->number == number) {
			b->used = ++x->clock;
			return b;
		}
		if (b->used < oldest->used)
			oldest = b;
	}
	oldest->table = (uint8_t)table;
	oldest->height = (uint8_t)height;
	oldest->number = number;
	oldest->used = 0;
	return oldest;
}

/* What a wrong digest means: an insider changed a signed index, or somebody
 * wrote an unsigned one that contradicts itself. */
static int mismatch(const struct index *x)
{
	return x->content->is_signed ? STATUS_ALTERED : STATUS_INVALID;
}

/* Bring in what ref leads to, checked and decoded: raw_len bytes in out. */
static int fetch(struct index *x, const struct format_ref *ref, uint8_t *out)
{
	bool packed = ref->stored_len != ref->raw_len;
	uint8_t *stored = packed ? x->stored : out, digest[FORMAT_DIGEST];
	int status = x->read(x->context, ref->off, ref->stored_len, stored);

	if (status)
		return status;
	hash4_one(digest, stored, ref->stored_len);
	if (memcmp(digest, ref->digest, sizeof(digest)))
		return mismatch(x);
	return packed ? expander_run(x->expander, out, ref->raw_len, stored, ref->stored_len)
	              : STATUS_OK;
}

/* How many blocks a child of a node of this height leads to. */
static uint64_t child_span(unsigned height)
{
	return UINT64_C(1) << 8 * (height - 1);
}

/* Decode child number i of the node. */
static int child_ref(const struct index *x, struct format_ref *ref, const uint8_t *node, unsigned i,
                     unsigned height)
{
	return format_ref_decode(ref, node + i * FORMAT_REF, x->content->index_len,
	                         height == 1 ? FORMAT_ENTRY_BLOCK : FORMAT_NODE);
}

/* Where what reference number i of a node leads to begins and ends. */
static uint64_t child_begin(const uint8_t *node, uint64_t i)
{
	return load_le64(node + i * FORMAT_REF);
}

static uint64_t child_end(const uint8_t *node, uint64_t i)
{
	return child_begin(node, i) + load_le32(node + i * FORMAT_REF + 8);
}

/* Do a node's references lead on and on, from begin to where the node itself lies?
 * Those to what is lost count too: what two paths lead to would be a table without
 * end in a small file. */
static bool is_in_order(const uint8_t *node, uint64_t children, uint64_t begin, uint64_t end)
{
	for (uint64_t i = 0; i < children; i++) {
		uint64_t at = child_begin(node, i);

		if (at < begin || at > end)
			return false;
		begin = child_end(node, i);
	}
	return begin <= end;
}

/* begin: nothing below the node lies before this. */
static int get_node(struct index *x, enum format_table_no table, unsigned height, uint64_t number,
                    const struct format_ref *ref, uint64_t begin, const uint8_t **node)
{
	struct buffer *b = find_buffer(x, SORT_NODE, table, height, number);
	uint64_t blocks = format_block_count(table, x->content->table[table].records);
	uint64_t span = child_span(height), first = number * span * FORMAT_FANOUT;
	uint64_t children = min_u64(div_ceil(blocks - first, span), FORMAT_FANOUT);

	if (!b->used) {
		int status = STATUS_INVALID;

		if (ref->stored_len == children * FORMAT_REF && ref->raw_len == ref->stored_len)
			status = fetch(x, ref, b->data);
		if (status)
			return status;
		if (memcmp((uint8_t *)b->data + REF_KEY, ref->key, sizeof(ref->key)) ||
		    !is_in_order(b->data, children, begin, ref->off))
			return STATUS_INVALID;
		b->used = ++x->clock;
	}
	*node = b->data;
	return STATUS_OK;
}

/* The reference to block b of a table.  *behind: the first block that this says
 * nothing of, where it fails for all those below a node. */
static int follow(struct index *x, enum format_table_no table, uint64_t b, struct format_ref *ref,
                  uint64_t *behind)
{
	unsigned height =
		format_tree_height(format_block_count(table, x->content->table[table].records));
	const uint8_t *node;
	uint64_t begin = 0;

	*ref = x->content->table[table].top;
	for (; height > 0; height--) {
		uint64_t span = child_span(height), all = span * FORMAT_FANOUT;
		unsigned child = (unsigned)(b / span % FORMAT_FANOUT);
		int status = get_node(x, table, height, b / all, ref, begin, &node);

		*behind = (b / all + 1) * all;
		if (status == STATUS_OK)
			status = child_ref(x, ref, node, child, height);
		if (status)
			return status;
		/* A node may lie behind the first block that it leaves to the next. */
		if (child > 1)
			begin = child_end(node, child - 2);
	}
	*behind = b + 1;
	return STATUS_OK;
}

static int find_ref(struct index *x, enum format_table_no table, uint64_t b, struct format_ref *ref)
{
	uint64_t behind;

	return follow(x, table, b, ref, &behind);
}

/* The same for who reads the block: it must lie behind the one before, which within
 * a node is so. */
static int find_own_ref(struct index *x, enum format_table_no table, uint64_t b,
                        struct format_ref *ref, uint64_t *behind)
{
	struct format_ref before;
	int status = follow(x, table, b, ref, behind);

	if (status || b % FORMAT_FANOUT || b == 0)
		return status;
	if (find_ref(x, table, b - 1, &before) == STATUS_OK &&
	    ref->off < before.off + before.stored_len)
		status = STATUS_INVALID;
	explicit_bzero(&before, sizeof(before));
	return status;
}

/* Records in block b. */
static uint32_t block_records(const struct index *x, enum format_table_no table, uint64_t b)
{
	uint64_t per = format_per_block[table];

	return (uint32_t)min_u64(x->content->table[table].records - b * per, per);
}

static int decode_entries(struct index *x, const struct format_ref *ref, uint64_t b, void *data)
{
	uint32_t count = block_records(x, TABLE_ENTRIES, b);
	struct format_entry_block *block = data;
	uint8_t key[sizeof(ref->key)] = {0};
	int status = fetch(x, ref, x->raw);

	if (status == STATUS_OK)
		status = format_entries_decode(block, x->raw, ref->raw_len,
		                               (uint32_t)(b * FORMAT_ENTRIES_PER_BLOCK), count,
		                               x->content);
	if (status)
		return status;
	memcpy(key, block->entry[0].name, min_u64(block->entry[0].name_len, sizeof(key)));
	status = memcmp(key, ref->key, sizeof(key)) ? STATUS_INVALID : STATUS_OK;
	explicit_bzero(key, sizeof(key));
	return status;
}

static int decode_segments(struct index *x, const struct format_ref *ref, uint64_t b, void *data)
{
	struct format_segment_block *block = data;
	int status;

	if (ref->raw_len > FORMAT_SEGMENT_BLOCK)
		return STATUS_INVALID;
	status = fetch(x, ref, x->raw);
	if (status == STATUS_OK)
		status = format_segments_decode(block, x->raw, ref->raw_len,
		                                block_records(x, TABLE_SEGMENTS, b), x->content);
	if (status)
		return status;
	if (block->segment[0].addr != load_le64(ref->key) ||
	    block->segment[0].off != load_le64(ref->key + 8))
		return STATUS_INVALID;
	return STATUS_OK;
}

static int decode_records(struct index *x, enum format_table_no table, const struct format_ref *ref,
                          uint64_t b, void *data)
{
	static const uint32_t record_len[TABLE_COUNT] = {
		[TABLE_RUNS] = FORMAT_RUN,
		[TABLE_HEAP] = 1,
		[TABLE_LEAF_SUMS] = FORMAT_DIGEST,
	};

	uint8_t key[sizeof(ref->key)] = {0};
	int status;

	if (ref->raw_len != block_records(x, table, b) * record_len[table])
		return STATUS_INVALID;
	status = fetch(x, ref, data);
	if (status)
		return status;
	if (table == TABLE_RUNS)
		memcpy(key, data, 8); /* where in the file the first begins */
	return memcmp(key, ref->key, sizeof(key)) ? STATUS_INVALID : STATUS_OK;
}

/* Block b of a table, from the medium. */
static int bring_block(struct index *x, enum format_table_no table, uint64_t b, void *data)
{
	struct format_ref ref;
	uint64_t behind;
	int status = find_own_ref(x, table, b, &ref, &behind);

	if (status == STATUS_OK && table == TABLE_ENTRIES)
		status = decode_entries(x, &ref, b, data);
	else if (status == STATUS_OK && table == TABLE_SEGMENTS)
		status = decode_segments(x, &ref, b, data);
	else if (status == STATUS_OK)
		status = decode_records(x, table, &ref, b, data);
	explicit_bzero(&ref, sizeof(ref)); /* a name begins so */
	return status;
}

/* Block b of a table, decoded. */
static int get_block(struct index *x, enum format_table_no table, uint64_t b, void **data)
{
	struct buffer *buffer = find_buffer(x, table, table, 0, b);

	if (!buffer->used) {
		int status = bring_block(x, table, b, buffer->data);

		if (status)
			return status;
		buffer->used = ++x->clock;
	}
	*data = buffer->data;
	return STATUS_OK;
}

int index_check_block(struct index *index, enum format_table_no table, uint64_t b)
{
	void *data;

	return get_block(index, table, b, &data);
}

uint64_t index_next_block(struct index *index, enum format_table_no table, uint64_t b)
{
	uint64_t count = format_block_count(table, index->content->table[table].records), behind;
	struct format_ref ref;
	int status = find_own_ref(index, table, b, &ref, &behind);

	explicit_bzero(&ref, sizeof(ref));
	return status && status != STATUS_DAMAGED ? count : min_u64(behind, count);
}

/* --- looking up ------------------------------------------------------------ */

/* Does block b begin at or before what is looked for? */
typedef int begins_fn(struct index *x, uint64_t b, const void *wanted, bool *before);

/* What is lost is stepped over in one look-up as long as the sum of this is less: each block may
 * be tried to be repaired, which takes time.  A lost node hides hundreds, of which there can be
 * very many nevertheless in a forged bundle. */
enum { SKIP_NODE = 1, SKIP_BLOCK = 64, SKIPS_MAX = 64 * SKIP_BLOCK };

/* Of the blocks low to high the last that begins at or before what is looked for; low
 * is taken to do so.  Nodes and blocks that are lost beside the way hide only what is
 * in them: the next that can be had is asked instead.  *lost: those directly behind
 * *block could not be had, and what is not in it may be in them. */
static int last_block(struct index *x, enum format_table_no table, uint64_t low, uint64_t high,
                      begins_fn *begins, const void *wanted, uint64_t *block, bool *lost)
{
	unsigned skips = 0;

	*lost = false;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2, b = middle;
		bool before = false;
		int status = begins(x, b, wanted, &before);

		while (status == STATUS_DAMAGED && skips < SKIPS_MAX) {
			uint64_t next = index_next_block(x, table, b);

			skips += next == b + 1 ? SKIP_BLOCK : SKIP_NODE;
			b = next;
			if (b > high)
				break;
			status = begins(x, b, wanted, &before);
		}
		if (status && (status != STATUS_DAMAGED || skips >= SKIPS_MAX))
			return status;
		if (before) {
			low = b;
		} else {
			high = middle - 1;
			*lost = b != middle;
		}
	}
	*block = low;
	return STATUS_OK;
}

/* --- entries -------------------------------------------------------------- */

int index_entry(struct index *index, uint32_t id, const struct format_entry **entry)
{
	void *data;
	int status;

	if (id >= index->content->table[TABLE_ENTRIES].records)
		return STATUS_INVALID;
	status = get_block(index, TABLE_ENTRIES, id / FORMAT_ENTRIES_PER_BLOCK, &data);
	if (status == STATUS_OK)
		*entry = &((struct format_entry_block *)data)->entry[id % FORMAT_ENTRIES_PER_BLOCK];
	return status;
}

struct wanted_name {
	const char *name;
	size_t len;
	uint8_t prefix[16];
};

/* By name.  The key in the reference decides, unless that is all of it that the two
 * have in common. */
static int begins_by_name(struct index *x, uint64_t b, const void *name, bool *before)
{
	const struct wanted_name *wanted = name;
	const struct format_entry *e;
	struct format_ref ref;
	int order, status = find_ref(x, TABLE_ENTRIES, b, &ref);

	if (status)
		return status;
	order = memcmp(ref.key, wanted->prefix, sizeof(ref.key));
	explicit_bzero(&ref, sizeof(ref)); /* a name begins so */
	if (order == 0) {
		status = index_entry(x, (uint32_t)(b * FORMAT_ENTRIES_PER_BLOCK), &e);
		if (status)
			return status;
		order = path_name_compare(e->name, e->name_len, wanted->name, wanted->len);
	}
	*before = order <= 0;
	return STATUS_OK;
}

/* *behind: what is looked for is not there, and would be behind the last. */
static int find_in_block(struct index *x, uint32_t low, uint32_t high,
                         const struct wanted_name *wanted, uint32_t directory, uint32_t *id,
                         bool *behind)
{
	const uint32_t end = high;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct format_entry *e;
		int order, status = index_entry(x, middle, &e);

		if (status)
			return status;
		if (e->parent != directory)
			return STATUS_INVALID;
		order = path_name_compare(e->name, e->name_len, wanted->name, wanted->len);
		if (order == 0) {
			*id = middle;
			return STATUS_OK;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*behind = low == end;
	return STATUS_NOENT;
}

int index_lookup(struct index *index, const struct format_entry *directory, const char *name,
                 size_t len, uint32_t *id)
{
	struct wanted_name wanted = {name, len, {0}};
	uint64_t first = directory->place, end = first + directory->size, block = 0;
	uint32_t parent = directory->id; /* the entry itself may leave the cache */
	bool lost, behind = false;
	int status;

	if (directory->kind != KIND_DIRECTORY)
		return STATUS_NOTDIR;
	if (first == end || !path_name_ok(name, len))
		return STATUS_NOENT;
	memcpy(wanted.prefix, name, min_u64(len, sizeof(wanted.prefix)));
	status = last_block(index, TABLE_ENTRIES, first / FORMAT_ENTRIES_PER_BLOCK,
	                    (end - 1) / FORMAT_ENTRIES_PER_BLOCK, begins_by_name, &wanted, &block,
	                    &lost);
	explicit_bzero(wanted.prefix, sizeof(wanted.prefix));
	if (status)
		return status;
	first = max_u64(first, block * FORMAT_ENTRIES_PER_BLOCK);
	end = min_u64(end, (block + 1) * FORMAT_ENTRIES_PER_BLOCK);
	status = find_in_block(index, (uint32_t)first, (uint32_t)end, &wanted, parent, id, &behind);
	return status == STATUS_NOENT && lost && behind ? STATUS_DAMAGED : status;
}

/* --- segments ------------------------------------------------------------- */

int index_segment(struct index *index, uint64_t n, const struct format_segment **segment)
{
	void *data;
	int status;

	if (n >= index->content->table[TABLE_SEGMENTS].records)
		return STATUS_INVALID;
	status = get_block(index, TABLE_SEGMENTS, n / FORMAT_SEGMENTS_PER_BLOCK, &data);
	if (status == STATUS_OK)
		*segment = &((struct format_segment_block *)data)
		                    ->segment[n % FORMAT_SEGMENTS_PER_BLOCK];
	return status;
}

/* By a number that the key begins with. */
static int begins_by_number(struct index *x, enum format_table_no table, uint64_t b,
                            const void *number, bool *before)
{
	struct format_ref ref;
	int status = find_ref(x, table, b, &ref);

	if (status == STATUS_OK)
		*before = load_le64(ref.key) <= *(const uint64_t *)number;
	return status;
}

static int begins_by_address(struct index *x, uint64_t b, const void *addr, bool *before)
{
	return begins_by_number(x, TABLE_SEGMENTS, b, addr, before);
}

static int begins_by_offset(struct index *x, uint64_t b, const void *off, bool *before)
{
	return begins_by_number(x, TABLE_RUNS, b, off, before);
}

/* The block of segments that address addr is in, if it is in any. */
static int segment_block_at(struct index *x, uint64_t addr, uint64_t *block, bool *lost)
{
	uint64_t blocks =
		format_block_count(TABLE_SEGMENTS, x->content->table[TABLE_SEGMENTS].records);

	return blocks ? last_block(x, TABLE_SEGMENTS, 0, blocks - 1, begins_by_address, &addr,
	                           block, lost)
	              : STATUS_INVALID;
}

int index_segment_at(struct index *index, uint64_t addr, const struct format_segment **segment)
{
	const struct format_segment_block *block;
	uint32_t low = 0, high;
	uint64_t b;
	bool lost;
	void *data;
	int status = segment_block_at(index, addr, &b, &lost);

	if (status == STATUS_OK)
		status = get_block(index, TABLE_SEGMENTS, b, &data);
	if (status)
		return status;
	block = data;
	high = block->count - 1;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (block->segment[middle].addr <= addr)
			low = middle;
		else
			high = middle - 1;
	}
	*segment = &block->segment[low];
	if (range_within((*segment)->addr, 1, addr + 1) &&
	    addr - (*segment)->addr < (*segment)->plain_len)
		return STATUS_OK;
	return lost && low == block->count - 1 ? STATUS_DAMAGED : STATUS_INVALID;
}

uint64_t index_next_address(struct index *index, uint64_t addr)
{
	uint64_t blocks =
		format_block_count(TABLE_SEGMENTS, index->content->table[TABLE_SEGMENTS].records);
	uint64_t b, end = index->content->plain_len;
	struct format_ref ref;
	bool lost;

	if (segment_block_at(index, addr, &b, &lost))
		return end;
	while ((b = index_next_block(index, TABLE_SEGMENTS, b)) < blocks)
		if (find_ref(index, TABLE_SEGMENTS, b, &ref) == STATUS_OK)
			return load_le64(ref.key) > addr ? min_u64(load_le64(ref.key), end) : end;
	return end;
}

/* --- runs, heap, leaf sums ------------------------------------------------ */

static int get_run(struct index *x, const struct format_entry *file, uint64_t n,
                   struct format_run *run)
{
	void *data;
	int status = get_block(x, TABLE_RUNS, n / FORMAT_RUNS_PER_BLOCK, &data);

	if (status)
		return status;
	return format_run_decode(run, (uint8_t *)data + n % FORMAT_RUNS_PER_BLOCK * FORMAT_RUN,
	                         file->size, x->content->plain_len);
}

/* Where run n begins; the size of the file behind its last.  The first of a block is the
 * block's key: the block itself may be lost. */
static int run_start(struct index *x, const struct format_entry *file, uint64_t n, uint64_t *start)
{
	struct format_run run;
	struct format_ref ref;
	int status;

	if (n == file->place + file->runs) {
		*start = file->size;
		return STATUS_OK;
	}
	if (n % FORMAT_RUNS_PER_BLOCK == 0) {
		status = find_ref(x, TABLE_RUNS, n / FORMAT_RUNS_PER_BLOCK, &ref);
		*start = status ? 0 : load_le64(ref.key);
	} else {
		status = get_run(x, file, n, &run);
		*start = status ? 0 : run.file_off;
	}
	return status == STATUS_OK && *start > file->size ? STATUS_INVALID : status;
}

/* The number of the first run behind off, which is that behind the file's last if there
 * is none. */
static int run_behind(struct index *x, const struct format_entry *file, uint64_t off, uint64_t *n)
{
	uint64_t low = file->place, high = file->place + file->runs, block;
	bool lost; /* is found when that run is asked for */
	int status;

	/* Blocks behind the first begin within this file, so their keys are its. */
	if (file->runs > 1) {
		status = last_block(x, TABLE_RUNS, low / FORMAT_RUNS_PER_BLOCK,
		                    (high - 1) / FORMAT_RUNS_PER_BLOCK, begins_by_offset, &off,
		                    &block, &lost);
		if (status)
			return status;
		low = max_u64(low, block * FORMAT_RUNS_PER_BLOCK);
		high = min_u64(high, (block + 1) * FORMAT_RUNS_PER_BLOCK);
	}
	/* It lies in [low, high]. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct format_run run;

		status = get_run(x, file, middle, &run);
		if (status)
			return status;
		if (run.file_off <= off)
			low = middle + 1;
		else
			high = middle;
	}
	*n = low;
	return STATUS_OK;
}

int index_run_at(struct index *index, const struct format_entry *entry, uint64_t off,
                 struct format_run *run, uint64_t *next)
{
	const struct format_entry copy = *entry, *file = &copy; /* it may leave the cache */
	uint64_t n, end;
	int status = run_behind(index, file, off, &n), behind;

	if (status)
		return status;
	behind = run_start(index, file, n, next);
	if (n == file->place)
		return behind;
	status = get_run(index, file, n - 1, run);
	if (status)
		return status;
	end = run->file_off + run->len;
	/* What is in the run can be had, whatever follows. */
	if (behind == STATUS_DAMAGED && off < end) {
		*next = end;
		return 1;
	}
	if (behind)
		return behind;
	return end <= *next ? 1 : STATUS_INVALID;
}

int index_heap(struct index *index, uint64_t off, size_t len, uint8_t *out)
{
	if (!range_within(off, len, index->content->table[TABLE_HEAP].records))
		return STATUS_INVALID;
	while (len) {
		uint64_t at = off % FORMAT_HEAP_BLOCK;
		size_t n = (size_t)min_u64(len, FORMAT_HEAP_BLOCK - at);
		void *data;
		int status = get_block(index, TABLE_HEAP, off / FORMAT_HEAP_BLOCK, &data);

		if (status)
			return status;
		memcpy(out, (uint8_t *)data + at, n);
		out += n;
		off += n;
		len -= n;
	}
	return STATUS_OK;
}

int index_leaf_sum(struct index *index, uint64_t j, uint8_t digest[static FORMAT_DIGEST])
{
	void *data;
	int status;

	if (j >= index->content->table[TABLE_LEAF_SUMS].records)
		return STATUS_INVALID;
	status = get_block(index, TABLE_LEAF_SUMS, j / FORMAT_LEAVES_PER_BLOCK, &data);
	if (status == STATUS_OK)
		memcpy(digest, (uint8_t *)data + j % FORMAT_LEAVES_PER_BLOCK * FORMAT_DIGEST,
		       FORMAT_DIGEST);
	return status;
}
