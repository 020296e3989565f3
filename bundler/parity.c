#include "bundler/parity.h"

#include <isa-l/erasure_code.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"

enum { TABLE = 32 }; /* bytes of ISA-L's tables for a coefficient */

struct parity {
	struct format_parity shape;
	uint8_t *sum; /* parity q of column c is number q * C + c */
	uint8_t table[FORMAT_ROWS * FORMAT_MAX_PARITY * TABLE];
};

static uint8_t *sum_of(const struct parity *p, uint32_t q, uint32_t column)
{
	return p->sum + ((size_t)q * p->shape.columns + column) * FORMAT_PAYLOAD;
}

int parity_new(struct parity **parity, const struct format_parity *shape)
{
	uint8_t matrix[(FORMAT_ROWS + FORMAT_MAX_PARITY) * FORMAT_ROWS];
	struct parity *p = calloc(1, sizeof(*p));

	if (!p)
		return STATUS_NOMEM;
	p->shape = *shape;
	p->sum = calloc((size_t)shape->m * shape->columns, FORMAT_PAYLOAD);
	if (!p->sum) {
		parity_free(p);
		return STATUS_NOMEM;
	}
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
	free(p);
}

void parity_add(struct parity *p, uint32_t t, const uint8_t payload[static FORMAT_PAYLOAD])
{
	uint8_t *sums[FORMAT_MAX_PARITY];

	for (uint32_t q = 0; q < p->shape.m; q++)
		sums[q] = sum_of(p, q, t % p->shape.columns);
	ec_encode_data_update(FORMAT_PAYLOAD, FORMAT_ROWS, (int)p->shape.m,
	                      (int)(t / p->shape.columns), p->table, (uint8_t *)payload, sums);
}

const uint8_t *parity_page(const struct parity *p, uint32_t d, uint32_t i)
{
	return sum_of(p, i / p->shape.columns, (d + i) % p->shape.columns);
}

void parity_clear(struct parity *p)
{
	memset(p->sum, 0, (size_t)p->shape.m * p->shape.columns * FORMAT_PAYLOAD);
}
