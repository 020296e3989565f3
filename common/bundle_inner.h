/* What an opened bundle and a cursor are made of, for the modules behind bundle.h alone: bundle.c
 * opens, cursor.c finds entries, content.c reads and checks what they hold. */
#ifndef COMMON_BUNDLE_INNER_H
#define COMMON_BUNDLE_INNER_H

#include "common/bundle.h"

struct arena;
struct cache;
struct cache_slot;
struct expander;
struct index;
struct repair;

/* What lies in the arena: everything that tells what the bundle is. */
struct inner {
	uint8_t ck[FORMAT_KEY];
	uint8_t page_key[FORMAT_MAX_VOLUMES][FORMAT_KEY];
	/* As read, with its signature: volumes must agree. */
	uint8_t content_part[FORMAT_CONTENT_PART + FORMAT_SIGNATURE];
	struct format_content content;
	struct format_slot slot; /* of the volume being opened */
	struct format_layout layout;
	uint8_t root[FORMAT_PAYLOAD];
};

struct bundle {
	struct arena *arena;
	struct inner *inner;
	struct bundle_volume *volume;
	uint64_t *range_start; /* of each volume, and the content's end */
	unsigned volume_count;
	bool has_content;         /* the root of some volume has been taken in */
	enum kdf_profile profile; /* by which the keys open it */
	int unfit;                /* why another was not, 0: none */
	uint64_t length;          /* as given to bundle_open */
	uint64_t file_len;        /* of the first volume, and so of all */
	struct repair *repair;
	struct pages_io io;  /* for opening, and the caller's own thread */
	struct cache *cache; /* of frames, for all cursors; NULL: each has its own */
};

/* The way to the entry whose path was made last: the next one's is often much the same, and
 * each step of it may be a block to decode. */
enum { TRAIL_DEPTH = 32, TRAIL_PATH = 1024 };

struct trail {
	unsigned depth;
	uint32_t id[TRAIL_DEPTH];  /* below the root, one in the other */
	uint16_t len[TRAIL_DEPTH]; /* of path, up to each */
	char path[TRAIL_PATH];
};

struct cursor {
	struct bundle *bundle;
	struct pages_io io;
	struct expander *expander;
	struct index *index;
	uint8_t *stored;      /* a frame as it is stored, or a leaf */
	uint64_t stored_leaf; /* the checked leaf that it holds; UINT64_MAX: none */
	struct cache *frames; /* decoded */
	struct cache *own_frames;
	struct cache_slot *lent[BUNDLE_LENT];
	unsigned lent_count;
	uint8_t *leaf_block;
	uint64_t leaf_block_no; /* UINT64_MAX: none */
	struct trail *trail;
};

#endif
