/* A whole bundle, from the header to the last byte of every file, with the seal
 * open (door.c).  The input is what a holder of the key could choose:
 *
 *   1 byte     parity
 *   1 byte     how many pages are damaged, at most 8
 *   a byte     for each of them: which
 *   1,024      the content part of the root
 *   the rest   the stream, zeros behind it
 *
 * The harness lays it out as a volume, so that every input gets as far as the
 * root. */
#include <sodium.h>

#include "common/arena.h"
#include "common/bundle.h"
#include "common/bytes.h"
#include "common/kdf.h"
#include "common/source.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/look.h"

enum {
	DAMAGED = 8,
	DATA_PAGES = 48,
	PAGES = DATA_PAGES + DATA_PAGES / 4 + FORMAT_ROOTS + FORMAT_MAX_PARITY,
	FILE_LEN = 2 * FORMAT_HEADER + PAGES * FORMAT_PAGE,
};

static const uint8_t key_file[KDF_KEYBYTES] = "thirty-two bytes that all know.";

struct input {
	unsigned parity, damaged;
	const uint8_t *damage;
	const uint8_t *content_part;
	const uint8_t *stream;
	size_t stream_len;
};

static bool take_input(struct input *in, const uint8_t *data, size_t len)
{
	static const uint8_t parity[] = {0, 2, 4, 8, 16};

	if (len < 2 + FORMAT_CONTENT_PART)
		return false;
	in->parity = parity[data[0] % sizeof parity];
	in->damaged = data[1] % (DAMAGED + 1);
	if (len < 2 + in->damaged + FORMAT_CONTENT_PART)
		return false;
	in->damage = data + 2;
	in->content_part = in->damage + in->damaged;
	in->stream = in->content_part + FORMAT_CONTENT_PART;
	in->stream_len = (size_t)(data + len - in->stream);
	return true;
}

/* --- the volume --------------------------------------------------------------- */

static uint8_t *page_at(uint8_t *volume, uint32_t page)
{
	return volume + format_page_offset(page);
}

static void put_payload(uint8_t *volume, uint32_t page, const uint8_t *payload, size_t len)
{
	memset(page_at(volume, page), 0, FORMAT_PAGE);
	if (len)
		memcpy(page_at(volume, page), payload, len);
}

static void put_header(uint8_t *header, const struct format_slot *slot)
{
	uint8_t kek[KDF_KEYBYTES], contents[FORMAT_SLOT_CONTENTS];
	struct header_secrets secrets = {.kinds = HEADER_KEY_FILE};

	memcpy(secrets.key_file, key_file, sizeof key_file);
	header_kek(kek, header, &secrets);
	format_slot_encode(contents, slot);
	header_seal_slot(header + FORMAT_SLOT_OFFSET, header, 0, kek, contents);
}

/* The physical page of logical page t: all are owned, and three are roots. */
static uint32_t physical(const struct format_slot *slot, uint32_t t)
{
	uint32_t page = 0;

	for (uint32_t left = t;; page++) {
		bool is_root = page == slot->root_page[0] || page == slot->root_page[1] ||
		               page == slot->root_page[2];

		if (!is_root && left-- == 0)
			return page;
	}
}

static bool shape(const struct input *in, const struct format_content *content,
                  struct format_slot *slot, struct format_layout *layout)
{
	uint64_t blocks = div_ceil(content->leaf_count, FORMAT_LEAVES_PER_BLOCK), stream;

	if (content->content_len > DATA_PAGES * FORMAT_PAYLOAD ||
	    content->index_len > DATA_PAGES * FORMAT_PAYLOAD || content->leaf_count > 1 << 16)
		return false;
	stream = content->content_len + content->leaf_count * FORMAT_DIGEST + content->index_len;
	*slot = (struct format_slot){
		.parity = (uint8_t)in->parity,
		.volume_count = 1,
		.file_len = FILE_LEN,
		.data_pages = (uint32_t)div_ceil(stream, FORMAT_PAYLOAD),
		.root_page = {0, PAGES / 2, PAGES - 1},
	};
	*layout = (struct format_layout){
		.owned = PAGES,
		.volume_count = 1,
		.leaf_blocks = blocks,
		.range_start = {0, content->content_len},
	};
	memset(layout->map, 0xff, PAGES / 8);
	for (unsigned i = PAGES / 8 * 8; i < PAGES; i++)
		layout->map[i / 8] |= (uint8_t)(1 << i % 8);
	return slot->data_pages >= 1 && slot->data_pages <= DATA_PAGES;
}

static bool lay_out(uint8_t *volume, const struct input *in)
{
	static const uint8_t signature[FORMAT_SIGNATURE];
	uint8_t root[FORMAT_PAYLOAD];
	struct format_content content;
	struct format_layout layout;
	struct format_parity parity;
	struct format_slot slot;

	if (format_content_decode(&content, in->content_part) ||
	    !shape(in, &content, &slot, &layout) ||
	    format_parity_make(&parity, in->parity, slot.data_pages) ||
	    parity.data_pages + parity.parity_pages + FORMAT_ROOTS > PAGES)
		return false;
	memset(volume, 0, FILE_LEN);
	format_root_encode(root, in->content_part, signature, &layout);
	for (unsigned i = 0; i < FORMAT_ROOTS; i++)
		put_payload(volume, slot.root_page[i], root, sizeof root);
	for (uint32_t i = 0; i < slot.data_pages; i++) {
		size_t off = (size_t)i * FORMAT_PAYLOAD;
		size_t len = off < in->stream_len ? in->stream_len - off : 0;

		put_payload(volume, physical(&slot, format_data_page(&parity, i)), in->stream + off,
		            len < FORMAT_PAYLOAD ? len : FORMAT_PAYLOAD);
	}
	for (unsigned i = 0; i < in->damaged; i++)
		page_at(volume, in->damage[i] % PAGES)[FORMAT_PAYLOAD] = 0xff;
	put_header(volume, &slot);
	put_header(volume + FILE_LEN - FORMAT_HEADER, &slot);
	return true;
}

static void read_it(const uint8_t *volume)
{
	const struct header_keys keys = {.key_file = key_file};
	struct arena *arena = NULL;
	struct source *source = NULL;
	struct bundle *bundle = NULL;
	struct cursor *cursor = NULL;

	MUST(!arena_new(&arena, bundle_size() + cursor_size() + 65536, true));
	MUST(!source_open_memory(&source, volume, FILE_LEN));
	if (!bundle_open(&bundle, arena, &source, 1, 0, &keys)) {
		MUST(!cursor_new(&cursor, bundle));
		look_at_everything(bundle, cursor);
	}
	cursor_free(cursor);
	bundle_close(bundle);
	source_close(source);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t volume[FILE_LEN];
	struct input in;

	MUST(sodium_init() >= 0);
	if (take_input(&in, data, len) && lay_out(volume, &in))
		read_it(volume);
	return 0;
}
