/* What parity promises, at every place: bursts, erasure patterns beside ISA-L's
 * own decoder, and a page made anew as it was.  SATCHEL_LONG=1: all of it, which
 * takes minutes; otherwise samples. */
#include "tests/unit/volume.h"

#include <isa-l/erasure_code.h>

enum { M_COUNT = 4 };
static const unsigned ms[M_COUNT] = {2, 4, 8, 16};

static bool is_long(void)
{
	return getenv("SATCHEL_LONG") != NULL;
}

static uint32_t all_pages(const struct volume *v)
{
	return v->parity.data_pages + v->parity.parity_pages;
}

/* Slices as small as they can be, a few more than are needed. */
static void open_volume(struct volume *v, unsigned m, uint32_t data_pages)
{
	struct format_parity parity;
	uint32_t pages, slice = 1, owned;

	assert_int_equal(format_parity_make(&parity, m, data_pages), STATUS_OK);
	pages = parity.data_pages + parity.parity_pages + FORMAT_ROOTS;
	while (pages / slice + 6 > FORMAT_MAX_SLICES)
		slice *= 2;
	owned = (pages + slice - 1) / slice;
	volume_open(v, (owned + 5) * slice, owned, m, data_pages);
	assert_int_equal(v->geometry.slice_pages, slice);
}

static void flip_burst(struct volume *v, uint32_t first, uint32_t count)
{
	for (uint32_t t = first; t < first + count; t++)
		flip(v, t);
}

/* --- bursts ------------------------------------------------------------------------ */

/* Columns of what lies at logical page t, counted through the bands by hand. */
static uint32_t column_of(const struct format_parity *p, uint32_t t, uint32_t *band)
{
	*band = 0;
	while (*band + 1 < p->bands && t >= (FORMAT_ROWS + p->m) * p->columns) {
		t -= (FORMAT_ROWS + p->m) * p->columns;
		++*band;
	}
	return t % p->columns;
}

/* No column loses more than m pages, wherever a burst begins. */
static void check_columns(const struct format_parity *p)
{
	uint32_t all = p->data_pages + p->parity_pages, burst = p->m * p->columns;
	uint32_t *lost = calloc((size_t)p->bands * p->columns, sizeof *lost), band, column;

	for (uint32_t t = 0; t < all; t++) {
		column = column_of(p, t, &band);
		assert_true(++lost[band * p->columns + column] <= p->m);
		if (t + 1 < burst)
			continue;
		column = column_of(p, t + 1 - burst, &band);
		lost[band * p->columns + column]--;
	}
	free(lost);
}

/* One page of a burst that is read: all columns of it are in the same state. */
static void check_burst(struct volume *v, uint32_t first)
{
	uint32_t all = all_pages(v), burst = v->parity.m * v->parity.columns;
	uint32_t count = (uint32_t)min_u64(burst, all - first), t;
	int64_t i = -1;

	flip_burst(v, first, count);
	t = first + random_below(count);
	for (uint32_t k = 0; k < count && i < 0; k++)
		i = pages_data_at(v->pages, first + (t - first + k) % count);
	if (i >= 0)
		assert_true(reads(v, (uint64_t)i * FORMAT_PAYLOAD, FORMAT_PAYLOAD));
	flip_burst(v, first, count);
}

static void bursts_are_repaired_at_every_offset(void **state)
{
	uint32_t step = is_long() ? 1 : 97;

	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++)
		for (uint32_t pages = 1; pages <= 400; pages++) {
			struct format_parity parity;
			struct volume v;
			uint32_t apart;

			assert_int_equal(format_parity_make(&parity, ms[k], pages), STATUS_OK);
			check_columns(&parity);
			if ((pages + k) % step != 0)
				continue;
			open_volume(&v, ms[k], pages);
			apart = is_long() ? 1 : 1 + all_pages(&v) / 16;
			for (uint32_t first = 0; first < all_pages(&v); first += apart)
				check_burst(&v, first);
			assert_int_equal(v.pages->health.lost, 0);
			volume_close(&v);
		}
}

/* One page longer than is promised: where it lies within a band, some column has
 * lost one too many, and says so. */
