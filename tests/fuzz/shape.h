/* A volume of one compartment, of what a holder of the key could choose.  An input is
 *
 *   1 byte     parity; with 128, the index is in front, too
 *   1 byte     how many pages are damaged, at most 8
 *   a byte     for each of them: which
 *   1,024      the content part of the root
 *   the rest   the stream, zeros behind it
 *
 * The rest of the root, the slot, headers and places of pages are made from it, so that
 * every input gets as far as the root. */
#ifndef TESTS_FUZZ_SHAPE_H
#define TESTS_FUZZ_SHAPE_H

#include <stdbool.h>

#include "common/format.h"
#include "tests/fuzz/fuzz.h"

enum {
	SHAPE_DATA = 48, /* pages */
	SHAPE_PAGES = SHAPE_DATA + SHAPE_DATA / 4 + FORMAT_ROOTS + FORMAT_MAX_PARITY,
	SHAPE_FILE = 2 * FORMAT_HEADER + SHAPE_PAGES * FORMAT_PAGE,
};

/* The key file that opens it, 32 bytes, and its digest. */
extern const uint8_t shape_key_file[32];
void shape_key(uint8_t key[static 32]);

/* false: no root says so. */
bool shape_lay_out(uint8_t volume[static SHAPE_FILE], struct format_content *content,
                   const uint8_t *data, size_t len);

/* Change a part of an input, and it is an input again: a number of the root, a field of
 * an entry or of a segment, what is damaged, bytes of the stream.  Mostly. */
size_t shape_mutate(uint8_t *data, size_t len, size_t room, unsigned seed);

/* One number of what a root says of the content, and it is one again. */
bool shape_change_content(uint8_t root[static FORMAT_CONTENT_PART], unsigned seed);

/* A number that is likely to be wrong by little. */
uint64_t shape_near(uint64_t value, unsigned seed);

#endif
