#include "bundler/lane.h"

#include <stdlib.h>
#include <string.h>

#include "bundler/parity.h"
#include "bundler/stage.h"
#include "common/bytes.h"
#include "common/status.h"

struct lane {
	struct feed *feed;
	struct parity *parity; /* NULL without */
	struct format_parity shape;
	uint8_t root[FORMAT_PAYLOAD];
	uint64_t root_at[FORMAT_ROOTS]; /* places, bundle(5)'s x */
	uint64_t x;                     /* the next place */
	uint32_t t;                     /* the next logical page */
	uint32_t band, in_band;         /* where in the bands that is */
};

/* Places of the root copies, and the pages that these are. */
static void place_roots(struct lane *lane, struct format_slot *slot, const uint8_t *map,
                        uint16_t owned, uint32_t slice_pages)
{
	uint32_t found = 0;

	lane->root_at[0] = 0;
	lane->root_at[1] = (uint64_t)(owned / 2) * slice_pages;
	lane->root_at[2] = (uint64_t)owned * slice_pages - 1;
	for (uint32_t q = 0; q < FORMAT_MAX_SLICES; q++) {
		if (!(map[q / 8] >> q % 8 & 1))
			continue;
		if (found == 0)
			slot->root_page[0] = q * slice_pages;
		if (found == owned / 2u)
			slot->root_page[1] = q * slice_pages;
		slot->root_page[2] = (q + 1) * slice_pages - 1;
		found++;
	}
}

/* Sets of several volumes will have their ranges here. */
static int make_root(struct lane *lane, const struct stage *stage, const struct format_slot *slot,
                     const uint8_t *map, uint16_t owned, uint64_t begin, uint64_t end)
{
	struct format_layout *layout = calloc(1, sizeof(*layout));
	int status;

	if (!layout)
		return STATUS_NOMEM;
	layout->owned = owned;
	layout->volume_count = slot->volume_count;
	memcpy(layout->map, map, sizeof(layout->map));
	status = stage_leaf_blocks(stage, begin, end, &layout->first_leaf_block,
	                           &layout->leaf_blocks);
	format_root_encode(lane->root, stage_content_part(stage), stage_signature(stage), layout);
	free(layout);
	return status;
}

int lane_open(struct lane **lane, struct stage *stage, struct format_slot *slot,
              const uint8_t map[static FORMAT_MAX_SLICES / 8], uint16_t owned, uint64_t begin,
              uint64_t end)
{
	struct lane *l = calloc(1, sizeof(*l));
	struct format_geometry geometry;
	int status;

	if (!l)
		return STATUS_NOMEM;
	status = format_geometry_make(&geometry, slot->file_len);
	if (status == STATUS_OK)
		status = format_parity_make(&l->shape, slot->parity, slot->data_pages);
	if (status == STATUS_OK)
		place_roots(l, slot, map, owned, geometry.slice_pages);
	if (status == STATUS_OK)
		status = make_root(l, stage, slot, map, owned, begin, end);
	if (status == STATUS_OK && slot->parity)
		status = parity_new(&l->parity, &l->shape);
	if (status == STATUS_OK)
		status = feed_open(&l->feed, stage, begin, end);
	if (status == STATUS_OK)
		*lane = l;
	else
		lane_close(l);
	return status;
}

void lane_close(struct lane *lane)
{
	if (!lane)
		return;
	feed_close(lane->feed);
	parity_free(lane->parity);
	free(lane);
}

const char *lane_culprit(const struct lane *lane)
{
	return feed_culprit(lane->feed);
}

/* How many data pages follow before something else does, here or at the next
 * root copy. */
static uint32_t data_run(const struct lane *lane, uint32_t count)
{
	uint64_t run = lane->shape.data_pages - lane->t;

	if (lane->parity) {
		uint32_t d = format_band_pages(&lane->shape, lane->band);

		run = lane->in_band < d ? d - lane->in_band : 0;
	}
	run = min_u64(run, count);
	for (int i = 0; i < FORMAT_ROOTS; i++)
		if (lane->root_at[i] >= lane->x)
			run = min_u64(run, lane->root_at[i] - lane->x);
	return (uint32_t)run;
}

static int fill_data(struct lane *lane, uint32_t run, struct lane_page *page, uint8_t *payload)
{
	int status = feed_read(lane->feed, payload, (size_t)run * FORMAT_PAYLOAD);

	for (uint32_t i = 0; i < run && status == STATUS_OK; i++) {
		page[i] = (struct lane_page){.domain = SEAL_PAGE, .number = lane->t++};
		if (lane->parity)
			parity_add(lane->parity, lane->in_band++,
			           payload + (size_t)i * FORMAT_PAYLOAD);
	}
	lane->x += run;
	return status;
}

static void fill_parity(struct lane *lane, struct lane_page *page, uint8_t *payload)
{
	uint32_t d = format_band_pages(&lane->shape, lane->band), i = lane->in_band++ - d;

	*page = (struct lane_page){.domain = SEAL_PAGE, .number = lane->t++};
	memcpy(payload, parity_page(lane->parity, d, i), FORMAT_PAYLOAD);
	lane->x++;
	if (i + 1 < lane->shape.m * lane->shape.columns)
		return;
	lane->band++;
	lane->in_band = 0;
	parity_clear(lane->parity);
}

/* A root copy, if that comes next. */
static bool fill_root(struct lane *lane, struct lane_page *page, uint8_t *payload)
{
	for (unsigned i = 0; i < FORMAT_ROOTS; i++) {
		if (lane->x != lane->root_at[i])
			continue;
		*page = (struct lane_page){.domain = SEAL_ROOT, .number = i};
		memcpy(payload, lane->root, FORMAT_PAYLOAD);
		lane->x++;
		return true;
	}
	return false;
}

int lane_fill(struct lane *lane, unsigned count, struct lane_page *page, uint8_t *payload)
{
	uint32_t used = lane->shape.data_pages + lane->shape.parity_pages, run;
	int status = STATUS_OK;

	for (unsigned i = 0; i < count && status == STATUS_OK; i += run) {
		uint8_t *at = payload + (size_t)i * FORMAT_PAYLOAD;

		run = 1;
		if (fill_root(lane, &page[i], at))
			continue;
		if (lane->t == used) {
			page[i] = (struct lane_page){.random = true};
			lane->x++;
			continue;
		}
		run = data_run(lane, count - i);
		if (run) {
			status = fill_data(lane, run, &page[i], at);
		} else {
			fill_parity(lane, &page[i], at);
			run = 1;
		}
	}
	return status;
}
