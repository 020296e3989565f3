/* The segments of the content in their order, and where the bytes of each are
 * until they are written.  24 bytes for each, in a spill. */
#ifndef BUNDLER_SEGMENTS_H
#define BUNDLER_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/format.h"

struct arena;
struct segments;

#define PIECE_SPILLED UINT32_MAX

struct piece {
	uint64_t where; /* offset in the stage's bytes, or in the file */
	uint64_t plain_len;
	uint32_t stored_len; /* of a frame; 0: an extent */
	uint32_t source;     /* number of the file that it is from, PIECE_SPILLED for none */
};

/* Frames lie in the stage's bytes, and so does what is from no file. */
static inline bool piece_spilled(const struct piece *piece)
{
	return piece->stored_len || piece->source == PIECE_SPILLED;
}

static inline uint64_t piece_stored_len(const struct piece *piece)
{
	return piece->stored_len ? piece->stored_len : piece->plain_len;
}

/* How many leaves it has in a signed bundle. */
static inline uint64_t piece_leaves(const struct piece *piece)
{
	return piece->stored_len ? 1 : div_ceil(piece->plain_len, FORMAT_LEAF);
}

/* memory, directory: as spill_new.  STATUS_NOMEM. */
int segments_new(struct segments **segments, struct arena *arena, size_t memory,
                 const char *directory);
void segments_free(struct segments *segments);

/* Append a piece that is not empty.  An extent that goes on in the file where the
 * last one ended becomes one with it.  STATUS_IO, STATUS_NOMEM. */
int segments_add(struct segments *segments, const struct piece *piece);

/* Give up the last pieces, down to plain_len of plaintext, where one ends. *stored,
 * *compressed: bytes of it that were extents, and in frames; *spilled: where the
 * first of them was that lies in no file, untouched if there is none.
 * STATUS_IO, STATUS_DAMAGED. */
int segments_rewind(struct segments *segments, uint64_t plain_len, uint64_t *stored,
                    uint64_t *compressed, uint64_t *spilled);

/* No more will be added; only now can they be looked at.  Status as above. */
int segments_close(struct segments *segments);

uint64_t segments_count(const struct segments *segments);
uint64_t segments_content_len(const struct segments *segments);
uint64_t segments_plain_len(const struct segments *segments);

/* Segment number n.  STATUS_IO, STATUS_DAMAGED. */
int segments_get(const struct segments *segments, uint64_t n, struct piece *piece);

/* A segment: its number, where in the content it begins, its first leaf. */
struct segments_place {
	uint64_t n, begin, leaf;
};

/* The segment that holds byte off of the content.  Status as above. */
int segments_find(const struct segments *segments, uint64_t off, struct segments_place *place);

/* The bytes of the content that are from the same file as byte off: [*begin, *end).
 * Those of a large file lie together; a segment of several small ones counts as
 * one.  Status as above. */
int segments_find_file(const struct segments *segments, uint64_t off, uint64_t *begin,
                       uint64_t *end);

/* The leaf that is over byte off of the content.  Status as above. */
int segments_find_leaf(const struct segments *segments, uint64_t off, uint64_t *leaf);

#endif
