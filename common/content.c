#include "common/bundle_inner.h"

#include <sodium.h>
#include <string.h>

#include "common/bytes.h"
#include "common/cache.h"
#include "common/hash4.h"
#include "common/index.h"
#include "common/pages.h"
#include "common/source.h"
#include "common/squeeze.h"
#include "common/status.h"

/* --- contents ------------------------------------------------------------- */

/* Extents of a sparse file that are asked where they lie. */
enum { EXTENTS_MAX = 1024 };

/* Pieces of one read that other threads may be busy with. */
enum { POSTPONED_MAX = 8 };

/* Bytes of the content, from whichever volumes hold them.  out: as pages_read has it. */
static int read_content(struct cursor *c, uint64_t off, size_t len, uint8_t *out)
{
	struct bundle *b = c->bundle;

	while (len) {
		unsigned v = bundle_volume_of(b, off);
		size_t n = (size_t)min_u64(len, b->range_start[v + 1] - off);
		int status;

		if (!b->volume[v].pages)
			return b->volume[v].rootless ? STATUS_DAMAGED : STATUS_VOLUME;
		status = pages_read(b->volume[v].pages, &c->io, bundle_stream_off(b, v, off), n,
		                    out);
		if (status)
			return status;
		off += n;
		if (out)
			out += n;
		len -= n;
	}
	return STATUS_OK;
}

/* Leaf block j as it lies at byte at of the volume's stream, if that is its digest. */
static int take_leaf_block(struct cursor *c, struct pages *pages, uint64_t at, uint64_t j,
                           const uint8_t digest[static FORMAT_DIGEST])
{
	uint32_t len = format_leaf_block_len(c->bundle->inner->content.leaf_count, j);
	uint8_t sum[FORMAT_DIGEST];
	int status = pages_read(pages, &c->io, at, len, c->leaf_block);

	if (status)
		return status;
	hash4_one(sum, c->leaf_block, len);
	return memcmp(sum, digest, sizeof(sum)) ? STATUS_ALTERED : STATUS_OK;
}

/* The same, from behind the content of volume v or from in front of it. */
static int find_leaf_block(struct cursor *c, unsigned v, uint64_t j,
                           const uint8_t digest[static FORMAT_DIGEST])
{
	const struct bundle *b = c->bundle;
	const struct bundle_volume *volume = &b->volume[v];
	uint64_t off = (j - volume->first_leaf_block) * FORMAT_LEAF_BLOCK;
	int status = take_leaf_block(
		c, volume->pages, bundle_stream_off(b, v, b->range_start[v + 1]) + off, j, digest);

	if (status == STATUS_DAMAGED && volume->front)
		status = take_leaf_block(c, volume->pages, b->inner->content.index_len + off, j,
		                         digest);
	return status;
}

/* Leaf block j, from any volume that has it, checked.  What is asked for has been read, and
 * the volume that it was read from ought to have the blocks for it: where none has this one,
 * they were taken away. */
static int load_leaf_block(struct cursor *c, uint64_t j)
{
	uint8_t digest[FORMAT_DIGEST];
	int status = index_leaf_sum(c->index, j, digest), result = STATUS_ALTERED;

	if (status)
		return status;
	c->leaf_block_no = UINT64_MAX;
	for (unsigned v = 0; v < c->bundle->volume_count; v++) {
		const struct bundle_volume *volume = &c->bundle->volume[v];

		if (!volume->pages || j - volume->first_leaf_block >= volume->leaf_blocks)
			continue;
		result = find_leaf_block(c, v, j, digest);
		if (result == STATUS_OK) {
			c->leaf_block_no = j;
			return STATUS_OK;
		}
	}
	return result;
}

