#include "tests/unit/unit.h"

#include <sodium.h>
#include <sys/stat.h>

#include "bundler/minisign.h"
#include "common/status.h"

#define COMMENT "untrusted comment: minisign encrypted secret key\n"

/* Made by minisign 0.11: -G -W; -G where memory was short, so that it asks for
 * 32 MiB only; the same after -C -W. */
static const char plain[] = COMMENT
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIyqYPdR+S5ws1BCG"
	"7tPYPLuDw1zKWBaCxkrP0fitvhLyzjLy/r8c3sPYOMPf22e0KblcLNk1HuJhiv7yFuKFd4sDBg2iWN4/AAAAAAAA"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char plain_public[] = "RWQjKpg91H5LnMPYOMPf22e0KblcLNk1HuJhiv7yFuKFd4sDBg2iWN4/";
static const char locked[] = COMMENT
	"RWRTY0Iyg6LriAvH3ff7hr1bFwf8piN4dP5uzwRJtVCp9YOYVk0AABAAAAAAAAAAAAIAAAAAlkV24pTjwygE54se"
	"n3jSVyBXY9zwc5X6lAy7kDNMRI6UkV3QW/dY8ZfNBmbeu/Bw6IeCR5pNp2Ah2yX22MUh3JHRWCLJ+gTCzn271gWc"
	"6+/nN6o5q0dIhBAYf6WBBG90cORe5r6xYdc=\n";
static const char unlocked[] = COMMENT
	"RWQAAEIyg6LriAvH3ff7hr1bFwf8piN4dP5uzwRJtVCp9YOYVk0AABAAAAAAAAAAAAIAAAAAF542RVweduhbNUk1"
	"wnD8fUtSI9rSj+rZoi2pWzAeAQNCWqOpj/Ar5P0KAoXCt1RVOPnyWYk0yIvP3zbw8WVgejhRIdkjQqwiZ/CSW1Ea"
	"AikC0PxG5zFU5qP4hxCVBARb0u+LsHyYlSI=\n";
static const char locked_public[] = "RWQXnjZFXB526P0KAoXCt1RVOPnyWYk0yIvP3zbw8WVgejhRIdkjQqwi";
static const char password[] = "p\xc3\xa4ssword 1";

/* What stands where in a record. */
enum {
	STRETCH_KIND = 2,
	SALT = 6,
	TIME_LIMIT = 38,
	MEMORY_LIMIT = 46,
	KEY_ID = 54,
	CHECKSUM = 126
};

static struct minisign_secret secret;
static int asked;

/* context: what is typed; NULL: nobody is there. */
static int answer(void *context, char typed[static MINISIGN_PASSWORD_MAX], size_t *len)
{
	asked++;
	if (!context)
		return STATUS_CANCELLED;
	*len = strlen(context);
	memcpy(typed, context, *len);
	return STATUS_OK;
}

