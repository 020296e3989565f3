/* The command line of each of satchel-read's verbs, up to where it would open the bundle:
 * the first byte says which; words are separated by NUL. */
#include "reader/session.h"
#include "reader/verbs.h"
#include "tests/fuzz/words.h"

static const struct verb *verb;

int __wrap_session_run(const struct options *options, const struct session_needs *needs,
                       int (*act)(void *context, struct session *session), void *context);

/* What is asked for is what the verb can do. */
int __wrap_session_run(const struct options *options, const struct session_needs *needs,
                       int (*act)(void *context, struct session *session), void *context)
{
	fuzz_good++;
	MUST(act && context && needs->room < 64 << 20);
	MUST(options->opening.bundle);
	MUST(options->path_count >= verb->paths_min && options->path_count <= verb->paths_max);
	MUST(options->opening.identity_count <= HEADER_MAX_IDENTITIES);
	MUST(options->opening.volume_count <= FORMAT_MAX_VOLUMES);
	MUST(verb != &repair_verb || needs->place);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct verb *const verbs[] = {&ls_verb,    &tree_verb,    &info_verb,
	                                           &cat_verb,   &extract_verb, &verify_verb,
	                                           &repair_verb};
	struct words words;
	int code;

	verb = verbs[fuzz_pick(&data, &len, sizeof verbs / sizeof *verbs)];
	words = words_take(verb->name, data, len);
	code = verb->run(words.count, words.word);
	MUST(code == 0 || code == 2);
	words_free(&words);
	return 0;
}