static void a_longer_burst_is_told(void **state)
{
	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++) {
		struct volume v;
		uint32_t burst;

		open_volume(&v, ms[k], 150);
		burst = v.parity.m * v.parity.columns;
		flip_burst(&v, 20, burst + 1);
		/* The first and the last are of one column; the others are whole. */
		assert_false(reads(&v, 20 * FORMAT_PAYLOAD, FORMAT_PAYLOAD));
		assert_false(reads(&v, (20 + burst) * FORMAT_PAYLOAD, FORMAT_PAYLOAD));
		for (uint32_t t = 21; t < 20 + burst; t++)
			assert_int_equal(reads(&v, (uint64_t)t * FORMAT_PAYLOAD, FORMAT_PAYLOAD),
			                 (t - 20) % v.parity.columns != 0);
		volume_close(&v);
	}
}

/* Bursts that begin in every column: at the front of a band, where bands meet and over
 * that, over the end of the last band's data, and at the end of all. */
static void check_ends(struct volume *v)
{
	const struct format_parity *p = &v->parity;
	uint32_t all = all_pages(v), burst = p->m * p->columns;
	uint32_t length = (FORMAT_ROWS + p->m) * p->columns, last = (p->bands - 1) * length;
	uint32_t data_end = last + format_band_pages(p, p->bands - 1);
	const uint32_t from[] = {0,    length - burst,       length - burst / 2,
	                         last, data_end - burst / 2, all - burst};

	for (unsigned k = 0; k < sizeof from / sizeof *from; k++)
		for (uint32_t column = 0; column < p->columns; column++)
			if (from[k] + column < all)
				check_burst(v, from[k] + column);
}

/* The widest bands that there are, alone, and two where there is one page more. */
static void full_and_last_bands(void **state)
{
	static const uint32_t widest[M_COUNT] = {1024, 1024, 512, 256}, more[] = {0, 1, 5000};

	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++)
		for (unsigned i = 0; i < 3; i++) {
			struct format_parity parity;
			struct volume v;

			assert_int_equal(format_parity_make(&parity, ms[k],
			                                    FORMAT_ROWS * widest[k] + more[i]),
			                 STATUS_OK);
			assert_int_equal(parity.bands, more[i] ? 2 : 1);
			check_columns(&parity);
			if (!is_long())
				continue;
			open_volume(&v, ms[k], parity.data_pages);
			check_ends(&v);
			assert_int_equal(v.pages->health.lost, 0);
			volume_close(&v);
		}
}

/* --- chance ---------------------------------------------------------------------------- */

/* More than m of 64 + m pages are lost, each with the chance p. */
static double chance_of_loss(unsigned m, double p)
{
	unsigned n = FORMAT_ROWS + m;
	double term = 1, sum = 0;

	for (unsigned i = 0; i < n; i++)
		term *= 1 - p;
	for (unsigned k = 0; k <= n; k++) {
		if (k > m)
			sum += term;
		term *= (double)(n - k) / (k + 1) * p / (1 - p);
	}
	return sum;
}

/* Lose pages by chance, and read what is lost: it comes back if and only if its
 * column has lost no more than m.  How many have? */
static unsigned lose_by_chance(struct volume *v, double p)
{
	uint32_t all = all_pages(v), columns = v->parity.columns, hopeless = 0;
	unsigned *lost = calloc(columns, sizeof *lost);
	bool *gone = calloc(all, 1);

	assert_int_equal(v->parity.bands, 1);
	for (uint32_t t = 0; t < all; t++) {
		gone[t] = random_below(1 << 24) < p * (1 << 24);
		if (!gone[t])
			continue;
		flip(v, t);
		lost[t % columns]++;
	}
	for (uint32_t t = 0; t < all; t++) {
		int64_t i = pages_data_at(v->pages, t);

		if (gone[t] && i >= 0)
			assert_int_equal(reads(v, (uint64_t)i * FORMAT_PAYLOAD, FORMAT_PAYLOAD),
			                 lost[t % columns] <= v->parity.m);
	}
	/* As if opened anew. */
	for (uint32_t t = 0; t < all; t++)
		if (gone[t]) {
			flip(v, t);
			atomic_store(&v->pages->health.gone[t / 64], 0);
		}
	for (uint32_t c = 0; c < columns; c++)
		hopeless += lost[c] > v->parity.m;
	free(lost);
	free(gone);
	return hopeless;
}