/* Is this the digest that leaf was signed with? */
static int compare_leaf(struct cursor *c, uint64_t leaf, const uint8_t sum[static FORMAT_DIGEST])
{
	uint64_t j = leaf / FORMAT_LEAVES_PER_BLOCK;

	if (j != c->leaf_block_no) {
		int status = load_leaf_block(c, j);

		if (status)
			return status;
	}
	return memcmp(sum, c->leaf_block + leaf % FORMAT_LEAVES_PER_BLOCK * FORMAT_DIGEST,
	              FORMAT_DIGEST)
	               ? STATUS_ALTERED
	               : STATUS_OK;
}

/* Are these the bytes that leaf was signed for? */
static int check_leaf(struct cursor *c, uint64_t leaf, const uint8_t *bytes, size_t len)
{
	uint8_t sum[FORMAT_DIGEST];

	hash4_one(sum, bytes, len);
	return compare_leaf(c, leaf, sum);
}

/* The next leaves, at most as many as are hashed at once, of an extent of which only the
 * last may be shorter. */
static unsigned cut_leaves(struct hash4_run leaf[static HASH4_LANES], const uint8_t *bytes,
                           size_t len)
{
	unsigned count = 0;

	for (; len && count < HASH4_LANES; count++) {
		size_t n = min_u64(len, FORMAT_LEAF);

		leaf[count].data = bytes;
		leaf[count].len = n;
		bytes += n;
		len -= n;
	}
	return count;
}

/* The same of leaves of an extent. */
static int check_leaves(struct cursor *c, uint64_t leaf, const uint8_t *bytes, size_t len)
{
	int status = STATUS_OK;

	while (len && status == STATUS_OK) {
		uint8_t sum[HASH4_LANES][FORMAT_DIGEST];
		struct hash4_run run[HASH4_LANES] = {{.digest = sum[0]},
		                                     {.digest = sum[1]},
		                                     {.digest = sum[2]},
		                                     {.digest = sum[3]}};
		unsigned count = cut_leaves(run, bytes, len);

		hash4(run, count);
		for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
			status = compare_leaf(c, leaf++, sum[i]);
			bytes += run[i].len;
			len -= run[i].len;
		}
	}
	return status;
}

/* Decode a frame to out. */
static int decode_frame(struct cursor *c, const struct format_segment *s, uint8_t *out)
{
	int status;

	c->stored_leaf = UINT64_MAX;
	status = read_content(c, s->off, (size_t)s->stored_len, c->stored);
	if (status == STATUS_OK && c->bundle->inner->content.is_signed)
		status = check_leaf(c, s->leaf, c->stored, (size_t)s->stored_len);
	if (status == STATUS_OK)
		status = expander_run(c->expander, out, (size_t)s->plain_len, c->stored,
		                      (size_t)s->stored_len);
	return status;
}

/* n bytes of an extent that are whole leaves, from leaf number on. */
static int read_leaves(struct cursor *c, const struct format_segment *s, uint64_t number, size_t n,
                       uint8_t *out)
{
	int status = read_content(c, s->off + number * FORMAT_LEAF, n, out);

	if (status == STATUS_OK)
		status = check_leaves(c, s->leaf + number, out, n);
	if (status)
		sodium_memzero(out, n);
	return status;
}

/* A part of one leaf, through c->stored. */
static int read_in_leaf(struct cursor *c, const struct format_segment *s, uint64_t number,
                        size_t from, size_t len, uint8_t *out)
{
	uint64_t begin = number * FORMAT_LEAF;

	if (c->stored_leaf != s->leaf + number) {
		size_t whole = (size_t)min_u64(FORMAT_LEAF, s->stored_len - begin);
		int status;

		c->stored_leaf = UINT64_MAX;
		status = read_leaves(c, s, number, whole, c->stored);
		if (status)
			return status;
		c->stored_leaf = s->leaf + number;
	}
	if (out != c->stored + from)
		memcpy(out, c->stored + from, len);
	return STATUS_OK;
}

