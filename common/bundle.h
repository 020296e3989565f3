/* An opened bundle: look up, list, read ranges, check.  The one door through
 * which satchel-read and satchel-mount see a bundle.
 *
 * A bundle is immutable: threads share it without locks, each with a cursor of
 * its own.  Plaintext is only ever in the arena and in buffers that the caller
 * names (which should lie in the arena too, entries included: they hold
 * names).  Nothing reaches the caller before it is authenticated and, in a
 * signed bundle, checked against what was signed. */
#ifndef COMMON_BUNDLE_H
#define COMMON_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/format.h"
#include "common/header.h"
#include "common/pages.h"

struct arena;
struct bundle;
struct cursor;
struct source;

/* Open the bundle that the given volumes are part of: the first that a key
 * opens decides, the others are recognised by its key, whatever they are
 * called.  Files that are no part of it are ignored.
 * sources: count of them, borrowed.  length: see header_open; for every source.
 * STATUS_NOKEY, STATUS_KDFMEM, STATUS_VERSION, STATUS_INVALID, STATUS_NOMEM;
 * STATUS_DAMAGED (no copy of the root is left); STATUS_ALTERED (the signature is
 * not that of the publisher it names). */
int bundle_open(struct bundle **bundle, struct arena *arena, struct source *const *sources,
                unsigned count, uint64_t length, const struct header_keys *keys);

/* The same in two steps, for who may find more volumes in between: bundle_begin
 * is content with one that a key opens, though its root be lost.  Then only
 * bundle_add, bundle_volume and bundle_volume_count may be called, until
 * bundle_ready has returned STATUS_OK.  Otherwise it is STATUS_DAMAGED (no copy of
 * the root is left in any), or what is wrong with the first that has one. */
int bundle_begin(struct bundle **bundle, struct arena *arena, struct source *const *sources,
                 unsigned count, uint64_t length, const struct header_keys *keys);
int bundle_ready(const struct bundle *bundle);

/* Bytes of arena that bundle_open takes. */
size_t bundle_size(void);

/* Try one more file as a volume of a set that lacks some, by the key of the set.
 * Before the first cursor.  Returns 1 if it is one that was missing (source is
 * then borrowed), 0 if not; STATUS_NOMEM.  One whose root is lost is noted as
 * such and not borrowed; another copy of it may still come. */
int bundle_add(struct bundle *bundle, const struct source *source, unsigned source_no);

/* The arena is the caller's to wipe.  NULL is fine. */
void bundle_close(struct bundle *bundle);

/* What the root says.  If is_signed, the signature has been checked. */
const struct format_content *bundle_content(const struct bundle *bundle);

/* Volumes of the set; which of them are at hand; where the content is cut. */
struct bundle_volume {
	struct pages *pages; /* NULL: not at hand, or without a root */
	bool rootless;       /* it was there, but none of its roots is left */
	const struct source *source;
	unsigned source_no;      /* index into the sources given */
	enum header_copy header; /* that was opened */
	unsigned bad_roots;      /* bit c: root copy c was found bad on opening */
	uint64_t appended;       /* bytes behind the volume's end */
	uint64_t missing;        /* bytes that the file is too short */
	uint64_t first_leaf_block, leaf_blocks;
	uint64_t
		front; /* bytes of the stream before the content: copies of index and leaf blocks */
	uint64_t index_off; /* in the stream */
};
unsigned bundle_volume_count(const struct bundle *bundle);

/* Was damage of it met, repaired or not? */
bool bundle_volume_is_damaged(const struct bundle_volume *volume);

/* How many of them are not at hand, or without a root. */
unsigned bundle_missing(const struct bundle *bundle);
const struct bundle_volume *bundle_volume(const struct bundle *bundle, unsigned v);

/* The volume that holds byte off of the content. */
unsigned bundle_volume_of(const struct bundle *bundle, uint64_t off);
uint64_t bundle_range_start(const struct bundle *bundle, unsigned v);

/* Where byte off of the content lies in the stream of volume v, whose range has it or ends
 * there. */
uint64_t bundle_stream_off(const struct bundle *bundle, unsigned v, uint64_t off);

/* Where the content of volume v ends, as far as its medium reaches; where it begins,
 * if the volume is not at hand. */
uint64_t bundle_content_end(const struct bundle *bundle, unsigned v);

/* Let all cursors, which are made afterwards, share count slots for decoded
 * frames, at least as many as there will be cursors; without this each has one
 * of its own.  STATUS_NOMEM. */
int bundle_share_frames(struct bundle *bundle, unsigned count);

/* Bytes of arena that this takes; each cursor then takes one slot less than
 * cursor_size says. */
size_t bundle_frames_size(unsigned count);

/* Bytes of arena that a cursor takes. */
size_t cursor_size(void);

/* STATUS_NOMEM. */
int cursor_new(struct cursor **cursor, struct bundle *bundle);
void cursor_free(struct cursor *cursor);

/* --- the tree ------------------------------------------------------------- */

/* An entry with its name, terminated. */
struct bundle_entry {
	struct format_entry e; /* e.name is name */
	char name[FORMAT_NAME + 1];
};

/* Entry id as it is stored: a hard link is one. STATUS_INVALID past the end;
 * STATUS_DAMAGED, STATUS_ALTERED, STATUS_INVALID as index.h has them. */
int bundle_entry(struct cursor *cursor, uint32_t id, struct bundle_entry *entry);

/* The same, but a hard link is the file that it names: everything of that,
 * with the link's own id, parent and name; *inode: the file's id. */
int bundle_inode(struct cursor *cursor, uint32_t id, struct bundle_entry *entry, uint32_t *inode);

