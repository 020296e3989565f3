/* Volumes of a set, as a holder of the key could make them: what fuzz_bundle takes as
 * given, the slot, the root with its map of slices, lost headers, files too long or
 * too short, is here the input's.  At most VOLUMES of these:
 *
 *   1 byte     what is lost: bits 0, 1 the headers, 2 to 4 the roots; 5: the file's
 *              end; 6: something was appended
 *   96         the contents of the slot
 *   2, and     how many bytes of the root follow, and they
 *   2, and     how many bytes of the stream follow, and they
 *
 * Data pages are all that no root takes, in order. */
#include <sodium.h>

#include "common/arena.h"
#include "common/kdf.h"
#include "common/source.h"
#include "tests/fuzz/look.h"
#include "tests/fuzz/shape.h"

enum {
	VOLUMES = 3,
	FILE_ROOM = 3 << 18,
	APPENDED = 100,
	FRONT = 1 + FORMAT_SLOT_CONTENTS + 2,
	STREAM_MAX = 12000,
};

static const uint8_t key_file[KDF_KEYBYTES] = "thirty-two bytes that all know.";

struct part {
	uint8_t lost;
	const uint8_t *slot;
	const uint8_t *root;
	const uint8_t *stream;
	size_t root_len, stream_len;
};

/* A length of 16 bits and that many bytes, or as many as there are. */
static const uint8_t *take_run(const uint8_t **data, size_t *left, size_t *len)
{
	const uint8_t *run;

	*len = *left < 2 ? 0 : load_le16(*data);
	*data += *left < 2 ? *left : 2;
	*left -= *left < 2 ? *left : 2;
	*len = *len < *left ? *len : *left;
	run = *data;
	*data += *len;
	*left -= *len;
	return run;
}

static unsigned take_parts(struct part part[static VOLUMES], const uint8_t *data, size_t left)
{
	unsigned count = 0;

	while (count < VOLUMES && left >= FRONT) {
		struct part *p = &part[count++];

		p->lost = data[0];
		p->slot = data + 1;
		data += 1 + FORMAT_SLOT_CONTENTS;
		left -= 1 + FORMAT_SLOT_CONTENTS;
		p->root = take_run(&data, &left, &p->root_len);
		p->stream = take_run(&data, &left, &p->stream_len);
	}
	return count;
}

/* --- a volume -------------------------------------------------------------------- */

static void put_header(uint8_t *header, const struct part *p)
{
	uint8_t kek[KDF_KEYBYTES];
	struct header_secrets secrets = {.kinds = HEADER_KEY_FILE};

	memcpy(secrets.key_file, key_file, sizeof key_file);
	header_kek(kek, header, &secrets);
	header_seal_slot(header + FORMAT_SLOT_OFFSET, header, 0, kek, p->slot);
	secrets = (struct header_secrets){.kinds = HEADER_SIBLING};
	memcpy(secrets.ck, p->slot + FORMAT_SLOT_CONTENTS - 64, FORMAT_KEY);
	header_kek(kek, header, &secrets);
	header_seal_slot(header + FORMAT_SLOT_OFFSET + FORMAT_SLOT, header, 1, kek, p->slot);
}

static void put_page(uint8_t *file, size_t len, uint64_t page, const uint8_t *payload, size_t n)
{
	uint64_t at = format_page_offset(page);

	if (n && at + FORMAT_PAGE <= len)
		memcpy(file + at, payload, n < FORMAT_PAYLOAD ? n : FORMAT_PAYLOAD);
}

static void put_pages(uint8_t *file, size_t len, const struct part *p,
                      const struct format_slot *slot)
{
	uint64_t pages = (len - 2 * (size_t)FORMAT_HEADER) / FORMAT_PAGE;
	size_t off = 0;

	for (uint64_t i = 0; i < pages; i++) {
		if (i == slot->root_page[0] || i == slot->root_page[1] || i == slot->root_page[2])
			continue;
		if (off < p->stream_len)
			put_page(file, len, i, p->stream + off, p->stream_len - off);
		off += FORMAT_PAYLOAD;
	}
	for (unsigned i = 0; i < FORMAT_ROOTS; i++) {
		put_page(file, len, slot->root_page[i], p->root, p->root_len);
		if (p->lost & 4 << i && format_page_offset(slot->root_page[i]) + FORMAT_PAGE <= len)
			file[format_page_offset(slot->root_page[i]) + FORMAT_PAYLOAD] = 0xff;
	}
}

/* The file, and how long it is. */
static size_t lay_out(uint8_t file[static FILE_ROOM + APPENDED], const struct part *p)
{
	struct format_slot slot;
	size_t len;

	if (format_slot_decode(&slot, p->slot) || slot.file_len < 2 * FORMAT_HEADER)
		slot = (struct format_slot){.file_len = 2 * FORMAT_HEADER};
	len = (size_t)min_u64(slot.file_len, FILE_ROOM);
	memset(file, 0, len + APPENDED);
	put_pages(file, len, p, &slot);
	if (!(p->lost & 1))
		put_header(file, p);
	if (!(p->lost & 2))
		put_header(file + len - FORMAT_HEADER, p);
	if (p->lost & 32)
		len = len / 2;
	return p->lost & 64 ? len + APPENDED : len;
}

