#include "bundler/parity.h"

#include <isa-l/erasure_code.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/large.h"
#include "common/bytes.h"
#include "common/status.h"

enum {
	TABLE = 32,   /* bytes of ISA-L's tables for a coefficient */
	PART = 2048,  /* of a payload: with its sums, in the innermost cache */
	STAGGER = 64, /* columns that are summed up in the same row */
};

struct parity {
	struct format_parity shape;
	unsigned group;
	uint8_t *sum;            /* parity q of column c is number q * C + c */
	const uint8_t **waiting; /* that of row r and column c at r % group * C + c */
	uint8_t table[FORMAT_ROWS * FORMAT_MAX_PARITY * TABLE];
};

static uint8_t *sum_of(const struct parity *p, uint32_t q, uint32_t column)
{
	return p->sum + ((size_t)q * p->shape.columns + column) * FORMAT_PAYLOAD;
}

int parity_new(struct parity **parity, const struct format_parity *shape, unsigned group)
{
	uint8_t matrix[(FORMAT_ROWS + FORMAT_MAX_PARITY) * FORMAT_ROWS];
	struct parity *p = calloc(1, sizeof(*p));

	if (!p)
		return STATUS_NOMEM;
	p->shape = *shape;
	p->sum = large_new((size_t)shape->m * shape->columns * FORMAT_PAYLOAD);
	p->group = group;
	p->waiting = calloc((size_t)group * shape->columns, sizeof(*p->waiting));
	if (!p->sum || !p->waiting) {
		parity_free(p);
		return STATUS_NOMEM;
	}
	parity_clear(p);
	/* The Vandermonde generator next to it is not always invertible. */
	gf_gen_cauchy1_matrix(matrix, FORMAT_ROWS + (int)shape->m, FORMAT_ROWS);
	ec_init_tables(FORMAT_ROWS, (int)shape->m, matrix + FORMAT_ROWS * FORMAT_ROWS, p->table);
	*parity = p;
	return STATUS_OK;
}

void parity_free(struct parity *p)
{
	if (!p)
		return;
	free(p->sum);
	free(p->waiting);
	free(p);
}

/* Bytes [off, off + PART) of the rows [first, end) of a column. */
static void add_part(struct parity *p, uint32_t column, uint32_t first, uint32_t end, size_t off)
{
	size_t len = min_u64(FORMAT_PAYLOAD - off, PART);
	uint8_t *sums[FORMAT_MAX_PARITY];

	for (uint32_t q = 0; q < p->shape.m; q++)
		sums[q] = sum_of(p, q, column) + off;
	for (uint32_t row = first; row < end; row++) {
		const uint8_t *payload = p->waiting[row % p->group * p->shape.columns + column];

		ec_encode_data_update((int)len, FORMAT_ROWS, (int)p->shape.m, (int)row, p->table,
		                      (uint8_t *)payload + off, sums);
	}
}

/* How many rows of a column wait when those before end were added: all columns are
 * summed up every group rows, but not all in the same, lest one thread is busy with
 * that for long. */
static uint32_t count_waiting(const struct parity *p, uint32_t column, uint32_t end)
{
	return (uint32_t)min_u64((end + column / STAGGER) % p->group, end);
}

static void add_rows(struct parity *p, uint32_t column, uint32_t end, uint32_t count)
{
	for (size_t off = 0; count && off < FORMAT_PAYLOAD; off += PART)
		add_part(p, column, end - count, end, off);
}

void parity_add(struct parity *p, uint32_t t, const uint8_t payload[static FORMAT_PAYLOAD])
{
	uint32_t column = t % p->shape.columns, row = t / p->shape.columns;

	p->waiting[row % p->group * p->shape.columns + column] = payload;
	if (!count_waiting(p, column, row + 1))
		add_rows(p, column, row + 1, count_waiting(p, column, row) + 1);
}

void parity_finish(struct parity *p, uint32_t d)
{
	for (uint32_t column = 0; column < min_u64(p->shape.columns, d); column++) {
		uint32_t rows = (uint32_t)div_ceil(d - column, p->shape.columns);

		add_rows(p, column, rows, count_waiting(p, column, rows));
	}
}

const uint8_t *parity_page(const struct parity *p, uint32_t d, uint32_t i)
{
	return sum_of(p, i / p->shape.columns, (d + i) % p->shape.columns);
}

void parity_clear(struct parity *p)
{
	memset(p->sum, 0, (size_t)p->shape.m * p->shape.columns * FORMAT_PAYLOAD);
}
