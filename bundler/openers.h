/* Passphrases, key files and recipients, from wherever the command line says they
 * are. */
#ifndef BUNDLER_OPENERS_H
#define BUNDLER_OPENERS_H

#include "bundler/write.h"
#include "common/format.h"

struct arena;
struct failure;
struct options;

struct openers {
	struct opener opener[FORMAT_SLOTS];
	unsigned count;
};

/* Read, make and ask for all of them; two that are the same are refused, weak
 * ones warned of.  Everything secret lies in the arena, which takes up to 40
 * KiB.  Returns an exit code; on failure a line has said why. */
int openers_collect(struct openers *openers, struct arena *arena, const struct options *options,
                    struct failure *failure);

#endif
