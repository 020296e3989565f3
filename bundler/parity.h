/* The parity pages of a compartment, summed up while its data pages go by.
 * bundle(5), "Parity".  Outside thing: ISA-L. */
#ifndef BUNDLER_PARITY_H
#define BUNDLER_PARITY_H

#include <stdint.h>

#include "common/format.h"

struct parity;

/* m * C payloads of memory, 64 MiB at most. shape: copied, m > 0.  STATUS_NOMEM. */
int parity_new(struct parity **parity, const struct format_parity *shape);
void parity_free(struct parity *parity);

/* Add the payload at data place t of the band: every place once, in any order. */
void parity_add(struct parity *parity, uint32_t t, const uint8_t payload[static FORMAT_PAYLOAD]);

/* The payload of parity page i of a band of d data pages, all of them added. */
const uint8_t *parity_page(const struct parity *parity, uint32_t d, uint32_t i);

/* Begin the next band. */
void parity_clear(struct parity *parity);

#endif
