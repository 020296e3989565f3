#include "tests/unit/unit.h"

#include "common/arena.h"
#include "common/bytes.h"
#include "common/hash4.h"
#include "common/index.h"
#include "common/squeeze.h"
#include "common/status.h"

/* --- an index in memory ------------------------------------------------------------ */

struct fixture {
	struct format_content content;
	uint8_t *bytes;
	size_t len, room;
	struct format_ref *ref; /* of the blocks of the table being made */
	size_t ref_count;
	struct squeezer *squeezer;
	struct arena *arena;
	struct expander *expander;
	struct index *index;
	unsigned reads;
	int fail;                      /* what a read returns */
	uint64_t lost_begin, lost_end; /* bytes that are damaged */
	uint64_t stride;               /* of each so many only the last node can be had; 0: all */
	struct {
		uint64_t off, len;
	} part[1024]; /* what was stored, in that order */
	size_t part_count;
};

static uint32_t random_below(uint32_t limit)
{
	static uint32_t x = 3;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % limit;
}

static void make(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->room = 64 << 20;
	f->bytes = malloc(f->room);
	f->ref = calloc(1 << 16, sizeof *f->ref);
	f->content.content_len = f->content.plain_len = UINT64_C(1) << 40;
	assert_int_equal(squeezer_new(&f->squeezer, 1), STATUS_OK);
}

static struct format_ref store(struct fixture *f, const uint8_t *raw, size_t len,
                               const uint8_t key[16], bool squeeze)
{
	uint8_t packed[FORMAT_ENTRY_BLOCK];
	size_t packed_len = squeeze ? squeezer_run(f->squeezer, packed, raw, len) : 0;
	struct format_ref ref = {.off = f->len, .raw_len = (uint32_t)len};

	ref.stored_len = (uint32_t)(packed_len ? packed_len : len);
	memcpy(ref.key, key, 16);
	memcpy(f->bytes + f->len, packed_len ? packed : raw, ref.stored_len);
	hash4_one(ref.digest, f->bytes + f->len, ref.stored_len);
	if (f->part_count < sizeof f->part / sizeof *f->part) {
		f->part[f->part_count].off = f->len;
		f->part[f->part_count++].len = ref.stored_len;
	}
	f->len += ref.stored_len;
	return ref;
}

static void add_block(struct fixture *f, const uint8_t *raw, size_t len, const uint8_t key[16])
{
	f->ref[f->ref_count] = store(f, raw, len, key, f->ref_count % 3 != 1);
	f->ref_count++;
}

/* Nodes over the blocks, until there is one thing left. */
static void end_table(struct fixture *f, enum format_table_no table, uint64_t records)
{
	while (f->ref_count > 1) {
		size_t nodes = 0;

		for (size_t i = 0; i < f->ref_count; i += FORMAT_FANOUT) {
			size_t n = min_u64(f->ref_count - i, FORMAT_FANOUT);
			uint8_t node[FORMAT_NODE];

			for (size_t j = 0; j < n; j++)
				format_ref_encode(node + j * FORMAT_REF, &f->ref[i + j]);
			f->ref[nodes++] = store(f, node, n * FORMAT_REF, f->ref[i].key, false);
		}
		f->ref_count = nodes;
	}
	f->content.table[table].records = records;
	if (records)
		f->content.table[table].top = f->ref[0];
	f->ref_count = 0;
}

static int read_bytes(void *context, uint64_t off, size_t len, uint8_t *out)
{
	struct fixture *f = context;

	f->reads++;
	if (f->fail)
		return f->fail;
	if (off < f->lost_end && off + len > f->lost_begin)
		return STATUS_DAMAGED;
	if (f->stride && off % f->stride < f->stride - FORMAT_NODE)
		return STATUS_DAMAGED;
	assert_true(range_within(off, len, f->len));
	memcpy(out, f->bytes + off, len);
	return STATUS_OK;
}

static void open_index(struct fixture *f)
{
	f->content.index_len = f->len;
	assert_int_equal(arena_new(&f->arena, index_size() + expander_size(), true), STATUS_OK);
	assert_int_equal(expander_new(&f->expander, f->arena), STATUS_OK);
	assert_int_equal(index_new(&f->index, f->arena, &f->content, f->expander, read_bytes, f),
	                 STATUS_OK);
}

static void close_index(struct fixture *f)
{
	index_free(f->index);
	arena_free(f->arena);
	f->index = NULL;
	f->arena = NULL;
}

/* An index of the same bytes without this part, and with an empty cache. */
static void open_without(struct fixture *f, size_t part)
{
	assert_true(part < f->part_count);
	f->lost_begin = f->part[part].off;
	f->lost_end = f->part[part].off + f->part[part].len;
	open_index(f);
}

/* A table of two levels of nodes lies alone in the index.  Is the part on the way to
 * block b? */
