/* Everything that can be done before a key exists: files classified, what
 * compresses compressed, segments and addresses laid out, the index built and,
 * if wanted, signed.  After staging every size is known, and any number of
 * bundles can be written from it.  Media is referred to, not copied. */
#ifndef BUNDLER_STAGE_H
#define BUNDLER_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/tree.h"
#include "common/format.h"

struct arena;
struct minisign_secret;
struct progress;
struct spill;
struct stage;

struct stage_options {
	bool full_metadata;
	int level; /* zstd */
	unsigned workers;
	size_t memory; /* bytes that spills may keep in memory */
	const char *spill_dir;
	const char *label, *series; /* "" for none */
	uint64_t edition;
	bool is_signed;
	const struct minisign_secret *signer; /* NULL: leaves, but no signature (dry run) */
};

struct stage_report {
	uint64_t files, bytes;        /* taken in */
	uint64_t stored, compressed;  /* bytes of them stored as they are; that frames hold */
	uint64_t duplicates;          /* bytes that another file has already */
	uint64_t dropped;             /* files that could not be read, each named */
	char culprit[TREE_PATH_SIZE]; /* the source that stopped it, "" for none */
};

/* tree: borrowed until stage_free; files that cannot be read are dropped from
 * it, named on standard error, and counted.  heap: as scan_paths filled it.
 * Signed media is read once more, for its leaves.
 * STATUS_IO (spill; with a culprit: source), STATUS_DAMAGED (spill), STATUS_CHANGED
 * (source), STATUS_NOMEM, STATUS_CANCELLED. */
int stage_run(struct stage **stage, struct arena *arena, struct tree *tree, struct spill *heap,
              const struct stage_options *options, struct progress *progress,
              struct stage_report *report);
void stage_free(struct stage *stage);

/* The signed part of the root and the signature over it (zeros: unsigned). */
const struct format_content *stage_content(const struct stage *stage);
const uint8_t *stage_content_part(const struct stage *stage);
const uint8_t *stage_signature(const struct stage *stage);

/* The leaf blocks that have a leaf of the content from begin to end: the first, and
 * how many; 0 and 0 for none.  STATUS_IO, STATUS_DAMAGED (a spill). */
int stage_leaf_blocks(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *first,
                      uint64_t *count);

/* Where its spills are: for messages. */
const char *stage_spill_directory(const struct stage *stage);

/* How long the copy of the index and of leaf blocks in front of the content from begin to end
 * is: 0, where that would be too much for so little.  Status as above. */
int stage_front_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len);

/* How long the stream of a volume with the content from begin to end is: that, its
 * leaf blocks, the index, and a copy of both in front.  Status as above. */
int stage_stream_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len);

/* Where one volume's range of the content best ends and the next begins, near wish:
 * at the end of a file within [low, high], the nearest there is; if there is none,
 * a file must be cut, at the last place up to wish where segments allow, or the next one where
 * that is below low.
 * low <= wish <= high; low: such a place itself.  Status as above. */
int stage_cut(const struct stage *stage, uint64_t low, uint64_t wish, uint64_t high, uint64_t *cut);

#endif
