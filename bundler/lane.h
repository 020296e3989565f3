/* One compartment on its way into one volume: what lies on its pages, in the
 * order in which they are written.  bundle(5), "Compartments" and "Pages". */
#ifndef BUNDLER_LANE_H
#define BUNDLER_LANE_H

#include <stdint.h>

#include "common/format.h"
#include "common/seal.h"

struct lane;
struct stage;

/* A page of the lane.  What is sealed is its payload; random pages have none, and
 * that of a parity page is there only after lane_sum. */
struct lane_page {
	enum lane_kind { LANE_RANDOM, LANE_ROOT, LANE_DATA, LANE_PARITY } kind;
	enum seal_domain domain;
	uint64_t number;
	uint32_t place; /* of a data page in its band; of a parity page behind its data */
	uint32_t band;
};

/* Which slices of a volume it has: number no of those in owner. */
struct lane_slices {
	const uint8_t *owner; /* of each slice, as layout_deal */
	uint8_t no;
};

/* Where the root copies go, into slot->root_page; slot->file_len is given. */
void lane_place_roots(struct format_slot *slot, const struct lane_slices *slices);

/* The content of the volumes of a set: number v has [cut[v], cut[v + 1]).
 * slot: parity, data_pages, volume_no, volume_count, file_len.  stage: borrowed.
 * STATUS_NOMEM, STATUS_IO, STATUS_DAMAGED (a spill). */
int lane_open(struct lane **lane, struct stage *stage, const struct format_slot *slot,
              const struct lane_slices *slices, const uint64_t *cut);

/* Wipes.  NULL is fine. */
void lane_close(struct lane *lane);

/* The next count of its pages: what they are, and their payloads end to end.
 * Statuses as feed_read. */
int lane_fill(struct lane *lane, unsigned count, struct lane_page *page, uint8_t *payload);

/* For each page of the lane, in their order: add its payload to what parity is made
 * from, or make it that.  By another thread than lane_fill's, if one likes. */
void lane_sum(struct lane *lane, const struct lane_page *page, uint8_t *payload);

/* As feed_culprit. */
const char *lane_culprit(const struct lane *lane);

#endif
