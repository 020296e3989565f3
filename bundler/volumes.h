/* How a bundle is spread over volumes of one length: how many, how long, and which
 * part of each compartment's content goes into which.  bundle(5), "Volume file" and
 * "Stream"; satchel-pack(1), "Volumes". */
#ifndef BUNDLER_VOLUMES_H
#define BUNDLER_VOLUMES_H

#include <stddef.h>
#include <stdint.h>

#include "bundler/layout.h"

struct stage;

/* Shorter volumes are asked for by mistake. */
#define VOLUMES_SHORTEST 262144

/* Where one file would be too long for the drive. */
#define VOLUMES_INSTEAD "; use --volume-size fat32, or format it as exFAT"

/* What the user wants. */
struct volumes_wish {
	uint64_t size;  /* of all volumes together; 0: as long as they have to be */
	uint64_t limit; /* longest volume, at least VOLUMES_SHORTEST; 0: one volume */
	uint64_t least; /* where the length of one volume is drawn, from here to size; or 0 */
};

/* One compartment.  What there is of it in a volume, and how many slices it gets for
 * that, follows from its own content, the number of volumes and their length: never
 * from other compartments, of which its reader would learn by it. */
struct spread {
	uint64_t cut[FORMAT_MAX_VOLUMES + 1]; /* volume v has the content [cut[v], cut[v + 1]) */
	struct layout_demand most;            /* of the volume that has most of it */
};

struct volumes {
	unsigned count;
	uint64_t low, high;    /* between these the length of each is drawn, one for all */
	uint64_t least;        /* together, as short as they could be */
	struct spread *spread; /* of each compartment */
};

/* With a size and a limit both: how many volumes of which length these are.
 * STATUS_TOOBIG: more than there can be. */
int volumes_divide(const struct volumes_wish *wish, unsigned *count, uint64_t *len);

/* Plan volumes for count compartments, each with a stage, all with that parity.
 * A file stays within a volume if there is room for that: a volume may get up to
 * twice its even share, but no more than it holds.
 * STATUS_TOOBIG: they do not fit; least says how long the volumes would have to be
 * together, 0 if that is not known.  STATUS_NOMEM; STATUS_IO, STATUS_DAMAGED (a
 * spill). */
int volumes_plan(struct volumes *volumes, struct stage *const *stage, unsigned count,
                 unsigned parity, const struct volumes_wish *wish);
void volumes_fini(struct volumes *volumes);

/* The name of volume no (from 0) of a bundle: path itself if there is only one, else
 * with a number before its extension, "summer-1.bin".  STATUS_TOOBIG. */
int volumes_name(char *out, size_t size, const char *path, unsigned no, unsigned count);

#endif
