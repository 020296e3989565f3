/* Is what was read what was written?  Keyed sums over files in pieces, each of which
 * may be summed up by another thread. */
#ifndef BUNDLER_CHECK_H
#define BUNDLER_CHECK_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_TAG 16

/* A key, and the sum that is being made.  Lies in the arena. */
struct check {
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	crypto_onetimeauth_state sum;
};

/* Draw the key. */
void check_init(struct check *check);

/* What a thread needs to sum up pieces. */
struct check_piece;

/* STATUS_NOMEM. */
int check_piece_new(struct check_piece **piece);
void check_piece_free(struct check_piece *piece);

/* The tag of piece number no, of all files together. */
void check_piece_tag(struct check_piece *piece, const struct check *check, uint64_t no,
                     const uint8_t *bytes, size_t len, uint8_t tag[static CHECK_TAG]);

/* Begin the sum of file number no, add the tags of its pieces in their order, end. */
void check_begin(struct check *check, uint64_t no);
void check_add(struct check *check, const uint8_t tag[static CHECK_TAG]);
void check_end(struct check *check, uint8_t sum[static CHECK_TAG]);

#endif