static int read_extent(struct cursor *c, const struct format_segment *s, uint64_t from, size_t len,
                       uint8_t *out)
{
	int status = STATUS_OK;

	if (!c->bundle->inner->content.is_signed)
		return read_content(c, s->off + from, len, out);
	while (len && status == STATUS_OK) {
		uint64_t number = from / FORMAT_LEAF;
		size_t skip = from % FORMAT_LEAF;
		size_t n = from + len == s->stored_len ? len : len - (from + len) % FORMAT_LEAF;

		if (skip == 0 && len >= FORMAT_LEAF) {
			status = read_leaves(c, s, number, n, out);
		} else {
			n = (size_t)min_u64(len, FORMAT_LEAF - skip);
			status = read_in_leaf(c, s, number, skip, n, out);
		}
		from += n;
		out += n;
		len -= n;
	}
	return status;
}

/* What a slot of the cache holds around byte from of a segment: a whole frame,
 * or a piece of an extent. */
struct piece {
	uint64_t begin; /* in the segment */
	size_t len;
};

static struct piece piece_around(const struct format_segment *s, uint64_t from)
{
	uint64_t begin = s->frame ? 0 : from - from % FORMAT_FRAME;

	return (struct piece){begin, (size_t)min_u64(FORMAT_FRAME, s->plain_len - begin)};
}

/* Fill the slot that this thread was given. */
static int fill_slot(struct cursor *c, struct cache_slot *slot, const struct format_segment *s,
                     struct piece piece)
{
	int status = s->frame ? decode_frame(c, s, slot->bytes)
	                      : read_extent(c, s, piece.begin, piece.len, slot->bytes);

	return cache_filled(c->frames, slot, status);
}

/* len bytes at from of a segment, all of one piece.  What is in no slot is read
 * straight to out, but for a part of a frame, which is decoded into a slot, where
 * the next part will be found.
 * wait: for what another thread is decoding; otherwise BUSY. */
enum { BUSY = 1 };
static int read_piece(struct cursor *c, const struct format_segment *s, uint64_t from, size_t len,
                      uint8_t *out, bool wait)
{
	struct piece piece = piece_around(s, from);
	enum cache_want want = wait || (s->frame && len < piece.len) ? CACHE_GET : CACHE_PEEK;
	struct cache_slot *slot;
	int status = STATUS_OK;

	switch (cache_pin(c->frames, s->addr + piece.begin, want, &slot)) {
	case CACHE_BUSY: return BUSY;
	case CACHE_MISS:
		return s->frame ? decode_frame(c, s, out) : read_extent(c, s, from, len, out);
	case CACHE_FILL: status = fill_slot(c, slot, s, piece); break;
	case CACHE_READY: break;
	}
	/* What of a piece is lost may lie beside what is wanted. */
	if (status && !s->frame && len < piece.len)
		return read_extent(c, s, from, len, out);
	if (status)
		return status;
	memcpy(out, slot->bytes + (from - piece.begin), len);
	cache_unpin(c->frames, slot);
	return STATUS_OK;
}

/* What another thread was busy with when it was wanted. */
struct postponed {
	uint64_t addr;
	size_t len;
	uint8_t *out;
};

/* The segment that holds addr, and how many of len bytes the piece there has. */
static int find_piece(struct cursor *c, uint64_t addr, size_t *len, struct format_segment *segment)
{
	const struct format_segment *found;
	int status = index_segment_at(c->index, addr, &found);
	struct piece piece;

	if (status)
		return status;
	*segment = *found;
	piece = piece_around(segment, addr - segment->addr);
	*len = (size_t)min_u64(*len, segment->addr + piece.begin + piece.len - addr);
	return STATUS_OK;
}

static int read_at(struct cursor *c, uint64_t addr, size_t *len, uint8_t *out, bool wait)
{
	struct format_segment s;
	int status = find_piece(c, addr, len, &s);

	return status ? status : read_piece(c, &s, addr - s.addr, *len, out, wait);
}

/* len bytes of plaintext at an address.  What others are decoding comes last, so
 * that nobody waits who could work. */