static void write_file(const char *bytes, size_t len)
{
	FILE *f = fopen("key", "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Read a file of those bytes; of a failure nothing may be left. */
static int read_bytes(const char *bytes, size_t len, const char *typed)
{
	int status;

	write_file(bytes, len);
	memset(&secret, 0x5a, sizeof secret);
	asked = 0;
	status = minisign_secret_read(&secret, "key", answer, (void *)(uintptr_t)typed);
	if (status)
		assert_true(sodium_is_zero((const uint8_t *)&secret, sizeof secret));
	return status;
}

static int read_text(const char *text, const char *typed)
{
	return read_bytes(text, strlen(text), typed);
}

static void decode(uint8_t *out, size_t room, const char *base64)
{
	size_t len = 0;

	assert_int_equal(sodium_base642bin(out, room, base64, strlen(base64), "\n", &len, NULL,
	                                   sodium_base64_VARIANT_ORIGINAL),
	                 0);
	assert_int_equal(len, room);
}

/* Is it the secret half of that public key, and does a root verify? */
static void assert_key(const char *public)
{
	struct {
		uint8_t kind[2], id[8], key[32];
	} expected;
	uint8_t content[FORMAT_CONTENT_PART], signature[FORMAT_SIGNATURE], message[15 + 64];

	decode((uint8_t *)&expected, sizeof expected, public);
	assert_memory_equal(secret.key_id, expected.id, sizeof expected.id);
	assert_memory_equal(secret.public_key, expected.key, sizeof expected.key);
	assert_true(sodium_is_zero((uint8_t *)secret.password, sizeof secret.password));
	assert_true(sodium_is_zero(secret.record, sizeof secret.record));
	assert_true(sodium_is_zero((uint8_t *)secret.text, sizeof secret.text));

	randombytes_buf(content, sizeof content);
	minisign_sign_root(signature, content, &secret);
	memcpy(message, "satchel root 1", 15);
	crypto_generichash(message + 15, 64, content, sizeof content, NULL, 0);
	assert_int_equal(
		crypto_sign_verify_detached(signature, message, sizeof message, expected.key), 0);
	content[FORMAT_CONTENT_PART - 1] ^= 1;
	crypto_generichash(message + 15, 64, content, sizeof content, NULL, 0);
	assert_int_equal(
		crypto_sign_verify_detached(signature, message, sizeof message, expected.key), -1);
}

static void keys_without_a_password_are_read(void **state)
{
	char text[sizeof plain + 8];

	(void)state;
	assert_int_equal(read_text(plain, NULL), STATUS_OK);
	assert_int_equal(asked, 0);
	assert_key(plain_public);
	assert_int_equal(read_text(unlocked, NULL), STATUS_OK);
	assert_int_equal(asked, 0);
	assert_key(locked_public);
	/* As an editor may leave it. */
	snprintf(text, sizeof text, "%.48s\r\n%.212s\r\n\r\n", plain, plain + sizeof COMMENT - 1);
	assert_int_equal(read_text(text, NULL), STATUS_OK);
	assert_int_equal(read_bytes(plain, strlen(plain) - 1, NULL), STATUS_OK);
}

static void keys_with_a_password_are_read(void **state)
{
	(void)state;
	assert_int_equal(read_text(locked, password), STATUS_OK);
	assert_int_equal(asked, 1);
	assert_key(locked_public);
}

static void another_password_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(read_text(locked, "password 1"), STATUS_NOKEY);
	assert_int_equal(asked, 1);
	assert_int_equal(read_text(locked, ""), STATUS_NOKEY);
	assert_int_equal(read_text(locked, "pa\xcc\x88ssword 1"), STATUS_NOKEY); /* not NFC */
	assert_int_equal(read_text(locked, NULL), STATUS_CANCELLED);
}

/* The record of text with byte at turned into value, as a file. */
static int read_changed(const char *text, size_t at, uint8_t value)
{
	uint8_t record[MINISIGN_RECORD];
	char changed[sizeof plain];
	size_t front = strlen(COMMENT);

	decode(record, sizeof record, text + front);
	record[at] = value;
	memcpy(changed, text, front);
	sodium_bin2base64(changed + front, sizeof changed - front, record, sizeof record,
	                  sodium_base64_VARIANT_ORIGINAL);
	return read_text(changed, password);
}

static void limits_that_minisign_never_asks_for_are_refused(void **state)
{
	(void)state;
	assert_int_equal(read_changed(locked, MEMORY_LIMIT + 3, 0x41), STATUS_KEYFILE);
	assert_int_equal(read_changed(locked, MEMORY_LIMIT + 7, 0x80), STATUS_KEYFILE);
	assert_int_equal(read_changed(locked, TIME_LIMIT + 3, 0x03), STATUS_KEYFILE);
	assert_int_equal(read_changed(locked, TIME_LIMIT + 5, 0x01), STATUS_KEYFILE);
	assert_int_equal(asked, 0);
	/* No memory, 32 MiB of time: allowed, and another stream. */
	assert_int_equal(read_changed(locked, MEMORY_LIMIT + 3, 0), STATUS_NOKEY);
	assert_int_equal(read_changed(locked, SALT, 0), STATUS_NOKEY);
}

/* Every bit of a record: salt and limits are unused without a password, and
 * minisign puts no checksum over the key id of one that never had one. */
static void mangled_keys_are_refused(void **state)
{
	uint8_t record[MINISIGN_RECORD];
	const char *const keys[] = {plain, unlocked};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		decode(record, sizeof record, keys[k] + strlen(COMMENT));
		for (size_t i = 0; i < sizeof record; i++) {
			bool unused = i >= SALT && i < (k ? KEY_ID : KEY_ID + 8);

			for (int bit = 0; bit < 8; bit++)
				assert_int_equal(
					read_changed(keys[k], i, (uint8_t)(record[i] ^ 1 << bit)),
					unused ? STATUS_OK : STATUS_KEYFILE);
		}
	}
	assert_int_equal(read_changed(locked, CHECKSUM + 31, 0), STATUS_NOKEY);
	assert_int_equal(read_changed(locked, STRETCH_KIND, 0), STATUS_KEYFILE);
}