/* The child of directory id that is called name. STATUS_NOENT, STATUS_NOTDIR. */
int bundle_lookup(struct cursor *cursor, uint32_t directory, const char *name, size_t len,
                  uint32_t *id);

/* The entry at path: components between slashes; empty ones, "." and ".." as
 * usual, never above the root; symbolic links are not followed.
 * STATUS_NOENT, STATUS_NOTDIR. */
int bundle_resolve(struct cursor *cursor, const char *path, uint32_t *id);

/* The path of entry id from the root, without a leading slash; the root's is
 * empty.  out: room for FORMAT_PATH + 1.  STATUS_INVALID where it is longer. */
int bundle_path(struct cursor *cursor, uint32_t id, char out[static FORMAT_PATH + 1]);

/* --- contents ------------------------------------------------------------- */

/* Read len bytes at off of a file (not a hard link: see bundle_inode).
 * *got: bytes read, less than len only at the file's end; on failure untouched,
 * and out holds nothing that may be used.
 * STATUS_DAMAGED, STATUS_ALTERED, STATUS_INVALID; STATUS_VOLUME: the bytes lie
 * in a volume that is not at hand. */
int bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off, size_t len,
                uint8_t *out, size_t *got);

/* Tell the kernel that len bytes at off of a file will be wanted.  Advice only;
 * may read blocks of the index. */
void bundle_will_need(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t len);

/* Decode what holds the byte at off of a file (at most FORMAT_FRAME bytes) into
 * a shared slot, where bundle_read will find it, unless it is there.  False: no
 * slot can be spared now. */
bool bundle_decode_ahead(struct cursor *cursor, const struct format_entry *file, uint64_t off);

/* What bundle_read would copy, where slots have all of it: parts that are only to
 * be looked at, and stay until bundle_give_back, before which this cursor must not
 * be used.  Returns how many; 0: none, it must be read. */
enum { BUNDLE_LENT = 6 };
unsigned bundle_lend(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                     size_t len, struct iovec part[static BUNDLE_LENT]);
void bundle_give_back(struct cursor *cursor);

/* The next data of a file at or behind off, in one piece: where it is in the file
 * and in the plaintext.  len is 0 behind the last. */
struct bundle_extent {
	uint64_t off, addr, len;
};
int bundle_next_extent(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       struct bundle_extent *extent);

/* Where the next data at or behind off begins and ends: for holes.  Both are the
 * file's size behind the last data.  A file that is not sparse is all data. */
int bundle_data_range(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t *begin, uint64_t *end);

/* The target of a symbolic link, terminated.  out: room for FORMAT_LINK + 1. */
int bundle_readlink(struct cursor *cursor, const struct format_entry *link,
                    char out[static FORMAT_LINK + 1]);

/* The set of extended attributes of an entry that has some (xattr_len > 0), for
 * format_xattr_next. out: room for xattr_len. */
int bundle_xattrs(struct cursor *cursor, const struct format_entry *entry, uint8_t *out);

/* Which volumes hold a file's bytes?  Calls seen(context, v) for each, in no
 * order, perhaps more than once.  Of a sparse file the first 1,024 extents are looked at, and
 * what is between the last of them and the file's last, which may be more than it has. */
int bundle_file_volumes(struct cursor *cursor, const struct format_entry *file,
                        void (*seen)(void *context, unsigned v), void *context);

/* --- verification --------------------------------------------------------- */

/* Segment number n, for whoever goes through all of them. */
int bundle_segment(struct cursor *cursor, uint64_t n, struct format_segment *segment);

/* The segment that holds address addr.  If that fails, *end: below it is none that can
 * be had, see index_next_address. */
int bundle_segment_at(struct cursor *cursor, uint64_t addr, struct format_segment *segment,
                      uint64_t *end);

/* Read, authenticate, check and decode bytes off to off + len of a segment as
 * stored (a frame: all of it; an extent: at most FORMAT_FRAME, beginning at a
 * multiple of FORMAT_LEAF), and throw them away.  What is neither compressed nor signed
 * needs to be authenticated only. */
int bundle_check_segment(struct cursor *cursor, const struct format_segment *segment, uint64_t off,
                         size_t len);

/* Fetch and check block b of a table of the index. */
int bundle_check_block(struct cursor *cursor, enum format_table_no table, uint64_t b);

/* The block to look at behind block b, see index_next_block. */
uint64_t bundle_next_block(struct cursor *cursor, enum format_table_no table, uint64_t b);

/* Does logical page t of volume v authenticate?  See pages_check_logical.
 * STATUS_INVALID: something stands behind the index. */
int bundle_check_page(struct cursor *cursor, unsigned v, uint32_t t);

/* Make a page of volume v what it was, see pages_restore and pages_restore_root;
 * number, role: as pages_role has them. */
int bundle_restore(struct cursor *cursor, unsigned v, enum pages_role role, uint32_t number,
                   uint8_t page[static FORMAT_PAGE], bool readable);

/* Does copy c of the root of volume v authenticate? */
int bundle_check_root(struct cursor *cursor, unsigned v, unsigned c);

/* Does the named header of volume v open with keys, and in a set of several
 * volumes with the compartment's key, too, and lead to that volume?  May take as long as opening.
 * STATUS_KDFMEM: nobody knows.
 * STATUS_INVALID: it leads elsewhere.
 * STATUS_DAMAGED: it does, but some of its bytes cannot be read. */
int bundle_check_header(struct bundle *bundle, unsigned v, enum header_copy copy,
                        const struct header_keys *keys);

#endif