static bool is_on_the_way(size_t part, uint64_t blocks, uint64_t b)
{
	uint64_t nodes = div_ceil(blocks, FORMAT_FANOUT);

	return part == b || part == blocks + b / FORMAT_FANOUT || part == blocks + nodes;
}

static void end(struct fixture *f)
{
	close_index(f);
	squeezer_free(f->squeezer);
	free(f->ref);
	free(f->bytes);
}

/* --- nodes ----------------------------------------------------------------------------- */

enum { NODES = 4, BLOCKS = NODES * FORMAT_FANOUT };

/* A heap of NODES full nodes, written as packers write it: a node when there is one
 * block more. */
struct nodes {
	struct fixture f;
	struct format_ref block[BLOCKS], node[NODES];
};

static struct format_ref store_node(struct fixture *f, const struct format_ref *ref, size_t n)
{
	uint8_t raw[FORMAT_NODE];

	for (size_t i = 0; i < n; i++)
		format_ref_encode(raw + i * FORMAT_REF, &ref[i]);
	return store(f, raw, n * FORMAT_REF, ref->key, false);
}

static struct nodes *make_nodes(void)
{
	static const uint8_t zeros[FORMAT_HEAP_BLOCK], key[16];
	struct nodes *n = calloc(1, sizeof *n);

	make(&n->f);
	for (size_t b = 0; b < BLOCKS; b++) {
		n->block[b] = store(&n->f, zeros, sizeof zeros, key, true);
		if (b && b % FORMAT_FANOUT == 0)
			n->node[b / FORMAT_FANOUT - 1] =
				store_node(&n->f, &n->block[b - FORMAT_FANOUT], FORMAT_FANOUT);
	}
	n->node[NODES - 1] = store_node(&n->f, &n->block[BLOCKS - FORMAT_FANOUT], FORMAT_FANOUT);
	return n;
}

/* node: of which ones the table is. */
static void open_nodes(struct nodes *n)
{
	n->f.content.table[TABLE_HEAP].records = BLOCKS * (uint64_t)FORMAT_HEAP_BLOCK;
	n->f.content.table[TABLE_HEAP].top = store_node(&n->f, n->node, NODES);
	open_index(&n->f);
}

static void lose(struct nodes *n, const struct format_ref *ref)
{
	n->f.lost_begin = ref->off;
	n->f.lost_end = ref->off + ref->stored_len;
}

/* What each of a node's blocks is, and where to go on behind the first. */
static void check_node(struct nodes *n, unsigned node, int status, uint64_t next)
{
	uint64_t first = (uint64_t)node * FORMAT_FANOUT;

	for (uint64_t b = first; b < first + FORMAT_FANOUT; b++)
		assert_int_equal(index_check_block(n->f.index, TABLE_HEAP, b), status);
	assert_int_equal(index_next_block(n->f.index, TABLE_HEAP, first), next);
}

static void end_nodes(struct nodes *n)
{
	end(&n->f);
	free(n);
}

static void what_a_lost_node_leads_to_is_lost_alone(void **state)
{
	struct nodes *n = make_nodes();

	(void)state;
	lose(n, &n->node[1]);
	open_nodes(n);
	check_node(n, 0, STATUS_OK, 1);
	check_node(n, 1, STATUS_DAMAGED, 512);
	check_node(n, 2, STATUS_OK, 513);
	check_node(n, 3, STATUS_OK, 769);
	end_nodes(n);
}

/* However its neighbours are lost: nodes that have the same blocks, one below
 * another, would have no end. */
static void a_node_leads_nowhere_again(void **state)
{
	struct nodes *n = make_nodes();

	(void)state;
	n->node[1] = store_node(&n->f, n->block, FORMAT_FANOUT);
	n->node[2] = store_node(&n->f, n->block, FORMAT_FANOUT);
	n->node[3] = store_node(&n->f, n->block, FORMAT_FANOUT);
	lose(n, &n->node[1]);
	open_nodes(n);
	check_node(n, 0, STATUS_OK, 1);
	check_node(n, 1, STATUS_DAMAGED, 512);
	check_node(n, 2, STATUS_INVALID, BLOCKS);
	check_node(n, 3, STATUS_INVALID, BLOCKS);
	end_nodes(n);
}

/* What is lost has its place, too. */
static void a_node_does_not_lead_back(void **state)
{
	(void)state;
	for (unsigned i = 1; i < FORMAT_FANOUT; i += 51) {
		struct nodes *n = make_nodes();
		struct format_ref *block = &n->block[2 * FORMAT_FANOUT];
		struct format_ref before = block[i - 1];

		block[i - 1] = block[i];
		block[i] = before;
		lose(n, &block[i]);
		n->node[2] = store_node(&n->f, block, FORMAT_FANOUT);
		n->node[3] = store_node(&n->f, &n->block[3 * FORMAT_FANOUT], FORMAT_FANOUT);
		open_nodes(n);
		check_node(n, 1, STATUS_OK, 257);
		assert_int_equal(index_check_block(n->f.index, TABLE_HEAP, 700), STATUS_INVALID);
		assert_int_equal(index_next_block(n->f.index, TABLE_HEAP, 512), BLOCKS);
		end_nodes(n);
	}
}

