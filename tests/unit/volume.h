/* A compartment in memory, by the letter of the manual, for tests that damage it. */
#ifndef TESTS_UNIT_VOLUME_H
#define TESTS_UNIT_VOLUME_H

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

static inline uint32_t random_below(uint32_t limit)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % limit;
}

/* Byte i of the stream. */
static inline uint8_t byte_at(uint64_t i)
{
	uint64_t x = (i / 64 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(x >> 32 ^ x >> 17 ^ i);
}

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
static inline void choose_slices(struct volume *v, uint32_t k)
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
static inline void place_pages(struct volume *v)
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

static inline void seal_logical(struct volume *v, uint32_t t,
                                const uint8_t payload[static FORMAT_PAYLOAD])
{
	seal_page(v->seal, key, SEAL_PAGE, t, payload, v->file + format_page_offset(v->place[t]));
}

static inline void data_payload(uint32_t i, uint8_t payload[static FORMAT_PAYLOAD])
{
	for (uint32_t b = 0; b < FORMAT_PAYLOAD; b++)
		payload[b] = byte_at((uint64_t)i * FORMAT_PAYLOAD + b);
}

/* Each band: its data pages, then parity. */
static inline void write_pages(struct volume *v)
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

static inline void volume_open(struct volume *v, uint32_t pages, uint32_t k, unsigned m,
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

static inline void volume_close(struct volume *v)
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

static inline void flip(struct volume *v, uint32_t t)
{
	v->file[format_page_offset(v->place[t]) + t % FORMAT_PAGE] ^= 1;
}

static inline void lose(struct volume *v, uint32_t t)
{
	v->file[format_page_offset(v->place[t]) + random_below(FORMAT_PAGE)] ^= 1;
}

/* Are len bytes at off what they should be? */
static inline bool reads(struct volume *v, uint64_t off, size_t len)
{
	if (pages_read(v->pages, &v->io, off, len, v->out) != STATUS_OK)
		return false;
	for (size_t i = 0; i < len; i++)
		if (v->out[i] != byte_at(off + i))
			fail_msg("byte %zu of %zu at %llu", i, len, (unsigned long long)off);
	return true;
}

#endif
