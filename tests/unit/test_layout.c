#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/layout.h"
#include "common/bytes.h"
#include "common/status.h"

static uint64_t padme(uint64_t len)
{
	uint64_t low, high;

	layout_padded_range(len, &low, &high);
	return low;
}

/* Values computed from the paper's definition with arbitrary precision. */
static void padme_values(void **state)
{
	static const uint64_t row[][2] = {
		{1, 1},
		{2, 2},
		{7, 7},
		{8, 8},
		{9, 10},
		{15, 16},
		{100, 104},
		{1000, 1024},
		{1025, 1088},
		{65537, 67584},
		{81920, 81920},
		{98305, 100352},
		{1000000, 1015808},
		{1073741825, 1107296256},
		{4000000000, 4026531840},
		{UINT64_C(1000000000000), UINT64_C(1005022347264)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_true(padme(row[i][0]) == row[i][1]);
}

/* At most 12 % more, falling; never less; and what was padded stays. */
static void padding_is_small_and_stable(void **state)
{
	uint64_t len = 1;

	(void)state;
	for (; len < FORMAT_MAX_FILE; len += len / 13 + 1) {
		uint64_t padded = padme(len);

		assert_true(padded >= len && padded - len <= len / 100 * 12 + 12);
		assert_true(padme(padded) == padded);
	}
	assert_true(padme(FORMAT_MAX_FILE) == FORMAT_MAX_FILE);
}

static void the_jitter_spans_a_step_and_64_kib(void **state)
{
	uint64_t low, high;

	(void)state;
	layout_padded_range(100000, &low, &high);
	assert_true(high - low == 65536);
	layout_padded_range(4000000000, &low, &high);
	assert_true(high - low == 67108864);
	layout_padded_range(FORMAT_MAX_FILE, &low, &high);
	assert_true(low == FORMAT_MAX_FILE && high == FORMAT_MAX_FILE);
}

static void lengths_are_drawn_to_the_byte(void **state)
{
	unsigned seen[7] = {0}, odd = 0;

	(void)state;
	assert_true(layout_draw(5, 5) == 5);
	for (int i = 0; i < 7000; i++) {
		uint64_t drawn = layout_draw(10, 16);

		assert_true(drawn >= 10 && drawn <= 16);
		seen[drawn - 10]++;
		drawn = layout_draw(UINT64_C(1) << 40, (UINT64_C(1) << 40) + (UINT64_C(1) << 33));
		odd += drawn & 1;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_in_range(odd, 3200, 3800);
	(void)layout_draw(0, UINT64_MAX);
}

static struct format_geometry geometry_of(uint64_t len)
{
	struct format_geometry geometry;

	assert_int_equal(format_geometry_make(&geometry, len), STATUS_OK);
	return geometry;
}

/* Deal, and count what each has: owned[count] is nobody's. */
static int deal(uint64_t len, const struct layout_demand *demand, unsigned count, uint16_t *owned,
                uint8_t owner[static FORMAT_MAX_SLICES])
{
	struct format_geometry geometry = geometry_of(len);
	int status = layout_deal(&geometry, demand, count, owner);

	memset(owned, 0, (count + 1) * sizeof *owned);
	for (unsigned q = 0; q < FORMAT_MAX_SLICES && status == STATUS_OK; q++) {
		assert_true(owner[q] < count || owner[q] == LAYOUT_NOBODY);
		if (q < geometry.slice_count)
			owned[min_u64(owner[q], count)]++;
		else
			assert_int_equal(owner[q], LAYOUT_NOBODY);
	}
	return status;
}

static void the_shortest_length_and_no_shorter(void **state)
{
	static const struct layout_demand row[][2] = {
		{{0, 4}, {0, 0}},
		{{1, 0}, {1, 16}},
		{{FORMAT_PAYLOAD, 4}, {FORMAT_PAYLOAD + 1, 2}},
		{{50000000, 4}, {1000, 4}},
		{{3000000000, 8}, {200000000, 0}},
		{{UINT64_C(1000000000000), 4}, {5, 4}},
	};
	uint8_t owner[FORMAT_MAX_SLICES];
	uint16_t owned[3];
	uint64_t len;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		for (unsigned count = 1; count <= 2; count++) {
			assert_int_equal(layout_min_len(row[i], count, &len), STATUS_OK);
			assert_int_equal(deal(len, row[i], count, owned, owner), STATUS_OK);
			if (len > 2 * FORMAT_HEADER + FORMAT_MIN_SLICES * FORMAT_PAGE)
				assert_int_equal(deal(len - 1, row[i], count, owned, owner),
				                 STATUS_TOOBIG);
		}
	}
	assert_int_equal(layout_min_len(&(struct layout_demand){UINT64_C(1) << 45, 0}, 1, &len),
	                 STATUS_TOOBIG);
}

/* Also where slices double: a length a little over 8,192 slices.  Every
 * compartment has an odd number of pages and loses one then. */
static void every_longer_length_holds_it_too(void **state)
{
	struct layout_demand demand[32];
	uint8_t owner[FORMAT_MAX_SLICES];
	uint16_t owned[33];
	uint64_t len;

	(void)state;
	for (unsigned i = 0; i < 31; i++)
		demand[i] = (struct layout_demand){252 * FORMAT_PAYLOAD, 0};
	/* From 8,130 to 8,250 pages in all, the roots counted. */
	for (uint64_t last = 222; last <= 342; last += 2) {
		demand[31] = (struct layout_demand){last * FORMAT_PAYLOAD, 0};
		assert_int_equal(layout_min_len(demand, 32, &len), STATUS_OK);
		for (uint64_t more = 0; more < 120; more++)
			assert_int_equal(deal(len + more * FORMAT_PAGE, demand, 32, owned, owner),
			                 STATUS_OK);
	}
	assert_int_equal(layout_min_len(demand, 33, &len), STATUS_TOOBIG);
}

/* How often each slice, and each pair, is dealt to the first of two: chi-square
 * with a limit that a uniform deal passes all but once in 10^6. */
static void subsets_are_uniform(void **state)
{
	enum { SLICES = 20, DEALS = 6000, OWN = 5 };
	const struct layout_demand demand[2] = {{2 * FORMAT_PAYLOAD, 0}, {6 * FORMAT_PAYLOAD, 0}};
	const uint64_t len = 2 * FORMAT_HEADER + SLICES * FORMAT_PAGE;
	uint8_t owner[FORMAT_MAX_SLICES];
	uint16_t owned[3];
	unsigned single[2][SLICES] = {{0}}, pair[SLICES][SLICES] = {{0}};
	double chi[2] = {0}, chi_pair = 0, expected;

	(void)state;
	for (int d = 0; d < DEALS; d++) {
		assert_int_equal(deal(len, demand, 2, owned, owner), STATUS_OK);
		assert_int_equal(owned[0], OWN);
		assert_int_equal(owned[1], OWN + 4);
		for (unsigned a = 0; a < SLICES; a++) {
			for (unsigned i = 0; i < 2; i++)
				single[i][a] += owner[a] == i;
			for (unsigned b = 0; b < a; b++)
				pair[a][b] += owner[a] == 0 && owner[b] == 0;
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		expected = (double)DEALS * owned[i] / SLICES;
		for (unsigned a = 0; a < SLICES; a++)
			chi[i] += (single[i][a] - expected) * (single[i][a] - expected) / expected;
		/* 19 degrees; slices of one deal exclude each other, so it is less. */
		assert_true(chi[i] < 65);
		assert_true(chi[i] > 0.5);
	}
	expected = (double)DEALS * OWN * (OWN - 1) / (SLICES * (SLICES - 1));
	for (unsigned a = 0; a < SLICES; a++)
		for (unsigned b = 0; b < a; b++)
			chi_pair += (pair[a][b] - expected) * (pair[a][b] - expected) / expected;
	/* Pairs of one deal depend on each other: of the 189 degrees 19 count 10/3 times, the
	 * others 0.69 times.  The mean is 180, the spread wider than that of as many. */
	assert_true(chi_pair < 360);
	assert_true(chi_pair > 80);
}

/* What a compartment owns follows from its own demand, whoever else there is. */
static void shares_do_not_depend_on_others(void **state)
{
	static const uint64_t mine[] = {1, 100000, 3000000, 40000000};
	uint8_t owner[FORMAT_MAX_SLICES];
	struct layout_demand demand[8];
	uint16_t owned[9];

	(void)state;
	for (uint64_t pages = 6000; pages < 40000; pages += pages / 7) {
		uint64_t len = 2 * FORMAT_HEADER + pages * FORMAT_PAGE + 99;

		for (unsigned i = 0; i < 4; i++) {
			uint16_t alone;

			demand[0] = (struct layout_demand){mine[i], 4};
			assert_int_equal(deal(len, demand, 1, owned, owner), STATUS_OK);
			alone = owned[0];
			assert_true(alone >= FORMAT_MIN_SLICES);
			assert_int_equal(alone + owned[1], geometry_of(len).slice_count);
			for (unsigned others = 1; others < 8; others++) {
				demand[others] = (struct layout_demand){
					randombytes_uniform(5000000), others % 2 ? 16 : 0};
				assert_int_equal(deal(len, demand, others + 1, owned, owner),
				                 STATUS_OK);
				assert_int_equal(owned[0], alone);
			}
		}
	}
}

/* In any volume in which it has less to store, what a compartment owns suffices. */
static void less_needs_no_more(void **state)
{
	static const unsigned m[] = {0, 2, 4, 8, 16};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct layout_demand demand = {.parity = m[i]};
		uint64_t before = 0, len;

		for (uint64_t pages = 1; pages < 300000; pages += 1 + pages / 5000) {
			demand.stream_len = pages * FORMAT_PAYLOAD;
			assert_int_equal(layout_min_len(&demand, 1, &len), STATUS_OK);
			assert_true(len >= before);
			before = len;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(padme_values),
		cmocka_unit_test(padding_is_small_and_stable),
		cmocka_unit_test(the_jitter_spans_a_step_and_64_kib),
		cmocka_unit_test(lengths_are_drawn_to_the_byte),
		cmocka_unit_test(the_shortest_length_and_no_shorter),
		cmocka_unit_test(every_longer_length_holds_it_too),
		cmocka_unit_test(subsets_are_uniform),
		cmocka_unit_test(shares_do_not_depend_on_others),
		cmocka_unit_test(less_needs_no_more),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