static int read_plain(struct cursor *c, uint64_t addr, size_t len, uint8_t *out)
{
	struct postponed late[POSTPONED_MAX];
	unsigned count = 0;
	int status = STATUS_OK;

	while (len && status == STATUS_OK) {
		size_t n = len;

		status = read_at(c, addr, &n, out, count == POSTPONED_MAX);
		if (status == BUSY) {
			late[count++] = (struct postponed){addr, n, out};
			status = STATUS_OK;
		}
		addr += n;
		out += n;
		len -= n;
	}
	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = read_at(c, late[i].addr, &late[i].len, late[i].out, true);
	return status;
}

static int read_sparse(struct cursor *c, const struct format_entry *file, uint64_t off, size_t len,
                       uint8_t *out)
{
	while (len) {
		struct format_run run;
		uint64_t next, in_run = 0;
		int found = index_run_at(c->index, file, off, &run, &next);
		size_t n;

		if (found < 0)
			return found;
		if (found && off - run.file_off < run.len)
			in_run = run.len - (off - run.file_off);
		n = (size_t)min_u64(len, in_run ? in_run : next - off);
		if (in_run) {
			int status = read_plain(c, run.addr + (off - run.file_off), n, out);

			if (status)
				return status;
		} else {
			memset(out, 0, n);
		}
		off += n;
		out += n;
		len -= n;
	}
	return STATUS_OK;
}

int bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off, size_t len,
                uint8_t *out, size_t *got)
{
	int status;

	if (file->kind != KIND_FILE)
		return STATUS_ISDIR;
	len = off < file->size ? (size_t)min_u64(len, file->size - off) : 0;
	status = file->sparse ? read_sparse(cursor, file, off, len, out)
	                      : read_plain(cursor, file->place + off, len, out);
	if (status == STATUS_OK)
		*got = len;
	else
		sodium_memzero(out, len);
	return status;
}

/* Runs out of order must not lead back: callers go on behind what they were given. */
static int next_run(struct cursor *c, const struct format_entry *file, uint64_t off,
                    struct bundle_extent *extent)
{
	struct format_run run;
	uint64_t next;
	int found = index_run_at(c->index, file, off, &run, &next);

	if (found == 0 || (found > 0 && off - run.file_off >= run.len)) {
		off = next;
		if (off == file->size)
			return STATUS_OK;
		found = index_run_at(c->index, file, off, &run, &next);
	}
	if (found < 0)
		return found;
	if (found == 0 || run.file_off > off || run.len <= off - run.file_off)
		return STATUS_INVALID;
	*extent = (struct bundle_extent){
		.off = off,
		.addr = run.addr + (off - run.file_off),
		.len = run.len - (off - run.file_off),
	};
	return STATUS_OK;
}

int bundle_next_extent(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       struct bundle_extent *extent)
{
	*extent = (struct bundle_extent){.off = file->size};
	if (off >= file->size)
		return STATUS_OK;
	if (file->sparse)
		return next_run(cursor, file, off, extent);
	*extent = (struct bundle_extent){off, file->place + off, file->size - off};
	return STATUS_OK;
}

int bundle_data_range(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t *begin, uint64_t *end)
{
	struct bundle_extent extent;
	int status = bundle_next_extent(cursor, file, off, &extent);

	if (status)
		return status;
	*begin = extent.off;
	*end = extent.len ? extent.off + extent.len : file->size;
	return STATUS_OK;
}

/* Advice for the bytes of the content at off. */
static void content_will_need(const struct bundle *b, uint64_t off, uint64_t len)
{
	while (len) {
		unsigned v = bundle_volume_of(b, off);
		uint64_t n = min_u64(len, b->range_start[v + 1] - off);

		if (b->volume[v].pages)
			pages_will_need(b->volume[v].pages, bundle_stream_off(b, v, off), n);
		off += n;
		len -= n;
	}
}

