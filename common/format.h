/* The records of bundle(5): bytes in, structs out, and back.  No I/O, no keys,
 * no memory of its own.  Every number that comes from a drive is bounded here
 * and nowhere else: what a decode function has accepted may size, index and
 * multiply. */
#ifndef COMMON_FORMAT_H
#define COMMON_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FORMAT_VERSION = 1,
	FORMAT_PAGE = 16384,    /* bytes on the drive */
	FORMAT_PAYLOAD = 16368, /* bytes of payload in it */
	FORMAT_HEADER = 16384,
	FORMAT_SLOTS = 32,
	FORMAT_SLOT = 128,
	FORMAT_SLOT_CONTENTS = 96,
	FORMAT_SLOT_OFFSET = 48, /* of slot 0 in a header */
	FORMAT_SALT = 16,
	FORMAT_KEY = 32,
	FORMAT_DIGEST = 32,
	FORMAT_MAX_SLICES = 8192,
	FORMAT_MIN_SLICES = 3,
	FORMAT_MAX_VOLUMES = 1024,
	FORMAT_ROOTS = 3,
	FORMAT_ROWS = 64, /* data pages of a parity column */
	FORMAT_MAX_PARITY = 16,
	FORMAT_CONTENT_PART = 1024,
	FORMAT_SIGNATURE = 64,
	FORMAT_FRAME = 262144, /* plaintext of a frame at most */
	FORMAT_LEAF = 65536,
	FORMAT_LEAVES_PER_BLOCK = 512,
	FORMAT_LEAF_BLOCK = FORMAT_LEAVES_PER_BLOCK * FORMAT_DIGEST,
	FORMAT_REF = 64,
	FORMAT_FANOUT = 256,
	FORMAT_NODE = FORMAT_FANOUT * FORMAT_REF,
	FORMAT_ENTRIES_PER_BLOCK = 128,
	FORMAT_ENTRY_BLOCK = 49152, /* decoded, at most */
	FORMAT_SEGMENTS_PER_BLOCK = 512,
	FORMAT_SEGMENT_BLOCK = 16384,
	FORMAT_RUNS_PER_BLOCK = 1024,
	FORMAT_RUN = 24,
	FORMAT_HEAP_BLOCK = 32768,
	FORMAT_NAME = 255,
	FORMAT_PATH = 16383,
	FORMAT_LINK = 4095,
	FORMAT_XATTRS = 131072, /* bytes of one entry's set */
	FORMAT_XATTR_VALUE = 65536,
	FORMAT_LABEL = 255,
	FORMAT_SERIES = 63,
};

#define FORMAT_MAX_FILE (UINT64_C(1) << 45)
#define FORMAT_MAX_ENTRIES UINT64_C(0xfffffffe)

/* --- where things lie in a volume file ----------------------------------- */

struct format_geometry {
	uint64_t file_len;   /* L */
	uint32_t page_count; /* whole pages of the area */
	uint32_t slice_pages;
	uint32_t slice_count;
};

/* From the length of a volume file alone.  STATUS_INVALID: too short for three
 * slices, or longer than FORMAT_MAX_FILE.  bundle(5), "Volume file". */
int format_geometry_make(struct format_geometry *geometry, uint64_t file_len);

static inline uint64_t format_page_offset(uint64_t page)
{
	return FORMAT_HEADER + page * FORMAT_PAGE;
}

struct format_parity {
	uint32_t m;            /* parity pages per column */
	uint32_t data_pages;   /* D */
	uint32_t parity_pages; /* P */
	uint32_t bands;        /* n; 0 without parity */
	uint32_t columns;      /* C; 0 without parity */
};

/* m: 0, 2, 4, 8 or 16; data_pages >= 1.  STATUS_INVALID. */
int format_parity_make(struct format_parity *parity, unsigned m, uint32_t data_pages);

/* Data pages of band b < bands. */
uint32_t format_band_pages(const struct format_parity *parity, uint32_t band);

/* The logical page of data page i < data_pages. */
uint32_t format_data_page(const struct format_parity *parity, uint32_t i);

