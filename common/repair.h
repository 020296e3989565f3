/* A lost data page from the rest of its column.  bundle(5), "Parity". */
#ifndef COMMON_REPAIR_H
#define COMMON_REPAIR_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

struct arena;
struct pages;
struct pages_io;
struct repair;

/* Bytes of arena that repair_new takes. */
size_t repair_size(void);

/* Room for the sums of one column; threads take turns.  STATUS_NOMEM. */
int repair_new(struct repair **repair, struct arena *arena);
void repair_free(struct repair *repair);

/* Compute data page i.  STATUS_DAMAGED: its column has lost more pages than it
 * has parity; payload is zeroed. */
int repair_page(struct repair *repair, const struct pages *pages, struct pages_io *io, uint32_t i,
                uint8_t payload[static FORMAT_PAYLOAD]);

/* Compute the parity page that is logical page t, from data that is there or can
 * be computed.  STATUS_DAMAGED: some of its column is lost; payload is zeroed. */
int repair_parity(struct repair *repair, const struct pages *pages, struct pages_io *io, uint32_t t,
                  uint8_t payload[static FORMAT_PAYLOAD]);

#endif
