/* What the packer knows on its way from the command line to bundles, and the rooms it
 * passes: prepare.c, compartment.c, plan.c, deliver.c.  Each step returns an exit
 * code, and whoever fails has said why. */
#ifndef BUNDLER_PACK_H
#define BUNDLER_PACK_H

#include "bundler/budget.h"
#include "bundler/compartment.h"
#include "bundler/failure.h"
#include "bundler/openers.h"
#include "bundler/options.h"
#include "bundler/report.h"
#include "bundler/volumes.h"

struct arena;
struct progress;

struct pack {
	struct options options;
	struct failure failure; /* of everything */
	struct failure refusal; /* of the first output that cannot be had */
	struct arena *arena;
	struct budget budget;
	struct openers openers;
	struct compartment compartment[FORMAT_SLOTS];
	struct scan_output *existing;
	unsigned existing_count;
	bool *refused; /* one for each output */
	struct volumes volumes;
	bool fills_longest_file; /* --size fill:, and the drive has room for more */
	struct progress *progress;
	struct report report;
};

/* Before anything is read: are the places there, is there memory, who opens it? */
int pack_prepare(struct pack *pack);

/* When all is staged: how many volumes, how long, and what that tells. */
int pack_plan(struct pack *pack);

/* Write the bundle to every output that has not been refused. */
int pack_deliver(struct pack *pack);

/* Would there be room for it?  Nothing is written. */
int pack_rehearse(struct pack *pack);

/* An output that cannot be had does not spoil the others. */
void pack_refuse(struct pack *pack, unsigned i, uint64_t len, const struct failure *why);

#endif
