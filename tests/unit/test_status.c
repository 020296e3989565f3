#include "tests/unit/unit.h"

#include <ctype.h>

#include "common/status.h"

enum { LAST = STATUS_CANCELLED };

static void every_status_has_words_of_its_own(void **state)
{
	(void)state;
	for (int a = STATUS_OK; a >= LAST; a--) {
		const char *text = status_text(a);
		size_t len = strlen(text);

		assert_true(len > 3 && len < 76);
		assert_true(islower((unsigned char)text[0]));
		assert_true(text[len - 1] != '.' && text[len - 1] != '\n');
		assert_string_not_equal(text, status_text(LAST - 1));
		for (int b = STATUS_OK; b > a; b--)
			assert_string_not_equal(text, status_text(b));
	}
	assert_non_null(status_text(1));
	assert_non_null(status_text(-1000));
}

static void exit_codes_are_those_of_the_manual(void **state)
{
	static const struct {
		int status, code;
	} row[] = {
		{STATUS_OK, 0},       {STATUS_IO, 1},        {STATUS_NOMEM, 1},
		{STATUS_UNLOCKED, 1}, {STATUS_NOKEY, 12},    {STATUS_KDFMEM, 1},
		{STATUS_VERSION, 10}, {STATUS_DAMAGED, 4},   {STATUS_ALTERED, 4},
		{STATUS_INVALID, 4},  {STATUS_VOLUME, 10},   {STATUS_NOENT, 1},
		{STATUS_EXISTS, 1},   {STATUS_CHANGED, 1},   {STATUS_PASSPHRASE, 1},
		{STATUS_KEYFILE, 1},  {STATUS_UNSIGNED, 1},  {STATUS_PUBLISHER, 1},
		{STATUS_TOOBIG, 1},   {STATUS_CANCELLED, 1}, {-1000, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_int_equal(status_exit_code(row[i].status), row[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_words_of_its_own),
		cmocka_unit_test(exit_codes_are_those_of_the_manual),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
