#include "bundler/lane.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/feed.h"
#include "bundler/large.h"
#include "bundler/parity.h"
#include "bundler/stage.h"
#include "common/bytes.h"
#include "common/status.h"

enum { COLUMNS_MOST = 1024, SUMS_MOST = 4096 }; /* bundle(5), "Parity" */

struct lane {
	struct feed *feed;
	struct parity *parity; /* NULL without */
	struct format_parity shape;
	uint8_t root[FORMAT_PAYLOAD];
	uint64_t root_at[FORMAT_ROOTS]; /* places, bundle(5)'s x; the first is 0 */
	uint64_t x;                     /* the next place */
	uint32_t t;                     /* the next logical page */
	uint32_t band, in_band;         /* where in the bands that is */
	/* Data pages that parity is not summed up from yet: one behind the other, and
	 * again from the beginning.  NULL: none has to wait. */
	uint8_t *ring;
	uint32_t ring_pages, ring_at;
};

/* A page is overwritten when it has been sealed, and the last one of its group was
 * added: (group - 1) * C later. */
static uint64_t ring_pages(const struct lane_ahead *ahead, uint64_t columns)
{
	return ahead->group > 1 ? (ahead->group - 1) * columns + ahead->pages : 0;
}

size_t lane_memory(unsigned parity, const struct lane_ahead *ahead)
{
	uint64_t columns = parity ? min_u64(COLUMNS_MOST, SUMS_MOST / parity) : 0;

	return columns ? (SUMS_MOST + ring_pages(ahead, columns)) * FORMAT_PAYLOAD : 0;
}

static uint32_t slice_pages(const struct format_slot *slot)
{
	struct format_geometry geometry = {.slice_pages = 1};

	(void)format_geometry_make(&geometry, slot->file_len); /* has been made before */
	return geometry.slice_pages;
}

static uint16_t count_owned(const struct lane_slices *slices)
{
	uint16_t owned = 0;

	for (uint32_t q = 0; q < FORMAT_MAX_SLICES; q++)
		owned += slices->owner[q] == slices->no;
	return owned;
}

void lane_place_roots(struct format_slot *slot, const struct lane_slices *slices)
{
	uint32_t pages = slice_pages(slot), owned = count_owned(slices), found = 0;

	for (uint32_t q = 0; q < FORMAT_MAX_SLICES; q++) {
		if (slices->owner[q] != slices->no)
			continue;
		if (found == 0)
			slot->root_page[0] = q * pages;
		if (found == owned / 2)
			slot->root_page[1] = q * pages;
		slot->root_page[2] = (q + 1) * pages - 1;
		found++;
	}
}

static int make_root(struct lane *lane, const struct stage *stage, const struct format_slot *slot,
                     const struct lane_slices *slices, const uint64_t *cut)
{
	struct format_layout *layout = calloc(1, sizeof(*layout));
	uint64_t begin = cut[slot->volume_no], end = cut[slot->volume_no + 1], front = 0;
	int status;

	if (!layout)
		return STATUS_NOMEM;
	layout->owned = count_owned(slices);
	for (uint32_t q = 0; q < FORMAT_MAX_SLICES; q++)
		layout->map[q / 8] |= (uint8_t)((slices->owner[q] == slices->no) << q % 8);
	layout->volume_count = slot->volume_count;
	memcpy(layout->range_start, cut, (slot->volume_count + 1u) * sizeof(*cut));
	status = stage_front_len(stage, begin, end, &front);
	layout->index_in_front = front > 0;
	if (status == STATUS_OK)
		status = stage_leaf_blocks(stage, begin, end, &layout->first_leaf_block,
		                           &layout->leaf_blocks);
	format_root_encode(lane->root, stage_content_part(stage), stage_signature(stage), layout);
	sodium_memzero(layout, sizeof(*layout));
	free(layout);
	return status;
}

static int open_parity(struct lane *l, const struct lane_ahead *ahead)
{
	l->ring_pages = (uint32_t)min_u64(ring_pages(ahead, l->shape.columns), l->shape.data_pages);
	if (l->ring_pages)
		l->ring = large_new((size_t)l->ring_pages * FORMAT_PAYLOAD);
	if (l->ring_pages && !l->ring)
		return STATUS_NOMEM;
	return parity_new(&l->parity, &l->shape, ahead->group);
}

