/* X25519 keys in letters, as age-keygen(1) writes them: Bech32 (BIP 173) of 32
 * bytes.  Parsing only; nothing here is a secret's home: what comes out should
 * lie in the arena. */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "common/kdf.h"

#define IDENTITY_PREFIX "age-secret-key-"
#define IDENTITY_RECIPIENT_PREFIX "age"

/* Decode len characters of text, all upper or all lower case.
 * prefix: in front of the separating '1', lower case.
 * STATUS_KEYFILE: another prefix, a character or a checksum that is wrong, not
 * 32 bytes; key is then untouched. */
int identity_decode(uint8_t key[static KDF_KEYBYTES], const char *text, size_t len,
                    const char *prefix);

/* All identities of the file at path, one a line; comments (#) and blank lines
 * are skipped.  key: room for that many.  *count: how many there were.
 * STATUS_KEYFILE: anything else in a line, none, more than room, or a file of
 * more than 64 KiB; STATUS_IO.  On failure key is wiped. */
int identity_read_file(uint8_t (*key)[KDF_KEYBYTES], unsigned room, unsigned *count,
                       const char *path);

#endif
