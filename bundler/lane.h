/* One compartment on its way into one volume: what lies on its pages, in the
 * order in which they are written.  bundle(5), "Compartments" and "Pages". */
#ifndef BUNDLER_LANE_H
#define BUNDLER_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"
#include "common/seal.h"

struct lane;
struct stage;

/* A page of the lane.  What is sealed is its payload; random pages have none. */
struct lane_page {
	bool random;
	enum seal_domain domain;
	uint64_t number;
};

/* map, owned: its slices.  slot->parity, data_pages, volume_no, volume_count and
 * file_len are given; the positions of the roots are filled in.  The volume holds
 * the content from begin to end.  stage: borrowed.
 * STATUS_NOMEM, STATUS_IO, STATUS_DAMAGED (a spill). */
int lane_open(struct lane **lane, struct stage *stage, struct format_slot *slot,
              const uint8_t map[static FORMAT_MAX_SLICES / 8], uint16_t owned, uint64_t begin,
              uint64_t end);
void lane_close(struct lane *lane);

/* The next count of its pages: what they are, and their payloads end to end.
 * Statuses as feed_read. */
int lane_fill(struct lane *lane, unsigned count, struct lane_page *page, uint8_t *payload);

/* As feed_culprit. */
const char *lane_culprit(const struct lane *lane);

#endif
