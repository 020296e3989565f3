#include "common/pages.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/repair.h"
#include "common/seal.h"
#include "common/source.h"
#include "common/status.h"

/* For so long what could not be repaired is not tried again. */
enum { GONE_MS = 10000 };

int pages_io_init(struct pages_io *io, struct arena *arena, struct repair *repair)
{
	*io = (struct pages_io){.repair = repair};
	io->cipher = malloc((size_t)PAGES_BATCH * FORMAT_PAGE);
	io->bounce = arena_alloc(arena, FORMAT_PAYLOAD);
	if (io->cipher && io->bounce && seal_new(&io->seal) == STATUS_OK)
		return STATUS_OK;
	pages_io_fini(io);
	return STATUS_NOMEM;
}

void pages_io_fini(struct pages_io *io)
{
	free(io->cipher);
	seal_free(io->seal);
	*io = (struct pages_io){0};
}

int pages_check_root(struct pages_io *io, const struct source *source, uint32_t page,
                     const uint8_t key[static FORMAT_KEY], unsigned c, uint8_t *payload)
{
	if (source_read_at(source, io->cipher, FORMAT_PAGE, format_page_offset(page)))
		return STATUS_DAMAGED;
	return seal_open_page(io->seal, key, SEAL_ROOT, c, io->cipher, payload);
}

int pages_read_root(struct pages_io *io, const struct source *source,
                    const struct format_slot *slot, const uint8_t key[static FORMAT_KEY],
                    uint8_t *payload, unsigned *bad_copies)
{
	*bad_copies = 0;
	for (unsigned c = 0; c < FORMAT_ROOTS; c++) {
		if (pages_check_root(io, source, slot->root_page[c], key, c, payload) == STATUS_OK)
			return STATUS_OK;
		*bad_copies |= 1u << c;
	}
	return STATUS_DAMAGED;
}

static uint16_t *list_slices(const struct format_layout *layout)
{
	uint16_t *list = malloc(layout->owned * sizeof(*list));
	uint32_t found = 0;

	for (uint32_t q = 0; list && q < FORMAT_MAX_SLICES; q++)
		if (layout->map[q / 8] >> q % 8 & 1)
			list[found++] = (uint16_t)q;
	return list;
}

/* Logical pages lie in ascending order, so those that the medium is too short
 * for are the last. */
static uint32_t count_present(const struct pages *p)
{
	uint32_t low = 0, high = p->parity.data_pages + p->parity.parity_pages;
	uint64_t len = p->source ? source_len(p->source) : UINT64_MAX;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pages_offset(p, middle) < len)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of a bit for each logical page. */
static size_t count_words(const struct pages *p)
{
	return (p->parity.data_pages + (size_t)p->parity.parity_pages) / 64 + 1;
}

/* Untouched, and so costing nothing, while there is no damage. */
static _Atomic uint64_t *make_bits(const struct pages *p)
{
	return calloc(count_words(p), 8);
}

int pages_open(struct pages **pages, const struct source *source, const uint8_t *key,
               const struct format_slot *slot, const struct format_layout *layout)
{
	struct pages *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return STATUS_NOMEM;
	p->source = source;
	p->key = key;
	p->owned = layout->owned;
	p->slice = list_slices(layout);
	status = p->slice ? format_geometry_make(&p->geometry, slot->file_len) : STATUS_NOMEM;
	if (status == STATUS_OK)
		status = format_parity_make(&p->parity, slot->parity, slot->data_pages);
	if (status == STATUS_OK) {
		p->health.seen = make_bits(p);
		p->health.gone = make_bits(p);
		status = p->health.seen && p->health.gone ? STATUS_OK : STATUS_NOMEM;
	}
	if (status) {
		pages_close(p);
		return status;
	}
	p->present = count_present(p);
	p->counted = UINT32_MAX;
	*pages = p;
	return STATUS_OK;
}

void pages_close(struct pages *pages)
{
	if (!pages)
		return;
	free((void *)pages->health.seen);
	free((void *)pages->health.gone);
	free(pages->slice);
	free(pages);
}

uint32_t pages_root_page(const struct pages *pages, unsigned c)
{
	uint32_t slice_pages = pages->geometry.slice_pages;

	switch (c) {
	case 0: return pages->slice[0] * slice_pages;
	case 1: return pages->slice[pages->owned / 2] * slice_pages;
	default: return (pages->slice[pages->owned - 1] + 1) * slice_pages - 1;
	}
}

/* The place among the owned slices, -1 for none. */
static int64_t slice_place(const struct pages *pages, uint32_t slice)
{
	uint32_t low = 0, high = pages->owned;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pages->slice[middle] < slice)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pages->owned && pages->slice[low] == slice ? (int64_t)low : -1;
}

