/* Can this passphrase be guessed?  A rough and pessimistic estimate: the
 * cheapest way to put it together from dictionary words, runs, dates and single
 * characters. */
#ifndef BUNDLER_STRENGTH_H
#define BUNDLER_STRENGTH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/passphrase.h"

enum {
	STRENGTH_ENOUGH = 64, /* bits: five words drawn from the EFF's list */
	STRENGTH_WHY = 96,
};

/* Estimated bits, rounded down.  why: what an attacker would make of it, such
 * as "8 lower-case letters"; no character of the passphrase is in it. */
unsigned strength_bits(const struct passphrase *passphrase, char why[static STRENGTH_WHY]);

#endif
