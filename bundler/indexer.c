#include "bundler/indexer.h"

#include <stdlib.h>
#include <string.h>

#include "bundler/spill.h"
#include "common/hash4.h"
#include "common/squeeze.h"
#include "common/status.h"

enum { HEIGHT_MAX = 8 }; /* 256^8 blocks */

/* The last node of a height, not written yet. */
struct node_refs {
	struct format_ref ref[FORMAT_FANOUT];
	unsigned count;
};

struct indexer {
	struct spill *out;
	struct squeezer *squeezer;
	uint8_t packed[FORMAT_ENTRY_BLOCK];
	struct node_refs level[HEIGHT_MAX];
	unsigned height; /* levels in use */
};

int indexer_new(struct indexer **indexer, struct spill *out, int level)
{
	struct indexer *ix = calloc(1, sizeof(*ix));
	int status;

	if (!ix)
		return STATUS_NOMEM;
	ix->out = out;
	status = squeezer_new(&ix->squeezer, level);
	if (status == STATUS_OK)
		*indexer = ix;
	else
		indexer_free(ix);
	return status;
}

void indexer_free(struct indexer *ix)
{
	if (!ix)
		return;
	squeezer_free(ix->squeezer);
	free(ix);
}

/* Store bytes and say where. */
static int store(struct indexer *ix, const uint8_t *bytes, size_t len, size_t raw_len,
                 const uint8_t key[static 16], struct format_ref *ref)
{
	ref->off = spill_len(ix->out);
	ref->stored_len = (uint32_t)len;
	ref->raw_len = (uint32_t)raw_len;
	memcpy(ref->key, key, sizeof(ref->key));
	hash4_one(ref->digest, bytes, len);
	return spill_append(ix->out, bytes, len);
}

static int store_node(struct indexer *ix, const struct node_refs *node, struct format_ref *ref)
{
	uint8_t raw[FORMAT_NODE];

	for (unsigned i = 0; i < node->count; i++)
		format_ref_encode(raw + (size_t)i * FORMAT_REF, &node->ref[i]);
	return store(ix, raw, (size_t)node->count * FORMAT_REF, (size_t)node->count * FORMAT_REF,
	             node->ref[0].key, ref);
}

/* Put a reference into the last node of a height; one that is full goes to the
 * height above first. */
static int add_ref(struct indexer *ix, unsigned height, struct format_ref ref)
{
	int status = STATUS_OK;

	for (; ix->level[height].count == FORMAT_FANOUT && status == STATUS_OK; height++) {
		struct node_refs *full = &ix->level[height];
		struct format_ref up;

		status = store_node(ix, full, &up);
		full->count = 1;
		full->ref[0] = ref;
		ref = up;
	}
	ix->level[height].ref[ix->level[height].count++] = ref;
	if (ix->height <= height)
		ix->height = height + 1;
	return status;
}

int indexer_add_block(struct indexer *ix, const uint8_t *raw, size_t raw_len,
                      const uint8_t key[static 16])
{
	size_t len = squeezer_run(ix->squeezer, ix->packed, raw, raw_len);
	struct format_ref ref;
	int status = store(ix, len ? ix->packed : raw, len ? len : raw_len, raw_len, key, &ref);

	return status ? status : add_ref(ix, 0, ref);
}

int indexer_end_table(struct indexer *ix, struct format_ref *top)
{
	struct format_ref ref = {0};
	int status = STATUS_OK;

	for (unsigned h = 0; h < ix->height && status == STATUS_OK; h++) {
		struct node_refs *last = &ix->level[h];

		if (h + 1 == ix->height && last->count == 1) {
			ref = last->ref[0];
			break;
		}
		status = store_node(ix, last, &ref);
		if (status == STATUS_OK)
			status = add_ref(ix, h + 1, ref);
	}
	for (unsigned h = 0; h < HEIGHT_MAX; h++)
		ix->level[h].count = 0;
	ix->height = 0;
	*top = ref;
	return status;
}
