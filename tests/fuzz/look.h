/* Everything that a reader does with an open bundle, as far as bounded time allows. */
#ifndef TESTS_FUZZ_LOOK_H
#define TESTS_FUZZ_LOOK_H

#include "common/bundle.h"
#include "common/bytes.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

enum {
	ENTRIES = 300, /* of each kind of thing, looked at */
	BLOCKS = 60,
	LOOK_PAGES = 48,
	PART = 4096,
};

static void seen(void *context, unsigned v)
{
	MUST(v < *(const unsigned *)context);
}

static void look_at_file(struct cursor *c, const struct format_entry *file, unsigned volumes)
{
	const uint64_t off[] = {0, file->size / 2, file->size > 100 ? file->size - 100 : 0};
	uint64_t begin, end;
	struct iovec part[BUNDLE_LENT];
	uint8_t out[PART];
	size_t got;

	for (size_t i = 0; i < 3; i++) {
		got = PART + 1;
		if (bundle_read(c, file, off[i], PART, out, &got))
			MUST(got == PART + 1);
		else
			MUST(got <= PART && got <= file->size - off[i]);
		if (!bundle_data_range(c, file, off[i], &begin, &end))
			MUST(begin >= off[i] && begin <= end && end <= file->size);
	}
	bundle_will_need(c, file, 0, file->size);
	bundle_decode_ahead(c, file, 0);
	if (bundle_lend(c, file, off[1], PART, part))
		bundle_give_back(c);
	bundle_file_volumes(c, file, seen, &volumes);
}

static void look_at_xattrs(struct cursor *c, const struct format_entry *e)
{
	uint8_t *set = malloc(e->xattr_len);
	struct format_xattr xattr;
	size_t pos = 0;

	MUST(set && e->xattr_len <= FORMAT_XATTRS);
	if (!bundle_xattrs(c, e, set))
		while (format_xattr_next(set, e->xattr_len, &pos, &xattr) == 1)
			MUST(pos <= e->xattr_len);
	free(set);
}

static void look_at_entry(struct cursor *c, uint32_t id, unsigned volumes)
{
	char path[FORMAT_PATH + 1], target[FORMAT_LINK + 1];
	struct bundle_entry entry;
	uint32_t inode, found;

	if (!bundle_path(c, id, path))
		bundle_resolve(c, path, &found);
	if (bundle_inode(c, id, &entry, &inode))
		return;
	MUST(strlen(entry.name) == entry.e.name_len);
	if (entry.e.kind == KIND_FILE)
		look_at_file(c, &entry.e, volumes);
	if (entry.e.kind == KIND_SYMLINK && !bundle_readlink(c, &entry.e, target))
		MUST(strlen(target) == entry.e.size);
	if (entry.e.xattr_len)
		look_at_xattrs(c, &entry.e);
	bundle_lookup(c, id, "name", 4, &found);
	if (entry.e.parent < id &&
	    !bundle_lookup(c, entry.e.parent, entry.name, entry.e.name_len, &found))
		MUST(found != 0);
}

static void look_at_segment(struct cursor *c, uint64_t n)
{
	struct format_segment segment;

	if (bundle_segment(c, n, &segment))
		return;
	bundle_check_segment(c, &segment, 0,
	                     segment.frame ? (size_t)segment.stored_len
	                                   : (size_t)min_u64(segment.stored_len, FORMAT_FRAME));
}

static void look_at_volume(struct bundle *bundle, struct cursor *c, unsigned v)
{
	const struct pages *pages = bundle_volume(bundle, v)->pages;
	uint32_t count = pages ? pages->parity.data_pages + pages->parity.parity_pages : 0;

	if (!pages)
		return;
	for (uint32_t t = 0; t < LOOK_PAGES && t < count; t++)
		bundle_check_page(c, v, t);
	for (unsigned i = 0; i < FORMAT_ROOTS; i++)
		bundle_check_root(c, v, i);
}

static void look_at_everything(struct bundle *bundle, struct cursor *c)
{
	const struct format_content *content = bundle_content(bundle);

	for (uint32_t i = 0; i < min_u64(content->table[TABLE_ENTRIES].records, ENTRIES); i++)
		look_at_entry(c, i, bundle_volume_count(bundle));
	for (uint64_t i = 0; i < min_u64(content->table[TABLE_SEGMENTS].records, ENTRIES); i++)
		look_at_segment(c, i);
	for (int t = 0; t < TABLE_COUNT; t++)
		for (uint64_t b = 0;
		     b < min_u64(format_block_count(t, content->table[t].records), BLOCKS); b++)
			bundle_check_block(c, t, b);
	for (unsigned v = 0; v < bundle_volume_count(bundle); v++)
		look_at_volume(bundle, c, v);
}

#endif
