/* An ephemeral X25519 key that looks like 32 random bytes, and the secret that
 * it shares with a recipient.  bundle(5), "Public keys"; the map inverted here
 * is Elligator 2 (Bernstein, Hamburg, Krasnova, Lange, 2013). */
#ifndef BUNDLER_UNIFORM_H
#define BUNDLER_UNIFORM_H

#include <stdint.h>

#define UNIFORM_BYTES 32

/* Draw a clamped scalar, and e, from which every reader computes the same X25519
 * public key.
 * e is one of the 2^256 strings of its length, each as likely as the others up
 * to a statistical distance of 2^-125.  scalar: to be wiped by the caller.
 * STATUS_INVALID: what was computed does not check; both are wiped. */
int uniform_ephemeral(uint8_t e[static UNIFORM_BYTES], uint8_t scalar[static UNIFORM_BYTES]);

/* X25519(scalar, recipient).  STATUS_KEYFILE: recipient is of small order, the
 * secret would be zero; shared is wiped. */
int uniform_share(uint8_t shared[static UNIFORM_BYTES], const uint8_t scalar[static UNIFORM_BYTES],
                  const uint8_t recipient[static UNIFORM_BYTES]);

/* What uniform_ephemeral draws besides the scalar. */
struct uniform_choice {
	unsigned torsion; /* 0 to 7: that many times the point of small order */
	unsigned branch;  /* 0, 1: which side of the map */
	unsigned parity;  /* 0, 1: of the two roots, the even or the odd one */
	unsigned sign;    /* 0, 1: the top bit of e */
};

/* One draw, given what was drawn; scalar is clamped.  Constant time but for the
 * result.  1 and e; 0: there is no such e; STATUS_INVALID as above. */
int uniform_encode(uint8_t e[static UNIFORM_BYTES], const uint8_t scalar[static UNIFORM_BYTES],
                   const struct uniform_choice *choice);

#endif