static void truncated_keys_are_refused(void **state)
{
	char text[sizeof plain + 1];

	(void)state;
	for (size_t len = 0; len < strlen(plain) - 1; len++)
		assert_int_equal(read_bytes(plain, len, NULL), STATUS_KEYFILE);
	for (size_t i = strlen(COMMENT); i < strlen(plain) - 1; i++) {
		memcpy(text, plain, sizeof plain);
		text[i] = '*';
		assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
		assert_int_equal(read_bytes(strcpy(text, plain), i, NULL), STATUS_KEYFILE);
		text[i] = '\0';
		assert_int_equal(read_bytes(text, sizeof plain - 1, NULL), STATUS_KEYFILE);
		text[i] = '\n';
		assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
		memcpy(text + i + 1, plain + i, sizeof plain - i);
		text[i] = 'A';
		assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
	}
}

static void other_files_are_refused(void **state)
{
	static char large[1 << 16];
	char text[1024];

	(void)state;
	assert_int_equal(read_text("", NULL), STATUS_KEYFILE);
	snprintf(text, sizeof text, "untrusted comment: minisign public key 9C4B7ED43D982A23\n%s\n",
	         plain_public);
	assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
	snprintf(text, sizeof text, "%s", plain + strlen(COMMENT));
	assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
	snprintf(text, sizeof text, "%sx\n", plain);
	assert_int_equal(read_text(text, NULL), STATUS_KEYFILE);
	assert_int_equal(read_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n", NULL),
	                 STATUS_KEYFILE);
	assert_int_equal(read_text("AGE-SECRET-KEY-1\n", NULL), STATUS_KEYFILE);
	assert_int_equal(read_bytes(plain, sizeof plain, NULL), STATUS_KEYFILE); /* and a NUL */
	assert_int_equal(read_bytes(large, sizeof large, NULL), STATUS_KEYFILE);
	memset(large, 'x', sizeof large);
	memcpy(large, COMMENT, strlen(COMMENT));
	assert_int_equal(read_bytes(large, sizeof large, NULL), STATUS_KEYFILE);
	for (int i = 0; i < 100; i++) {
		randombytes_buf(large, 400);
		assert_int_equal(read_bytes(large, 400, NULL), STATUS_KEYFILE);
	}
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(10);
	assert_int_equal(minisign_secret_read(&secret, "fifo", answer, NULL), STATUS_KEYFILE);
	assert_int_equal(minisign_secret_read(&secret, "/dev/zero", answer, NULL), STATUS_KEYFILE);
	alarm(0);
	assert_int_equal(minisign_secret_read(&secret, ".", answer, NULL), STATUS_KEYFILE);
	errno = 0;
	assert_int_equal(minisign_secret_read(&secret, "missing", answer, NULL), STATUS_IO);
	assert_int_equal(errno, ENOENT);
}

static int prepare(void **state)
{
	return sodium_init() < 0 ? -1 : unit_enter_folder(state);
}

static void print_hex(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

/* For other tests: read a key, sign 1,024 times `x'; the exit code is the status
 * without its sign. */
static int sign(const char *path, const char *typed)
{
	uint8_t content[FORMAT_CONTENT_PART], signature[FORMAT_SIGNATURE];
	int status = sodium_init() < 0 ? STATUS_NOMEM : STATUS_OK;

	memset(content, 'x', sizeof content);
	if (status == STATUS_OK)
		status = minisign_secret_read(&secret, path, answer, (void *)(uintptr_t)typed);
	if (status)
		return -status;
	minisign_sign_root(signature, content, &secret);
	print_hex(secret.key_id, sizeof secret.key_id);
	print_hex(secret.public_key, sizeof secret.public_key);
	print_hex(signature, sizeof signature);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_without_a_password_are_read),
		cmocka_unit_test(keys_with_a_password_are_read),
		cmocka_unit_test(another_password_is_told_apart),
		cmocka_unit_test(limits_that_minisign_never_asks_for_are_refused),
		cmocka_unit_test(mangled_keys_are_refused),
		cmocka_unit_test(truncated_keys_are_refused),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	if (argc > 1)
		return sign(argv[1], argv[2]);
	return cmocka_run_group_tests_name("minisign", tests, prepare, unit_leave_folder);
}
