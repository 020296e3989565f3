/* An input as a command line. */
#ifndef TESTS_FUZZ_WORDS_H
#define TESTS_FUZZ_WORDS_H

#include <getopt.h>

#include "tests/fuzz/fuzz.h"

enum { WORDS_MAX = 64 };

struct words {
	char *text;
	int count;
	char *word[WORDS_MAX + 1]; /* and NULL */
};

/* name, and what stands between NULs.  getopt(3) starts anew; help goes nowhere. */
static inline struct words words_take(const char *name, const uint8_t *data, size_t len)
{
	struct words words = {.text = calloc(1, len + 1), .count = 1, .word = {(char *)name}};

	MUST(words.text && freopen("/dev/null", "w", stdout));
	if (len)
		memcpy(words.text, data, len);
	for (char *w = words.text; words.count < WORDS_MAX && w < words.text + len;
	     w += strlen(w) + 1)
		words.word[words.count++] = w;
	optind = 0;
	return words;
}

static inline void words_free(struct words *words)
{
	free(words->text);
}

#endif