/* The table of satchel-read(1), "DAMAGE". */
static void chance_is_the_binomial(void **state)
{
	/* The last is beyond every bound here and there. */
	static const double chances[] = {1e-4, 1e-3, 1e-2, 0.08};
	enum { COLUMNS = 32, CHANCES = 4 };

	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++) {
		struct volume v;

		open_volume(&v, ms[k], FORMAT_ROWS * COLUMNS);
		for (unsigned c = 0; c < CHANCES; c++) {
			unsigned draws = !is_long() ? 4 : c + 1 == CHANCES ? 100 : 1000;
			double expected = chance_of_loss(ms[k], chances[c]) * draws * COLUMNS;
			unsigned seen = 0, spread = 5;

			for (unsigned i = 0; i < draws; i++)
				seen += lose_by_chance(&v, chances[c]);
			while (spread * spread < 25 * expected)
				spread++;
			print_message("# parity %2u, pages lost %g: %u of %u columns beyond "
			              "repair, computed %.3g\n",
			              ms[k], chances[c], seen, draws * COLUMNS, expected);
			assert_true(seen <= expected + spread && seen + spread >= expected);
		}
		volume_close(&v);
	}
}

/* --- erasure patterns ----------------------------------------------------------------- */

/* A column as ISA-L sees it: n rows, then m parity pages. */
struct column {
	unsigned n, m;
	uint8_t matrix[(FORMAT_ROWS + FORMAT_MAX_PARITY) * FORMAT_ROWS];
	uint8_t *page[FORMAT_ROWS + FORMAT_MAX_PARITY];
};

/* Rows 64 on of ISA-L's Cauchy matrix are the coefficients of the manual; where
 * there are fewer rows of data, columns are left out. */
static void make_column(struct column *c, unsigned n, unsigned m)
{
	uint8_t full[(FORMAT_ROWS + FORMAT_MAX_PARITY) * FORMAT_ROWS];
	unsigned char tables[32 * FORMAT_ROWS * FORMAT_MAX_PARITY];

	*c = (struct column){.n = n, .m = m};
	gf_gen_cauchy1_matrix(full, FORMAT_ROWS + (int)m, FORMAT_ROWS);
	for (unsigned r = 0; r < n; r++)
		c->matrix[r * n + r] = 1;
	for (unsigned q = 0; q < m; q++)
		memcpy(c->matrix + (n + q) * n, full + (FORMAT_ROWS + q) * FORMAT_ROWS, n);
	for (unsigned i = 0; i < n + m; i++)
		c->page[i] = malloc(FORMAT_PAYLOAD);
	for (unsigned i = 0; i < n; i++)
		data_payload(i, c->page[i]);
	ec_init_tables((int)n, (int)m, c->matrix + n * n, tables);
	ec_encode_data(FORMAT_PAYLOAD, (int)n, (int)m, tables, c->page, c->page + n);
}

static void free_column(struct column *c)
{
	for (unsigned i = 0; i < c->n + c->m; i++)
		free(c->page[i]);
}

/* ISA-L's own way from what is left to row. */
static void decode_isal(const struct column *c, const bool *lost, unsigned row, uint8_t *out)
{
	uint8_t square[FORMAT_ROWS * FORMAT_ROWS], inverse[FORMAT_ROWS * FORMAT_ROWS];
	unsigned char tables[32 * FORMAT_ROWS];
	uint8_t *left[FORMAT_ROWS];
	unsigned found = 0;

	for (unsigned i = 0; found < c->n; i++) {
		if (lost[i])
			continue;
		memcpy(square + found * c->n, c->matrix + i * c->n, c->n);
		left[found++] = c->page[i];
	}
	assert_int_equal(gf_invert_matrix(square, inverse, (int)c->n), 0);
	ec_init_tables((int)c->n, 1, inverse + row * c->n, tables);
	ec_encode_data(FORMAT_PAYLOAD, (int)c->n, 1, tables, left, &out);
}

/* Every row that is lost, by both. */
static void check_pattern(struct volume *v, const struct column *c, const bool *lost)
{
	uint8_t theirs[FORMAT_PAYLOAD];

	for (unsigned i = 0; i < c->n + c->m; i++)
		if (lost[i])
			flip(v, i);
	for (unsigned row = 0; row < c->n; row++) {
		if (!lost[row])
			continue;
		decode_isal(c, lost, row, theirs);
		assert_true(reads(v, (uint64_t)row * FORMAT_PAYLOAD, FORMAT_PAYLOAD));
		assert_memory_equal(v->out, theirs, FORMAT_PAYLOAD);
	}
	for (unsigned i = 0; i < c->n + c->m; i++)
		if (lost[i])
			flip(v, i);
}

