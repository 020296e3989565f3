#include "tests/unit/volume.h"

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

/* For some time whoever asks for it again waits for the page alone, which may be there by
 * now; then the others of its column may be. */
static void a_lost_page_is_tried_to_be_repaired_now_and_then(void **state)
{
	struct volume v;
	uint64_t before;

	(void)state;
	volume_open(&v, 300, 150, 2, 100);
	flip(&v, 0);
	for (uint32_t row = 1; row < 3; row++)
		flip(&v, 100 - row * v.parity.columns);
	before = source_read_count(v.source);
	assert_false(reads(&v, 0, 1));
	assert_true(source_read_count(v.source) - before > 2 * 10);
	before = source_read_count(v.source);
	for (int i = 0; i < 10; i++)
		assert_false(reads(&v, 0, 1));
	assert_true(source_read_count(v.source) - before <= 2 * 10);
	flip(&v, 0);
	assert_true(reads(&v, 0, 1));
	flip(&v, 0);
	v.io.held = NULL;
	flip(&v, 100 - v.parity.columns);
	assert_false(reads(&v, 0, 1));
	atomic_store(&v.pages->health.gone_till, 0);
	assert_true(reads(&v, 0, 1));
	volume_close(&v);
}

/* Nor is one put off by another that is lost when its time is over. */
static void a_page_that_is_lost_later_puts_no_other_off(void **state)
{
	struct volume v;
	uint32_t far;

	(void)state;
	volume_open(&v, 300, 150, 2, 100);
	far = 1; /* in another column */
	for (uint32_t row = 0; row < 3; row++) {
		flip(&v, 0 + row * v.parity.columns);
		flip(&v, far + row * v.parity.columns);
	}
	assert_false(reads(&v, 0, 1));
	atomic_store(&v.pages->health.gone_till, 0);
	assert_false(reads(&v, (uint64_t)far * FORMAT_PAYLOAD, 1));
	flip(&v, 0);
	assert_true(reads(&v, 0, 1));
	volume_close(&v);
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

/* Whatever is changed of a page, who looks at it and who does not find it. */
static void a_page_is_checked_as_it_is_opened(void **state)
{
	static const size_t at[] = {
		0, 63, 64, 9999, FORMAT_PAYLOAD - 1, FORMAT_PAYLOAD, FORMAT_PAGE - 1};
	uint8_t payload[FORMAT_PAYLOAD], *page;
	struct volume v;

	(void)state;
	volume_open(&v, 50, 20, 0, 10);
	page = v.file + format_page_offset(v.place[3]);
	assert_int_equal(seal_check_page(key, SEAL_PAGE, 3, page), STATUS_OK);
	assert_int_equal(seal_check_page(key, SEAL_PAGE, 2, page), STATUS_DAMAGED);
	assert_int_equal(seal_check_page(key, SEAL_ROOT, 3, page), STATUS_DAMAGED);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		page[at[i]] ^= 0x10;
		assert_int_equal(seal_open_page(v.seal, key, SEAL_PAGE, 3, page, payload),
		                 STATUS_DAMAGED);
		assert_int_equal(seal_check_page(key, SEAL_PAGE, 3, page), STATUS_DAMAGED);
		assert_int_equal(pages_check_logical(v.pages, &v.io, 3), STATUS_DAMAGED);
		assert_int_equal(pages_read(v.pages, &v.io, 0, 10 * FORMAT_PAYLOAD, NULL),
		                 STATUS_DAMAGED);
		page[at[i]] ^= 0x10;
		assert_int_equal(pages_check_logical(v.pages, &v.io, 3), STATUS_OK);
		assert_int_equal(pages_read(v.pages, &v.io, 0, 10 * FORMAT_PAYLOAD, NULL),
		                 STATUS_OK);
	}
	volume_close(&v);
}

static void what_is_checked_only_is_repaired_and_counted(void **state)
{
	struct volume v;

	(void)state;
	volume_open(&v, 300, 200, 2, 130);
	lose(&v, 7);
	lose(&v, 50);
	assert_int_equal(pages_read(v.pages, &v.io, 7 * FORMAT_PAYLOAD + 5, 10, NULL), STATUS_OK);
	assert_int_equal(v.pages->health.repaired, 1);
	assert_int_equal(pages_read(v.pages, &v.io, 0, 130 * FORMAT_PAYLOAD, NULL), STATUS_OK);
	assert_int_equal(v.pages->health.repaired, 2);
	assert_int_equal(v.pages->health.lost, 0);
	/* The page that one read ends in and the next begins in. */
	assert_true(reads(&v, 3 * FORMAT_PAYLOAD, 100));
	assert_int_equal(pages_read(v.pages, &v.io, 3 * FORMAT_PAYLOAD, 9 * FORMAT_PAYLOAD, NULL),
	                 STATUS_OK);
	assert_true(reads(&v, 3 * FORMAT_PAYLOAD + 100, 100));
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
		cmocka_unit_test(a_lost_page_is_tried_to_be_repaired_now_and_then),
		cmocka_unit_test(a_page_that_is_lost_later_puts_no_other_off),
		cmocka_unit_test(a_short_medium_is_lost_pages),
		cmocka_unit_test(pages_are_checked_one_by_one),
		cmocka_unit_test(a_page_is_checked_as_it_is_opened),
		cmocka_unit_test(what_is_checked_only_is_repaired_and_counted),
		cmocka_unit_test(roots_are_tried_in_order),
		cmocka_unit_test(pages_cannot_be_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