static int plain_will_need(struct cursor *c, uint64_t addr, uint64_t len)
{
	while (len) {
		const struct format_segment *s;
		int status = index_segment_at(c->index, addr, &s);
		uint64_t from, n;

		if (status)
			return status;
		from = addr - s->addr;
		n = min_u64(len, s->plain_len - from);
		if (s->frame)
			content_will_need(c->bundle, s->off, s->stored_len);
		else
			content_will_need(c->bundle, s->off + from, n);
		addr += n;
		len -= n;
	}
	return STATUS_OK;
}

/* The run of plaintext behind off of a file, at most len bytes.  False: a hole,
 * or the end. */
static bool find_plain(struct cursor *c, const struct format_entry *file, uint64_t off,
                       uint64_t *addr, uint64_t *len)
{
	struct format_run run;
	uint64_t next;

	if (file->kind != KIND_FILE || off >= file->size)
		return false;
	*len = min_u64(*len, file->size - off);
	*addr = file->place + off;
	if (!file->sparse)
		return true;
	if (index_run_at(c->index, file, off, &run, &next) <= 0 || off - run.file_off >= run.len)
		return false;
	*addr = run.addr + (off - run.file_off);
	*len = min_u64(*len, run.len - (off - run.file_off));
	return true;
}

void bundle_will_need(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                      uint64_t len)
{
	uint64_t addr;

	if (find_plain(cursor, file, off, &addr, &len))
		plain_will_need(cursor, addr, len);
}

bool bundle_decode_ahead(struct cursor *cursor, const struct format_entry *file, uint64_t off)
{
	struct format_segment s;
	struct cache_slot *slot;
	struct piece piece;
	uint64_t addr, len = 1;
	size_t n = 1;

	if (!find_plain(cursor, file, off, &addr, &len) || find_piece(cursor, addr, &n, &s))
		return true;
	piece = piece_around(&s, addr - s.addr);
	switch (cache_pin(cursor->frames, s.addr + piece.begin, CACHE_AHEAD, &slot)) {
	case CACHE_FILL:
		if (fill_slot(cursor, slot, &s, piece) == STATUS_OK)
			cache_unpin(cursor->frames, slot);
		return true;
	case CACHE_BUSY: return true;
	default: return false;
	}
}

/* The first part of len bytes of plaintext at an address.  False: no slot has it. */
static bool lend_piece(struct cursor *c, uint64_t addr, size_t len, struct iovec *part)
{
	struct cache_slot **slot = &c->lent[c->lent_count];
	struct format_segment s;
	struct piece piece;

	if (find_piece(c, addr, &len, &s))
		return false;
	piece = piece_around(&s, addr - s.addr);
	if (cache_pin(c->frames, s.addr + piece.begin, CACHE_PEEK, slot) != CACHE_READY)
		return false;
	*part = (struct iovec){(*slot)->bytes + (addr - s.addr - piece.begin), len};
	c->lent_count++;
	return true;
}

unsigned bundle_lend(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                     size_t len, struct iovec part[static BUNDLE_LENT])
{
	uint64_t addr, run = len;

	if (!find_plain(cursor, file, off, &addr, &run) || run < len)
		return 0;
	while (len && cursor->lent_count < BUNDLE_LENT &&
	       lend_piece(cursor, addr, len, &part[cursor->lent_count])) {
		size_t n = part[cursor->lent_count - 1].iov_len;

		addr += n;
		len -= n;
	}
	if (len)
		bundle_give_back(cursor);
	return cursor->lent_count;
}

void bundle_give_back(struct cursor *cursor)
{
	while (cursor->lent_count)
		cache_unpin(cursor->frames, cursor->lent[--cursor->lent_count]);
}

int bundle_readlink(struct cursor *cursor, const struct format_entry *link,
                    char out[static FORMAT_LINK + 1])
{
	int status;

	if (link->kind != KIND_SYMLINK)
		return STATUS_INVALID;
	status = index_heap(cursor->index, link->place, (size_t)link->size, (uint8_t *)out);
	if (status)
		return status;
	out[link->size] = '\0';
	return strlen(out) == link->size ? STATUS_OK : STATUS_INVALID;
}

