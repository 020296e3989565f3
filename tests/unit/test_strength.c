#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/generate.h"
#include "bundler/strength.h"
#include "bundler/words.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static char why[STRENGTH_WHY];

static unsigned bits(const char *text)
{
	struct passphrase p = {.len = strlen(text)};

	memcpy(p.text, text, p.len);
	return strength_bits(&p, why);
}

static void the_word_list_is_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; i < WORDS_COUNT; i++)
		assert_true(strcmp(words[i - 1], words[i]) < 0);
}

static void weak_ones_are_told_apart_by_what_they_are(void **state)
{
	static const struct {
		const char *text;
		unsigned most;
		const char *why;
	} row[] = {
		{"xkqjzpwm", 38, "8 lower-case letters"},
		{"XKQJZPWM", 38, "8 upper-case letters"},
		{"xKqJzPwM", 46, "8 letters"},
		{"xK7JzPw3", 48, "8 letters and digits"},
		{"xK7$zPw3", 53, "8 characters"},
		{"83920571", 27, "8 digits"},
		{"7", 4, "1 digit"},
		{"password", 13, "1 common word"},
		{"PassWord", 13, "1 common word"},
		{"password$7", 27, "1 common word and 2 other characters"},
		{"abacus abdomen ability ablaze", 52, "4 common words"},
		{"abacusabdomenability", 39, "3 common words"},
		{"we saw them today", 46, "4 common words"},
		{"19840214", 15, "a date"},
		{"1984", 7, "a date"},
		{"abcdefghijklmnop", 12, "characters that follow or repeat each other"},
		{"qwertyuiop", 12, "characters that follow or repeat each other"},
		{"98765432", 12, "characters that follow or repeat each other"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaa", 8, "a short piece, repeated"},
		{"correctcorrectcorrectcorrect", 40, "a short piece, repeated"},
		{"xK7$xK7$xK7$xK7$", 30, "a short piece, repeated"},
		{"\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4\xeb\x9d\xbc", 24, "4 characters"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		if (bits(row[i].text) > row[i].most)
			fail_msg("%s: %u bits", row[i].text, bits(row[i].text));
		assert_string_equal(why, row[i].why);
	}
}

static void strong_ones_are_left_in_peace(void **state)
{
	static const char *const text[] = {
		"abacus abdomen ability ablaze able",
		"ablaze-duct-yodel-tribune-moss-9",
		"kX7$pQ2z!m",
		"hojxan-tobvyk-2xyzqa",
		"xkqjzpwmvbtrfh",
		"83927571462943857261",
		("\xeb\x82\x98\xeb\x8a\x94 \xec\x98\xa4\xeb\x8a\x98 \xec\x95\x84\xec\xb9\xa8"
	         "\xec\x97\x90 \xeb\xb0\xa5\xec\x9d\x84 \xeb\xa8\xb9\xec\x97\x88\xeb\x8b\xa4"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(text); i++)
		if (bits(text[i]) < STRENGTH_ENOUGH)
			fail_msg("%s: %u bits, %s", text[i], bits(text[i]), why);
}

static void generated_ones_are_always_strong(void **state)
{
	struct passphrase p;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		generate_passphrase(&p);
		assert_true(strength_bits(&p, why) >= 85);
	}
}

static void the_longest_are_measured_too(void **state)
{
	struct passphrase p = {.len = sizeof p.text};

	(void)state;
	memset(p.text, 'x', sizeof p.text);
	assert_true(strength_bits(&p, why) < 20);
	for (size_t i = 0; i < sizeof p.text; i++)
		p.text[i] = (char)(' ' + randombytes_uniform(95));
	assert_true(strength_bits(&p, why) > 5000);
	for (size_t i = 0; i < sizeof p.text; i++)
		p.text[i] = (char)(0x80 + randombytes_uniform(128));
	strength_bits(&p, why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_list_is_sorted),
		cmocka_unit_test(weak_ones_are_told_apart_by_what_they_are),
		cmocka_unit_test(strong_ones_are_left_in_peace),
		cmocka_unit_test(generated_ones_are_always_strong),
		cmocka_unit_test(the_longest_are_measured_too),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
