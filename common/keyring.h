/* The keys at hand, read from where the command line says, or asked for. */
#ifndef COMMON_KEYRING_H
#define COMMON_KEYRING_H

#include <stddef.h>

#include "common/header.h"

struct arena;
struct opening;

struct keyring;

/* Bytes of arena that one takes. */
size_t keyring_size(void);

/* Read them into the arena; where none is named, the passphrase is asked for on the
 * terminal.  Reports what cannot be read.  Returns 0 or the exit code; whatever was read
 * until then is in the arena, whose owner wipes it. */
int keyring_read(struct keyring **keyring, struct arena *arena, const struct opening *opening);

const struct header_keys *keyring_keys(const struct keyring *keyring);

/* Nothing of it is needed any more. */
void keyring_wipe(struct keyring *keyring);

#endif