int bundle_xattrs(struct cursor *cursor, const struct format_entry *entry, uint8_t *out)
{
	return index_heap(cursor->index, entry->xattr_off, entry->xattr_len, out);
}

static int volume_of_plain(struct cursor *c, uint64_t addr, unsigned *v)
{
	const struct format_segment *s;
	int status = index_segment_at(c->index, addr, &s);

	if (status == STATUS_OK)
		*v = bundle_volume_of(c->bundle, s->frame ? s->off : s->off + (addr - s->addr));
	return status;
}

/* The volumes of len bytes of plaintext at addr: the content never goes back, so
 * they are those from that of the first byte to that of the last. */
static int plain_volumes(struct cursor *c, uint64_t addr, uint64_t len,
                         void (*seen)(void *context, unsigned v), void *context)
{
	unsigned v, last;
	int status = volume_of_plain(c, addr, &v);

	if (status == STATUS_OK)
		status = volume_of_plain(c, addr + len - 1, &last);
	for (; status == STATUS_OK && v <= last; v++)
		seen(context, v);
	return status;
}

/* From an extent at addr to the last one, as if nothing were between them. */
static int rest_volumes(struct cursor *c, const struct format_entry *file, uint64_t addr,
                        void (*seen)(void *context, unsigned v), void *context)
{
	struct format_run run;
	uint64_t next;
	int got = index_run_at(c->index, file, file->size - 1, &run, &next);

	if (got <= 0)
		return got;
	return run.addr >= addr ? plain_volumes(c, addr, run.addr + run.len - addr, seen, context)
	                        : plain_volumes(c, run.addr, run.len, seen, context);
}

int bundle_file_volumes(struct cursor *cursor, const struct format_entry *file,
                        void (*seen)(void *context, unsigned v), void *context)
{
	struct bundle_extent extent = {0};
	int status = STATUS_OK;

	for (int i = 0; file->kind == KIND_FILE && status == STATUS_OK; i++) {
		if (i == EXTENTS_MAX)
			return rest_volumes(cursor, file, extent.addr, seen, context);
		status = bundle_next_extent(cursor, file, extent.off + extent.len, &extent);
		if (status || !extent.len)
			break;
		status = plain_volumes(cursor, extent.addr, extent.len, seen, context);
	}
	return status;
}

/* --- verification --------------------------------------------------------- */

int bundle_segment(struct cursor *cursor, uint64_t n, struct format_segment *segment)
{
	const struct format_segment *s;
	int status = index_segment(cursor->index, n, &s);

	if (status == STATUS_OK)
		*segment = *s;
	return status;
}

int bundle_segment_at(struct cursor *cursor, uint64_t addr, struct format_segment *segment,
                      uint64_t *end)
{
	const struct format_segment *s;
	int status = index_segment_at(cursor->index, addr, &s);

	if (status == STATUS_OK)
		*segment = *s;
	else
		*end = index_next_address(cursor->index, addr);
	return status;
}

int bundle_check_segment(struct cursor *cursor, const struct format_segment *segment, uint64_t off,
                         size_t len)
{
	if (segment->frame)
		return read_piece(cursor, segment, 0, 0, cursor->stored, true);
	if (!cursor->bundle->inner->content.is_signed)
		return read_content(cursor, segment->off + off, len, NULL);
	cursor->stored_leaf = UINT64_MAX;
	return read_extent(cursor, segment, off, len, cursor->stored);
}

int bundle_check_block(struct cursor *cursor, enum format_table_no table, uint64_t b)
{
	return index_check_block(cursor->index, table, b);
}

uint64_t bundle_next_block(struct cursor *cursor, enum format_table_no table, uint64_t b)
{
	return index_next_block(cursor->index, table, b);
}

