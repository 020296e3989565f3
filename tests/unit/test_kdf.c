#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/kdf.h"
#include "common/status.h"

static const uint8_t counting[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                     11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                     22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static int prepare(void **state)
{
	return sodium_init() < 0 ? -1 : unit_enter_folder(state);
}

static void assert_hex(const uint8_t bytes[static 32], const char *hex)
{
	char text[65];

	sodium_bin2hex(text, sizeof text, bytes, 32);
	assert_string_equal(text, hex);
}

/* Computed with argon2-cffi 21.1: hash_secret_raw(..., time_cost=3,
 * parallelism=1, hash_len=32, type=Type.ID, version=19). */
static void stretching_is_argon2id(void **state)
{
	static const char passphrase[] = "correct horse \xea\xb0\x80\xeb\x82\x98";
	uint8_t out[KDF_KEYBYTES];

	(void)state;
	assert_int_equal(kdf_stretch(passphrase, strlen(passphrase), counting, KDF_LOW, out),
	                 STATUS_OK);
	assert_hex(out, "87b24a555442e092da6b4f208ae9e8d1f8ed6d553162e6ea5aff809c8cf4274d");
	assert_int_equal(kdf_stretch(passphrase, strlen(passphrase), counting, KDF_STANDARD, out),
	                 STATUS_OK);
	assert_hex(out, "5dbe8038c2fac6650542cd13a1942182bde3fe92a043384b6b5d382551ed4925");
}

static void with_too_little_memory(void)
{
	const struct rlimit limit = {100 << 20, 100 << 20};
	uint8_t out[KDF_KEYBYTES];

	MUST(!setrlimit(RLIMIT_AS, &limit));
	MUST(kdf_stretch("a", 1, counting, KDF_STANDARD, out) == STATUS_KDFMEM);
}

static void memory_that_cannot_be_had_is_said(void **state)
{
	(void)state;
	if (unit_sanitized() || RUNNING_ON_VALGRIND)
		skip();
	assert_int_equal(unit_in_child(with_too_little_memory), 0);
}

/* Computed with hashlib.blake2b(label + b"\0" + data, key=..., digest_size=32). */
static void derivation_is_keyed_blake2b(void **state)
{
	uint8_t out[KDF_KEYBYTES];

	(void)state;
	kdf_derive(out, counting, "label", "data", 4);
	assert_hex(out, "e40c023559cb069596d2a5f73d9cd9edcd05e6277095f2aa518a176a6af80b14");
	kdf_derive(out, counting, "label", NULL, 0);
	assert_hex(out, "7b063ae2b018058260442a8644d995cdafb0eaac5039507bf785ee4803a2241c");
}

static void make_file(const char *path, size_t len)
{
	uint8_t *bytes = malloc(len + 1);
	FILE *f = fopen(path, "w");

	assert_true(f && bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(len < 32 ? i : i * 7);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	free(bytes);
}

static void key_files_are_hashed_whole(void **state)
{
	uint8_t out[KDF_KEYBYTES];

	(void)state;
	make_file("shortest", KDF_KEYFILE_MIN);
	assert_int_equal(kdf_key_file("shortest", out), STATUS_OK);
	assert_hex(out, "c7cb5d1a1a214f1d833a21fe6c7b2420e417c2f220784cbe90072975131bc367");
	make_file("longest", KDF_KEYFILE_MAX);
	assert_int_equal(kdf_key_file("longest", out), STATUS_OK);
	assert_hex(out, "f6f565894aeaee5a6977dd6814bef0e21f4b3cf2082f858c32bddcba14507f0b");
}

static void other_key_files_are_refused(void **state)
{
	uint8_t out[KDF_KEYBYTES], untouched[KDF_KEYBYTES];

	(void)state;
	memset(out, 0x5a, sizeof out);
	memset(untouched, 0x5a, sizeof untouched);
	make_file("empty", 0);
	make_file("short", KDF_KEYFILE_MIN - 1);
	make_file("long", KDF_KEYFILE_MAX + 1);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(10); /* a FIFO must not block */
	assert_int_equal(kdf_key_file("empty", out), STATUS_KEYFILE);
	assert_int_equal(kdf_key_file("short", out), STATUS_KEYFILE);
	assert_int_equal(kdf_key_file("long", out), STATUS_KEYFILE);
	assert_int_equal(kdf_key_file("fifo", out), STATUS_KEYFILE);
	assert_int_equal(kdf_key_file("/dev/zero", out), STATUS_KEYFILE);
	assert_int_equal(kdf_key_file(".", out), STATUS_KEYFILE);
	alarm(0);
	errno = 0;
	assert_int_equal(kdf_key_file("missing", out), STATUS_IO);
	assert_int_equal(errno, ENOENT);
	assert_memory_equal(out, untouched, sizeof out);
}

static void assert_normal(const char *in, const char *expected)
{
	char out[KDF_PASSPHRASE_MAX];
	size_t len = 0;

	assert_int_equal(kdf_passphrase_normalize(in, strlen(in), out, &len), STATUS_OK);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, len);
}

static void one_passphrase_however_it_was_typed(void **state)
{
	(void)state;
	/* Hangul as syllables, as jamo, and with a final consonant. */
	assert_normal("\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4",
	              "\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4");
	assert_normal("\xe1\x84\x80\xe1\x85\xa1\xe1\x84\x82\xe1\x85\xa1\xe1\x84\x83\xe1\x85\xa1",
	              "\xea\xb0\x80\xeb\x82\x98\xeb\x8b\xa4");
	assert_normal("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c");
	assert_normal("cafe\xcc\x81", "caf\xc3\xa9");
	/* Compatibility forms stay what they are: not NFKC. */
	assert_normal("\xef\xac\x81", "\xef\xac\x81");
}

static void blanks_at_the_ends_go(void **state)
{
	(void)state;
	assert_normal(
		"\t\r\n \xc2\xa0\xe3\x80\x80secret \xe3\x80\x80 words\xe3\x80\x80\xc2\xa0 \n\r\t",
		"secret \xe3\x80\x80 words");
	/* No other blank does. */
	assert_normal("\xe2\x80\x83x\v", "\xe2\x80\x83x\v");
}

static void assert_refused(const char *in, size_t len, int status)
{
	char out[KDF_PASSPHRASE_MAX];
	size_t out_len = 4711;

	memset(out, 'x', sizeof out);
	assert_int_equal(kdf_passphrase_normalize(in, len, out, &out_len), status);
	assert_int_equal(out_len, 4711);
	for (size_t i = 0; i < sizeof out; i++)
		assert_int_equal(out[i], 0);
}

static void unusable_passphrases(void **state)
{
	static const char *const bad[] = {
		"",
		" \t\xc2\xa0\xe3\x80\x80",
		"\xff",
		"caf\xe9",
		"\xc0\x80",
		"\xe2",
		"\xed\xa0\x80",
		"a\xcd\xb8-" /* U+0378 */,
		"\xf0\x9f\xab\xa8" /* U+1FAE8, of Unicode 15 */,
		"\xf4\x90\x80\x80",
		"\xef\xbf\xbe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(bad[i], strlen(bad[i]), STATUS_PASSPHRASE);
	assert_refused("a\0b", 3, STATUS_PASSPHRASE);
}

static void long_passphrases(void **state)
{
	char in[KDF_PASSPHRASE_MAX + 1];
	char out[KDF_PASSPHRASE_MAX];
	size_t len;

	(void)state;
	memset(in, 'x', sizeof in);
	assert_refused(in, sizeof in, STATUS_TOOBIG);
	assert_int_equal(kdf_passphrase_normalize(in, KDF_PASSPHRASE_MAX, out, &len), STATUS_OK);
	assert_int_equal(len, KDF_PASSPHRASE_MAX);
	/* U+1D15E grows from 4 bytes to 8, U+0958 from 3 to 6. */
	for (size_t i = 0; i < KDF_PASSPHRASE_MAX; i += 4)
		memcpy(in + i, "\xf0\x9d\x85\x9e", 4);
	assert_refused(in, KDF_PASSPHRASE_MAX, STATUS_TOOBIG);
	assert_int_equal(kdf_passphrase_normalize(in, KDF_PASSPHRASE_MAX / 2, out, &len),
	                 STATUS_OK);
	assert_int_equal(len, KDF_PASSPHRASE_MAX);
}

/* What Python's Unicode 14 says of every code point: a line each, "-" where it
 * is not assigned, or else what NFC makes of it between two others. */
static const char every_code_point[] =
	"/usr/bin/python3 -c '\n"
	"import sys, unicodedata as u\n"
	"if u.unidata_version != \"14.0.0\": sys.exit(1)\n"
	"for c in map(chr, range(0x110000)):\n"
	"    bad = u.category(c) in (\"Cn\", \"Cs\") or c == \"\\0\"\n"
	"    print(\"-\" if bad else u.normalize(\"NFC\", \"a\" + c + \"b\").encode().hex())\n'";

static int encode(char out[static 8], uint32_t point)
{
	if (point < 0x80)
		return sprintf(out, "%c", (int)point);
	if (point < 0x800)
		return sprintf(out, "%c%c", 0xc0 | point >> 6, 0x80 | (point & 63));
	if (point < 0x10000)
		return sprintf(out, "%c%c%c", 0xe0 | point >> 12, 0x80 | (point >> 6 & 63),
		               0x80 | (point & 63));
	return sprintf(out, "%c%c%c%c", 0xf0 | point >> 18, 0x80 | (point >> 12 & 63),
	               0x80 | (point >> 6 & 63), 0x80 | (point & 63));
}

static void agrees_with_python(uint32_t point, const char *line)
{
	char in[16] = "a", out[KDF_PASSPHRASE_MAX], hex[2 * 64 + 1];
	int in_len = 1 + encode(in + 1, point), status;
	size_t len = 0;

	in[in_len++] = 'b';
	status = kdf_passphrase_normalize(in, (size_t)in_len, out, &len);
	if (status)
		strcpy(hex, "-");
	else
		sodium_bin2hex(hex, sizeof hex, (uint8_t *)out, len);
	if (strcmp(hex, line))
		fail_msg("U+%04X: %s here, %s in Python", (unsigned)point, hex, line);
}

static void unicode_14_exactly(void **state)
{
	FILE *python = popen(every_code_point, "r");
	uint32_t point = 0;
	char line[256];

	(void)state;
	assert_non_null(python);
	for (; fgets(line, sizeof line, python); point++) {
		line[strcspn(line, "\n")] = '\0';
		agrees_with_python(point, line);
	}
	if (pclose(python) && point == 0)
		skip();
	assert_int_equal(point, 0x110000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stretching_is_argon2id),
		cmocka_unit_test(memory_that_cannot_be_had_is_said),
		cmocka_unit_test(derivation_is_keyed_blake2b),
		cmocka_unit_test(key_files_are_hashed_whole),
		cmocka_unit_test(other_key_files_are_refused),
		cmocka_unit_test(one_passphrase_however_it_was_typed),
		cmocka_unit_test(blanks_at_the_ends_go),
		cmocka_unit_test(unusable_passphrases),
		cmocka_unit_test(long_passphrases),
		cmocka_unit_test(unicode_14_exactly),
	};

	return cmocka_run_group_tests_name("kdf", tests, prepare, unit_leave_folder);
}
