#include "tests/unit/unit.h"

#include <ctype.h>
#include <sodium.h>
#include <sys/stat.h>

#include "bundler/recipient.h"
#include "common/identity.h"
#include "common/status.h"

enum { ROOM = 3 };

/* Made by age-keygen 1.1.1. */
static const char
	first[] = "age1jfwt983mrfn7yyyyhywprnawxyglwwtzr396ugspv78fqlm025ls5pjus5",
	second[] = "age1gt3z7sqpje5776536ln03n49zpcqava0l8et5syx2klmwjg553tql9qv2f",
	identity[] = "AGE-SECRET-KEY-1D4YZN95NU0LW4ZKPC0MRYPVXRWUQAWYZJE7Q2U7YL05HRHYCJE8S7DK2K9";

static void keys_of_age_are_taken(void **state)
{
	uint8_t key[RECIPIENT_BYTES], secret[32], expected[32];
	char upper[sizeof first];

	(void)state;
	assert_int_equal(identity_decode(secret, identity, strlen(identity), IDENTITY_PREFIX),
	                 STATUS_OK);
	crypto_scalarmult_base(expected, secret);
	assert_int_equal(recipient_parse(key, first), STATUS_OK);
	assert_memory_equal(key, expected, sizeof key);
	for (size_t i = 0; i < sizeof first; i++)
		upper[i] = (char)toupper(first[i]);
	memset(key, 0, sizeof key);
	assert_int_equal(recipient_parse(key, upper), STATUS_OK);
	assert_memory_equal(key, expected, sizeof key);
}

static void refuse(const char *text)
{
	uint8_t key[RECIPIENT_BYTES], untouched[RECIPIENT_BYTES];

	memset(key, 0x5a, sizeof key);
	memset(untouched, 0x5a, sizeof untouched);
	if (recipient_parse(key, text) != STATUS_KEYFILE)
		fail_msg("taken: %s", text);
	assert_memory_equal(key, untouched, sizeof key);
}

static void what_is_mistyped_is_refused(void **state)
{
	char text[sizeof first + 1];

	(void)state;
	for (size_t i = 0; i < sizeof first - 1; i++) {
		memcpy(text, first, sizeof first);
		text[i] = text[i] == 'q' ? 'p' : 'q';
		refuse(text);
		text[i] = (char)(toupper(first[i]) == first[i] ? '-' : toupper(first[i]));
		refuse(text);
		text[i] = '\0';
		refuse(text);
		memmove(text + i, first + i + 1, sizeof first - i - 1);
		refuse(text);
	}
	snprintf(text, sizeof text, "%sq", first);
	refuse(text);
	snprintf(text, sizeof text, " %s", first);
	refuse(text);
}

static void other_keys_are_refused(void **state)
{
	(void)state;
	refuse("");
	refuse("age1");
	refuse("age");
	refuse(identity);
	refuse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEZj");
	refuse("RWQ8QvL8v5RKVkelYJo783qadrlHFbJiMverQ5DPUN4opItKi4gN4fvp");
	/* Right but for four bits behind the last byte; Bech32m; 31 bytes; a prefix
	 * of another kind; a digit more. */
	refuse("age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqpa3h085");
	refuse("age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq4mnkly");
	refuse("age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqlxazpm");
	refuse("agf1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqg6645d");
	refuse("age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8r668p");
}

/* Nothing is wrong with the letters. */
static void refuse_point(const char *text)
{
	uint8_t key[RECIPIENT_BYTES];

	assert_int_equal(identity_decode(key, text, strlen(text), IDENTITY_RECIPIENT_PREFIX),
	                 STATUS_OK);
	refuse(text);
}