enum pages_role pages_role(const struct pages *pages, uint32_t page, uint32_t *number)
{
	uint32_t slice_pages = pages->geometry.slice_pages;
	int64_t place = slice_place(pages, page / slice_pages);
	uint64_t x, middle = (uint64_t)(pages->owned / 2) * slice_pages;

	if (place < 0)
		return PAGES_OTHER;
	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		if (page == pages_root_page(pages, c)) {
			*number = c;
			return PAGES_ROOT;
		}
	x = (uint64_t)place * slice_pages + page % slice_pages;
	x -= x < middle ? 1 : 2;
	if (x >= (uint64_t)pages->parity.data_pages + pages->parity.parity_pages)
		return PAGES_OTHER;
	*number = (uint32_t)x;
	return PAGES_SEALED;
}

uint64_t pages_offset(const struct pages *pages, uint32_t t)
{
	uint32_t slice_pages = pages->geometry.slice_pages;
	uint64_t middle = (uint64_t)(pages->owned / 2) * slice_pages;
	uint64_t x = (uint64_t)t + 1 < middle ? (uint64_t)t + 1 : (uint64_t)t + 2;

	return format_page_offset((uint64_t)pages->slice[x / slice_pages] * slice_pages +
	                          x % slice_pages);
}

int pages_read_logical(const struct pages *pages, struct pages_io *io, uint32_t t,
                       uint8_t payload[static FORMAT_PAYLOAD])
{
	if (source_read_at(pages->source, io->cipher, FORMAT_PAGE, pages_offset(pages, t))) {
		sodium_memzero(payload, FORMAT_PAYLOAD);
		return STATUS_DAMAGED;
	}
	return seal_open_page(io->seal, pages->key, SEAL_PAGE, t, io->cipher, payload);
}

/* Count page t as damaged, once. */
static void note_damage(struct pages *pages, uint32_t t, _Atomic uint64_t *counter)
{
	uint64_t bit = UINT64_C(1) << t % 64;

	if (t < pages->counted && !(atomic_fetch_or(&pages->health.seen[t / 64], bit) & bit))
		atomic_fetch_add(counter, 1);
}

bool pages_was_damaged(const struct pages *pages, uint32_t t)
{
	return atomic_load(&pages->health.seen[t / 64]) >> t % 64 & 1;
}

static bool is_gone(const struct pages *pages, uint32_t t)
{
	return atomic_load(&pages->health.gone[t / 64]) >> t % 64 & 1;
}

static void forget_gone(struct pages *pages)
{
	for (size_t i = 0; i < count_words(pages); i++)
		if (atomic_load(&pages->health.gone[i])) /* what is not touched takes no memory */
			atomic_store(&pages->health.gone[i], 0);
}

/* What could not be repaired is not tried again for some time: a lost page of the index is asked
 * for with every file.  But all of a stick may be lost for a moment. */
static bool was_gone_lately(struct pages *pages, uint32_t t)
{
	if (!is_gone(pages, t))
		return false;
	if (pages->give_up || clock_ms() < atomic_load(&pages->health.gone_till))
		return true;
	forget_gone(pages);
	return false;
}

static void note_gone(struct pages *pages, uint32_t t)
{
	int64_t time = clock_ms();

	/* The next one puts nothing off: who has waited for as long is let go when it begins anew. */
	if (time >= atomic_load(&pages->health.gone_till)) {
		if (!pages->give_up)
			forget_gone(pages);
		atomic_store(&pages->health.gone_till, time + GONE_MS);
	}
	atomic_fetch_or(&pages->health.gone[t / 64], UINT64_C(1) << t % 64);
}

/* Data page i cannot be read or does not authenticate. */
static int repair_lost(struct pages *pages, struct pages_io *io, uint32_t i,
                       uint8_t payload[static FORMAT_PAYLOAD])
{
	uint32_t t = format_data_page(&pages->parity, i);
	int status;

	if (was_gone_lately(pages, t)) {
		sodium_memzero(payload, FORMAT_PAYLOAD);
		return STATUS_DAMAGED;
	}
	status = repair_page(io->repair, pages, io, i, payload);
	note_damage(pages, t, status ? &pages->health.lost : &pages->health.repaired);
	if (status)
		note_gone(pages, t);
	return status;
}

int64_t pages_data_at(const struct pages *pages, uint32_t t)
{
	const struct format_parity *parity = &pages->parity;
	uint32_t full, band, place;

	if (parity->m == 0)
		return t;
	full = FORMAT_ROWS * parity->columns;
	band = t / (full + parity->m * parity->columns);
	place = t % (full + parity->m * parity->columns);
	return place < format_band_pages(parity, band) ? (int64_t)band * full + place : -1;
}