static void a_node_leads_to_nothing_behind_it(void **state)
{
	struct nodes *n = make_nodes();

	(void)state;
	n->node[0] = store_node(&n->f, n->block, FORMAT_FANOUT);
	n->node[0].off = 0;
	memmove(n->f.bytes, n->f.bytes + n->f.len - FORMAT_NODE, FORMAT_NODE);
	open_nodes(n);
	check_node(n, 0, STATUS_INVALID, BLOCKS);
	end_nodes(n);
}

/* --- entries --------------------------------------------------------------------------- */

enum { FILES = 40000, FOLDERS = 300, IN_FOLDER = 50 };

/* Names that have their first sixteen bytes in common, and such that have not. */
static void name_of(char *out, unsigned i)
{
	if (i < FILES / 2)
		sprintf(out, "a file with a long name %06u", i);
	else
		sprintf(out, "f%06u", i);
}

/* The root: FILES files, then FOLDERS folders "z..." of IN_FOLDER files each. */
static void describe_entry(struct format_entry *e, char *name, uint32_t id)
{
	const uint32_t first_folder = 1 + FILES, first_in = first_folder + FOLDERS;

	*e = (struct format_entry){.id = id, .links = 1, .name = name, .mode = 0444};
	*name = '\0';
	if (id == 0) {
		e->kind = KIND_DIRECTORY;
		e->size = FILES + FOLDERS;
		e->place = 1;
	} else if (id < first_folder) {
		name_of(name, id - 1);
	} else if (id < first_in) {
		sprintf(name, "z%03u", id - first_folder);
		e->kind = KIND_DIRECTORY;
		e->size = IN_FOLDER;
		e->place = first_in + (id - first_folder) * IN_FOLDER;
	} else {
		sprintf(name, "in %02u", (id - first_in) % IN_FOLDER);
		e->parent = first_folder + (id - first_in) / IN_FOLDER;
	}
	e->name_len = (uint8_t)strlen(name);
}

static void add_entries(struct fixture *f)
{
	const uint32_t count = 1 + FILES + FOLDERS + FOLDERS * IN_FOLDER;
	static struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	static char name[FORMAT_ENTRIES_PER_BLOCK][FORMAT_NAME + 1];
	static uint8_t raw[FORMAT_ENTRY_BLOCK];

	for (uint32_t id = 0; id < count; id += FORMAT_ENTRIES_PER_BLOCK) {
		uint32_t n = (uint32_t)min_u64(count - id, FORMAT_ENTRIES_PER_BLOCK);
		uint8_t key[16] = {0};

		for (uint32_t i = 0; i < n; i++)
			describe_entry(&entry[i], name[i], id + i);
		memcpy(key, name[0], min_u64(strlen(name[0]), 16));
		add_block(f, raw, format_entries_encode(raw, entry, n, false), key);
	}
	end_table(f, TABLE_ENTRIES, count);
}

static void every_name_is_found_and_no_other(void **state)
{
	const struct format_entry *root, *e;
	struct format_entry directory, wanted;
	char name[FORMAT_NAME + 8];
	struct fixture f;
	uint32_t id;

	(void)state;
	make(&f);
	add_entries(&f);
	open_index(&f);
	assert_int_equal(index_entry(f.index, 0, &root), STATUS_OK);
	directory = *root;
	for (uint32_t i = 1; i < 1 + FILES + FOLDERS; i += 1 + random_below(30)) {
		describe_entry(&wanted, name, i);
		assert_int_equal(index_lookup(f.index, &directory, name, strlen(name), &id),
		                 STATUS_OK);
		assert_int_equal(id, i);
		assert_int_equal(index_entry(f.index, id, &e), STATUS_OK);
		assert_int_equal(e->name_len, strlen(name));
		assert_memory_equal(e->name, name, e->name_len);
		strcat(name, "!");
		assert_int_equal(index_lookup(f.index, &directory, name, strlen(name), &id),
		                 STATUS_NOENT);
		assert_int_equal(index_lookup(f.index, &directory, name, strlen(name) - 2, &id),
		                 STATUS_NOENT);
	}
	assert_int_equal(index_lookup(f.index, &directory, "", 0, &id), STATUS_NOENT);
	assert_int_equal(index_lookup(f.index, &directory, "..", 2, &id), STATUS_NOENT);
	assert_int_equal(index_lookup(f.index, &directory, "a/b", 3, &id), STATUS_NOENT);
	assert_int_equal(index_lookup(f.index, &directory, "\xff", 1, &id), STATUS_NOENT);
	assert_int_equal(index_entry(f.index, 1 + FILES + FOLDERS + FOLDERS * IN_FOLDER, &e),
	                 STATUS_INVALID);
	for (int i = 0; i < 1000; i++) {
		uint32_t folder = random_below(FOLDERS), n = random_below(IN_FOLDER);

		assert_int_equal(index_entry(f.index, 1 + FILES + folder, &e), STATUS_OK);
		directory = *e;
		sprintf(name, "in %02u", n);
		assert_int_equal(index_lookup(f.index, &directory, name, strlen(name), &id),
		                 STATUS_OK);
		assert_int_equal(id, 1 + FILES + FOLDERS + folder * IN_FOLDER + n);
	}
	assert_int_equal(index_lookup(f.index, e, name, strlen(name), &id), STATUS_OK);
	assert_int_equal(index_entry(f.index, 1, &e), STATUS_OK);
	assert_int_equal(index_lookup(f.index, e, "a", 1, &id), STATUS_NOTDIR);
	end(&f);
}

