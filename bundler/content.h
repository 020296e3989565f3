/* The content of a stage as it grows: extents and frames in their order, and the
 * addresses that they have by it.  Small files wait until a frame of them is full. */
#ifndef BUNDLER_CONTENT_H
#define BUNDLER_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct content;
struct frames_sink;
struct tree;

/* Frames, or extents?  A verdict holds for 1, 3, 7 ... 255 chunks while trials
 * keep confirming it, and is tried again then. */
struct content_verdict {
	bool frames;
	unsigned run, held; /* chunks it was given for, and those left */
};

/* sink, tree: borrowed.  level: zstd's.  STATUS_NOMEM. */
int content_new(struct content **content, struct frames_sink *sink, struct tree *tree, int level,
                unsigned workers);

/* Wait for what was added, or with cancel stop, and free.  The first failure there
 * was: STATUS_IO, STATUS_NOMEM.  NULL is fine. */
int content_end(struct content *content, int cancel);

/* Where the next chunk or extent will be. */
uint64_t content_addr(const struct content *content);

/* Each of these: STATUS_NOMEM; STATUS_CANCELLED: something has failed, which
 * content_end will tell. */

/* Bytes that stay where they are, in a file with this number. */
int content_add_extent(struct content *content, uint32_t source, uint64_t off, uint64_t len);

/* Room for a chunk of FORMAT_FRAME bytes; then what is there, len bytes that are at
 * off of that file, becomes a frame or an extent. */
int content_take_chunk(struct content *content, uint8_t **plain);
int content_add_chunk(struct content *content, struct content_verdict *verdict, uint32_t source,
                      uint64_t off, size_t len);

/* A whole file that shares a frame with others; its node is placed when that is
 * full. */
int content_add_small(struct content *content, uint32_t node, const uint8_t *bytes, size_t len);

/* Would the bytes become shorter in a frame? */
bool content_gains(struct content *content, const uint8_t *bytes, size_t len);

/* Give up everything from addr on, where content_addr was before something was added;
 * small files are none of it.  STATUS_IO, STATUS_DAMAGED, too. */
int content_rewind(struct content *content, uint64_t addr);

/* Nothing more will be added. */
void content_close(struct content *content);

#endif