/* Logical pages of a band that is full. */
static uint32_t band_length(const struct format_parity *parity)
{
	return (FORMAT_ROWS + parity->m) * parity->columns;
}

/* The first band that has not one page left. */
static uint32_t first_cut_band(const struct pages *pages)
{
	uint32_t length = band_length(&pages->parity);

	return (uint32_t)(((uint64_t)pages->present + length - 1) / length);
}

uint32_t pages_cut(const struct pages *pages)
{
	const struct format_parity *parity = &pages->parity;

	if (parity->m == 0)
		return pages->present;
	return (uint32_t)min_u64(parity->data_pages,
	                         (uint64_t)first_cut_band(pages) * FORMAT_ROWS * parity->columns);
}

void pages_note_cut(struct pages *pages)
{
	const struct format_parity *parity = &pages->parity;
	uint32_t lost = parity->data_pages - pages_cut(pages);

	if (!lost || pages->counted != UINT32_MAX)
		return;
	pages->counted = format_data_page(parity, pages_cut(pages));
	atomic_fetch_add(&pages->health.lost, lost);
	if (parity->m)
		atomic_fetch_add(&pages->health.parity, (parity->bands - first_cut_band(pages)) *
		                                                parity->m * parity->columns);
}

int pages_check_logical(struct pages *pages, struct pages_io *io, uint32_t t)
{
	int64_t i = pages_data_at(pages, t);

	if (source_read_at(pages->source, io->cipher, FORMAT_PAGE, pages_offset(pages, t)) ==
	            STATUS_OK &&
	    seal_check_page(pages->key, SEAL_PAGE, t, io->cipher) == STATUS_OK)
		return STATUS_OK;
	io->held = NULL;
	if (i >= 0)
		return repair_lost(pages, io, (uint32_t)i, io->bounce);
	note_damage(pages, t, &pages->health.parity);
	return STATUS_DAMAGED;
}

int pages_restore(struct pages *pages, struct pages_io *io, uint32_t t,
                  uint8_t page[static FORMAT_PAGE], bool readable)
{
	int64_t i = pages_data_at(pages, t);
	int status;

	if (readable && seal_check_page(pages->key, SEAL_PAGE, t, page) == STATUS_OK)
		return 0;
	io->held = NULL;
	if (i >= 0) {
		status = repair_lost(pages, io, (uint32_t)i, io->bounce);
	} else {
		note_damage(pages, t, &pages->health.parity);
		status = repair_parity(io->repair, pages, io, t, io->bounce);
	}
	if (status)
		return status;
	seal_page(io->seal, pages->key, SEAL_PAGE, t, io->bounce, page);
	return 1;
}

int pages_restore_root(const struct pages *pages, struct pages_io *io, unsigned c,
                       uint8_t page[static FORMAT_PAGE], bool readable)
{
	if (readable && seal_check_page(pages->key, SEAL_ROOT, c, page) == STATUS_OK)
		return 0;
	io->held = NULL;
	for (unsigned other = 0; other < FORMAT_ROOTS; other++) {
		if (pages_check_root(io, pages->source, pages_root_page(pages, other), pages->key,
		                     other, io->bounce))
			continue;
		seal_page(io->seal, pages->key, SEAL_ROOT, c, io->bounce, page);
		return 1;
	}
	return STATUS_DAMAGED;
}

/* How many data pages from i on, at most count, lie end to end in the file. */
static uint32_t contiguous(const struct pages *pages, uint32_t i, uint32_t count)
{
	uint64_t off = pages_offset(pages, format_data_page(&pages->parity, i));
	uint32_t n = 1;

	while (n < count && n < PAGES_BATCH &&
	       pages_offset(pages, format_data_page(&pages->parity, i + n)) ==
	               off + (uint64_t)n * FORMAT_PAGE)
		n++;
	return n;
}

/* Where the bytes of the stream from off to end go that data page i has. */
struct piece {
	uint32_t from, len; /* within the payload */
	uint8_t *out;
};

static struct piece piece_of(uint32_t i, uint64_t off, uint64_t end, uint8_t *out)
{
	uint64_t begins = (uint64_t)i * FORMAT_PAYLOAD;
	uint64_t from = max_u64(off, begins), to = min_u64(end, begins + FORMAT_PAYLOAD);

	return (struct piece){(uint32_t)(from - begins), (uint32_t)(to - from), out + (from - off)};
}

/* A whole payload is opened where it shall lie, a part of one in the bounce
 * page, which keeps it: the next read often begins where this one ends.
 * cipher: the page, or NULL where it could not be read. */