/* Nothing is loaded ahead, and one look-up needs few blocks. */
static void a_look_up_reads_little(void **state)
{
	const struct format_entry *root;
	struct format_entry directory;
	char name[FORMAT_NAME + 1];
	struct fixture f;
	uint32_t id;

	(void)state;
	make(&f);
	add_entries(&f);
	open_index(&f);
	assert_int_equal(f.reads, 0);
	assert_int_equal(index_entry(f.index, 0, &root), STATUS_OK);
	directory = *root;
	for (int i = 0; i < 300; i++) {
		unsigned before = f.reads;

		name_of(name, random_below(FILES));
		assert_int_equal(index_lookup(f.index, &directory, name, strlen(name), &id),
		                 STATUS_OK);
		assert_true(f.reads - before <= 14);
	}
	end(&f);
}

/* A name, and one that would be behind it. */
static void look_up_without(struct fixture *f, size_t part, uint32_t i)
{
	const uint64_t blocks =
		div_ceil(1 + FILES + FOLDERS + FOLDERS * IN_FOLDER, FORMAT_ENTRIES_PER_BLOCK);
	struct format_entry directory, wanted;
	uint64_t b = i / FORMAT_ENTRIES_PER_BLOCK, next = (i + 1) / FORMAT_ENTRIES_PER_BLOCK;
	char name[FORMAT_NAME + 8], root[FORMAT_NAME + 1];
	bool lost = is_on_the_way(part, blocks, b);
	uint32_t id = 0;

	describe_entry(&directory, root, 0);
	describe_entry(&wanted, name, i);
	assert_int_equal(index_lookup(f->index, &directory, name, strlen(name), &id),
	                 lost ? STATUS_DAMAGED : STATUS_OK);
	assert_int_equal(id, lost ? 0 : i);
	/* The key of the next block tells, if it can be had and the name differs from it. */
	if (next != b && (part != next || i < FILES / 2))
		lost |= is_on_the_way(part, blocks, next);
	strcat(name, "!");
	assert_int_equal(index_lookup(f->index, &directory, name, strlen(name), &id),
	                 lost ? STATUS_DAMAGED : STATUS_NOENT);
}

/* Whatever is lost beside its way. */
static void a_name_whose_way_is_whole_is_found(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	add_entries(&f);
	for (size_t part = 0; part < f.part_count; part += part < f.part_count - 5 ? 11 : 1) {
		uint32_t first = (uint32_t)part * FORMAT_ENTRIES_PER_BLOCK;

		open_without(&f, part);
		for (uint32_t i = 1; i < 1 + FILES + FOLDERS; i += 1 + random_below(1000))
			look_up_without(&f, part, i);
		/* And at the ends of what is lost. */
		for (uint32_t i = max_u64(first, 2) - 1; i < first + FORMAT_ENTRIES_PER_BLOCK + 2;
		     i++)
			if (i < 1 + FILES + FOLDERS)
				look_up_without(&f, part, i);
		close_index(&f);
	}
	open_index(&f);
	end(&f);
}

/* Of the blocks with names that are alike 110 are lost: a name is found, or may be lost, and
 * few are tried. */
static void much_that_is_lost_is_not_gone_through(void **state)
{
	enum { FIRST = 20, BEHIND = 130, READS = 64 + 14 };
	struct format_entry directory;
	char name[FORMAT_NAME + 1], root[FORMAT_NAME + 1];
	unsigned found = 0, damaged = 0;
	struct fixture f;
	uint32_t id;

	(void)state;
	make(&f);
	add_entries(&f);
	f.lost_begin = f.part[FIRST].off;
	f.lost_end = f.part[BEHIND].off;
	open_index(&f);
	describe_entry(&directory, root, 0);
	for (uint32_t i = 0; i < FILES / 2; i += 1 + random_below(200)) {
		unsigned before = f.reads;
		int status;

		name_of(name, i);
		status = index_lookup(f.index, &directory, name, strlen(name), &id);
		assert_true(f.reads - before <= READS);
		assert_true(status == STATUS_OK ? id == i + 1 : status == STATUS_DAMAGED);
		*(status ? &damaged : &found) += 1;
	}
	assert_true(found > 10 && damaged > 50);
	end(&f);
}