/* The parity pages of the volume are those of ISA-L. */
static void check_parity(struct volume *v, const struct column *c)
{
	uint8_t payload[FORMAT_PAYLOAD];

	for (unsigned q = 0; q < c->m; q++) {
		assert_int_equal(pages_read_logical(v->pages, &v->io, c->n + q, payload),
		                 STATUS_OK);
		assert_memory_equal(payload, c->page[c->n + q], FORMAT_PAYLOAD);
	}
}

static void every_pattern_of_small_groups(void **state)
{
	static const struct {
		unsigned n, m;
	} row[] = {{1, 2}, {3, 2}, {7, 2}, {1, 4}, {2, 4}, {5, 4}, {7, 4}, {2, 8}, {4, 8}, {1, 16}};
	size_t rows = is_long() ? sizeof row / sizeof *row : 6;

	(void)state;
	for (size_t k = 0; k < rows; k++) {
		unsigned all = row[k].n + row[k].m;
		struct volume v;
		struct column c;

		open_volume(&v, row[k].m, row[k].n);
		make_column(&c, row[k].n, row[k].m);
		check_parity(&v, &c);
		for (uint32_t pattern = 1; pattern < 1u << all; pattern++) {
			bool lost[FORMAT_ROWS + FORMAT_MAX_PARITY] = {false};

			if ((unsigned)__builtin_popcount(pattern) > row[k].m)
				continue;
			for (unsigned i = 0; i < all; i++)
				lost[i] = pattern >> i & 1;
			check_pattern(&v, &c, lost);
		}
		assert_int_equal(v.pages->health.lost, 0);
		free_column(&c);
		volume_close(&v);
	}
}

static void random_patterns_of_large_groups(void **state)
{
	unsigned tries = is_long() ? 200 : 4;

	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++) {
		struct volume v;
		struct column c;

		open_volume(&v, ms[k], FORMAT_ROWS);
		make_column(&c, FORMAT_ROWS, ms[k]);
		check_parity(&v, &c);
		for (unsigned i = 0; i < tries; i++) {
			bool lost[FORMAT_ROWS + FORMAT_MAX_PARITY] = {false};

			for (unsigned left = ms[k]; left;) {
				uint32_t at = random_below(FORMAT_ROWS + ms[k]);

				left -= !lost[at];
				lost[at] = true;
			}
			check_pattern(&v, &c, lost);
		}
		assert_int_equal(v.pages->health.lost, 0);
		free_column(&c);
		volume_close(&v);
	}
}

/* --- pages made anew -------------------------------------------------------------------- */

static uint8_t *page_of(struct volume *v, uint32_t t)
{
	return v->file + format_page_offset(v->place[t]);
}

/* Any page, data or parity, as it was written; alone and in a burst. */
static void pages_are_made_as_they_were(void **state)
{
	(void)state;
	for (unsigned k = 0; k < M_COUNT; k++) {
		uint8_t before[FORMAT_PAGE], page[FORMAT_PAGE];
		struct volume v;
		uint32_t all, burst;

		open_volume(&v, ms[k], 130);
		all = all_pages(&v);
		burst = ms[k] * v.parity.columns;
		for (uint32_t t = 0; t < all; t += 1 + random_below(9)) {
			uint32_t first = (uint32_t)min_u64(t, all - burst);

			memcpy(before, page_of(&v, t), FORMAT_PAGE);
			memcpy(page, before, FORMAT_PAGE);
			assert_int_equal(pages_restore(v.pages, &v.io, t, page, true), 0);
			assert_memory_equal(page, before, FORMAT_PAGE);
			flip_burst(&v, first, burst);
			memcpy(page, page_of(&v, t), FORMAT_PAGE);
			assert_int_equal(pages_restore(v.pages, &v.io, t, page, t % 2), 1);
			assert_memory_equal(page, before, FORMAT_PAGE);
			flip_burst(&v, first, burst);
		}
		assert_int_equal(v.pages->health.lost, 0);
		/* Beyond repair it stays as it is. */
		flip_burst(&v, 0, burst + 1);
		memcpy(before, page_of(&v, 0), FORMAT_PAGE);
		memcpy(page, before, FORMAT_PAGE);
		assert_int_equal(pages_restore(v.pages, &v.io, 0, page, true), STATUS_DAMAGED);
		assert_memory_equal(page, before, FORMAT_PAGE);
		volume_close(&v);
	}
}

