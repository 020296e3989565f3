/* The command line of satchel-mount; words are separated by NUL.  The source itself,
 * because the reader has functions of the same names. */
#include "fusefs/options.c"
#include "tests/fuzz/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct words words = words_take("satchel-mount", data, len);
	struct options parsed;

	if (options_parse(&parsed, words.count, words.word) < 0) {
		fuzz_good++;
		MUST(parsed.end || parsed.opening.bundle);
		MUST(parsed.directory || parsed.program);
		MUST(!parsed.program || parsed.program[0]);
		MUST(parsed.opening.identity_count <= HEADER_MAX_IDENTITIES);
		MUST(parsed.opening.volume_count <= FORMAT_MAX_VOLUMES);
	}
	words_free(&words);
	return 0;
}
