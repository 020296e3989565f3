#include "tests/unit/unit.h"

#include "reader/safename.h"

static bool needed(const char *name)
{
	return safename_may_be_needed(name, strlen(name));
}

static void ordinary_names_stay(void **state)
{
	(void)state;
	assert_false(needed("film.mp4"));
	assert_false(needed("\xd9\x81\xd9\x8a\xd9\x84\xd9\x85 1.mp4"));
	assert_false(needed("with spaces, and 'quotes'"));
	assert_false(needed("console"));
	assert_false(needed("com10.txt"));
	assert_false(needed("auxiliary.c"));
	assert_false(needed(".aux"));
	assert_false(needed("a.nul"));
	assert_true(needed("what?"));
	assert_true(needed("12:30.txt"));
	assert_true(needed("a\nb"));
	assert_true(needed("latin1 \xe9"));
	assert_true(needed("cut \xe2\x82"));
}

/* What name becomes: the front, any eight digits, the end. */
static void assert_becomes(const char *name, const char *front, const char *end)
{
	char made[SAFENAME_ROOM];

	safename_make(made, name);
	assert_false(needed(made));
	assert_int_equal(strlen(made), strlen(front) + 8 + strlen(end));
	assert_memory_equal(made, front, strlen(front));
	assert_int_equal(strspn(made + strlen(front), "0123456789abcdef"), 8);
	assert_string_equal(made + strlen(front) + 8, end);
}

static void what_can_stay_does(void **state)
{
	(void)state;
	assert_becomes("what?.mp4", "what_-", ".mp4");
	assert_becomes("caf\xc3\xa9: a \\ b", "caf\xc3\xa9_ a _ b-", "");
	assert_becomes("latin1 \xe9.txt", "latin1 _-", ".txt");
	assert_becomes("cut \xe2\x82", "cut __-", "");
	assert_becomes("?", "_-", "");
	assert_becomes(".hidden?", ".hidden_-", "");
	assert_becomes("a.no extension at all?", "a.no extension at all_-", "");
	assert_becomes("a.b?", "a-", ".b_");
}

/* Windows has no such names, and what is mounted like there refuses them. */
static void names_of_windows_are_known(void **state)
{
	(void)state;
	assert_true(needed("aux.c"));
	assert_true(needed("NUL"));
	assert_true(needed("Con.tar.gz"));
	assert_true(needed("lpt1"));
	assert_true(needed("COM9.txt"));
	assert_true(needed("prn .txt"));
	assert_true(needed("etc."));
	assert_true(needed("..."));
	assert_true(needed("a "));
	assert_becomes("aux.c", "_aux-", ".c");
	assert_becomes("NUL", "_NUL-", "");
	assert_becomes("Con.tar.gz", "_Con.tar-", ".gz");
	assert_becomes("etc.", "etc-", "");
	assert_becomes("...", "..-", "");
	assert_becomes("a ", "a -", "");
	assert_becomes("a.b. ", "a.b-", "");
}

/* Of 255 bytes, in characters of three: none is cut. */
static void long_names_get_short(void **state)
{
	char name[256] = "", made[SAFENAME_ROOM];

	(void)state;
	for (int i = 0; i < 85; i++)
		strcat(name, "\xe1\x80\x80");
	assert_true(needed(name));
	safename_make(made, name);
	assert_false(needed(made));
	assert_int_equal(strlen(made), 99 + 1 + 8);
}

static void each_has_its_own(void **state)
{
	char one[SAFENAME_ROOM], other[SAFENAME_ROOM];

	(void)state;
	safename_make(one, "what?");
	safename_make(other, "what*");
	assert_string_not_equal(one, other);
	safename_make(other, "what?");
	assert_string_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_names_stay),
		cmocka_unit_test(what_can_stay_does),
		cmocka_unit_test(names_of_windows_are_known),
		cmocka_unit_test(long_names_get_short),
		cmocka_unit_test(each_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
