/* One compartment on its way into one volume: what lies on its pages, in the
 * order in which they are written.  bundle(5), "Compartments" and "Pages". */
#ifndef BUNDLER_LANE_H
#define BUNDLER_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"
#include "common/seal.h"

struct lane;
struct later;
struct stage;

/* A page of the lane.  What is sealed is its payload; random pages have none, and
 * that of a parity page is there only after lane_sum. */
struct lane_page {
	enum lane_kind { LANE_RANDOM, LANE_ROOT, LANE_DATA, LANE_PARITY } kind;
	enum seal_domain domain;
	uint64_t number;
	uint32_t place; /* of a data page in its band; of a parity page behind its data */
	uint32_t band;
	uint8_t *payload;
};

/* How much of what was filled may wait. */
struct lane_ahead {
	uint32_t pages; /* between the last that was filled and the first that may be looked at */
	unsigned group; /* of payloads that parity is summed up from at a time, as parity_new */
};

/* Bytes of memory that a lane takes at most for parity. */
size_t lane_memory(unsigned parity, const struct lane_ahead *ahead);

/* Which slices of a volume it has: number no of those in owner. */
struct lane_slices {
	const uint8_t *owner; /* of each slice, as layout_deal */
	uint8_t no;
};

/* Where the root copies go, into slot->root_page; slot->file_len is given. */
void lane_place_roots(struct format_slot *slot, const struct lane_slices *slices);

/* The content of the volumes of a set: number v has [cut[v], cut[v + 1]).
 * slot: parity, data_pages, volume_no, volume_count, file_len.  stage: borrowed.
 * ahead: of the group, if it is 1, there is no need to know the pages.
 * STATUS_NOMEM, STATUS_IO, STATUS_DAMAGED (a spill). */
int lane_open(struct lane **lane, struct stage *stage, const struct format_slot *slot,
              const struct lane_slices *slices, const uint64_t *cut,
              const struct lane_ahead *ahead);

/* Wipes.  NULL is fine. */
void lane_close(struct lane *lane);

/* The next count of its pages: what they are.  payload: room for as many payloads,
 * which are there, or with the lane until ahead pages more were filled.  Statuses and
 * later as feed_read. */
int lane_fill(struct lane *lane, unsigned count, struct lane_page *page, uint8_t *payload,
              struct later *later);

/* For each page of the lane, in their order, none put off: add its payload to what parity is made
 * from, or make it that.  By another thread than lane_fill's, if one likes. */
void lane_sum(struct lane *lane, const struct lane_page *page);

/* As feed_culprit. */
const char *lane_culprit(const struct lane *lane);

#endif
