#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/generate.h"
#include "bundler/words.h"
#include "common/status.h"

enum { DRAWS = 2000 };

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Which word is text (len bytes)? WORDS_COUNT if none. */
static size_t find(const char *text, size_t len)
{
	for (size_t i = 0; i < WORDS_COUNT; i++)
		if (strlen(words[i]) == len && !memcmp(words[i], text, len))
			return i;
	return WORDS_COUNT;
}

static void the_list_is_the_large_one(void **state)
{
	static char sorted[WORDS_COUNT][WORDS_LONGEST + 1];

	(void)state;
	assert_string_equal(words[0], "abacus");
	assert_string_equal(words[WORDS_COUNT - 1], "zoom");
	memcpy(sorted, words, sizeof sorted);
	qsort(sorted, WORDS_COUNT, sizeof sorted[0], compare);
	for (size_t i = 0; i < WORDS_COUNT; i++) {
		size_t len = strlen(words[i]);

		assert_true(len >= 3 && len <= WORDS_LONGEST);
		assert_int_equal(strspn(words[i], "abcdefghijklmnopqrstuvwxyz-"), len);
		assert_true(i == 0 || strcmp(sorted[i - 1], sorted[i]));
	}
}

static void seven_words_with_single_spaces(void **state)
{
	struct passphrase p;

	(void)state;
	for (int i = 0; i < 20; i++) {
		const char *word = p.text;
		unsigned count = 0;

		memset(&p, 'x', sizeof p);
		generate_passphrase(&p);
		for (size_t len; word < p.text + p.len; word += len + 1, count++) {
			len = strcspn(word, " ");
			assert_true(find(word, len) < WORDS_COUNT);
		}
		assert_ptr_equal(word, p.text + p.len + 1);
		assert_int_equal(count, GENERATE_WORDS);
	}
}

static void it_is_normal_already(void **state)
{
	char out[KDF_PASSPHRASE_MAX];
	struct passphrase p;
	size_t len = 0;

	(void)state;
	generate_passphrase(&p);
	assert_int_equal(kdf_passphrase_normalize(p.text, p.len, out, &len), STATUS_OK);
	assert_int_equal(len, p.len);
	assert_memory_equal(out, p.text, len);
}

/* Of 14,000 draws from 7,776 words 6,492 are expected to be seen, give or take
 * 29; ten times that is far off for any bias worth the name. */
static void words_are_drawn_from_the_whole_list(void **state)
{
	static bool seen[WORDS_COUNT];
	struct passphrase p;
	unsigned distinct = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		generate_passphrase(&p);
		p.text[p.len] = '\0';
		for (char *word = strtok(p.text, " "); word; word = strtok(NULL, " "))
			seen[find(word, strlen(word))] = true;
	}
	for (size_t i = 0; i < WORDS_COUNT; i++)
		distinct += seen[i];
	assert_in_range(distinct, 6492 - 290, 6492 + 290);
}

static int prepare(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_the_large_one),
		cmocka_unit_test(seven_words_with_single_spaces),
		cmocka_unit_test(it_is_normal_already),
		cmocka_unit_test(words_are_drawn_from_the_whole_list),
	};

	return cmocka_run_group_tests_name("generate", tests, prepare, NULL);
}