/* Three levels of nodes, and of those over blocks none can be had: 20,000 in what could
 * be a file of 400 MB.  Each is tried twice at most, and not all are. */
static void a_forest_of_lost_nodes_is_not_gone_through(void **state)
{
	enum { TRUNKS = 80, STRIDE = (FORMAT_FANOUT + 1) * FORMAT_NODE, READS = 2 * 4096 + 100 };
	const uint64_t blocks = UINT64_C(1) * TRUNKS * FORMAT_FANOUT * FORMAT_FANOUT;
	struct format_ref ref[FORMAT_FANOUT], trunk[TRUNKS];
	const struct format_segment *got;
	struct fixture f;

	(void)state;
	make(&f);
	f.bytes = realloc(f.bytes, (TRUNKS + 1) * (size_t)STRIDE);
	f.stride = STRIDE;
	memset(ref, 0, sizeof ref);
	for (size_t i = 0; i < TRUNKS; i++) {
		for (size_t j = 0; j < FORMAT_FANOUT; j++, f.len += FORMAT_NODE) {
			ref[j].off = f.len;
			ref[j].stored_len = ref[j].raw_len = FORMAT_NODE;
		}
		trunk[i] = store_node(&f, ref, FORMAT_FANOUT);
	}
	f.len += STRIDE - TRUNKS * FORMAT_REF;
	f.content.table[TABLE_SEGMENTS].top = store_node(&f, trunk, TRUNKS);
	f.content.table[TABLE_SEGMENTS].records = blocks * FORMAT_SEGMENTS_PER_BLOCK;
	open_index(&f);
	assert_int_equal(index_segment_at(f.index, 5, &got), STATUS_DAMAGED);
	assert_in_range(f.reads, 4096, READS);
	end(&f);
}

static void a_changed_block_is_seen(void **state)
{
	const struct format_entry *e;
	struct fixture f;

	(void)state;
	make(&f);
	add_entries(&f);
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		f.content.is_signed = is_signed;
		for (int i = 0; i < 60; i++) {
			size_t at = random_below((uint32_t)f.len);
			uint64_t blocks =
				format_block_count(TABLE_ENTRIES, f.content.table[0].records);
			unsigned bad = 0;

			open_index(&f);
			f.bytes[at] ^= 1;
			for (uint64_t b = 0; b < blocks; b++) {
				int status = index_check_block(f.index, TABLE_ENTRIES, b);

				if (!status)
					continue;
				assert_int_equal(status,
				                 is_signed ? STATUS_ALTERED : STATUS_INVALID);
				bad++;
			}
			f.bytes[at] ^= 1;
			assert_true(bad >= 1);
			close_index(&f);
		}
	}
	open_index(&f);
	f.fail = STATUS_DAMAGED;
	assert_int_equal(index_entry(f.index, 5, &e), STATUS_DAMAGED);
	f.fail = STATUS_OK; /* and nothing of it stays in the cache */
	assert_int_equal(index_entry(f.index, 5, &e), STATUS_OK);
	assert_int_equal(e->id, 5);
	end(&f);
}

/* A reference whose key is not that of what it leads to. */
static void a_wrong_key_is_seen(void **state)
{
	const uint8_t run[FORMAT_RUN] = {[16] = 1}, heap[8] = {0};
	uint8_t key[16] = {0};

	(void)state;
	for (int i = 0; i < 32; i++) {
		struct fixture f;
		enum format_table_no table = i < 16 ? TABLE_RUNS : TABLE_HEAP;

		make(&f);
		key[i % 16] = 1;
		add_block(&f, table == TABLE_RUNS ? run : heap,
		          table == TABLE_RUNS ? sizeof run : sizeof heap, key);
		key[i % 16] = 0;
		end_table(&f, table, table == TABLE_RUNS ? 1 : 8);
		open_index(&f);
		assert_int_equal(index_check_block(f.index, table, 0), STATUS_INVALID);
		end(&f);
	}
}

/* --- segments ------------------------------------------------------------------------------ */

enum { SEGMENTS = 512 * 300 + 7 }; /* two levels of nodes */

