#include "common/repair.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/gf.h"
#include "common/pages.h"
#include "common/status.h"

/* Sums of a column are plaintext as much as its rows: they lie in the arena,
 * one set for all threads. */
struct repair {
	pthread_mutex_t turn;
	uint8_t *row;                    /* a payload as it is read */
	uint8_t *spare;                  /* and one that is wanted */
	uint8_t *sum[FORMAT_MAX_PARITY]; /* parity less the rows that are there */
};

/* The column that a lost page is in. */
struct column {
	const struct pages *pages;
	uint32_t begin;      /* logical page where its band begins */
	uint32_t band_pages; /* data pages of that band */
	uint32_t number;
	unsigned target; /* the wanted row */

	unsigned parity[FORMAT_MAX_PARITY]; /* numbers of those that are readable */
	unsigned parity_count;
	unsigned lost[FORMAT_MAX_PARITY]; /* rows */
	unsigned lost_count;
};

size_t repair_size(void)
{
	return (FORMAT_MAX_PARITY + 2) * (size_t)(FORMAT_PAYLOAD + 64);
}

int repair_new(struct repair **repair, struct arena *arena)
{
	struct repair *r = calloc(1, sizeof(*r));
	bool complete;

	if (!r)
		return STATUS_NOMEM;
	r->row = arena_alloc(arena, FORMAT_PAYLOAD);
	r->spare = arena_alloc(arena, FORMAT_PAYLOAD);
	complete = r->row && r->spare;
	for (int q = 0; q < FORMAT_MAX_PARITY; q++)
		complete &= (r->sum[q] = arena_alloc(arena, FORMAT_PAYLOAD)) != NULL;
	if (!complete || pthread_mutex_init(&r->turn, NULL)) {
		free(r);
		return STATUS_NOMEM;
	}
	*repair = r;
	return STATUS_OK;
}

void repair_free(struct repair *repair)
{
	if (!repair)
		return;
	pthread_mutex_destroy(&repair->turn);
	free(repair);
}

static void find_column(struct column *c, const struct pages *pages, uint32_t i)
{
	const struct format_parity *parity = &pages->parity;
	uint32_t full = FORMAT_ROWS * parity->columns, band = i / full, place = i % full;

	*c = (struct column){
		.pages = pages,
		.begin = band * (full + parity->m * parity->columns),
		.band_pages = format_band_pages(parity, band),
		.number = place % parity->columns,
		.target = place / parity->columns,
	};
}

/* Logical page of parity number q: the one of the places d + qC to d + qC + C - 1
 * that belongs to the column. */
static uint32_t parity_page(const struct column *c, unsigned q)
{
	uint32_t columns = c->pages->parity.columns, d = c->band_pages;
	uint32_t skip = (c->number + columns - d % columns) % columns;

	return c->begin + d + q * columns + skip;
}

/* The first want parity pages that can be read become the sums. */
static void load_parity(struct repair *repair, struct column *c, struct pages_io *io, unsigned want)
{
	c->parity_count = 0;
	for (unsigned q = 0; q < c->pages->parity.m && c->parity_count < want; q++)
		if (pages_read_logical(c->pages, io, parity_page(c, q),
		                       repair->sum[c->parity_count]) == STATUS_OK)
			c->parity[c->parity_count++] = q;
}

/* Sums that are too few already are of no use, and are left as they are. */
static void subtract_row(struct repair *repair, const struct column *c, unsigned row)
{
	if (c->lost_count > c->parity_count)
		return;
	for (unsigned k = 0; k < c->parity_count; k++)
		gf_muladd(repair->sum[k], repair->row, gf_coefficient(c->parity[k], row),
		          FORMAT_PAYLOAD);
}

/* Take every readable row out of the sums; note the others.  False: more are
 * lost than there are parity pages. */
static bool subtract_rows(struct repair *repair, struct column *c, struct pages_io *io)
{
	uint32_t columns = c->pages->parity.columns;

	c->lost_count = 0;
	for (unsigned row = 0; row < FORMAT_ROWS; row++) {
		uint32_t place = c->number + row * columns;

		if (place >= c->band_pages)
			break;
		if (row != c->target &&
		    pages_read_logical(c->pages, io, c->begin + place, repair->row) == STATUS_OK) {
			subtract_row(repair, c, row);
			continue;
		}
		if (c->lost_count == c->pages->parity.m)
			return false;
		c->lost[c->lost_count++] = row;
	}
	return true;
}

