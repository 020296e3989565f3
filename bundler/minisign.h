/* A publisher's key as minisign(1) 0.11 writes it, and the signature of a root.
 * bundle(5), "Signature".  Verifying is not done here. */
#ifndef BUNDLER_MINISIGN_H
#define BUNDLER_MINISIGN_H

#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

enum {
	MINISIGN_PASSWORD_MAX = 1024, /* bytes, as minisign has it */
	MINISIGN_RECORD = 158,        /* bytes of a secret key, decoded */
	MINISIGN_TEXT = 1536,         /* its file: a comment of up to 1,024, the key in base64 */
};

/* Should lie in the arena. */
struct minisign_secret {
	uint8_t key_id[8];
	uint8_t public_key[32];
	uint8_t secret_key[64]; /* Ed25519: seed, then the public key */
	/* While a key is read; wiped when it has been. */
	char password[MINISIGN_PASSWORD_MAX];
	uint8_t record[MINISIGN_RECORD];
	char text[MINISIGN_TEXT];
};

/* Called once if the key has a password: its bytes as they are typed, not
 * normalised, without the end of the line.  *len: at most MINISIGN_PASSWORD_MAX.
 * STATUS_OK, or what minisign_secret_read then returns. */
typedef int minisign_ask(void *context, char password[static MINISIGN_PASSWORD_MAX], size_t *len);

/* Read the secret key at path.  With a password this takes the time and memory
 * that minisign takes: seconds, and 1 GiB for a key of `minisign -G'.
 * STATUS_KEYFILE: not a secret key of minisign, mangled, or one that wants more
 * time or memory than minisign ever asks for; STATUS_NOKEY: the wrong password,
 * or mangled where only the password tells; STATUS_KDFMEM: that memory cannot be
 * had; STATUS_IO; what ask returned.  On failure *out is wiped. */
int minisign_secret_read(struct minisign_secret *out, const char *path, minisign_ask *ask,
                         void *context);

/* The signature of a content part, which has this key's id and public key in it
 * already. */
void minisign_sign_root(uint8_t signature[static FORMAT_SIGNATURE],
                        const uint8_t content_part[static FORMAT_CONTENT_PART],
                        const struct minisign_secret *secret);

#endif
