/* Everything that can be done before a key exists: files classified, what
 * compresses compressed, segments and addresses laid out, the index built and,
 * if wanted, signed.  After staging every size is known, and any number of
 * bundles can be written from it.  Media is referred to, not copied. */
#ifndef BUNDLER_STAGE_H
#define BUNDLER_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/format.h"

struct arena;
struct progress;
struct spill;
struct stage;
struct tree;

struct stage_options {
	bool full_metadata;
	int64_t newest; /* as scan_options has it */
	int level;      /* zstd */
	unsigned workers;
	size_t memory; /* bytes that spills may keep in memory */
	const char *spill_dir;
	const char *label, *series; /* "" for none */
	uint64_t edition;
};

struct stage_report {
	uint64_t files, bytes;       /* taken in */
	uint64_t stored, compressed; /* bytes of them stored as they are; that frames hold */
	uint64_t duplicates;         /* bytes that another file has already */
	uint64_t dropped;            /* files that could not be read, each named */
};

/* tree: borrowed until stage_free; files that cannot be read are dropped from
 * it, named on standard error, and counted.  heap: as scan_paths filled it.
 * STATUS_IO (spill), STATUS_NOMEM, STATUS_CANCELLED. */
int stage_run(struct stage **stage, struct arena *arena, struct tree *tree, struct spill *heap,
              const struct stage_options *options, struct progress *progress,
              struct stage_report *report);
void stage_free(struct stage *stage);

/* The signed part of the root and the signature over it (zeros: unsigned). */
const struct format_content *stage_content(const struct stage *stage);
const uint8_t *stage_content_part(const struct stage *stage);
const uint8_t *stage_signature(const struct stage *stage);

/* Where a range of the content may end: the last such place in (from, most], from
 * where there is none.  from: the end of the range before.  For volumes. */
uint64_t stage_cut(const struct stage *stage, uint64_t from, uint64_t most);

/* The stream of one volume, front to back: content [begin, end), its leaf
 * blocks, the index. */
struct feed;
int feed_open(struct feed **feed, struct stage *stage, uint64_t begin, uint64_t end);

/* The next len bytes; zeros behind the end.  STATUS_CHANGED, STATUS_IO: a source
 * is not what it was when it was staged; STATUS_IO, STATUS_DAMAGED: a spill.
 * feed_culprit then names the source, or the spill's directory. */
int feed_read(struct feed *feed, uint8_t *out, size_t len);
const char *feed_culprit(const struct feed *feed);
void feed_close(struct feed *feed);

#endif
