/* What a stage keeps: for those who fill it (stage.c, intake.c) and who read it
 * (feed.c). */
#ifndef BUNDLER_STAGED_H
#define BUNDLER_STAGED_H

#include <stdint.h>

#include "bundler/frames.h"
#include "bundler/stage.h"
#include "common/format.h"

struct check;
struct segments;
struct spill;
struct tree;

struct stage {
	struct tree *tree; /* borrowed */
	struct segments *segments;
	struct spill *bytes;   /* of the segments that lie in no file */
	struct spill *origins; /* struct origin of each file that segments lie in */
	struct spill *runs;    /* encoded */
	struct spill *index;
	struct spill *leaves;    /* all leaf blocks, end to end; empty unless signed */
	struct spill *leaf_sums; /* of each of them */
	struct spill *marks; /* a tag of each leaf, under the key of check: cheaper to look at */
	struct check *check; /* in the arena */
	struct format_content content;
	uint8_t content_part[FORMAT_CONTENT_PART];
	uint8_t signature[FORMAT_SIGNATURE];
};

#endif