/* What is behind the index in the last data page. */
static int check_padding(struct cursor *cursor, const struct bundle_volume *volume)
{
	uint64_t off = volume->index_off + cursor->bundle->inner->content.index_len;
	uint64_t end = (uint64_t)volume->pages->parity.data_pages * FORMAT_PAYLOAD;
	size_t len = (size_t)(end - off);
	int status;

	cursor->stored_leaf = UINT64_MAX;
	status = pages_read(volume->pages, &cursor->io, off, len, cursor->stored);
	if (status == STATUS_OK && !sodium_is_zero(cursor->stored, len))
		status = STATUS_INVALID;
	return status;
}

int bundle_check_page(struct cursor *cursor, unsigned v, uint32_t t)
{
	const struct bundle_volume *volume = &cursor->bundle->volume[v];
	const struct format_parity *parity = &volume->pages->parity;
	int status = pages_check_logical(volume->pages, &cursor->io, t);

	if (status == STATUS_OK && t == format_data_page(parity, parity->data_pages - 1))
		status = check_padding(cursor, volume);
	return status;
}

int bundle_restore(struct cursor *cursor, unsigned v, enum pages_role role, uint32_t number,
                   uint8_t page[static FORMAT_PAGE], bool readable)
{
	struct pages *pages = cursor->bundle->volume[v].pages;

	switch (role) {
	case PAGES_ROOT: return pages_restore_root(pages, &cursor->io, number, page, readable);
	case PAGES_SEALED: return pages_restore(pages, &cursor->io, number, page, readable);
	case PAGES_OTHER: break;
	}
	return 0;
}

int bundle_check_root(struct cursor *cursor, unsigned v, unsigned c)
{
	const struct bundle_volume *volume = &cursor->bundle->volume[v];

	cursor->io.held = NULL;
	return pages_check_root(&cursor->io, volume->source, pages_root_page(volume->pages, c),
	                        volume->pages->key, c, cursor->io.bounce);
}

/* All of a header, also what is behind the slots. */
static bool header_is_readable(const struct source *source, uint64_t file_len,
                               enum header_copy copy)
{
	uint8_t header[FORMAT_HEADER];

	return source_read_at(source, header, FORMAT_HEADER,
	                      copy == HEADER_A ? 0 : file_len - FORMAT_HEADER) == STATUS_OK;
}

/* Does the slot say what that says by which volume v was opened?  One of another volume opens just
 * as well, and leads elsewhere. */
static bool is_slot_of(const struct bundle *bundle, unsigned v, const struct format_slot *slot)
{
	const struct pages *pages = bundle->volume[v].pages;
	bool same = slot->volume_no == v && slot->volume_count == bundle->volume_count &&
	            slot->file_len == pages->geometry.file_len && slot->parity == pages->parity.m &&
	            slot->data_pages == pages->parity.data_pages;

	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		same &= slot->root_page[c] == pages_root_page(pages, c);
	return same && sodium_memcmp(slot->ck, bundle->inner->ck, FORMAT_KEY) == 0;
}

int bundle_check_header(struct bundle *bundle, unsigned v, enum header_copy copy,
                        const struct header_keys *keys)
{
	const struct bundle_volume *volume = &bundle->volume[v];
	uint64_t len = volume->pages->geometry.file_len;
	struct format_slot slot;
	int status = STATUS_OK;

	if (bundle->volume_count > 1)
		status = header_open_sibling_copy(&slot, volume->source, len, copy,
		                                  bundle->inner->ck);
	if (status == STATUS_OK && bundle->volume_count > 1 && !is_slot_of(bundle, v, &slot))
		status = STATUS_INVALID;
	/* Both ways in: the key of a sibling is no help to who has this volume alone. */
	if (status == STATUS_OK)
		status = header_open_copy(&slot, volume->source, len, copy, keys, bundle->profile);
	if (status == STATUS_OK && !is_slot_of(bundle, v, &slot))
		status = STATUS_INVALID;
	sodium_memzero(&slot, sizeof(slot));
	if (status == STATUS_OK && !header_is_readable(volume->source, len, copy))
		status = STATUS_DAMAGED;
	return status;
}
