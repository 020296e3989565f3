#include "tests/unit/unit.h"

#include "bundler/parity.h"
#include "common/gf.h"
#include "common/status.h"

/* Deterministic payload of data page i. */
static void make_payload(uint32_t i, uint8_t payload[static FORMAT_PAYLOAD])
{
	uint32_t x = i * 2654435761u + 12345;

	for (size_t b = 0; b < FORMAT_PAYLOAD; b++) {
		x = x * 1664525 + 1013904223;
		payload[b] = (uint8_t)(x >> 24);
	}
}

/* Parity page i of the band, from bundle(5) and nothing else. */
static void plain_parity(const struct format_parity *shape, uint32_t first, uint32_t d, uint32_t i,
                         uint8_t out[static FORMAT_PAYLOAD])
{
	uint32_t column = (d + i) % shape->columns, q = i / shape->columns;
	uint8_t payload[FORMAT_PAYLOAD];

	memset(out, 0, FORMAT_PAYLOAD);
	for (uint32_t t = column; t < d; t += shape->columns) {
		make_payload(first + t, payload);
		gf_muladd(out, payload, gf_coefficient(q, t / shape->columns), FORMAT_PAYLOAD);
	}
}

/* Every band of a compartment of that many data pages; parity pages are looked
 * at in steps. */
static void check_shape(unsigned m, uint32_t data_pages, uint32_t step, unsigned group)
{
	struct format_parity shape;
	struct parity *parity = NULL;
	uint8_t payload[FORMAT_PAYLOAD], *ring;
	uint32_t first = 0, room;

	assert_int_equal(format_parity_make(&shape, m, data_pages), STATUS_OK);
	room = (group - 1) * shape.columns + 1; /* and not one payload more */
	ring = malloc((size_t)room * FORMAT_PAYLOAD);
	assert_int_equal(parity_new(&parity, &shape, group), STATUS_OK);
	for (uint32_t band = 0; band < shape.bands; band++) {
		uint32_t d = format_band_pages(&shape, band);

		for (uint32_t t = 0; t < d; t++) {
			uint8_t *at = ring + (size_t)((first + t) % room) * FORMAT_PAYLOAD;

			make_payload(first + t, at);
			parity_add(parity, t, at);
		}
		parity_finish(parity, d);
		for (uint32_t i = band % step; i < m * shape.columns; i += step) {
			plain_parity(&shape, first, d, i, payload);
			assert_memory_equal(parity_page(parity, d, i), payload, FORMAT_PAYLOAD);
		}
		first += d;
		parity_clear(parity);
	}
	assert_int_equal(first, data_pages);
	parity_free(parity);
	free(ring);
}

static void the_same_as_the_portable_arithmetic(void **state)
{
	static const unsigned m[] = {2, 4, 8, 16};
	static const uint32_t pages[] = {1, 2, 63, 64, 65, 129, 200};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < sizeof pages / sizeof pages[0]; j++)
			for (unsigned group = 1; group <= PARITY_GROUP; group++)
				check_shape(m[i], pages[j], 1, group);
}

static void several_bands(void **state)
{
	(void)state;
	/* Two bands, the second not full. */
	check_shape(16, 64 * 256 + 1, 397, 1);
	check_shape(16, 64 * 256 + 1, 397, 3);
	check_shape(16, 64 * 256 + 1, 397, PARITY_GROUP);
}

/* What a reader does: any m of a column's 64 + m pages may be missing. */
static void lost_pages_come_back(void **state)
{
	enum { M = 4, ROWS = 64 };
	static const unsigned lost[M] = {0, 17, 31, 63};
	struct format_parity shape;
	struct parity *parity = NULL;
	uint8_t matrix[M * M], right[M][FORMAT_PAYLOAD], payload[FORMAT_PAYLOAD],
		sum[FORMAT_PAYLOAD];

	(void)state;
	assert_int_equal(format_parity_make(&shape, M, ROWS), STATUS_OK);
	assert_int_equal(shape.columns, 1);
	assert_int_equal(parity_new(&parity, &shape, 1), STATUS_OK);
	for (uint32_t t = 0; t < ROWS; t++) {
		make_payload(t, payload);
		parity_add(parity, t, payload);
	}
	parity_finish(parity, ROWS);
	for (unsigned q = 0; q < M; q++) {
		memcpy(right[q], parity_page(parity, ROWS, q), FORMAT_PAYLOAD);
		for (unsigned t = 0; t < ROWS; t++) {
			bool gone = t == lost[0] || t == lost[1] || t == lost[2] || t == lost[3];

			make_payload(t, payload);
			if (!gone)
				gf_muladd(right[q], payload, gf_coefficient(q, t), FORMAT_PAYLOAD);
		}
		for (unsigned j = 0; j < M; j++)
			matrix[q * M + j] = gf_coefficient(q, lost[j]);
	}
	assert_int_equal(gf_invert(matrix, M), 0);
	for (unsigned j = 0; j < M; j++) {
		memset(sum, 0, sizeof sum);
		for (unsigned q = 0; q < M; q++)
			gf_muladd(sum, right[q], matrix[j * M + q], FORMAT_PAYLOAD);
		make_payload(lost[j], payload);
		assert_memory_equal(sum, payload, FORMAT_PAYLOAD);
	}
	parity_free(parity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_the_portable_arithmetic),
		cmocka_unit_test(several_bands),
		cmocka_unit_test(lost_pages_come_back),
	};

	return cmocka_run_group_tests_name("parity", tests, NULL, NULL);
}
