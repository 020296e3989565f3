/* The parity pages of a compartment, summed up while its data pages go by.
 * bundle(5), "Parity".  Outside thing: ISA-L. */
#ifndef BUNDLER_PARITY_H
#define BUNDLER_PARITY_H

#include <stdint.h>

#include "common/format.h"

struct parity;

/* Payloads of a column that are added at a time, at most.  The sums are far larger than
 * any cache, and going through them is what it costs: with 4 it takes half as long as
 * with 1. */
#define PARITY_GROUP 4

/* m * C payloads of memory, 64 MiB at most. shape: copied, m > 0.  group: 1 to
 * PARITY_GROUP.  STATUS_NOMEM. */
int parity_new(struct parity **parity, const struct format_parity *shape, unsigned group);
void parity_free(struct parity *parity);

/* Add the payload at data place t of the band, in their order.  It is borrowed until
 * (group - 1) * C more are added, or parity_finish. */
void parity_add(struct parity *parity, uint32_t t, const uint8_t payload[static FORMAT_PAYLOAD]);

/* All d data pages of the band were added. */
void parity_finish(struct parity *parity, uint32_t d);

/* The payload of parity page i of a band of d data pages, when it is finished. */
const uint8_t *parity_page(const struct parity *parity, uint32_t d, uint32_t i);

/* Begin the next band. */
void parity_clear(struct parity *parity);

#endif
