#include "tests/unit/unit.h"

#include "common/arena.h"
#include "common/bytes.h"
#include "common/gf.h"
#include "common/pages.h"
#include "common/repair.h"
#include "common/seal.h"
#include "common/source.h"
#include "common/status.h"

static const uint8_t key[FORMAT_KEY] = {'k'};

static uint32_t random_below(uint32_t limit)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % limit;
}

/* Byte i of the stream. */
static uint8_t byte_at(uint64_t i)
{
	uint64_t x = (i / 64 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(x >> 32 ^ x >> 17 ^ i);
}

/* --- a compartment in memory, by the letter of the manual ---------------------------- */

struct volume {
	struct arena *arena;
	struct repair *repair;
	struct pages_io io;
	struct seal *seal;
	struct source *source;
	struct pages *pages;
	struct format_geometry geometry;
	struct format_parity parity;
	struct format_slot slot;
	struct format_layout layout;
	uint32_t *place; /* page of the file of each logical page */
	uint8_t *file;
	uint8_t *out; /* the whole stream fits */
};

/* k of the slices, spread by a rule that leaves some out at both ends. */
static void choose_slices(struct volume *v, uint32_t k)
{
	uint32_t n = v->geometry.slice_count, chosen = 0;

	for (uint32_t q = 0; q < n; q++) {
		bool take = n - q == k - chosen || (chosen < k && random_below(n - q) < k - chosen);

		if (!take)
			continue;
		v->layout.map[q / 8] |= (uint8_t)(1u << q % 8);
		chosen++;
	}
	v->layout.owned = (uint16_t)k;
}

/* Go through all pages that are owned, one by one: the roots, then the others in
 * order. */
static void place_pages(struct volume *v)
{
	uint32_t s = v->geometry.slice_pages, k = v->layout.owned, x = 0, t = 0;

	v->place = calloc((size_t)k * s, sizeof *v->place);
	for (uint32_t q = 0; q < v->geometry.slice_count; q++) {
		if (!(v->layout.map[q / 8] >> q % 8 & 1))
			continue;
		for (uint32_t i = 0; i < s; i++, x++) {
			if (x == 0)
				v->slot.root_page[0] = q * s + i;
			else if (x == k / 2 * s)
				v->slot.root_page[1] = q * s + i;
			else if (x == k * s - 1)
				v->slot.root_page[2] = q * s + i;
			else
				v->place[t++] = q * s + i;
		}
	}
}

static void seal_logical(struct volume *v, uint32_t t, const uint8_t payload[static FORMAT_PAYLOAD])
{
	seal_page(v->seal, key, SEAL_PAGE, t, payload, v->file + format_page_offset(v->place[t]));
}

static void data_payload(uint32_t i, uint8_t payload[static FORMAT_PAYLOAD])
{
	for (uint32_t b = 0; b < FORMAT_PAYLOAD; b++)
		payload[b] = byte_at((uint64_t)i * FORMAT_PAYLOAD + b);
}

/* Each band: its data pages, then parity. */
static void write_pages(struct volume *v)
{
	const struct format_parity *p = &v->parity;
	uint8_t payload[FORMAT_PAYLOAD], sum[FORMAT_PAYLOAD];
	uint32_t t = 0, first = 0;

	for (uint32_t band = 0; band < (p->m ? p->bands : 1); band++) {
		uint32_t d = p->m ? format_band_pages(p, band) : p->data_pages;

		for (uint32_t i = 0; i < d; i++) {
			data_payload(first + i, payload);
			seal_logical(v, t++, payload);
		}
		for (uint32_t i = 0; i < p->m * p->columns; i++) {
			memset(sum, 0, sizeof sum);
			for (uint32_t row = (d + i) % p->columns; row < d; row += p->columns) {
				data_payload(first + row, payload);
				gf_muladd(sum, payload,
				          gf_coefficient(i / p->columns, row / p->columns),
				          FORMAT_PAYLOAD);
			}
			seal_logical(v, t++, sum);
		}
		first += d;
	}
	assert_int_equal(t, p->data_pages + p->parity_pages);
}

static void volume_open(struct volume *v, uint32_t pages, uint32_t k, unsigned m,
                        uint32_t data_pages)
{
	uint64_t len = 2 * FORMAT_HEADER + (uint64_t)pages * FORMAT_PAGE;

	memset(v, 0, sizeof *v);
	assert_int_equal(format_geometry_make(&v->geometry, len), STATUS_OK);
	assert_int_equal(format_parity_make(&v->parity, m, data_pages), STATUS_OK);
	v->slot = (struct format_slot){
		.parity = (uint8_t)m,
		.volume_count = 1,
		.file_len = len,
		.data_pages = data_pages,
	};
	v->file = calloc(1, len);
	v->out = malloc((size_t)data_pages * FORMAT_PAYLOAD);
	assert_int_equal(seal_new(&v->seal), STATUS_OK);
	choose_slices(v, k);
	place_pages(v);
	write_pages(v);
	assert_int_equal(arena_new(&v->arena, 1 << 20, true), STATUS_OK);
	assert_int_equal(repair_new(&v->repair, v->arena), STATUS_OK);
	assert_int_equal(pages_io_init(&v->io, v->arena, v->repair), STATUS_OK);
	assert_int_equal(source_open_memory(&v->source, v->file, len), STATUS_OK);
	assert_int_equal(pages_open(&v->pages, v->source, key, &v->slot, &v->layout), STATUS_OK);
}

static void volume_close(struct volume *v)
{
	pages_close(v->pages);
	source_close(v->source);
	pages_io_fini(&v->io);
	repair_free(v->repair);
	arena_free(v->arena);
	seal_free(v->seal);
	free(v->place);
	free(v->file);
	free(v->out);
}

static void lose(struct volume *v, uint32_t t)
{
	v->file[format_page_offset(v->place[t]) + random_below(FORMAT_PAGE)] ^= 1;
}

/* Are len bytes at off what they should be? */
static bool reads(struct volume *v, uint64_t off, size_t len)
{
	if (pages_read(v->pages, &v->io, off, len, v->out) != STATUS_OK)
		return false;
	for (size_t i = 0; i < len; i++)
		if (v->out[i] != byte_at(off + i))
			fail_msg("byte %zu of %zu at %llu", i, len, (unsigned long long)off);
	return true;
}

/* --- where pages are ------------------------------------------------------------------- */

static void pages_lie_where_the_manual_says(void **state)
{
	static const struct {
		uint32_t pages, k;
	} row[] = {
		{3, 3},    {4, 3},    {10, 3},     {10, 4},    {10, 5},    {10, 10},
		{99, 50},  {8192, 3}, {8192, 100}, {8193, 3},  {8193, 4},  {8193, 5},
		{9001, 4}, {9001, 7}, {16384, 10}, {16385, 3}, {40000, 6}, {40000, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct volume v;
		uint32_t logical;

		memset(&v, 0, sizeof v);
		assert_int_equal(format_geometry_make(&v.geometry,
		                                      2 * FORMAT_HEADER +
		                                              (uint64_t)row[i].pages * FORMAT_PAGE),
		                 STATUS_OK);
		v.slot = (struct format_slot){
			.volume_count = 1, .file_len = v.geometry.file_len, .data_pages = 1};
		choose_slices(&v, row[i].k);
		place_pages(&v);
		assert_int_equal(pages_open(&v.pages, NULL, key, &v.slot, &v.layout), STATUS_OK);
		logical = row[i].k * v.geometry.slice_pages - FORMAT_ROOTS;
		for (uint32_t t = 0; t < logical; t++)
			assert_true(pages_offset(v.pages, t) == format_page_offset(v.place[t]));
		for (unsigned c = 0; c < FORMAT_ROOTS; c++)
			assert_int_equal(pages_root_page(v.pages, c), v.slot.root_page[c]);
		pages_close(v.pages);
		free(v.place);
	}
}

/* --- reading ---------------------------------------------------------------------------- */

static void any_part_of_the_stream_can_be_read(void **state)
{
	static const struct {
		uint32_t pages, k;
		unsigned m;
		uint32_t data;
	} row[] = {
		{10, 4, 0, 1},
		{300, 100, 0, 97},
		{300, 100, 2, 90},
		{9000, 60, 4, 100},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct volume v;
		uint64_t len = (uint64_t)row[i].data * FORMAT_PAYLOAD;

		volume_open(&v, row[i].pages, row[i].k, row[i].m, row[i].data);
		assert_true(reads(&v, 0, (size_t)len));
		assert_true(reads(&v, len - 1, 1));
		assert_true(reads(&v, len, 0));
		assert_int_equal(pages_read(v.pages, &v.io, len, 1, v.out), STATUS_INVALID);
		assert_int_equal(pages_read(v.pages, &v.io, UINT64_MAX, 2, v.out), STATUS_INVALID);
		for (int j = 0; j < 300; j++) {
			uint64_t off = random_below((uint32_t)len);
			uint64_t most =
				min_u64(len - off, random_below(3) ? 5 * FORMAT_PAYLOAD : 200);

			assert_true(reads(&v, off, (size_t)random_below((uint32_t)most + 1)));
		}
		assert_int_equal(v.pages->health.repaired + v.pages->health.lost, 0);
		volume_close(&v);
	}
}

static void without_parity_a_lost_page_costs_itself(void **state)
{
	struct volume v;

	(void)state;
	volume_open(&v, 200, 100, 0, 50);
	lose(&v, 20);
	memset(v.out, 0xee, 3 * FORMAT_PAYLOAD);
	assert_int_equal(pages_read(v.pages, &v.io, 19 * FORMAT_PAYLOAD, 3 * FORMAT_PAYLOAD, v.out),
	                 STATUS_DAMAGED);
	for (size_t i = 0; i < 3 * FORMAT_PAYLOAD; i++)
		assert_int_equal(v.out[i], 0);
	assert_true(reads(&v, 0, 20 * FORMAT_PAYLOAD));
	assert_true(reads(&v, 21 * FORMAT_PAYLOAD, 29 * FORMAT_PAYLOAD));
	assert_int_equal(v.pages->health.lost, 1);
	assert_int_equal(pages_read(v.pages, &v.io, 20 * FORMAT_PAYLOAD, 1, v.out), STATUS_DAMAGED);
	assert_int_equal(v.pages->health.lost, 1); /* counted once */
	volume_close(&v);
}

/* --- repairing ---------------------------------------------------------------------------- */

static void a_burst_of_m_columns_is_repaired_everywhere(void **state)
{
	static const unsigned ms[] = {2, 4, 8, 16};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const unsigned m = ms[i];
		uint32_t all;
		struct volume v;

		volume_open(&v, 600, 400, m, 150);
		all = v.parity.data_pages + v.parity.parity_pages;
		for (uint32_t first = 0; first < all;
		     first += 1 + random_below(m * v.parity.columns)) {
			uint32_t n = (uint32_t)min_u64(m * v.parity.columns, all - first);

			for (uint32_t t = first; t < first + n; t++)
				v.file[format_page_offset(v.place[t])] ^= 1;
			assert_true(reads(&v, 0, 150 * FORMAT_PAYLOAD));
			for (uint32_t t = first; t < first + n; t++)
				v.file[format_page_offset(v.place[t])] ^= 1;
		}
		assert_int_equal(v.pages->health.lost, 0);
		assert_true(v.pages->health.repaired > 140);
		volume_close(&v);
	}
}

/* Of one column. */
static void m_lost_pages_are_repaired_and_no_more(void **state)
{
	static const unsigned ms[] = {2, 4, 8, 16};

	(void)state;
	for (int i = 0; i < 24; i++) {
		const unsigned m = ms[i % 4];
		uint32_t columns, row, lost = 0;
		struct volume v;

		volume_open(&v, 300, 150, m, 100);
		columns = v.parity.columns;
		while (lost < m) {
			row = random_below(100 / columns);
			if (v.out[row] == 0xdd)
				continue;
			v.out[row] = 0xdd;
			lose(&v, row * columns);
			lost++;
		}
		assert_true(reads(&v, 0, 100 * FORMAT_PAYLOAD));
		assert_int_equal(v.pages->health.repaired, m);
		/* One more, a parity page of the same column. */
		for (uint32_t p = 0; p < m * columns; p++)
			if ((100 + p) % columns == 0) {
				lose(&v, 100 + p);
				break;
			}
		assert_int_equal(pages_read(v.pages, &v.io, 0, 100 * FORMAT_PAYLOAD, v.out),
		                 STATUS_DAMAGED);
		assert_true(reads(&v, FORMAT_PAYLOAD, columns > 1 ? FORMAT_PAYLOAD : 0));
		volume_close(&v);
	}
}

static void a_short_medium_is_lost_pages(void **state)
{
	struct volume v;
	struct source *cut;

	(void)state;
	volume_open(&v, 150, 120, 4, 100);
	assert_int_equal(
		source_open_memory(&cut, v.file,
	                           format_page_offset(v.place[v.parity.data_pages - 3]) + 5),
		STATUS_OK);
	pages_close(v.pages);
	assert_int_equal(pages_open(&v.pages, cut, key, &v.slot, &v.layout), STATUS_OK);
	/* Parity is gone with them. */
	assert_int_equal(pages_read(v.pages, &v.io, 98 * FORMAT_PAYLOAD, 1, v.out), STATUS_DAMAGED);
	assert_true(reads(&v, 0, 97 * FORMAT_PAYLOAD));
	source_close(cut);
	volume_close(&v);
}

static void pages_are_checked_one_by_one(void **state)
{
	struct volume v;
	uint32_t all;

	(void)state;
	volume_open(&v, 300, 200, 2, 130);
	all = v.parity.data_pages + v.parity.parity_pages;
	lose(&v, 7);
	lose(&v, all - 1);
	for (uint32_t t = 0; t < all; t++)
		assert_int_equal(pages_check_logical(v.pages, &v.io, t),
		                 t == all - 1 ? STATUS_DAMAGED : STATUS_OK);
	assert_int_equal(v.pages->health.repaired, 1);
	assert_int_equal(v.pages->health.parity, 1);
	assert_int_equal(v.pages->health.lost, 0);
	volume_close(&v);
}

/* --- roots ------------------------------------------------------------------------------------ */

static void roots_are_tried_in_order(void **state)
{
	uint8_t payload[FORMAT_PAYLOAD] = {'r'}, *got;
	struct volume v;
	unsigned bad;

	(void)state;
	volume_open(&v, 50, 20, 0, 10);
	got = arena_alloc(v.arena, FORMAT_PAYLOAD);
	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		seal_page(v.seal, key, SEAL_ROOT, c, payload,
		          v.file + format_page_offset(v.slot.root_page[c]));
	for (unsigned c = 0; c < FORMAT_ROOTS; c++) {
		assert_int_equal(pages_read_root(&v.io, v.source, &v.slot, key, got, &bad),
		                 STATUS_OK);
		assert_memory_equal(got, payload, FORMAT_PAYLOAD);
		assert_int_equal(bad, (1u << c) - 1);
		v.file[format_page_offset(v.slot.root_page[c]) + 77] ^= 4;
	}
	assert_int_equal(pages_read_root(&v.io, v.source, &v.slot, key, got, &bad), STATUS_DAMAGED);
	assert_int_equal(bad, 7);
	volume_close(&v);
}

/* A page that is moved to another place is lost, though its tag is right. */
static void pages_cannot_be_moved(void **state)
{
	struct volume v;

	(void)state;
	volume_open(&v, 50, 20, 0, 10);
	memcpy(v.file + format_page_offset(v.place[1]), v.file + format_page_offset(v.place[2]),
	       FORMAT_PAGE);
	assert_int_equal(pages_read(v.pages, &v.io, FORMAT_PAYLOAD, 1, v.out), STATUS_DAMAGED);
	assert_true(reads(&v, 2 * FORMAT_PAYLOAD, FORMAT_PAYLOAD));
	volume_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_lie_where_the_manual_says),
		cmocka_unit_test(any_part_of_the_stream_can_be_read),
		cmocka_unit_test(without_parity_a_lost_page_costs_itself),
		cmocka_unit_test(a_burst_of_m_columns_is_repaired_everywhere),
		cmocka_unit_test(m_lost_pages_are_repaired_and_no_more),
		cmocka_unit_test(a_short_medium_is_lost_pages),
		cmocka_unit_test(pages_are_checked_one_by_one),
		cmocka_unit_test(roots_are_tried_in_order),
		cmocka_unit_test(pages_cannot_be_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
