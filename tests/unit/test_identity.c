#include "tests/unit/unit.h"

#include <sodium.h>

#include "common/identity.h"
#include "common/status.h"

#define RECIPIENT "age1zwpw0gjv7ztvzr97m60l5d2yjhy7xt3lts06c48gpyp7kfg3wcwq9thplc"
#define IDENTITY "AGE-SECRET-KEY-1T907JC2WD3URGS5T9A9MAXCJTCHLCTECWVJQWPKSXNVNDVM0EJ7SLD6VX2"

/* What age-keygen 1.1.1 wrote; the key protects nothing. */
static const char age_file[] = "# created: 2026-11-22T00:57:39Z\n"
			       "# public key: " RECIPIENT "\n" IDENTITY "\n";

/* --- Bech32 as BIP 173 has it, the other way round ----------------------------- */

static uint32_t polymod(const uint8_t *values, size_t count)
{
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
	                                     0x2a1462b3};
	uint32_t sum = 1;

	for (size_t i = 0; i < count; i++) {
		uint32_t top = sum >> 25;

		sum = (sum & 0x1ffffff) << 5 ^ values[i];
		for (int b = 0; b < 5; b++)
			sum ^= top >> b & 1 ? generator[b] : 0;
	}
	return sum;
}

/* The text of count digits, with a checksum for constant (1: Bech32). */
static void encode_digits(char *out, const char *prefix, const uint8_t *digits, size_t count,
                          uint32_t constant)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	uint8_t all[256] = {0};
	size_t n = strlen(prefix), at = 0;
	uint32_t sum;

	for (size_t i = 0; i < n; i++) {
		all[i] = (uint8_t)(prefix[i] >> 5);
		all[n + 1 + i] = prefix[i] & 31;
	}
	memcpy(all + 2 * n + 1, digits, count);
	sum = polymod(all, 2 * n + 1 + count + 6) ^ constant;
	at = (size_t)sprintf(out, "%s1", prefix);
	for (size_t i = 0; i < count; i++)
		out[at++] = alphabet[digits[i]];
	for (int i = 0; i < 6; i++)
		out[at++] = alphabet[sum >> 5 * (5 - i) & 31];
	out[at] = '\0';
}

static void to_digits(uint8_t digits[static 52], const uint8_t key[static 32])
{
	for (int i = 0; i < 52; i++) {
		digits[i] = 0;
		for (int b = 0; b < 5; b++) {
			int bit = 5 * i + b;
			int value = bit < 256 ? key[bit / 8] >> (7 - bit % 8) & 1 : 0;

			digits[i] = (uint8_t)(digits[i] << 1 | value);
		}
	}
}

static int decode(const char *text, const char *prefix)
{
	uint8_t key[KDF_KEYBYTES];

	return identity_decode(key, text, strlen(text), prefix);
}

/* --- one key --------------------------------------------------------------------- */

static void what_age_keygen_writes_is_a_pair(void **state)
{
	uint8_t identity[KDF_KEYBYTES], recipient[KDF_KEYBYTES], made[KDF_KEYBYTES];

	(void)state;
	assert_int_equal(identity_decode(identity, IDENTITY, strlen(IDENTITY), IDENTITY_PREFIX), 0);
	assert_int_equal(
		identity_decode(recipient, RECIPIENT, strlen(RECIPIENT), IDENTITY_RECIPIENT_PREFIX),
		0);
	assert_int_equal(crypto_scalarmult_base(made, identity), 0);
	assert_memory_equal(made, recipient, KDF_KEYBYTES);
}

static void every_key_comes_back(void **state)
{
	uint8_t key[KDF_KEYBYTES], digits[52], got[KDF_KEYBYTES];
	char text[128];

	(void)state;
	for (int i = 0; i < 300; i++) {
		memset(key, i % 256, sizeof key);
		if (i >= 256)
			randombytes_buf(key, sizeof key);
		to_digits(digits, key);
		encode_digits(text, IDENTITY_PREFIX, digits, 52, 1);
		assert_int_equal(identity_decode(got, text, strlen(text), IDENTITY_PREFIX),
		                 STATUS_OK);
		assert_memory_equal(got, key, sizeof key);
		for (char *p = text; *p; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
		assert_int_equal(identity_decode(got, text, strlen(text), IDENTITY_PREFIX),
		                 STATUS_OK);
		assert_memory_equal(got, key, sizeof key);
	}
}

/* Any one character changed, any two neighbours exchanged. */
static void a_slip_of_the_pen_is_seen(void **state)
{
	static const char letters[] = "ACDEFGHJKLMNPQRSTUVWXYZ023456789BIO1-";
	char text[] = IDENTITY;

	(void)state;
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];

		for (const char *l = letters; *l; l++) {
			text[i] = *l;
			assert_int_equal(decode(text, IDENTITY_PREFIX),
			                 *l == was ? STATUS_OK : STATUS_KEYFILE);
		}
		text[i] = was;
		if (text[i + 1] && text[i + 1] != was) {
			text[i] = text[i + 1];
			text[i + 1] = was;
			assert_int_equal(decode(text, IDENTITY_PREFIX), STATUS_KEYFILE);
			text[i + 1] = text[i];
			text[i] = was;
		}
	}
}

static void one_case_or_the_other(void **state)
{
	char text[] = IDENTITY;

	(void)state;
	text[40] = (char)(text[40] | 0x20);
	assert_int_equal(decode(text, IDENTITY_PREFIX), STATUS_KEYFILE);
	text[40] = (char)(text[40] & ~0x20);
	text[0] = 'a';
	assert_int_equal(decode(text, IDENTITY_PREFIX), STATUS_KEYFILE);
}