static void add_segments(struct fixture *f, struct format_segment *s)
{
	static uint8_t raw[FORMAT_SEGMENT_BLOCK];
	uint64_t addr = 0, off = 0;

	for (uint32_t i = 0; i < SEGMENTS; i++) {
		s[i] = (struct format_segment){.addr = addr, .off = off, .frame = random_below(2)};
		s[i].plain_len = 2 + random_below(s[i].frame ? FORMAT_FRAME - 2 : 1000000);
		s[i].stored_len = s[i].frame ? 1 + random_below((uint32_t)s[i].plain_len - 1)
		                             : s[i].plain_len;
		addr += s[i].plain_len;
		off += s[i].stored_len;
	}
	for (uint32_t i = 0; i < SEGMENTS; i += FORMAT_SEGMENTS_PER_BLOCK) {
		unsigned n = (unsigned)min_u64(SEGMENTS - i, FORMAT_SEGMENTS_PER_BLOCK);
		uint8_t key[16];

		store_le64(key, s[i].addr);
		store_le64(key + 8, s[i].off);
		add_block(f, raw, format_segments_encode(raw, s + i, n), key);
	}
	end_table(f, TABLE_SEGMENTS, SEGMENTS);
	f->content.plain_len = addr;
	f->content.content_len = off;
}

static void every_address_has_its_segment(void **state)
{
	struct format_segment *s = calloc(SEGMENTS, sizeof *s);
	const struct format_segment *got;
	struct fixture f;

	(void)state;
	make(&f);
	add_segments(&f, s);
	open_index(&f);
	for (int i = 0; i < 3000; i++) {
		uint32_t n = random_below(SEGMENTS);
		uint64_t at[] = {0, s[n].plain_len - 1, random_below((uint32_t)s[n].plain_len)};

		assert_int_equal(index_segment(f.index, n, &got), STATUS_OK);
		assert_true(got->addr == s[n].addr && got->stored_len == s[n].stored_len);
		for (int j = 0; j < 3; j++) {
			assert_int_equal(index_segment_at(f.index, s[n].addr + at[j], &got),
			                 STATUS_OK);
			assert_true(got->addr == s[n].addr && got->off == s[n].off &&
			            got->frame == s[n].frame);
		}
	}
	assert_int_equal(index_segment(f.index, SEGMENTS, &got), STATUS_INVALID);
	assert_int_equal(index_segment_at(f.index, f.content.plain_len, &got), STATUS_INVALID);
	end(&f);
	free(s);
}

/* Where to go on behind segment n, if a part is lost. */
static uint64_t next_without(const struct fixture *f, const struct format_segment *s, size_t part,
                             uint32_t n)
{
	const uint64_t blocks = div_ceil(SEGMENTS, FORMAT_SEGMENTS_PER_BLOCK);
	uint64_t b = n / FORMAT_SEGMENTS_PER_BLOCK + 1;

	/* Of a block that is lost the place is known. */
	while (b < blocks && part >= blocks && is_on_the_way(part, blocks, b))
		b++;
	return b < blocks ? s[b * FORMAT_SEGMENTS_PER_BLOCK].addr : f->content.plain_len;
}

static void an_address_whose_way_is_whole_is_found(void **state)
{
	const uint64_t blocks = div_ceil(SEGMENTS, FORMAT_SEGMENTS_PER_BLOCK);
	struct format_segment *s = calloc(SEGMENTS, sizeof *s);
	const struct format_segment *got;
	struct fixture f;

	(void)state;
	make(&f);
	add_segments(&f, s);
	for (size_t part = 0; part < f.part_count; part += part < f.part_count - 5 ? 11 : 1) {
		open_without(&f, part);
		for (uint32_t n = 0; n < SEGMENTS; n += 1 + random_below(700)) {
			uint64_t b = n / FORMAT_SEGMENTS_PER_BLOCK,
				 addr = s[n].addr + random_below((uint32_t)s[n].plain_len);
			bool lost = is_on_the_way(part, blocks, b);

			assert_int_equal(index_segment_at(f.index, addr, &got),
			                 lost ? STATUS_DAMAGED : STATUS_OK);
			if (!lost)
				assert_true(got->addr == s[n].addr);
			else
				assert_true(index_next_address(f.index, addr) ==
				            next_without(&f, s, part, n));
		}
		close_index(&f);
	}
	open_index(&f);
	end(&f);
	free(s);
}

/* --- runs ------------------------------------------------------------------------------------ */

enum { RUNS = 5000, RUNS_BEFORE = 700 };