static int open_piece(struct pages *pages, struct pages_io *io, uint32_t i, const uint8_t *cipher,
                      struct piece piece, bool *repaired)
{
	bool whole = piece.len == FORMAT_PAYLOAD;
	uint8_t *payload = whole ? piece.out : io->bounce;
	uint32_t t = format_data_page(&pages->parity, i);
	int status = STATUS_DAMAGED;

	if (!whole)
		io->held = NULL;
	if (cipher)
		status = seal_open_page(io->seal, pages->key, SEAL_PAGE, t, cipher, payload);
	*repaired = status != STATUS_OK;
	if (status)
		status = repair_lost(pages, io, i, payload);
	if (status == STATUS_OK && !whole) {
		memcpy(piece.out, payload + piece.from, piece.len);
		io->held = pages;
		io->held_page = i;
	}
	return status;
}

/* The same where nothing of it is wanted. */
static int check_piece(struct pages *pages, struct pages_io *io, uint32_t i, const uint8_t *cipher,
                       bool *repaired)
{
	uint32_t t = format_data_page(&pages->parity, i);

	*repaired = !cipher || seal_check_page(pages->key, SEAL_PAGE, t, cipher) != STATUS_OK;
	if (!*repaired)
		return STATUS_OK;
	io->held = NULL;
	return repair_lost(pages, io, i, io->bounce);
}

/* n pages that lie end to end, in one go; one by one where that cannot be read.
 * A repair reads through the same buffer, so behind it they are read alone too. */
static int read_batch(struct pages *pages, struct pages_io *io, uint32_t first, uint32_t n,
                      uint64_t off, uint64_t end, uint8_t *out)
{
	uint64_t at = pages_offset(pages, format_data_page(&pages->parity, first));
	bool together =
		source_read_at(pages->source, io->cipher, (size_t)n * FORMAT_PAGE, at) == STATUS_OK;
	int status = STATUS_OK;

	for (uint32_t k = 0; k < n && status == STATUS_OK; k++) {
		const uint8_t *cipher = io->cipher + (size_t)k * FORMAT_PAGE;
		bool repaired;

		if (!together) {
			cipher = io->cipher;
			if (source_read_at(pages->source, io->cipher, FORMAT_PAGE,
			                   at + (uint64_t)k * FORMAT_PAGE))
				cipher = NULL;
		}
		status = out ? open_piece(pages, io, first + k, cipher,
		                          piece_of(first + k, off, end, out), &repaired)
		             : check_piece(pages, io, first + k, cipher, &repaired);
		together &= !repaired;
	}
	return status;
}

static void take_held(const struct pages_io *io, struct piece piece)
{
	memcpy(piece.out, io->bounce + piece.from, piece.len);
}

int pages_read(struct pages *pages, struct pages_io *io, uint64_t off, size_t len, uint8_t *out)
{
	uint64_t end = off + len;
	uint32_t i, last;
	int status = STATUS_OK;

	if (len == 0)
		return STATUS_OK;
	if (!range_within(off, len, (uint64_t)pages->parity.data_pages * FORMAT_PAYLOAD))
		return STATUS_INVALID;
	last = (uint32_t)((end - 1) / FORMAT_PAYLOAD);
	i = (uint32_t)(off / FORMAT_PAYLOAD);
	if (io->held == pages && io->held_page == i) {
		if (out)
			take_held(io, piece_of(i, off, end, out));
		i++;
	}
	for (uint32_t k = i; pages->give_up && k <= last && status == STATUS_OK; k++)
		if (is_gone(pages, format_data_page(&pages->parity, k)))
			status = STATUS_DAMAGED;
	while (i <= last && status == STATUS_OK) {
		uint32_t n = contiguous(pages, i, last - i + 1);

		status = read_batch(pages, io, i, n, off, end, out);
		i += n;
	}
	if (status && out)
		sodium_memzero(out, len);
	return status;
}

void pages_will_need(const struct pages *pages, uint64_t off, uint64_t len)
{
	uint32_t i, last;

	if (len == 0 ||
	    !range_within(off, len, (uint64_t)pages->parity.data_pages * FORMAT_PAYLOAD))
		return;
	last = (uint32_t)((off + len - 1) / FORMAT_PAYLOAD);
	for (i = (uint32_t)(off / FORMAT_PAYLOAD); i <= last;) {
		uint32_t n = contiguous(pages, i, last - i + 1);

		source_will_need(pages->source,
		                 pages_offset(pages, format_data_page(&pages->parity, i)),
		                 (uint64_t)n * FORMAT_PAGE);
		i += n;
	}
}
