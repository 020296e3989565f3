/* Passphrases, key files and recipients, from wherever the options say they are. */
#ifndef BUNDLER_OPENERS_H
#define BUNDLER_OPENERS_H

#include "bundler/write.h"
#include "common/format.h"

struct arena;
struct failure;
struct compartment_options;

/* Of all compartments, one after the other. */
struct openers {
	struct opener opener[FORMAT_SLOTS];
	unsigned count;
};

/* Read, make and ask for all of a compartment, and add them; two that are the same,
 * or would open two compartments, are refused, weak ones warned of.  Everything
 * secret lies in the arena, which takes up to 40 KiB for 32.  Returns an exit code;
 * on failure a line has said why. */
int openers_collect(struct openers *openers, struct arena *arena,
                    const struct compartment_options *options, struct failure *failure);

#endif
