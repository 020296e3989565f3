/* A passphrase nobody thought of. */
#ifndef BUNDLER_GENERATE_H
#define BUNDLER_GENERATE_H

#include "common/passphrase.h"

#define GENERATE_WORDS 7 /* 90 bits */

/* GENERATE_WORDS words drawn uniformly, single spaces between them. */
void generate_passphrase(struct passphrase *out);

#endif
