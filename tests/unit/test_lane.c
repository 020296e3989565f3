/* What lies on the pages of a compartment, over a stage and a feed that are
 * made up here. */
#include "tests/unit/unit.h"

#include "bundler/feed.h"
#include "bundler/lane.h"
#include "bundler/parity.h"
#include "bundler/stage.h"
#include "common/gf.h"
#include "common/status.h"

/* --- a stage of nothing but numbered payloads --------------------------------
 */

static const uint8_t content_part[FORMAT_CONTENT_PART] = {1, 2, 3},
		     signature[FORMAT_SIGNATURE] = {4};

const uint8_t *stage_content_part(const struct stage *stage)
{
	(void)stage;
	return content_part;
}

const uint8_t *stage_signature(const struct stage *stage)
{
	(void)stage;
	return signature;
}

int stage_front_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len)
{
	(void)stage, (void)begin, (void)end;
	*len = 0;
	return STATUS_OK;
}

int stage_leaf_blocks(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *first,
                      uint64_t *count)
{
	(void)stage, (void)begin, (void)end;
	*first = *count = 0;
	return STATUS_OK;
}

struct feed {
	uint32_t next, fail_at;
};

int feed_open(struct feed **feed, struct stage *stage, uint64_t begin, uint64_t end)
{
	(void)stage, (void)begin;
	*feed = calloc(1, sizeof **feed);
	(*feed)->fail_at = (uint32_t)end;
	return STATUS_OK;
}

static void make_payload(uint32_t i, uint8_t payload[static FORMAT_PAYLOAD])
{
	memset(payload, (int)(i * 2654435761u >> 24), FORMAT_PAYLOAD);
	memcpy(payload, &i, sizeof i);
}

int feed_read(struct feed *feed, uint8_t *out, size_t len, struct later *later)
{
	(void)later;
	assert_int_equal(len % FORMAT_PAYLOAD, 0);
	for (; len; len -= FORMAT_PAYLOAD, out += FORMAT_PAYLOAD) {
		if (feed->next == feed->fail_at)
			return STATUS_CHANGED;
		make_payload(feed->next++, out);
	}
	return STATUS_OK;
}

const char *feed_culprit(const struct feed *feed)
{
	return feed->next == feed->fail_at ? "who" : NULL;
}

void feed_close(struct feed *feed)
{
	free(feed);
}

/* --- what bundle(5) says
 * ------------------------------------------------------ */

/* Parity page i of the band that begins with data page first. */
static void parity_of(const struct format_parity *shape, uint32_t first, uint32_t d, uint32_t i,
                      uint8_t out[static FORMAT_PAYLOAD])
{
	uint32_t column = (d + i) % shape->columns;
	uint8_t payload[FORMAT_PAYLOAD];

	memset(out, 0, FORMAT_PAYLOAD);
	for (uint32_t t = column; t < d; t += shape->columns) {
		make_payload(first + t, payload);
		gf_muladd(out, payload, gf_coefficient(i / shape->columns, t / shape->columns),
		          FORMAT_PAYLOAD);
	}
}

/* Logical page t has this payload; parity pages are looked at one in every
 * step. */
static void logical_is(const struct format_parity *shape, uint32_t t, const uint8_t *payload,
                       uint32_t step)
{
	uint8_t expected[FORMAT_PAYLOAD];
	uint32_t first = 0, at = t;

	for (uint32_t band = 0; shape->m && band < shape->bands; band++) {
		uint32_t d = format_band_pages(shape, band), parity = shape->m * shape->columns;

		if (at < d)
			break;
		if (at < d + parity && t % step)
			return;
		if (at < d + parity) {
			parity_of(shape, first, d, at - d, expected);
			assert_memory_equal(payload, expected, FORMAT_PAYLOAD);
			return;
		}
		at -= d + parity;
		first += d;
	}
	make_payload(first + at, expected);
	assert_memory_equal(payload, expected, FORMAT_PAYLOAD);
}