static void every_page_has_its_role(void **state)
{
	struct volume v;
	uint32_t roots = 0, sealed = 0, number;

	(void)state;
	volume_open(&v, 9000, 60, 4, 70); /* slices of two pages, more than are needed */
	for (uint32_t p = 0; p < 9000; p++)
		switch (pages_role(v.pages, p, &number)) {
		case PAGES_ROOT:
			assert_int_equal(v.slot.root_page[number], p);
			roots++;
			break;
		case PAGES_SEALED:
			assert_int_equal(v.place[number], p);
			sealed++;
			break;
		case PAGES_OTHER: break;
		}
	assert_int_equal(roots, FORMAT_ROOTS);
	assert_int_equal(sealed, all_pages(&v));
	volume_close(&v);
}

/* --- a length that is a lie --------------------------------------------------------------- */

/* 32 TiB are promised, and a few pages are there: what is missing is counted as a
 * whole, and no page of it is looked at. */
static void a_forged_length_costs_nothing(void **state)
{
	static const unsigned all_ms[] = {0, 2, 4, 8, 16};

	(void)state;
	for (unsigned k = 0; k < 5; k++) {
		struct format_slot slot = {
			.parity = (uint8_t)all_ms[k],
			.volume_count = 1,
			.file_len = FORMAT_MAX_FILE,
			.data_pages = 1700000000,
		};
		struct format_layout layout = {.owned = FORMAT_MAX_SLICES};
		struct volume v = {0};
		uint32_t cut, band;

		memset(layout.map, 0xff, sizeof layout.map);
		v.file = calloc(1, FORMAT_HEADER + 100 * FORMAT_PAGE);
		v.out = malloc(FORMAT_PAYLOAD);
		assert_int_equal(
			source_open_memory(&v.source, v.file, FORMAT_HEADER + 100 * FORMAT_PAGE),
			STATUS_OK);
		assert_int_equal(arena_new(&v.arena, 1 << 20, true), STATUS_OK);
		assert_int_equal(repair_new(&v.repair, v.arena), STATUS_OK);
		assert_int_equal(pages_io_init(&v.io, v.arena, v.repair), STATUS_OK);
		assert_int_equal(pages_open(&v.pages, v.source, key, &slot, &layout), STATUS_OK);
		assert_int_equal(v.pages->present, 99); /* the first page is a root */
		cut = pages_cut(v.pages);
		band = FORMAT_ROWS * v.pages->parity.columns;
		assert_int_equal(cut, all_ms[k] ? band : 99);
		pages_note_cut(v.pages);
		pages_note_cut(v.pages);
		assert_true(v.pages->health.lost == slot.data_pages - cut);
		assert_true(v.pages->health.parity ==
		            (all_ms[k] ? v.pages->parity.parity_pages -
		                                 all_ms[k] * v.pages->parity.columns
		                       : 0));
		/* What is counted is not counted again, and costs no repair. */
		for (uint32_t i = 0; i < 2000; i++)
			assert_int_equal(pages_read(v.pages, &v.io,
			                            (uint64_t)(cut + i) * FORMAT_PAYLOAD, 1, v.out),
			                 STATUS_DAMAGED);
		assert_true(v.pages->health.lost == slot.data_pages - cut);
		/* Each is tried at most twice, and none of the others of its column. */
		assert_true(source_read_count(v.source) <= 2 * 2000);
		pages_close(v.pages);
		source_close(v.source);
		pages_io_fini(&v.io);
		repair_free(v.repair);
		arena_free(v.arena);
		free(v.file);
		free(v.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bursts_are_repaired_at_every_offset),
		cmocka_unit_test(a_longer_burst_is_told),
		cmocka_unit_test(full_and_last_bands),
		cmocka_unit_test(chance_is_the_binomial),
		cmocka_unit_test(every_pattern_of_small_groups),
		cmocka_unit_test(random_patterns_of_large_groups),
		cmocka_unit_test(pages_are_made_as_they_were),
		cmocka_unit_test(every_page_has_its_role),
		cmocka_unit_test(a_forged_length_costs_nothing),
	};

	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