/* --- slot ---------------------------------------------------------------- */

struct format_slot {
	uint8_t parity;
	uint16_t volume_no;
	uint16_t volume_count;
	uint64_t file_len;
	uint32_t data_pages;
	uint32_t root_page[FORMAT_ROOTS];
	uint8_t ck[FORMAT_KEY];
};

void format_slot_encode(uint8_t out[static FORMAT_SLOT_CONTENTS], const struct format_slot *slot);

/* STATUS_VERSION, STATUS_INVALID; *slot is then undefined. */
int format_slot_decode(struct format_slot *slot, const uint8_t in[static FORMAT_SLOT_CONTENTS]);

/* --- root ---------------------------------------------------------------- */

enum format_table_no {
	TABLE_ENTRIES,
	TABLE_SEGMENTS,
	TABLE_RUNS,
	TABLE_HEAP,
	TABLE_LEAF_SUMS,
	TABLE_COUNT
};

struct format_ref {
	uint64_t off; /* from the start of the index */
	uint32_t stored_len;
	uint32_t raw_len;
	uint8_t key[16];
	uint8_t digest[FORMAT_DIGEST];
};

struct format_table {
	uint64_t records;
	struct format_ref top; /* all zero without records */
};

struct format_content {
	bool is_signed;
	bool full_metadata;
	uint64_t content_len;
	uint64_t plain_len;
	uint64_t index_len;
	uint64_t leaf_count;
	uint64_t edition;
	char series[FORMAT_SERIES + 1]; /* NUL-terminated UTF-8 */
	char label[FORMAT_LABEL + 1];
	uint8_t key_id[8];
	uint8_t publisher[32];
	struct format_table table[TABLE_COUNT];
};

/* How the content is spread over this volume: the rest of the root. */
struct format_layout {
	uint16_t owned; /* slices, k */
	uint16_t volume_count;
	bool index_in_front; /* the stream begins with a copy of index and leaf blocks */
	uint64_t first_leaf_block;
	uint64_t leaf_blocks;
	uint8_t map[FORMAT_MAX_SLICES / 8];
	uint64_t range_start[FORMAT_MAX_VOLUMES + 1]; /* and the content's end behind the last */
};

void format_content_encode(uint8_t out[static FORMAT_CONTENT_PART],
                           const struct format_content *content);

/* Checks all that can be checked without looking anything up. STATUS_VERSION,
 * STATUS_INVALID. */
int format_content_decode(struct format_content *content,
                          const uint8_t in[static FORMAT_CONTENT_PART]);

/* payload: a whole root; the content part and signature are copied in. */
void format_root_encode(uint8_t payload[static FORMAT_PAYLOAD],
                        const uint8_t content_part[static FORMAT_CONTENT_PART],
                        const uint8_t signature[static FORMAT_SIGNATURE],
                        const struct format_layout *layout);

/* The part behind the signature, against what the slot and the content part
 * say: map, root positions, ranges, number of data pages.
 * STATUS_INVALID. */
int format_layout_decode(struct format_layout *layout, const uint8_t payload[static FORMAT_PAYLOAD],
                         const struct format_slot *slot, const struct format_geometry *geometry,
                         const struct format_content *content);

/* Bytes of leaf block j: FORMAT_LEAF_BLOCK, less for the last of all. */
uint32_t format_leaf_block_len(uint64_t leaf_count, uint64_t j);

/* Volume v's stream: how long the copy of the index in front is (0: there is none) and the
 * range of the content behind it; where the index itself begins. */
uint64_t format_front_len(const struct format_layout *layout, const struct format_content *content);
uint64_t format_range_len(const struct format_layout *layout, unsigned v);
uint64_t format_index_off(const struct format_layout *layout, unsigned v,
                          const struct format_content *content);

/* --- index --------------------------------------------------------------- */

extern const uint32_t format_per_block[TABLE_COUNT];

uint64_t format_block_count(enum format_table_no table, uint64_t records);

/* Levels of nodes over that many blocks: 0 for one block or none. */
unsigned format_tree_height(uint64_t blocks);

