#include "bundler/generate.h"

#include <sodium.h>
#include <string.h>

#include "bundler/words.h"

void generate_passphrase(struct passphrase *out)
{
	sodium_memzero(out, sizeof *out);
	for (size_t i = 0; i < GENERATE_WORDS; i++) {
		const char *word = words[randombytes_uniform(WORDS_COUNT)];
		size_t len = strlen(word);

		if (i)
			out->text[out->len++] = ' ';
		memcpy(out->text + out->len, word, len);
		out->len += len;
	}
}