static void add_runs(struct fixture *f, struct format_run *run, uint64_t *size)
{
	uint64_t off = 0;

	for (uint32_t i = 0; i < RUNS_BEFORE + RUNS; i++) {
		if (i == RUNS_BEFORE)
			off = 0; /* of another file */
		off += random_below(3) ? random_below(100) : 0;
		run[i] = (struct format_run){off, i, 1 + random_below(50)};
		off += run[i].len;
	}
	*size = off + 33;
	for (uint32_t i = 0; i < RUNS_BEFORE + RUNS; i += FORMAT_RUNS_PER_BLOCK) {
		uint32_t n = (uint32_t)min_u64(RUNS_BEFORE + RUNS - i, FORMAT_RUNS_PER_BLOCK);
		static uint8_t raw[FORMAT_RUNS_PER_BLOCK * FORMAT_RUN];
		uint8_t key[16] = {0};

		for (uint32_t j = 0; j < n; j++)
			format_run_encode(raw + j * FORMAT_RUN, &run[i + j]);
		store_le64(key, run[i].file_off);
		add_block(f, raw, n * FORMAT_RUN, key);
	}
	end_table(f, TABLE_RUNS, RUNS_BEFORE + RUNS);
}

/* The first run of the file behind off. */
static uint32_t behind(const struct format_run *run, uint64_t off)
{
	uint32_t n = RUNS_BEFORE;

	while (n < RUNS_BEFORE + RUNS && run[n].file_off <= off)
		n++;
	return n;
}

static void every_offset_has_its_run(void **state)
{
	static struct format_run run[RUNS_BEFORE + RUNS];
	struct format_entry file = {.sparse = true, .place = RUNS_BEFORE, .runs = RUNS};
	struct format_run got;
	struct fixture f;
	uint64_t next;

	(void)state;
	make(&f);
	add_runs(&f, run, &file.size);
	open_index(&f);
	for (int i = 0; i < 3000; i++) {
		uint64_t off = random_below((uint32_t)file.size);
		uint32_t n = behind(run, off);
		int found = index_run_at(f.index, &file, off, &got, &next);

		assert_int_equal(found, n > RUNS_BEFORE);
		assert_true(next == (n < RUNS_BEFORE + RUNS ? run[n].file_off : file.size));
		if (found)
			assert_true(got.file_off == run[n - 1].file_off &&
			            got.addr == run[n - 1].addr);
	}
	file.runs = 0;
	assert_int_equal(index_run_at(f.index, &file, 5, &got, &next), 0);
	assert_true(next == file.size);
	end(&f);
}

/* Of the runs before and behind the block that is lost every one, up to where it begins. */
static void look_for_runs_without(struct fixture *f, const struct format_run *run, uint64_t lost,
                                  uint64_t size)
{
	struct format_entry file = {
		.sparse = true, .place = RUNS_BEFORE, .runs = RUNS, .size = size};
	struct format_run got;
	uint64_t next;

	for (uint64_t off = 0; off < size; off += random_below(9)) {
		uint32_t n = behind(run, off), own = n > RUNS_BEFORE ? n - 1 : n;
		int found = index_run_at(f->index, &file, off, &got, &next);

		if (own / FORMAT_RUNS_PER_BLOCK == lost) {
			assert_int_equal(found, STATUS_DAMAGED);
			continue;
		}
		assert_int_equal(found, n > RUNS_BEFORE);
		assert_true(next == (n < RUNS_BEFORE + RUNS ? run[n].file_off : size));
		if (found)
			assert_true(got.file_off == run[n - 1].file_off);
	}
}

static void a_run_is_found_whatever_is_lost_beside_it(void **state)
{
	static struct format_run run[RUNS_BEFORE + RUNS];
	struct fixture f;
	uint64_t size;

	(void)state;
	make(&f);
	add_runs(&f, run, &size);
	assert_true(f.part_count > 4);
	for (size_t part = 0; part < f.part_count - 1; part++) {
		open_without(&f, part);
		look_for_runs_without(&f, run, part, size);
		close_index(&f);
	}
	open_index(&f);
	end(&f);
}

/* Two nodes, and the second is lost: of the first one's last run every byte can be had, and
 * what is behind it is not taken for a hole. */
static void a_run_before_a_lost_node_is_whole(void **state)
{
	enum { FEW = FORMAT_FANOUT * FORMAT_RUNS_PER_BLOCK };
	struct format_entry file = {.sparse = true, .runs = FEW + 1, .size = 10 * (FEW + 1)};
	const uint64_t last = 10 * (FEW - 1);
	struct format_run got;
	struct fixture f;
	uint64_t next;

	(void)state;
	make(&f);
	for (uint64_t i = 0; i <= FEW; i += FORMAT_RUNS_PER_BLOCK) {
		static uint8_t raw[FORMAT_RUNS_PER_BLOCK * FORMAT_RUN];
		uint64_t n = min_u64(FEW + 1 - i, FORMAT_RUNS_PER_BLOCK);
		uint8_t key[16] = {0};

		for (uint64_t j = 0; j < n; j++)
			format_run_encode(raw + j * FORMAT_RUN,
			                  &(struct format_run){10 * (i + j), i + j, 5});
		store_le64(key, 10 * i);
		add_block(&f, raw, n * FORMAT_RUN, key);
	}
	end_table(&f, TABLE_RUNS, FEW + 1);
	open_without(&f, FORMAT_FANOUT + 2);
	assert_int_equal(index_run_at(f.index, &file, last + 4, &got, &next), 1);
	assert_true(got.file_off == last && next == last + 5);
	assert_int_equal(index_run_at(f.index, &file, last + 5, &got, &next), STATUS_DAMAGED);
	end(&f);
}