void format_ref_encode(uint8_t out[static FORMAT_REF], const struct format_ref *ref);

/* STATUS_INVALID: not within index_len, or decoded longer than raw_max. */
int format_ref_decode(struct format_ref *ref, const uint8_t in[static FORMAT_REF],
                      uint64_t index_len, uint32_t raw_max);

enum format_kind { KIND_FILE, KIND_DIRECTORY, KIND_SYMLINK, KIND_HARDLINK };

struct format_entry {
	uint32_t id;
	uint32_t parent;
	enum format_kind kind;
	bool sparse;
	uint16_t mode; /* permission bits */
	uint8_t name_len;
	const char *name; /* not terminated; borrowed from the block */
	uint32_t links;   /* names it has, 1 unless linked */
	int64_t mtime;    /* seconds since 1970 */
	uint32_t mtime_nsec;
	uint32_t uid, gid;  /* full metadata only */
	uint64_t size;      /* file, link target: bytes; directory: children; hard link: 0 */
	uint64_t place;     /* file: address; sparse file: first run; directory: first child;
	                      * symlink: target in the heap; hard link: the entry it names again */
	uint64_t runs;      /* sparse file: how many */
	uint64_t xattr_off; /* in the heap */
	uint32_t xattr_len; /* 0: none */
};

struct format_entry_block {
	uint32_t count;
	struct format_entry entry[FORMAT_ENTRIES_PER_BLOCK];
	char names[FORMAT_ENTRIES_PER_BLOCK * FORMAT_NAME];
};

/* Encode count entries with consecutive ids; at most FORMAT_ENTRY_BLOCK bytes.
 * Returns their number. */
size_t format_entries_encode(uint8_t out[static FORMAT_ENTRY_BLOCK],
                             const struct format_entry *entry, unsigned count, bool full_metadata);

/* Decode the block whose first entry is first_id.  content gives the bounds.
 * STATUS_INVALID; *block is then undefined.  Names within one directory ascend,
 * parents precede children; what other blocks hold is not looked at. */
int format_entries_decode(struct format_entry_block *block, const uint8_t *in, size_t len,
                          uint32_t first_id, uint32_t count, const struct format_content *content);

struct format_segment {
	uint64_t addr; /* of its plaintext */
	uint64_t off;  /* in the content */
	uint64_t leaf; /* its first; 0 in unsigned bundles */
	uint64_t plain_len;
	uint64_t stored_len;
	bool frame;
};

struct format_segment_block {
	uint32_t count;
	struct format_segment segment[FORMAT_SEGMENTS_PER_BLOCK];
};

/* How many leaves a segment has in a signed bundle. */
uint64_t format_segment_leaves(const struct format_segment *segment);

size_t format_segments_encode(uint8_t out[static FORMAT_SEGMENT_BLOCK],
                              const struct format_segment *segment, unsigned count);

/* STATUS_INVALID, also past the ends that content gives. */
int format_segments_decode(struct format_segment_block *block, const uint8_t *in, size_t len,
                           uint32_t count, const struct format_content *content);

struct format_run {
	uint64_t file_off;
	uint64_t addr;
	uint64_t len;
};

void format_run_encode(uint8_t out[static FORMAT_RUN], const struct format_run *run);

/* STATUS_INVALID: empty, or past the end of the plaintext or of the file. */
int format_run_decode(struct format_run *run, const uint8_t in[static FORMAT_RUN],
                      uint64_t file_size, uint64_t plain_len);

/* Walk a set of extended attributes.  *pos: 0 at first; then where the last
 * call left it.  Returns 1 and the next attribute, 0 behind the last, or
 * STATUS_INVALID.  name and value are borrowed from set. */
struct format_xattr {
	const char *name;
	uint8_t name_len;
	const uint8_t *value;
	uint32_t value_len;
};
int format_xattr_next(const uint8_t *set, size_t len, size_t *pos, struct format_xattr *xattr);

/* Append a varint; returns its length (at most 10). */
size_t format_varint_encode(uint8_t *out, uint64_t value);

#endif