int lane_open(struct lane **lane, struct stage *stage, const struct format_slot *slot,
              const struct lane_slices *slices, const uint64_t *cut, const struct lane_ahead *ahead)
{
	uint64_t pages = slice_pages(slot), owned = count_owned(slices);
	struct lane *l = calloc(1, sizeof(*l));
	int status;

	if (!l)
		return STATUS_NOMEM;
	l->root_at[1] = owned / 2 * pages;
	l->root_at[2] = owned * pages - 1;
	status = format_parity_make(&l->shape, slot->parity, slot->data_pages);
	if (status == STATUS_OK)
		status = make_root(l, stage, slot, slices, cut);
	if (status == STATUS_OK && slot->parity)
		status = open_parity(l, ahead);
	if (status == STATUS_OK)
		status = feed_open(&l->feed, stage, cut[slot->volume_no], cut[slot->volume_no + 1]);
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
	free(lane->ring);
	sodium_memzero(lane, sizeof(*lane)); /* its root says whose the slices are */
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
	if (lane->ring)
		run = min_u64(run, lane->ring_pages - lane->ring_at);
	for (int i = 0; i < FORMAT_ROOTS; i++)
		if (lane->root_at[i] >= lane->x)
			run = min_u64(run, lane->root_at[i] - lane->x);
	return (uint32_t)run;
}

static int fill_data(struct lane *lane, uint32_t run, struct lane_page *page, uint8_t *payload,
                     struct later *later)
{
	if (lane->ring) {
		payload = lane->ring + (size_t)lane->ring_at * FORMAT_PAYLOAD;
		lane->ring_at = (lane->ring_at + run) % lane->ring_pages;
	}
	for (uint32_t i = 0; i < run; i++)
		page[i] = (struct lane_page){.kind = LANE_DATA,
		                             .domain = SEAL_PAGE,
		                             .number = lane->t++,
		                             .place = lane->in_band++,
		                             .band = lane->band,
		                             .payload = payload + (size_t)i * FORMAT_PAYLOAD};
	lane->x += run;
	return feed_read(lane->feed, payload, (size_t)run * FORMAT_PAYLOAD, later);
}

static void fill_parity(struct lane *lane, struct lane_page *page, uint8_t *payload)
{
	uint32_t d = format_band_pages(&lane->shape, lane->band), i = lane->in_band++ - d;

	*page = (struct lane_page){.kind = LANE_PARITY,
	                           .domain = SEAL_PAGE,
	                           .number = lane->t++,
	                           .place = i,
	                           .band = lane->band,
	                           .payload = payload};
	lane->x++;
	if (i + 1 == lane->shape.m * lane->shape.columns) {
		lane->band++;
		lane->in_band = 0;
	}
}

void lane_sum(struct lane *lane, const struct lane_page *page)
{
	uint32_t d, count = lane->shape.m * lane->shape.columns;

	if (!lane->parity)
		return;
	if (page->kind == LANE_DATA)
		parity_add(lane->parity, page->place, page->payload);
	if (page->kind != LANE_PARITY)
		return;
	d = format_band_pages(&lane->shape, page->band);
	if (page->place == 0)
		parity_finish(lane->parity, d);
	memcpy(page->payload, parity_page(lane->parity, d, page->place), FORMAT_PAYLOAD);
	if (page->place + 1 == count)
		parity_clear(lane->parity);
}

/* A root copy, if that comes next. */
static bool fill_root(struct lane *lane, struct lane_page *page, uint8_t *payload)
{
	for (unsigned i = 0; i < FORMAT_ROOTS; i++) {
		if (lane->x != lane->root_at[i])
			continue;
		*page = (struct lane_page){
			.kind = LANE_ROOT, .domain = SEAL_ROOT, .number = i, .payload = payload};
		memcpy(payload, lane->root, FORMAT_PAYLOAD);
		lane->x++;
		return true;
	}
	return false;
}

int lane_fill(struct lane *lane, unsigned count, struct lane_page *page, uint8_t *payload,
              struct later *later)
{
	uint32_t used = lane->shape.data_pages + lane->shape.parity_pages, run;
	int status = STATUS_OK;

	for (unsigned i = 0; i < count && status == STATUS_OK; i += run) {
		uint8_t *at = payload + (size_t)i * FORMAT_PAYLOAD;

		run = 1;
		if (fill_root(lane, &page[i], at))
			continue;
		if (lane->t == used) {
			page[i] = (struct lane_page){.kind = LANE_RANDOM};
			lane->x++;
			continue;
		}
		run = data_run(lane, count - i);
		if (run) {
			status = fill_data(lane, run, &page[i], at, later);
		} else {
			fill_parity(lane, &page[i], at);
			run = 1;
		}
	}
	return status;
}
