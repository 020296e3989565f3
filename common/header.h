/* The slots of a volume's two headers: keys in, the contents of the slot that
 * they open out.  bundle(5), "Header" and "Keys". */
#ifndef COMMON_HEADER_H
#define COMMON_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"
#include "common/kdf.h"

struct passphrase;
struct source;

#define HEADER_MAX_IDENTITIES 16

/* The secrets behind one slot: kinds is the sum of those present. */
enum { HEADER_PASSPHRASE = 1, HEADER_KEY_FILE = 2, HEADER_PUBLIC_KEY = 4, HEADER_SIBLING = 8 };
struct header_secrets {
	unsigned kinds;
	uint8_t stretched[KDF_KEYBYTES];
	uint8_t key_file[KDF_KEYBYTES];
	uint8_t shared[KDF_KEYBYTES];
	uint8_t recipient[KDF_KEYBYTES];
	uint8_t ck[KDF_KEYBYTES];
};

/* What the user has.  Should lie in the arena. */
struct header_keys {
	const struct passphrase *passphrase; /* normalised; NULL for none */
	const uint8_t *key_file;             /* its digest, KDF_KEYBYTES; NULL for none */
	const uint8_t (*identity)[KDF_KEYBYTES];
	unsigned identity_count;
	struct header_secrets *room; /* for what is tried, which takes seconds; NULL: the stack */
};

/* Which header opened, for the report. */
enum header_copy { HEADER_A, HEADER_B };

/* Find the slot that keys open: A with the low profile, A standard, B low, B
 * standard.  *copy, *profile: which of them it was.  length: where the volume ended, 0 for
 * where the file ends; it matters only where header A is lost.
 * Reads at most two headers; the work done for a wrong key, a random file and
 * a file that is no bundle is the same.
 * STATUS_NOKEY; STATUS_KDFMEM (nothing fitted, and not every profile could be
 * tried); STATUS_IO (errno: nothing fitted, and neither header can be read in
 * full); STATUS_VERSION; STATUS_INVALID.  *slot is wiped on failure. */
int header_open(struct format_slot *slot, enum header_copy *copy, enum kdf_profile *profile,
                const struct source *source, uint64_t length, const struct header_keys *keys);

/* The same with the key of a sibling volume, without any Argon2id. */
int header_open_sibling(struct format_slot *slot, enum header_copy *copy,
                        const struct source *source, uint64_t length,
                        const uint8_t ck[static FORMAT_KEY]);

/* Both with one of the two headers only: for verification.  profile: that with which
 * these keys opened another header of the bundle, as all have the same slots. */
int header_open_copy(struct format_slot *slot, const struct source *source, uint64_t length,
                     enum header_copy copy, const struct header_keys *keys,
                     enum kdf_profile profile);
int header_open_sibling_copy(struct format_slot *slot, const struct source *source, uint64_t length,
                             enum header_copy copy, const uint8_t ck[static FORMAT_KEY]);

/* The key-encryption key of secrets in a header that begins with head (salt and
 * E). */
void header_kek(uint8_t kek[static KDF_KEYBYTES], const uint8_t head[static FORMAT_SLOT_OFFSET],
                const struct header_secrets *secrets);

/* Seal contents as slot number index. */
void header_seal_slot(uint8_t slot[static FORMAT_SLOT],
                      const uint8_t head[static FORMAT_SLOT_OFFSET], unsigned index,
                      const uint8_t kek[static KDF_KEYBYTES],
                      const uint8_t contents[static FORMAT_SLOT_CONTENTS]);

#endif
