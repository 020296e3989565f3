/* The command line of each of satchel-read's verbs: the first byte says which; words
 * are separated by NUL. */
#include "reader/verbs.h"
#include "tests/fuzz/words.h"

static bool take(void *context, int code, const char *argument)
{
	uint64_t number;

	(void)context;
	return code != 'C' || opening_number(&number, argument, INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct verb *const verbs[] = {&ls_verb,    &tree_verb,    &info_verb,
	                                           &cat_verb,   &extract_verb, &verify_verb,
	                                           &repair_verb};
	const struct verb *verb = verbs[fuzz_pick(&data, &len, sizeof verbs / sizeof *verbs)];
	struct words words = words_take(verb->name, data, len);
	struct options options;

	if (options_parse(&options, verb, words.count, words.word, take, NULL) < 0) {
		fuzz_good++;
		MUST(options.opening.bundle);
		MUST(options.path_count >= verb->paths_min &&
		     options.path_count <= verb->paths_max);
		MUST(options.opening.identity_count <= HEADER_MAX_IDENTITIES);
		MUST(options.opening.volume_count <= FORMAT_MAX_VOLUMES);
	}
	words_free(&words);
	return 0;
}