static void other_things_in_bech32_are_no_keys(void **state)
{
	uint8_t key[KDF_KEYBYTES] = {1, 2, 3}, digits[60] = {0};
	char text[128];

	(void)state;
	to_digits(digits, key);
	encode_digits(text, "age", digits, 52, 1);
	assert_int_equal(decode(text, "age"), STATUS_OK);
	assert_int_equal(decode(text, IDENTITY_PREFIX), STATUS_KEYFILE);
	encode_digits(text, "age", digits, 51, 1);
	assert_int_equal(decode(text, "age"), STATUS_KEYFILE);
	encode_digits(text, "age", digits, 53, 1);
	assert_int_equal(decode(text, "age"), STATUS_KEYFILE);
	/* Bech32m, of BIP 350. */
	encode_digits(text, "age", digits, 52, 0x2bc830a3);
	assert_int_equal(decode(text, "age"), STATUS_KEYFILE);
	encode_digits(text, "agf", digits, 52, 1);
	assert_int_equal(decode(text, "age"), STATUS_KEYFILE);
	/* The four bits behind the last byte. */
	for (uint8_t low = 1; low < 16; low++) {
		digits[51] = (uint8_t)((digits[51] & 16) | low);
		encode_digits(text, "age", digits, 52, 1);
		assert_int_equal(decode(text, "age"), STATUS_KEYFILE);
	}
	assert_int_equal(decode("", "age"), STATUS_KEYFILE);
	assert_int_equal(decode("age1", "age"), STATUS_KEYFILE);
}

static void bytes_that_are_no_letters_are_refused(void **state)
{
	char text[] = IDENTITY;

	(void)state;
	for (int c = 0; c < 256; c++) {
		if (c >= '0' && c <= 'z')
			continue;
		text[30] = (char)c;
		assert_int_equal(identity_decode((uint8_t[KDF_KEYBYTES]){0}, text, sizeof text - 1,
		                                 IDENTITY_PREFIX),
		                 STATUS_KEYFILE);
	}
}

/* --- files ---------------------------------------------------------------------------- */

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen("identities", "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Statuses and the number of keys. */
static int read_text(const char *text, unsigned room)
{
	uint8_t key[16][KDF_KEYBYTES];
	unsigned count = 0;
	int status;

	write_file(text, strlen(text));
	memset(key, 7, sizeof key);
	status = identity_read_file(key, room, &count, "identities");
	if (status)
		assert_true(sodium_is_zero(key[0], room * sizeof key[0]));
	return status ? status : (int)count;
}

static void files_of_age_keygen_are_read(void **state)
{
	(void)state;
	assert_int_equal(read_text(age_file, 16), 1);
	assert_int_equal(read_text(IDENTITY, 16), 1);
	assert_int_equal(read_text("\n\n# x\r\n\t " IDENTITY " \r\n\n" IDENTITY "\n", 16), 2);
	assert_int_equal(read_text(IDENTITY "\n" IDENTITY, 2), 2);
}

static void anything_else_in_a_file_is_refused(void **state)
{
	char *large;

	(void)state;
	assert_int_equal(read_text("", 16), STATUS_KEYFILE);
	assert_int_equal(read_text("# only a comment\n", 16), STATUS_KEYFILE);
	assert_int_equal(read_text(RECIPIENT "\n", 16), STATUS_KEYFILE);
	assert_int_equal(read_text(IDENTITY "\nAGE-PLUGIN-X-1QQQ\n", 16), STATUS_KEYFILE);
	assert_int_equal(read_text(IDENTITY " # mine\n", 16), STATUS_KEYFILE);
	assert_int_equal(read_text(IDENTITY "\n" IDENTITY "\n" IDENTITY, 2), STATUS_KEYFILE);
	assert_int_equal(read_text("-----BEGIN AGE ENCRYPTED FILE-----\n", 16), STATUS_KEYFILE);

	large = malloc((1 << 16) + 2);
	memset(large, '#', (1 << 16) + 1);
	large[(1 << 16) + 1] = '\0';
	assert_int_equal(read_text(large, 16), STATUS_KEYFILE);
	memcpy(large, IDENTITY "\n#", sizeof IDENTITY + 1);
	large[1 << 16] = '\0';
	assert_int_equal(read_text(large, 16), 1);
	free(large);
}

static void no_file_is_an_error_of_its_own(void **state)
{
	uint8_t key[1][KDF_KEYBYTES];
	unsigned count;

	(void)state;
	assert_int_equal(identity_read_file(key, 1, &count, "nowhere"), STATUS_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(identity_read_file(key, 1, &count, "."), STATUS_IO);
	assert_int_equal(errno, EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_age_keygen_writes_is_a_pair),
		cmocka_unit_test(every_key_comes_back),
		cmocka_unit_test(a_slip_of_the_pen_is_seen),
		cmocka_unit_test(one_case_or_the_other),
		cmocka_unit_test(other_things_in_bech32_are_no_keys),
		cmocka_unit_test(bytes_that_are_no_letters_are_refused),
		cmocka_unit_test(files_of_age_keygen_are_read),
		cmocka_unit_test(anything_else_in_a_file_is_refused),
		cmocka_unit_test(no_file_is_an_error_of_its_own),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, unit_enter_folder, unit_leave_folder);
}
