/* Formats of zstd from before its 0.8 are none of ours (squeeze.c looks at the
 * magic number first), but libzstd.a brings three decoders of them into every
 * static program: 90 KB that parse hostile bytes.  These stand in for them and
 * are never called. */
#include <stdlib.h>

#define NONE(name)       \
	void name(void); \
	void name(void)  \
	{                \
		abort(); \
	}

#define NONE_OF(number)                                 \
	NONE(ZSTDv##number##_createDCtx)                \
	NONE(ZSTDv##number##_decompress_usingDict)      \
	NONE(ZSTDv##number##_findFrameSizeInfoLegacy)   \
	NONE(ZSTDv##number##_freeDCtx)                  \
	NONE(ZSTDv##number##_getFrameParams)            \
	NONE(ZBUFFv##number##_createDCtx)               \
	NONE(ZBUFFv##number##_decompressContinue)       \
	NONE(ZBUFFv##number##_decompressInitDictionary) \
	NONE(ZBUFFv##number##_freeDCtx)

NONE_OF(05)
NONE_OF(06)
NONE_OF(07)