/* The sums are now as many equations for the lost rows. */
static int solve(struct repair *repair, const struct column *c,
                 uint8_t payload[static FORMAT_PAYLOAD])
{
	uint8_t matrix[FORMAT_MAX_PARITY * FORMAT_MAX_PARITY];
	unsigned n = c->lost_count, wanted = 0;

	for (unsigned k = 0; k < n; k++)
		for (unsigned j = 0; j < n; j++)
			matrix[k * n + j] = gf_coefficient(c->parity[k], c->lost[j]);
	if (gf_invert(matrix, n))
		return STATUS_DAMAGED; /* cannot be: every part of a Cauchy matrix has an inverse */
	while (c->lost[wanted] != c->target)
		wanted++;
	sodium_memzero(payload, FORMAT_PAYLOAD);
	for (unsigned k = 0; k < n; k++)
		gf_muladd(payload, repair->sum[k], matrix[wanted * n + k], FORMAT_PAYLOAD);
	return STATUS_OK;
}

/* Pages of the column that the medium is too short for are lost without a look;
 * are they too many already? */
static bool is_hopeless(const struct column *c)
{
	const struct pages *pages = c->pages;
	uint32_t columns = pages->parity.columns, lost = 0;

	for (uint32_t place = c->number; place < c->band_pages; place += columns)
		lost += c->begin + place >= pages->present;
	for (unsigned q = 0; q < pages->parity.m; q++)
		lost += parity_page(c, q) >= pages->present;
	return lost > pages->parity.m;
}

/* How many sums to begin with.  A column that has lost one page has often lost
 * another, and to read all of it again costs more than a second sum; what was met
 * before is known. */
static unsigned expect_losses(const struct column *c)
{
	const struct format_parity *parity = &c->pages->parity;
	unsigned lost = 1;

	for (unsigned row = 0; row < FORMAT_ROWS; row++) {
		uint32_t place = c->number + row * parity->columns;

		if (row != c->target && place < c->band_pages)
			lost += pages_was_damaged(c->pages, c->begin + place);
	}
	return (unsigned)min_u64(max_u64(lost, 2), parity->m);
}

/* The target of the column.  Where more pages are lost than there are sums, once more
 * with as many. */
static int compute(struct repair *repair, struct column *c, struct pages_io *io,
                   uint8_t payload[static FORMAT_PAYLOAD])
{
	unsigned want;

	sodium_memzero(payload, FORMAT_PAYLOAD);
	if (is_hopeless(c))
		return STATUS_DAMAGED;
	for (want = expect_losses(c);; want = c->lost_count) {
		load_parity(repair, c, io, want);
		if (!c->parity_count || !subtract_rows(repair, c, io))
			return STATUS_DAMAGED;
		if (c->lost_count <= c->parity_count)
			return solve(repair, c, payload);
		if (c->parity_count < want)
			return STATUS_DAMAGED;
	}
}

int repair_page(struct repair *repair, const struct pages *pages, struct pages_io *io, uint32_t i,
                uint8_t payload[static FORMAT_PAYLOAD])
{
	struct column c;
	int status;

	sodium_memzero(payload, FORMAT_PAYLOAD);
	if (pages->parity.m == 0)
		return STATUS_DAMAGED;
	find_column(&c, pages, i);
	pthread_mutex_lock(&repair->turn);
	status = compute(repair, &c, io, payload);
	pthread_mutex_unlock(&repair->turn);
	return status;
}

/* Row c->target of the column, read or computed, to spare. */
static int load_row(struct repair *repair, struct column *c, struct pages_io *io)
{
	uint32_t t = c->begin + c->number + c->target * c->pages->parity.columns;

	if (pages_read_logical(c->pages, io, t, repair->spare) == STATUS_OK)
		return STATUS_OK;
	return compute(repair, c, io, repair->spare);
}

int repair_parity(struct repair *repair, const struct pages *pages, struct pages_io *io, uint32_t t,
                  uint8_t payload[static FORMAT_PAYLOAD])
{
	uint32_t columns = pages->parity.columns, full = FORMAT_ROWS * columns;
	uint32_t length = full + pages->parity.m * columns, place = t % length;
	int status = STATUS_OK;
	struct column c;

	sodium_memzero(payload, FORMAT_PAYLOAD);
	find_column(&c, pages, t / length * full);
	c.number = place % columns;
	pthread_mutex_lock(&repair->turn);
	for (c.target = 0; status == STATUS_OK && c.target < FORMAT_ROWS; c.target++) {
		if (c.number + c.target * columns >= c.band_pages)
			break;
		status = load_row(repair, &c, io);
		if (status == STATUS_OK)
			gf_muladd(payload, repair->spare,
			          gf_coefficient((place - c.band_pages) / columns, c.target),
			          FORMAT_PAYLOAD);
	}
	pthread_mutex_unlock(&repair->turn);
	if (status)
		sodium_memzero(payload, FORMAT_PAYLOAD);
	return status;
}
