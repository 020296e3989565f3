/* Every record of the format: what is decoded and encoded again is what was there. */
#include "common/format.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

/* A copy of exactly len bytes, zeros behind what there is. */
static uint8_t *exactly(const uint8_t *data, size_t len, size_t want)
{
	uint8_t *copy = calloc(1, want);

	MUST(copy);
	if (len)
		memcpy(copy, data, len < want ? len : want);
	return copy;
}

/* Bounds for what is checked against the root: as generous as a root can be. */
static const struct format_content generous = {
	.content_len = UINT64_C(1) << 44,
	.plain_len = UINT64_C(1) << 50,
	.index_len = UINT64_C(1) << 40,
	.leaf_count = UINT64_C(1) << 30,
	.full_metadata = true,
	.table = {[TABLE_ENTRIES] = {.records = FORMAT_MAX_ENTRIES},
                  [TABLE_SEGMENTS] = {.records = UINT64_C(1) << 32},
                  [TABLE_RUNS] = {.records = UINT64_C(1) << 32},
                  [TABLE_HEAP] = {.records = UINT64_C(1) << 32},
                  [TABLE_LEAF_SUMS] = {.records = UINT64_C(1) << 20}},
};

static void slot(const uint8_t *data, size_t len)
{
	uint8_t *in = exactly(data, len, FORMAT_SLOT_CONTENTS), out[FORMAT_SLOT_CONTENTS];
	struct format_slot slot;

	if (format_slot_decode(&slot, in) == STATUS_OK) {
		fuzz_good++;
		format_slot_encode(out, &slot);
		MUST(!memcmp(in, out, sizeof out));
	}
	free(in);
}

static void content(const uint8_t *data, size_t len)
{
	uint8_t *in = exactly(data, len, FORMAT_CONTENT_PART), out[FORMAT_CONTENT_PART];
	struct format_content content;

	if (format_content_decode(&content, in) == STATUS_OK) {
		fuzz_good++;
		format_content_encode(out, &content);
		MUST(!memcmp(in, out, sizeof out));
	}
	free(in);
}

/* A root: the slot's contents in front. */
static void layout(const uint8_t *data, size_t len)
{
	uint8_t *head = exactly(data, len, FORMAT_SLOT_CONTENTS), *payload, out[FORMAT_PAYLOAD];
	size_t rest = len > FORMAT_SLOT_CONTENTS ? len - FORMAT_SLOT_CONTENTS : 0;
	struct format_geometry geometry;
	struct format_content content;
	struct format_layout layout;
	struct format_slot slot;

	payload = exactly(data + (len - rest), rest, FORMAT_PAYLOAD);
	if (format_slot_decode(&slot, head) == STATUS_OK &&
	    format_geometry_make(&geometry, slot.file_len) == STATUS_OK &&
	    format_content_decode(&content, payload) == STATUS_OK &&
	    format_layout_decode(&layout, payload, &slot, &geometry, &content) == STATUS_OK) {
		fuzz_good++;
		format_root_encode(out, payload, payload + FORMAT_CONTENT_PART, &layout);
		MUST(!memcmp(payload, out, sizeof out));
	}
	free(payload);
	free(head);
}

static void ref(const uint8_t *data, size_t len)
{
	uint8_t *in = exactly(data, len, FORMAT_REF), out[FORMAT_REF];
	struct format_ref ref;

	if (format_ref_decode(&ref, in, generous.index_len, FORMAT_ENTRY_BLOCK) == STATUS_OK) {
		fuzz_good++;
		format_ref_encode(out, &ref);
		MUST(!memcmp(in, out, sizeof out));
	}
	free(in);
}

/* How many records, and which first, stand in the first bytes.  What a name shares
 * with the one before may be said in several ways, so it is encoded twice. */
static void entries(const uint8_t *data, size_t len)
{
	static struct format_entry_block block;
	static uint8_t out[FORMAT_ENTRY_BLOCK], twice[FORMAT_ENTRY_BLOCK];
	struct format_content bounds = generous;
	uint32_t count, first;
	size_t again;
	uint8_t *in;

	if (len < 3 || len - 3 > FORMAT_ENTRY_BLOCK)
		return;
	count = data[0] % FORMAT_ENTRIES_PER_BLOCK + 1;
	first = (uint32_t)data[1] * FORMAT_ENTRIES_PER_BLOCK;
	bounds.full_metadata = data[2] & 1;
	in = exactly(data + 3, len - 3, len - 2);
	if (format_entries_decode(&block, in, len - 3, first, count, &bounds) == STATUS_OK) {
		fuzz_good++;
		MUST(block.count == count);
		again = format_entries_encode(out, block.entry, count, bounds.full_metadata);
		MUST(!format_entries_decode(&block, out, again, first, count, &bounds));
		MUST(format_entries_encode(twice, block.entry, count, bounds.full_metadata) ==
		     again);
		MUST(!memcmp(twice, out, again));
	}
	free(in);
}

static void segments(const uint8_t *data, size_t len)
{
	static struct format_segment_block block;
	static uint8_t out[FORMAT_SEGMENT_BLOCK];
	struct format_content bounds = generous;
	uint32_t count;
	uint8_t *in;

	if (len < 3 || len - 3 > FORMAT_SEGMENT_BLOCK)
		return;
	count = (data[0] | data[1] << 8) % FORMAT_SEGMENTS_PER_BLOCK + 1;
	bounds.is_signed = data[2] & 1;
	in = exactly(data + 3, len - 3, len - 2);
	if (format_segments_decode(&block, in, len - 3, count, &bounds) == STATUS_OK) {
		fuzz_good++;
		MUST(format_segments_encode(out, block.segment, count) == len - 3);
		MUST(!memcmp(in, out, len - 3));
	}
	free(in);
}

static void run(const uint8_t *data, size_t len)
{
	uint8_t *in = exactly(data, len, FORMAT_RUN), out[FORMAT_RUN];
	struct format_run run;

	if (format_run_decode(&run, in, UINT64_C(1) << 40, generous.plain_len) == STATUS_OK) {
		fuzz_good++;
		format_run_encode(out, &run);
		MUST(!memcmp(in, out, sizeof out));
	}
	free(in);
}

static void xattrs(const uint8_t *data, size_t len)
{
	uint8_t *in = exactly(data, len, len + 1);
	struct format_xattr xattr;
	size_t pos = 0, total = 0;
	int more;

	while ((more = format_xattr_next(in, len, &pos, &xattr)) == 1) {
		MUST(pos <= len);
		for (size_t i = 0; i < xattr.name_len; i++)
			total += (uint8_t)xattr.name[i];
		for (size_t i = 0; i < xattr.value_len; i++)
			total += xattr.value[i];
	}
	fuzz_good += more == 0 && pos;
	MUST(more <= 0 && total + 1);
	free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const decoder[])(const uint8_t *data, size_t len) = {
		slot, content, layout, ref, entries, segments, run, xattrs};
	unsigned which = fuzz_pick(&data, &len, sizeof decoder / sizeof decoder[0]);

	decoder[which](data, len);
	return 0;
}
