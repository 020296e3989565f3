#define ZSTD_STATIC_LINKING_ONLY /* contexts in memory that we choose */
#include "common/squeeze.h"

#include <stdlib.h>
#include <zstd.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/format.h"
#include "common/status.h"

struct expander {
	ZSTD_DCtx *context;
};

struct squeezer {
	ZSTD_CCtx *context;
};

size_t expander_size(void)
{
	return sizeof(struct expander) + ZSTD_estimateDCtxSize() + 128;
}

int expander_new(struct expander **expander, struct arena *arena)
{
	size_t len = ZSTD_estimateDCtxSize();
	struct expander *e = arena_alloc(arena, sizeof(*e));
	void *room = e ? arena_alloc(arena, len) : NULL;

	if (!room)
		return STATUS_NOMEM;
	e->context = ZSTD_initStaticDCtx(room, len);
	if (!e->context)
		return STATUS_NOMEM;
	*expander = e;
	return STATUS_OK;
}

int expander_run(struct expander *expander, uint8_t *out, size_t out_len, const uint8_t *in,
                 size_t in_len)
{
	/* libzstd would also take its formats of before 0.8. */
	if (in_len < 4 || load_le32(in) != ZSTD_MAGICNUMBER ||
	    ZSTD_getFrameContentSize(in, in_len) != out_len ||
	    ZSTD_findFrameCompressedSize(in, in_len) != in_len ||
	    ZSTD_getDictID_fromFrame(in, in_len))
		return STATUS_INVALID;
	return ZSTD_decompressDCtx(expander->context, out, out_len, in, in_len) == out_len
	               ? STATUS_OK
	               : STATUS_INVALID;
}

/* libzstd chooses by level and by how much there is, in these steps. */
size_t squeezer_size(int level)
{
	static const unsigned step[] = {16384, 131072, FORMAT_FRAME};
	size_t most = 0;

	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		size_t size =
			ZSTD_estimateCCtxSize_usingCParams(ZSTD_getCParams(level, step[i], 0));

		most = size > most ? size : most;
	}
	return sizeof(struct squeezer) + most;
}

int squeezer_new(struct squeezer **squeezer, int level)
{
	struct squeezer *s = calloc(1, sizeof(*s));

	if (!s)
		return STATUS_NOMEM;
	s->context = ZSTD_createCCtx();
	if (!s->context ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->context, ZSTD_c_compressionLevel, level))) {
		squeezer_free(s);
		return STATUS_NOMEM;
	}
	*squeezer = s;
	return STATUS_OK;
}

size_t squeezer_run(struct squeezer *squeezer, uint8_t *out, const uint8_t *in, size_t in_len)
{
	size_t len;

	if (in_len < 2)
		return 0;
	len = ZSTD_compress2(squeezer->context, out, in_len - 1, in, in_len);
	return ZSTD_isError(len) ? 0 : len;
}

void squeezer_free(struct squeezer *squeezer)
{
	if (!squeezer)
		return;
	ZSTD_freeCCtx(squeezer->context);
	free(squeezer);
}
