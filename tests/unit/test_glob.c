#include "tests/unit/unit.h"

#include <fnmatch.h>

#include "reader/glob.h"

static void patterns_match_what_they_say(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} row[] = {
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "anything", true},
		{"*", "", true},
		{"**", "a", true},
		{"*.mp4", "film.mp4", true},
		{"*.mp4", "film.mp4.txt", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
		{"?", "a", true},
		{"?", "", false},
		{"??", "한글", true},
		{"?", "한글", false},
		{"?", "\xff", true},
		{"half ?", "half \xed", true},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[!abc]", "d", true},
		{"[^abc]", "b", false},
		{"[a-f]x", "cx", true},
		{"[a-f]x", "gx", false},
		{"[가-힣]", "한", true},
		{"[가-힣]", "a", false},
		{"[]a]", "]", true},
		{"[!]a]", "]", false},
		{"[a-]", "-", true},
		{"[\\]]", "]", true},
		{"[a", "[a", true},
		{"[", "[", true},
		{"[", "a", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\", "\\", true},
		{"*", ".hidden", false},
		{"?hidden", ".hidden", false},
		{"[.]hidden", ".hidden", false},
		{".*", ".hidden", true},
		{"\\.*", ".hidden", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		if (glob_match(row[i].pattern, row[i].name) != row[i].match)
			fail_msg("%s %s", row[i].pattern, row[i].name);
}

/* Words of few letters, so that many match: the C library agrees. */
static void the_library_agrees(void **state)
{
	static const char in_pattern[] = "ab*?[]!-.", in_name[] = "ab.-]";
	unsigned matches = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 300000; i++) {
		char pattern[8] = "", name[8] = "";
		bool ours;

		for (int j = rand() % 7; j > 0; j--)
			pattern[j - 1] = in_pattern[rand() % 9];
		for (int j = rand() % 7; j > 0; j--)
			name[j - 1] = in_name[rand() % 5];
		/* Sets that have what the library reads as a class, or that a
		 * range with its ends exchanged makes empty, are read differently. */
		if (strstr(pattern, "[[") || strstr(pattern, "[!") || strpbrk(pattern, ".-"))
			continue;
		ours = glob_match(pattern, name);
		matches += ours;
		if (ours != (fnmatch(pattern, name, FNM_PERIOD) == 0))
			fail_msg("%s %s: %d", pattern, name, ours);
	}
	assert_true(matches > 1000);
}

static void plain_names_are_no_patterns(void **state)
{
	(void)state;
	assert_false(glob_is_pattern("a/b c-d.e]"));
	assert_true(glob_is_pattern("a*"));
	assert_true(glob_is_pattern("a?"));
	assert_true(glob_is_pattern("[a"));
	assert_true(glob_is_pattern("\\a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_what_they_say),
		cmocka_unit_test(the_library_agrees),
		cmocka_unit_test(plain_names_are_no_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
