#include <stdio.h>

#include "bundler/lane.h"
#include "bundler/stage.h"
#include "bundler/writing.h"
#include "common/status.h"

/* Where a stage is looked at, what fails is its spill, and not the drive. */
static int blame(struct write *w, unsigned i, int status)
{
	if (status == STATUS_IO || status == STATUS_DAMAGED)
		snprintf(w->fault->culprit, sizeof(w->fault->culprit), "%s",
		         stage_spill_directory(w->compartment[i].stage));
	return status;
}

static struct lane_slices slices_of(const struct write *w, unsigned i)
{
	return (struct lane_slices){w->volume[w->no].owner, (uint8_t)i};
}

static int deal(struct write *w)
{
	struct layout_demand demand[FORMAT_SLOTS];

	for (unsigned i = 0; i < w->count; i++)
		demand[i] = w->volumes->spread[i].most;
	return layout_deal(&w->geometry, demand, w->count, w->volume[w->no].owner);
}

/* All of a slot but the compartment key, which is there. */
static int make_slot(struct write *w, unsigned i)
{
	const struct spread *spread = &w->volumes->spread[i];
	const struct lane_slices slices = slices_of(w, i);
	struct layout_demand demand = {.parity = spread->most.parity};
	struct format_slot *slot = &w->secrets->keys[i].slot;
	struct format_parity shape;
	int status = stage_stream_len(w->compartment[i].stage, spread->cut[w->no],
	                              spread->cut[w->no + 1], &demand.stream_len);

	if (status == STATUS_OK)
		status = layout_pages(&demand, &shape);
	if (status)
		return status;
	slot->parity = (uint8_t)demand.parity;
	slot->volume_no = (uint16_t)w->no;
	slot->volume_count = (uint16_t)w->volumes->count;
	slot->file_len = w->geometry.file_len;
	slot->data_pages = shape.data_pages;
	lane_place_roots(slot, &slices);
	return STATUS_OK;
}

static int make_slots(struct write *w)
{
	int status = STATUS_OK;

	for (unsigned i = 0; i < w->count && status == STATUS_OK; i++)
		status = blame(w, i, make_slot(w, i));
	return status;
}

static int make_headers(struct write *w)
{
	struct headers_compartment compartment[FORMAT_SLOTS];
	int status = STATUS_OK;

	for (unsigned i = 0; i < w->count; i++)
		compartment[i] = (struct headers_compartment){
			.slot = &w->secrets->keys[i].slot,
			.opener = w->compartment[i].opener,
			.opener_count = w->compartment[i].opener_count};
	for (int copy = 0; copy < 2 && status == STATUS_OK; copy++)
		status = headers_make(w->volume[w->no].header[copy], compartment, w->count,
		                      w->options->profile, &w->secrets->room, w->progress);
	return status;
}

int volume_prepare(struct write *w)
{
	int status = deal(w);

	if (status == STATUS_OK)
		status = make_slots(w);
	if (status == STATUS_OK)
		status = make_headers(w);
	return status;
}

static int open_lane(struct write *w, unsigned i)
{
	const struct lane_ahead ahead = press_ahead(w->options->workers, w->options->group);
	const struct lane_slices slices = slices_of(w, i);
	struct write_keys *keys = &w->secrets->keys[i];

	kdf_page_key(keys->page, keys->slot.ck, keys->slot.volume_no);
	return blame(w, i,
	             lane_open(&w->lane[i], w->compartment[i].stage, &keys->slot, &slices,
	                       w->volumes->spread[i].cut, &ahead));
}

int volume_open(struct write *w)
{
	int status = make_slots(w);

	for (unsigned i = 0; i < w->count && status == STATUS_OK; i++)
		status = open_lane(w, i);
	return status;
}

void volume_close(struct write *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		lane_close(w->lane[i]);
		w->lane[i] = NULL;
	}
}