static void runs_that_overlap_are_refused(void **state)
{
	static const struct format_run run[] = {{0, 0, 10}, {9, 20, 5}};
	struct format_entry file = {.sparse = true, .runs = 2, .size = 100};
	uint8_t raw[2 * FORMAT_RUN], key[16] = {0};
	struct format_run got;
	struct fixture f;
	uint64_t next;

	(void)state;
	make(&f);
	for (int i = 0; i < 2; i++)
		format_run_encode(raw + i * FORMAT_RUN, &run[i]);
	add_block(&f, raw, sizeof raw, key);
	end_table(&f, TABLE_RUNS, 2);
	open_index(&f);
	assert_int_equal(index_run_at(f.index, &file, 5, &got, &next), STATUS_INVALID);
	assert_int_equal(index_run_at(f.index, &file, 9, &got, &next), 1);
	end(&f);
}

/* --- heap, leaf sums ------------------------------------------------------------------------------ */

static void the_heap_is_one_run_of_bytes(void **state)
{
	enum { LEN = 3 * FORMAT_HEAP_BLOCK + 1234 };
	uint8_t *heap = malloc(LEN), *out = malloc(LEN), key[16] = {0};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		heap[i] = (uint8_t)random_below(256);
	make(&f);
	for (size_t i = 0; i < LEN; i += FORMAT_HEAP_BLOCK)
		add_block(&f, heap + i, (size_t)min_u64(LEN - i, FORMAT_HEAP_BLOCK), key);
	end_table(&f, TABLE_HEAP, LEN);
	open_index(&f);
	for (int i = 0; i < 500; i++) {
		uint32_t off = random_below(LEN), len = random_below(LEN - off + 1);

		assert_int_equal(index_heap(f.index, off, len, out), STATUS_OK);
		assert_memory_equal(out, heap + off, len);
	}
	assert_int_equal(index_heap(f.index, LEN, 0, out), STATUS_OK);
	assert_int_equal(index_heap(f.index, LEN - 3, 4, out), STATUS_INVALID);
	assert_int_equal(index_heap(f.index, UINT64_MAX, 4, out), STATUS_INVALID);
	end(&f);
	free(heap);
	free(out);
}

static void leaf_sums_are_found(void **state)
{
	enum { SUMS = 1100 };
	static uint8_t sums[SUMS * FORMAT_DIGEST];
	uint8_t key[16] = {0}, digest[FORMAT_DIGEST];
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof sums; i++)
		sums[i] = (uint8_t)random_below(256);
	make(&f);
	for (size_t i = 0; i < SUMS; i += 512)
		add_block(&f, sums + i * FORMAT_DIGEST,
		          (size_t)min_u64(SUMS - i, 512) * FORMAT_DIGEST, key);
	end_table(&f, TABLE_LEAF_SUMS, SUMS);
	open_index(&f);
	for (uint64_t j = 0; j < SUMS; j++) {
		assert_int_equal(index_leaf_sum(f.index, j, digest), STATUS_OK);
		assert_memory_equal(digest, sums + j * FORMAT_DIGEST, FORMAT_DIGEST);
	}
	assert_int_equal(index_leaf_sum(f.index, SUMS, digest), STATUS_INVALID);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_lost_node_leads_to_is_lost_alone),
		cmocka_unit_test(a_node_leads_nowhere_again),
		cmocka_unit_test(a_node_does_not_lead_back),
		cmocka_unit_test(a_node_leads_to_nothing_behind_it),
		cmocka_unit_test(every_name_is_found_and_no_other),
		cmocka_unit_test(a_look_up_reads_little),
		cmocka_unit_test(a_name_whose_way_is_whole_is_found),
		cmocka_unit_test(much_that_is_lost_is_not_gone_through),
		cmocka_unit_test(a_forest_of_lost_nodes_is_not_gone_through),
		cmocka_unit_test(a_changed_block_is_seen),
		cmocka_unit_test(a_wrong_key_is_seen),
		cmocka_unit_test(every_address_has_its_segment),
		cmocka_unit_test(every_offset_has_its_run),
		cmocka_unit_test(an_address_whose_way_is_whole_is_found),
		cmocka_unit_test(a_run_is_found_whatever_is_lost_beside_it),
		cmocka_unit_test(a_run_before_a_lost_node_is_whole),
		cmocka_unit_test(runs_that_overlap_are_refused),
		cmocka_unit_test(the_heap_is_one_run_of_bytes),
		cmocka_unit_test(leaf_sums_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
