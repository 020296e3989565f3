/* From chunks of plaintext to segments: compressed by several threads, laid out
 * in the order of submission. */
#ifndef BUNDLER_FRAMES_H
#define BUNDLER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/segments.h"

struct frames;
struct spill;

enum { FRAMES_BEFORE = 64 };

/* One submission: extents that are only referred to, then one chunk or none. */
struct frames_job {
	struct piece before[FRAMES_BEFORE];
	unsigned before_count;
	uint8_t *plain;    /* room for FORMAT_FRAME */
	size_t plain_len;  /* 0: no chunk */
	uint8_t *packed;   /* room for FORMAT_FRAME */
	size_t packed_len; /* 0: it does not get shorter */
	bool packed_known; /* somebody has compressed it already */
	uint32_t source;   /* of the chunk, which may stay there if it does not compress; */
	uint64_t where;    /* PIECE_SPILLED: it is of several files, or of none */
};

/* Where segments and their bytes go, and what became of the plaintext. */
struct frames_sink {
	struct spill *bytes;
	struct segments *segments;
	uint64_t stored, compressed;
};

/* Bytes of memory that frames_new takes. */
size_t frames_memory(int level, unsigned workers);

/* sink: borrowed until frames_end.  level: zstd's.  STATUS_NOMEM. */
int frames_new(struct frames **frames, struct frames_sink *sink, int level, unsigned workers);

/* An empty job, or NULL: something has failed.  Two may be held at a time. */
struct frames_job *frames_take(struct frames *frames);
void frames_submit(struct frames *frames, struct frames_job *job);

/* Wait for all that was submitted, and give up what the sink has of it behind
 * plain_len bytes of plaintext, where a submission ended.
 * STATUS_IO, STATUS_DAMAGED, STATUS_NOMEM; STATUS_CANCELLED: something has failed,
 * and frames_end will say what. */
int frames_rewind(struct frames *frames, uint64_t plain_len);

/* Wait, or stop, and free.  STATUS_IO, STATUS_NOMEM.  NULL is fine. */
int frames_end(struct frames *frames, int cancel);

/* Is a frame of packed_len bytes worth having?  It must save 3 %. */
bool frames_gain(size_t plain_len, size_t packed_len);

#endif
