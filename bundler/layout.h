/* How long a volume file becomes, and which slices of it a compartment gets: plain
 * arithmetic and chance.  bundle(5), "Volume file" and "Compartments";
 * satchel-pack(1), "Size". */
#ifndef BUNDLER_LAYOUT_H
#define BUNDLER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"

struct drive;

/* What one compartment needs room for in a volume; in a set in that of them in which
 * it needs most, and it gets the same in all: how much it owns in each then tells
 * nothing of the others. */
struct layout_demand {
	uint64_t stream_len; /* index, content, leaf blocks, index */
	unsigned parity;     /* per 64 */
};

#define LAYOUT_NOBODY UINT8_MAX

/* The data and parity pages of a stream.  STATUS_TOOBIG. */
int layout_pages(const struct layout_demand *demand, struct format_parity *parity);

/* The shortest length of a volume file from which on every length holds this
 * much. STATUS_TOOBIG. */
int layout_min_len(const struct layout_demand *demand, unsigned count, uint64_t *len);

/* The lengths among which one for at least len bytes is drawn: from Padmé's of len
 * to one of Padmé's steps more, and 64 KiB at least.  Padmé alone would be a
 * recognisable set of lengths. Nikitin et al., "Reducing Metadata Leakage from
 * Encrypted Files and Communication with PURBs", 2019. */
void layout_padded_range(uint64_t len, uint64_t *low, uint64_t *high);

/* A length drawn uniformly from [low, high]. */
uint64_t layout_draw(uint64_t low, uint64_t high);

/* What is free on drive less 0.1 to 1 %, from *low to *high: for one file, at most the longest;
 * or for files of up to volume bytes, if that is not 0.  Returns whether more is free, but one
 * file can take no more of it. */
bool layout_fill(const struct drive *drive, uint64_t volume, uint64_t *low, uint64_t *high);

/* Deal uniformly random disjoint subsets of a volume's slices to count
 * compartments: owner of each slice, the number of a compartment or LAYOUT_NOBODY.
 * How many compartment i owns follows from the geometry and demand[i] alone.
 * STATUS_TOOBIG: they do not fit. */
int layout_deal(const struct format_geometry *geometry, const struct layout_demand *demand,
                unsigned count, uint8_t owner[static FORMAT_MAX_SLICES]);

#endif
