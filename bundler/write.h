/* From a stage to a bundle, one file or several: fresh keys, salts and slices for
 * every target; strictly in order of offset, each byte once; synced, read back, and
 * published when all of it is there. */
#ifndef BUNDLER_WRITE_H
#define BUNDLER_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/tree.h"
#include "common/header.h"
#include "common/kdf.h"

struct arena;
struct passphrase;
struct progress;
struct stage;
struct volumes;

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
	unsigned group; /* of payloads that are added to parity at a time, as parity_new */
	bool replace;   /* --force */
	bool verify;    /* read back past the page cache before publishing */
};

/* What a failure is about. */
struct write_fault {
	unsigned volume; /* number of the volume, from 0 */
	char culprit
		[TREE_PATH_SIZE]; /* a source, or the directory of a spill, that was at fault, and
	                                 not the medium; else "" */
};

/* Bytes of memory that write_bundle takes for count compartments, at most. */
size_t write_memory(unsigned count, unsigned parity, unsigned workers, unsigned group);

/* How many openers a bundle has room for. */
unsigned write_max_openers(unsigned compartments, bool several_volumes);

/* Write a bundle at path: volumes of len bytes each, named as volumes_name has it, as
 * volumes_plan has planned them for these compartments in this order.
 * Every passphrase and recipient must open one compartment only: that is for the
 * caller to see to.
 * arena: room for keys, about 100 bytes for each compartment and 1,200 more, not
 * given back but wiped before returning.  progress: phases "making keys" (in steps),
 * "writing" and "verifying", of all volumes.
 * On failure what was there before is there, and nothing else.  But where volumes replaced
 * others, and the last name cannot be made durable, all of the new ones are there; and where a
 * name cannot be had in the end, on a file system that cannot exchange two names, those that
 * have replaced others stay.
 * On success the first volume appears last.
 * STATUS_TOOBIG (does not fit, or not into the slots), STATUS_EXISTS, STATUS_CHANGED,
 * STATUS_IO, STATUS_DAMAGED (the medium gave back something else: unfit drive; or a
 * spill did), STATUS_INVALID or STATUS_KEYFILE (an opener that is none),
 * STATUS_KDFMEM, STATUS_NOMEM, STATUS_CANCELLED. */
int write_bundle(const char *path, const struct volumes *volumes, uint64_t len,
                 const struct write_compartment *compartment, unsigned count,
                 const struct write_options *options, struct arena *arena,
                 struct progress *progress, struct write_fault *fault);

#endif
