#include "bundler/samples.h"

#include <string.h>

#include "bundler/classify.h"
#include "bundler/origin.h"
#include "common/bytes.h"
#include "common/status.h"

static int read_one(struct samples *s, int i, struct origin_file *file, uint64_t size)
{
	uint64_t spare = size > SAMPLES_LEN ? size - SAMPLES_LEN : 0;
	const uint64_t off[SAMPLES] = {0, spare / 2, spare};

	if (s->len[i] || (i && !spare))
		return STATUS_OK;
	s->len[i] = min_u64(size, SAMPLES_LEN);
	s->bytes[i] = s->whole ? s->whole + off[i] : s->room[i];
	return s->whole ? STATUS_OK : origin_read(file, s->room[i], s->len[i], off[i]);
}

int samples_read(struct samples *s, int count, struct origin_file *file, uint64_t size)
{
	int status = STATUS_OK;

	for (int i = 0; i < count && status == STATUS_OK; i++)
		status = read_one(s, i, file, size);
	return status;
}

bool samples_look_random(const struct samples *s)
{
	for (int i = 0; i < SAMPLES; i++)
		if (s->len[i] && !classify_looks_random(s->bytes[i], s->len[i]))
			return false;
	return true;
}

size_t samples_sketch(const struct samples *s, uint8_t out[static SAMPLES * SAMPLES_SKETCH])
{
	size_t len = 0;

	for (int i = 0; i < SAMPLES && s->len[i]; i++) {
		size_t part = min_u64(s->len[i], SAMPLES_SKETCH);

		memcpy(out + len, s->bytes[i], part);
		len += part;
	}
	return len;
}
