/* What a write keeps: for those who plan it (write.c), lay out its volumes (volume.c),
 * write their bytes (press.c) and read them back (verify.c). */
#ifndef BUNDLER_WRITING_H
#define BUNDLER_WRITING_H

#include <stdint.h>

#include "bundler/check.h"
#include "bundler/headers.h"
#include "bundler/lane.h"
#include "bundler/volumes.h"
#include "bundler/write.h"
#include "common/format.h"

struct outfile;

enum {
	WRITE_PAGES = 64, /* of a piece of a volume file; header A counts as one */
	WRITE_PIECE = WRITE_PAGES * FORMAT_PAGE,
	WRITE_PIECE_MAX = WRITE_PIECE + 2 * FORMAT_PAGE, /* the last has tail and header B */
};

/* In the arena. */
struct write_keys {
	struct format_slot slot;  /* of the volume in hand; the compartment key is of all */
	uint8_t page[FORMAT_KEY]; /* of the volume in hand */
};
struct write_secrets {
	uint8_t fill[FORMAT_KEY]; /* of pages that nobody owns; thrown away */
	struct check check;
	struct headers_room room;
	struct write_keys keys[]; /* one for each compartment */
};

struct write_volume {
	struct outfile *out;
	uint8_t sum[CHECK_TAG];           /* of what was written */
	uint8_t owner[FORMAT_MAX_SLICES]; /* as layout_deal */
	uint8_t header[2][FORMAT_HEADER];
};

struct write {
	const struct write_compartment *compartment;
	unsigned count; /* of compartments */
	const struct volumes *volumes;
	const struct write_options *options;
	struct progress *progress;
	struct format_geometry geometry; /* of every volume */
	struct write_secrets *secrets;
	struct write_volume *volume;     /* all of them; wiped in the end */
	unsigned no;                     /* of the volume in hand */
	struct lane *lane[FORMAT_SLOTS]; /* in it, of each compartment */
	struct write_fault *fault;
};

/* Pieces are numbered through all volumes. */
static inline uint64_t write_first_piece(const struct write *w)
{
	return (uint64_t)w->no * (w->geometry.page_count / WRITE_PAGES + 1);
}

/* Deal the slices of the volume in hand and make its headers. */
int volume_prepare(struct write *write);

/* Have its pages ready to be read, and no longer.  Statuses as write_bundle. */
int volume_open(struct write *write);
void volume_close(struct write *write);

/* How long pages may wait in lanes while the press runs. */
struct lane_ahead press_ahead(unsigned workers, unsigned group);

/* Write it, front to back, and sync it. */
int press_run(struct write *write);

/* Read it back: is it what was written?  STATUS_DAMAGED. */
int verify_run(struct write *write);

#endif
