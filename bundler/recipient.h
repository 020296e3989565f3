/* Whom a bundle is for: X25519 keys that begin with `age1', from the command line
 * or from a file.  bundle(5), "Public keys". */
#ifndef BUNDLER_RECIPIENT_H
#define BUNDLER_RECIPIENT_H

#include <stdint.h>

#define RECIPIENT_BYTES 32

/* Decode a key.
 * STATUS_KEYFILE: it has been mistyped, is of another kind, or is one that no
 * identity has: of small order, or not the shortest form of its number.  out is
 * then untouched. */
int recipient_parse(uint8_t out[static RECIPIENT_BYTES], const char *text);

/* All keys of the file at path, one a line; blanks at both ends, blank lines and
 * those that begin with `#' are passed over.  *count: how many there were, at most
 * room.
 * STATUS_KEYFILE: a line that is no key, *line its number; or none at all, *line
 * is 0.  STATUS_TOOBIG: more than room, *line that of the first too many.
 * STATUS_IO.  On failure out is undefined, *count untouched. */
int recipient_read_file(uint8_t (*out)[RECIPIENT_BYTES], unsigned room, unsigned *count,
                        unsigned *line, const char *path);

#endif
