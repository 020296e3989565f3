/* Compress and expand one frame, with a cap.  Outside thing: zstd.  One context
 * for each thread. */
#ifndef COMMON_SQUEEZE_H
#define COMMON_SQUEEZE_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct expander;
struct squeezer;

/* Bytes of arena that expander_new takes. */
size_t expander_size(void);

/* A decompressor that lives wholly in the arena: its state holds plaintext.
 * STATUS_NOMEM. */
int expander_new(struct expander **expander, struct arena *arena);

/* Exactly one frame of in_len bytes that says it holds out_len bytes, and does.
 * STATUS_INVALID: anything else; out is then undefined. */
int expander_run(struct expander *expander, uint8_t *out, size_t out_len, const uint8_t *in,
                 size_t in_len);

/* Bytes of memory that a compressor of this level takes for frames. */
size_t squeezer_size(int level);

/* A compressor on the ordinary heap, for the packer.  level: as zstd's.
 * STATUS_NOMEM. */
int squeezer_new(struct squeezer **squeezer, int level);

/* Compress in to out (room for in_len bytes).  Returns the length, which is
 * less than in_len, or 0 where it does not get shorter. */
size_t squeezer_run(struct squeezer *squeezer, uint8_t *out, const uint8_t *in, size_t in_len);

/* NULL is fine. */
void squeezer_free(struct squeezer *squeezer);

#endif