/* A lane over all slices but every third, filled in pieces of all sizes. */
static void check_lane_with(unsigned m, uint32_t data_pages, uint64_t area_pages, uint32_t step,
                            const struct lane_ahead *ahead)
{
	struct format_slot slot = {.parity = (uint8_t)m,
	                           .volume_count = 1,
	                           .file_len = 2 * FORMAT_HEADER + area_pages * FORMAT_PAGE,
	                           .data_pages = data_pages};
	struct format_geometry geometry;
	struct format_parity shape;
	struct format_slot decoded;
	struct lane *lane = NULL;
	struct lane_page page[64];
	uint8_t owner[FORMAT_MAX_SLICES], contents[FORMAT_SLOT_CONTENTS];
	const struct lane_slices slices = {owner, 3};
	const uint64_t cut[] = {0, UINT32_MAX};
	uint8_t *payload = malloc(64 * FORMAT_PAYLOAD);
	uint32_t owned = 0, t = 0, places;
	unsigned count;

	assert_int_equal(format_geometry_make(&geometry, slot.file_len), STATUS_OK);
	assert_int_equal(format_parity_make(&shape, m, data_pages), STATUS_OK);
	memset(owner, UINT8_MAX, sizeof owner);
	for (uint32_t q = 0; q < geometry.slice_count; q++) {
		owner[q] = q % 3 > 0 ? 3 : q % 2;
		owned += q % 3 > 0;
	}
	places = owned * geometry.slice_pages;
	assert_true(data_pages + shape.parity_pages + FORMAT_ROOTS <= places);
	lane_place_roots(&slot, &slices);
	assert_int_equal(lane_open(&lane, NULL, &slot, &slices, cut, ahead), STATUS_OK);
	format_slot_encode(contents, &slot);
	assert_int_equal(format_slot_decode(&decoded, contents), STATUS_OK);
	for (uint32_t x = 0; x < places; x += count) {
		count = x % 64 + 1 < places - x ? x % 64 + 1 : places - x;
		assert_int_equal(lane_fill(lane, count, page, payload, NULL), STATUS_OK);
		for (uint32_t i = 0; i < count; i++) {
			const uint8_t *at = page[i].payload;
			int root = x + i == 0                                  ? 0
			           : x + i == owned / 2 * geometry.slice_pages ? 1
			           : x + i == places - 1                       ? 2
			                                                       : -1;

			lane_sum(lane, &page[i]);
			if (root >= 0) {
				assert_int_equal(page[i].kind, LANE_ROOT);
				assert_int_equal(page[i].domain, SEAL_ROOT);
				assert_int_equal(page[i].number, root);
				assert_memory_equal(at, content_part, sizeof content_part);
			} else if (t == data_pages + shape.parity_pages) {
				assert_int_equal(page[i].kind, LANE_RANDOM);
			} else {
				assert_int_equal(page[i].domain, SEAL_PAGE);
				assert_int_equal(page[i].number, t);
				logical_is(&shape, t++, at, step);
			}
		}
	}
	assert_int_equal(t, data_pages + shape.parity_pages);
	lane_close(lane);
	free(payload);
}

/* With every group, and no more pages at a time than are said to be ahead. */
static void check_lane(unsigned m, uint32_t data_pages, uint64_t area_pages, uint32_t step)
{
	for (unsigned group = 1; group <= PARITY_GROUP; group++) {
		const struct lane_ahead ahead = {.pages = 64, .group = group};

		check_lane_with(m, data_pages, area_pages, step, &ahead);
	}
}

static void small_lanes(void **state)
{
	static const unsigned m[] = {0, 2, 4, 8, 16};

	(void)state;
	for (size_t i = 0; i < sizeof m / sizeof m[0]; i++) {
		check_lane(m[i], 1, 60, 1);
		check_lane(m[i], 64, 200, 1);
		check_lane(m[i], 65, 200, 1);
		check_lane(m[i], 300, 1000, 1);
	}
}

/* The second band starts from nothing. */
static void several_bands(void **state)
{
	(void)state;
	check_lane(16, 64 * 256 + 200, 34000, 211);
}

static void a_lane_that_is_exactly_full(void **state)
{
	(void)state;
	/* 30 slices of a page, 20 of them owned, three for the root. */
	check_lane(0, 17, 30, 1);
}

static void a_source_that_fails(void **state)
{
	struct format_slot slot = {.volume_count = 1,
	                           .file_len = 2 * FORMAT_HEADER + 100 * FORMAT_PAGE,
	                           .data_pages = 50};
	static const uint8_t owner[FORMAT_MAX_SLICES]; /* all of the first */
	const struct lane_slices slices = {owner, 0};
	const uint64_t cut[] = {0, 20};
	const struct lane_ahead ahead = {.group = 1};
	struct lane *lane = NULL;
	struct lane_page page[64];
	uint8_t *payload = malloc(64 * FORMAT_PAYLOAD);

	(void)state;
	assert_int_equal(lane_open(&lane, NULL, &slot, &slices, cut, &ahead), STATUS_OK);
	assert_int_equal(lane_fill(lane, 10, page, payload, NULL), STATUS_OK);
	assert_null(lane_culprit(lane));
	assert_int_equal(lane_fill(lane, 54, page, payload, NULL), STATUS_CHANGED);
	assert_string_equal(lane_culprit(lane), "who");
	lane_close(lane);
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_lanes),
		cmocka_unit_test(several_bands),
		cmocka_unit_test(a_lane_that_is_exactly_full),
		cmocka_unit_test(a_source_that_fails),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