static void keys_that_nobody_has_are_refused(void **state)
{
	uint8_t key[RECIPIENT_BYTES];

	(void)state;
	/* Of small order: 0, 1, two of order 8, p - 1. */
	refuse_point("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z");
	refuse_point("age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya");
	refuse_point("age1ur4h5lpmgxu2u9jku0a0r87ydtdqnr0tnsetrlvxvgz3vh6fhqqqzyt4v9");
	refuse_point("age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8");
	refuse_point("age1anlllllllllllllllllllllllllllllllllllllllllllllllals4n2t7m");
	/* Not the shortest form: p, p + 1, p + 9, 2^255 - 1, 2^255 + 9. */
	refuse_point("age1ahlllllllllllllllllllllllllllllllllllllllllllllllalsn46ayy");
	refuse_point("age1amlllllllllllllllllllllllllllllllllllllllllllllllalselrwrv");
	refuse_point("age17mlllllllllllllllllllllllllllllllllllllllllllllllalsxajvgg");
	refuse_point("age1lllllllllllllllllllllllllllllllllllllllllllllllllalsjzdrvv");
	refuse_point("age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzqqyr3apl");
	/* 9, as it should be. */
	assert_int_equal(
		recipient_parse(key,
	                        "age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8r66x"),
		STATUS_OK);
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Read a file of that text; *line comes from it. */
static int read_text(uint8_t key[ROOM][RECIPIENT_BYTES], unsigned *count, unsigned *line,
                     const char *format, const char *one, const char *two)
{
	char text[1024];

	snprintf(text, sizeof text, format, one, two);
	write_file("recipients", text, strlen(text));
	*count = *line = 99;
	return recipient_read_file(key, ROOM, count, line, "recipients");
}

static void files_are_read_line_by_line(void **state)
{
	uint8_t key[ROOM][RECIPIENT_BYTES], one[RECIPIENT_BYTES], two[RECIPIENT_BYTES];
	unsigned count, line;

	(void)state;
	assert_int_equal(recipient_parse(one, first), STATUS_OK);
	assert_int_equal(recipient_parse(two, second), STATUS_OK);
	assert_int_equal(read_text(key, &count, &line, "%s\n%s\n", first, second), STATUS_OK);
	assert_int_equal(count, 2);
	assert_memory_equal(key[0], one, sizeof one);
	assert_memory_equal(key[1], two, sizeof two);
	memset(key, 0, sizeof key);
	assert_int_equal(read_text(key, &count, &line,
	                           "# who\r\n\r\n  \t\n  # and why\n \t%s \t\r\n#\n%s", first,
	                           second),
	                 STATUS_OK);
	assert_int_equal(count, 2);
	assert_memory_equal(key[0], one, sizeof one);
	assert_memory_equal(key[1], two, sizeof two);
}

static void the_line_of_an_error_is_told(void **state)
{
	uint8_t key[ROOM][RECIPIENT_BYTES];
	unsigned count, line;
	char many[4096] = "#";

	(void)state;
	assert_int_equal(read_text(key, &count, &line, "%s\n\n%s x\n", first, second),
	                 STATUS_KEYFILE);
	assert_int_equal(line, 3);
	assert_int_equal(count, 99);
	assert_int_equal(read_text(key, &count, &line, "# a\n%s\n%s", first, identity),
	                 STATUS_KEYFILE);
	assert_int_equal(line, 3);
	assert_int_equal(read_text(key, &count, &line, "", "", ""), STATUS_KEYFILE);
	assert_int_equal(line, 0);
	assert_int_equal(read_text(key, &count, &line, "# a\n\n%s%s", "", ""), STATUS_KEYFILE);
	assert_int_equal(line, 0);
	/* A comment of any length is one line; nothing else is. */
	memset(many + 1, 'x', sizeof many - 1);
	strcpy(many + sizeof many - 3, "\n1");
	write_file("recipients", many, sizeof many - 1);
	assert_int_equal(recipient_read_file(key, ROOM, &count, &line, "recipients"),
	                 STATUS_KEYFILE);
	assert_int_equal(line, 2);
	memset(many, 0, sizeof many);
	write_file("recipients", many, sizeof many);
	assert_int_equal(recipient_read_file(key, ROOM, &count, &line, "recipients"),
	                 STATUS_KEYFILE);
	assert_int_equal(line, 1);
	alarm(10);
	assert_int_equal(recipient_read_file(key, ROOM, &count, &line, "/dev/zero"),
	                 STATUS_KEYFILE);
	alarm(0);
	assert_int_equal(line, 1);
	assert_int_equal(count, 99);
}

/* A key, blanks that fill any buffer, and something else is not a key. */
static void a_long_line_is_one_line(void **state)
{
	uint8_t key[ROOM][RECIPIENT_BYTES];
	unsigned count, line;
	char blanks[200];

	(void)state;
	for (size_t i = 1; i < sizeof blanks; i++) {
		memset(blanks, ' ', sizeof blanks);
		strcpy(blanks + i - 1, i % 2 ? "x" : "#");
		assert_int_equal(read_text(key, &count, &line, "%s %s\n", first, blanks),
		                 STATUS_KEYFILE);
		assert_int_equal(line, 1);
	}
}

static void no_more_than_room_are_taken(void **state)
{
	uint8_t key[ROOM + 1][RECIPIENT_BYTES], untouched[RECIPIENT_BYTES];
	unsigned count, line;
	char three[256];

	(void)state;
	memset(key, 0x5a, sizeof key);
	memset(untouched, 0x5a, sizeof untouched);
	snprintf(three, sizeof three, "%s\n%s\n%s", first, second, first);
	assert_int_equal(read_text(key, &count, &line, "%s\n%s", three, ""), STATUS_OK);
	assert_int_equal(count, ROOM);
	assert_int_equal(read_text(key, &count, &line, "%s\n\n%s", three, second), STATUS_TOOBIG);
	assert_int_equal(line, 5);
	assert_int_equal(count, 99);
	assert_memory_equal(key[ROOM], untouched, sizeof untouched);
}

static void what_cannot_be_read_is_said(void **state)
{
	uint8_t key[ROOM][RECIPIENT_BYTES];
	unsigned count = 99, line;

	(void)state;
	assert_int_equal(recipient_read_file(key, ROOM, &count, &line, "missing"), STATUS_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(recipient_read_file(key, ROOM, &count, &line, "."), STATUS_IO);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(count, 99);
}

static int prepare(void **state)
{
	return sodium_init() < 0 ? -1 : unit_enter_folder(state);
}

/* For other tests: the key's bytes. */
static int print_key(const char *text)
{
	uint8_t key[RECIPIENT_BYTES];
	char hex[2 * RECIPIENT_BYTES + 1];

	if (sodium_init() < 0 || recipient_parse(key, text))
		return 1;
	return puts(sodium_bin2hex(hex, sizeof hex, key, sizeof key)) < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_age_are_taken),
		cmocka_unit_test(what_is_mistyped_is_refused),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(keys_that_nobody_has_are_refused),
		cmocka_unit_test(files_are_read_line_by_line),
		cmocka_unit_test(the_line_of_an_error_is_told),
		cmocka_unit_test(a_long_line_is_one_line),
		cmocka_unit_test(no_more_than_room_are_taken),
		cmocka_unit_test(what_cannot_be_read_is_said),
	};

	if (argc == 2)
		return print_key(argv[1]);
	return cmocka_run_group_tests_name("recipient", tests, prepare, unit_leave_folder);
}
