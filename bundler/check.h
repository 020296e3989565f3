/* Is what was read what was written?  A keyed checksum over a file in pieces,
 * each of which may be summed up by another thread. */
#ifndef BUNDLER_CHECK_H
#define BUNDLER_CHECK_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_TAG 16

/* Two sums under one key: of what is written, and of what is read.  Lies in the
 * arena. */
enum check_side { CHECK_WRITTEN, CHECK_READ };
struct check {
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	crypto_onetimeauth_state sum[2];
};

void check_begin(struct check *check);

/* What a thread needs to sum up pieces. */
struct check_piece;

/* STATUS_NOMEM. */
int check_piece_new(struct check_piece **piece);
void check_piece_free(struct check_piece *piece);

/* The tag of piece number no. */
void check_piece_tag(struct check_piece *piece, const struct check *check, uint64_t no,
                     const uint8_t *bytes, size_t len, uint8_t tag[static CHECK_TAG]);

/* Add the tag of the next piece. */
void check_add(struct check *check, enum check_side side, const uint8_t tag[static CHECK_TAG]);

/* Are the two the same?  Wipes. */
bool check_end(struct check *check);

#endif
