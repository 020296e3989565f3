/* The two headers of a volume, each made on its own: a salt, E, and the slots in
 * random order among random bytes.  bundle(5), "Header". */
#ifndef BUNDLER_HEADERS_H
#define BUNDLER_HEADERS_H

#include <stdint.h>

#include "bundler/uniform.h"
#include "common/header.h"

struct opener;
struct progress;

/* A slot for each of the openers, all with the same contents; in a set of volumes
 * one more, for who has opened another of them. */
struct headers_compartment {
	const struct format_slot *slot;
	const struct opener *opener;
	unsigned opener_count;
};

/* Where secrets are while a header is made: in the arena, wiped again. */
struct headers_room {
	struct header_secrets secrets;
	uint8_t scalar[UNIFORM_BYTES]; /* the ephemeral one, behind E */
	uint8_t kek[KDF_KEYBYTES];
	uint8_t contents[FORMAT_SLOT_CONTENTS];
};

/* Make one header.  All its recipients share one ephemeral key, hidden in E.
 * progress: a step for every passphrase, each of which takes a second or so.
 * STATUS_TOOBIG: more openers than slots; STATUS_INVALID: an opener with nothing in
 * it, or an ephemeral key that does not check; STATUS_KEYFILE: a recipient that
 * nobody can be; STATUS_KDFMEM; STATUS_CANCELLED. */
int headers_make(uint8_t header[static FORMAT_HEADER],
                 const struct headers_compartment *compartment, unsigned count,
                 enum kdf_profile profile, struct headers_room *room, struct progress *progress);

#endif