static void read_them(const struct part *part, unsigned count)
{
	static uint8_t file[VOLUMES][FILE_ROOM + APPENDED];
	const struct header_keys keys = {.key_file = key_file};
	struct source *source[VOLUMES] = {NULL};
	struct arena *arena = NULL;
	struct bundle *bundle = NULL;
	struct cursor *cursor = NULL;

	MUST(!arena_new(&arena, bundle_size() + cursor_size() + 65536, true));
	for (unsigned i = 0; i < count; i++)
		MUST(!source_open_memory(&source[i], file[i], lay_out(file[i], &part[i])));
	if (!bundle_open(&bundle, arena, source, count, 0, &keys)) {
		MUST(!cursor_new(&cursor, bundle));
		fuzz_good++;
		look_at_everything(bundle, cursor);
	}
	cursor_free(cursor);
	bundle_close(bundle);
	for (unsigned i = 0; i < count; i++)
		source_close(source[i]);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct part part[VOLUMES];
	unsigned count = take_parts(part, data, len);

	MUST(sodium_init() >= 0);
	if (count)
		read_them(part, count);
	return 0;
}

/* --- a mutator that knows the shape ------------------------------------------------- */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

static size_t put_run(uint8_t *out, const uint8_t *run, size_t len)
{
	store_le16(out, (uint16_t)len);
	memcpy(out + 2, run, len);
	return 2 + len;
}

/* One field of a slot, and it is a slot again. */
static void change_slot(uint8_t contents[static FORMAT_SLOT_CONTENTS], unsigned seed)
{
	struct format_slot slot;
	unsigned field = seed % 8;

	seed /= 8;
	if (format_slot_decode(&slot, contents)) {
		LLVMFuzzerMutate(contents, FORMAT_SLOT_CONTENTS, FORMAT_SLOT_CONTENTS);
		return;
	}
	switch (field) {
	case 0: slot.parity = (uint8_t)(seed % 5 ? 1 << seed % 5 : 0); break;
	case 1: slot.volume_no = (uint16_t)shape_near(slot.volume_no, seed); break;
	case 2: slot.volume_count = (uint16_t)shape_near(slot.volume_count, seed); break;
	case 3: slot.file_len = shape_near(slot.file_len, seed); break;
	case 4: slot.data_pages = (uint32_t)shape_near(slot.data_pages, seed); break;
	default: slot.root_page[field - 5] = (uint32_t)shape_near(slot.root_page[field - 5], seed);
	}
	format_slot_encode(contents, &slot);
}

static void change_root(uint8_t *root, size_t *len, unsigned seed)
{
	if (*len >= FORMAT_CONTENT_PART && seed % 3 == 0 && shape_change_content(root, seed / 3))
		return;
	*len = LLVMFuzzerMutate(root, *len, seed % 2 ? *len + !*len : FORMAT_PAYLOAD);
}

/* The parts as they were, one of them changed; sections keep their places. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	static uint8_t slot[FORMAT_SLOT_CONTENTS], root[FORMAT_PAYLOAD], stream[STREAM_MAX];
	static uint8_t out[VOLUMES * (FRONT + 2 + FORMAT_PAYLOAD + STREAM_MAX)];
	struct part part[VOLUMES];
	unsigned count = take_parts(part, data, len), which = count ? seed % count : 0;
	size_t at = 0;

	if (!count)
		return LLVMFuzzerMutate(data, len, room);
	for (unsigned i = 0; i < count; i++) {
		struct part *p = &part[i];
		unsigned what = i == which ? seed / 3 % 8 : 8;

		p->root_len = (size_t)min_u64(p->root_len, sizeof root);
		p->stream_len = (size_t)min_u64(p->stream_len, sizeof stream);
		memcpy(slot, p->slot, sizeof slot);
		memcpy(root, p->root, p->root_len);
		memcpy(stream, p->stream, p->stream_len);
		if (what == 0)
			p->lost ^= (uint8_t)(1 << seed / 24 % 7);
		if (what == 1)
			change_slot(slot, seed / 24);
		if (what == 2 || what == 3)
			change_root(root, &p->root_len, seed / 24);
		if (what >= 4 && what < 8)
			p->stream_len = LLVMFuzzerMutate(stream, p->stream_len, sizeof stream);
		out[at++] = p->lost;
		memcpy(out + at, slot, sizeof slot);
		at += sizeof slot;
		at += put_run(out + at, root, p->root_len);
		at += put_run(out + at, stream, p->stream_len);
	}
	if (at > room)
		return LLVMFuzzerMutate(data, len, room);
	memcpy(data, out, at);
	return at;
}
