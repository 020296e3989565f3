/* From a stage to a bundle file: fresh keys, salts and slices for every target;
 * strictly in order of offset, each byte once; synced, read back, published. */
#ifndef BUNDLER_WRITE_H
#define BUNDLER_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/header.h"
#include "common/kdf.h"

struct arena;
struct passphrase;
struct progress;
struct stage;

/* One way to open a compartment: what must come together. */
struct opener {
	const struct passphrase *passphrase; /* normalised; NULL: none needed */
	const uint8_t *key_file;             /* digest; NULL: none needed */
	const uint8_t *recipient;            /* X25519, 32 bytes; NULL: none needed */
};

struct write_compartment {
	struct stage *stage;
	const struct opener *opener;
	unsigned opener_count;
};

struct write_options {
	enum kdf_profile profile;
	unsigned parity;
	unsigned workers;
	bool replace; /* --force */
	bool verify;  /* read back past the page cache before publishing */
};

/* Bytes of memory that write_bundle takes for count compartments, at most. */
size_t write_memory(unsigned count, unsigned parity, unsigned workers);

/* Write one bundle file of file_len bytes at path.
 * Every passphrase and recipient must open one compartment only: that is for the
 * caller to see to.
 * arena: room for keys, about 100 bytes for each compartment and 1,200 more, not
 * given back but wiped before returning.  progress: phases "writing" and
 * "verifying".
 * On failure nothing is left under path, and nothing beside it.
 * STATUS_TOOBIG (does not fit in file_len, or into the slots), STATUS_EXISTS,
 * STATUS_CHANGED, STATUS_IO, STATUS_DAMAGED (the medium gave back something else:
 * unfit drive; or a spill did), STATUS_INVALID or STATUS_KEYFILE (an opener that is
 * none), STATUS_KDFMEM, STATUS_NOMEM, STATUS_CANCELLED.
 * culprit: where a source or a spill was at fault, and not the medium, the path of
 * the one or the directory of the other; else empty. */
int write_bundle(const char *path, uint64_t file_len, const struct write_compartment *compartment,
                 unsigned count, const struct write_options *options, struct arena *arena,
                 struct progress *progress, char *culprit, size_t culprit_size);

#endif
