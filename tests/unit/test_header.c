#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "common/header.h"
#include "common/identity.h"
#include "common/passphrase.h"
#include "common/source.h"
#include "common/status.h"

/* Headers of a volume of eight slices; what is between them is never read. */
enum { LEN = 10 * FORMAT_PAGE };

struct volume {
	uint8_t bytes[LEN];
	struct source *source;
};

static struct volume *volume_new(void)
{
	struct volume *v = malloc(sizeof *v);

	randombytes_buf(v->bytes, sizeof v->bytes);
	assert_int_equal(source_open_memory(&v->source, v->bytes, LEN), STATUS_OK);
	return v;
}

static void volume_free(struct volume *v)
{
	source_close(v->source);
	free(v);
}

static uint8_t *header_of(struct volume *v, enum header_copy copy)
{
	return v->bytes + (copy == HEADER_A ? 0 : LEN - FORMAT_HEADER);
}

/* Slot number index gets contents whose CK is all mark. */
static void put_slot(struct volume *v, enum header_copy copy, unsigned index, uint8_t mark,
                     const struct header_secrets *secrets, uint8_t version)
{
	const struct format_slot slot = {
		.volume_count = 1,
		.file_len = LEN,
		.data_pages = 1,
		.root_page = {0, 3, 7},
	};
	uint8_t contents[FORMAT_SLOT_CONTENTS], kek[KDF_KEYBYTES];
	uint8_t *header = header_of(v, copy);

	format_slot_encode(contents, &slot);
	memset(contents + 32, mark, FORMAT_KEY);
	contents[0] = version;
	header_kek(kek, header, secrets);
	header_seal_slot(header + FORMAT_SLOT_OFFSET + index * FORMAT_SLOT, header, index, kek,
	                 contents);
}

static struct header_secrets key_file_secrets(const uint8_t digest[static KDF_KEYBYTES])
{
	struct header_secrets secrets = {.kinds = HEADER_KEY_FILE};

	memcpy(secrets.key_file, digest, KDF_KEYBYTES);
	return secrets;
}

static struct passphrase *make_passphrase(const char *text)
{
	struct passphrase *p = calloc(1, sizeof *p);

	assert_int_equal(kdf_passphrase_normalize(text, strlen(text), p->text, &p->len), STATUS_OK);
	return p;
}

/* The mark of the slot that opens, or a status. */
static int open_with(struct volume *v, const struct header_keys *keys, enum header_copy *copy)
{
	struct format_slot slot;
	enum header_copy opened;
	enum kdf_profile profile;
	int status = header_open(&slot, &opened, &profile, v->source, 0, keys);

	if (copy)
		*copy = opened;
	if (status)
		assert_true(sodium_is_zero((const uint8_t *)&slot, sizeof slot));
	return status ? status : slot.ck[0];
}

static void every_slot_can_be_the_one(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {1};
	const struct header_keys keys = {.key_file = digest};
	const struct header_secrets secrets = key_file_secrets(digest);

	(void)state;
	for (unsigned i = 0; i < FORMAT_SLOTS; i++) {
		struct volume *v = volume_new();
		enum header_copy copy;

		put_slot(v, HEADER_A, i, (uint8_t)(i + 1), &secrets, FORMAT_VERSION);
		assert_int_equal(open_with(v, &keys, &copy), i + 1);
		assert_int_equal(copy, HEADER_A);
		/* Any bit of the slot, and of what it is bound to. */
		header_of(v, HEADER_A)[FORMAT_SLOT_OFFSET + i * FORMAT_SLOT +
		                       randombytes_uniform(FORMAT_SLOT)] ^= 1;
		assert_int_equal(open_with(v, &keys, NULL), STATUS_NOKEY);
		volume_free(v);
	}
}

static void a_slot_is_bound_to_its_header_and_place(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {1};
	const struct header_keys keys = {.key_file = digest};
	const struct header_secrets secrets = key_file_secrets(digest);
	struct volume *v = volume_new();
	uint8_t *header = header_of(v, HEADER_A);

	(void)state;
	put_slot(v, HEADER_A, 5, 1, &secrets, FORMAT_VERSION);
	for (int i = 0; i < FORMAT_SLOT_OFFSET; i++) {
		header[i] ^= 0x10;
		assert_int_equal(open_with(v, &keys, NULL), STATUS_NOKEY);
		header[i] ^= 0x10;
	}
	assert_int_equal(open_with(v, &keys, NULL), 1);
	memmove(header + FORMAT_SLOT_OFFSET + 6 * FORMAT_SLOT,
	        header + FORMAT_SLOT_OFFSET + 5 * FORMAT_SLOT, FORMAT_SLOT);
	randombytes_buf(header + FORMAT_SLOT_OFFSET + 5 * FORMAT_SLOT, FORMAT_SLOT);
	assert_int_equal(open_with(v, &keys, NULL), STATUS_NOKEY);
	volume_free(v);
}

static void header_b_takes_the_place_of_a(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {1};
	const struct header_keys keys = {.key_file = digest};
	const struct header_secrets secrets = key_file_secrets(digest);
	struct volume *v = volume_new();
	struct format_slot slot;
	enum header_copy copy;
	enum kdf_profile profile;

	(void)state;
	put_slot(v, HEADER_B, 31, 9, &secrets, FORMAT_VERSION);
	assert_int_equal(open_with(v, &keys, &copy), 9);
	assert_int_equal(copy, HEADER_B);
	/* It is looked for where the volume is said to end. */
	assert_int_equal(header_open(&slot, &copy, &profile, v->source, LEN - 1, &keys),
	                 STATUS_NOKEY);
	assert_int_equal(header_open(&slot, &copy, &profile, v->source, LEN, &keys), STATUS_OK);
	assert_int_equal(header_open_copy(&slot, v->source, LEN, HEADER_A, &keys, profile),
	                 STATUS_NOKEY);
	assert_int_equal(header_open_copy(&slot, v->source, LEN, HEADER_B, &keys, profile),
	                 STATUS_OK);
	assert_int_equal(profile, KDF_LOW);
	assert_int_equal(header_open_copy(&slot, v->source, LEN, HEADER_B, &keys, KDF_STANDARD),
	                 STATUS_NOKEY);
	volume_free(v);
}

static void a_later_version_is_said_to_be_one(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {1};
	const struct header_keys keys = {.key_file = digest};
	const struct header_secrets secrets = key_file_secrets(digest);
	struct volume *v = volume_new();

	(void)state;
	put_slot(v, HEADER_A, 0, 1, &secrets, FORMAT_VERSION + 1);
	put_slot(v, HEADER_B, 0, 1, &secrets, FORMAT_VERSION);
	assert_int_equal(open_with(v, &keys, NULL), STATUS_VERSION);
	volume_free(v);
}

/* --- several secrets -------------------------------------------------------------------- */

/* One compartment opens with the passphrase, one with it and a key file. */
static void who_gives_more_means_what_wants_more(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {1};
	struct header_secrets secrets = key_file_secrets(digest);
	struct passphrase *passphrase = make_passphrase("only for tests");
	struct header_keys keys = {.passphrase = passphrase};
	struct volume *v = volume_new();

	(void)state;
	assert_int_equal(kdf_stretch(passphrase->text, passphrase->len, header_of(v, HEADER_A),
	                             KDF_LOW, secrets.stretched),
	                 STATUS_OK);
	secrets.kinds = HEADER_PASSPHRASE;
	put_slot(v, HEADER_A, 3, 1, &secrets, FORMAT_VERSION);
	secrets.kinds = HEADER_PASSPHRASE | HEADER_KEY_FILE;
	put_slot(v, HEADER_A, 17, 3, &secrets, FORMAT_VERSION);
	assert_int_equal(open_with(v, &keys, NULL), 1);
	keys.key_file = digest;
	assert_int_equal(open_with(v, &keys, NULL), 3);
	keys.passphrase = NULL;
	assert_int_equal(open_with(v, &keys, NULL), STATUS_NOKEY);
	secrets.kinds = HEADER_KEY_FILE;
	put_slot(v, HEADER_A, 1, 2, &secrets, FORMAT_VERSION);
	assert_int_equal(open_with(v, &keys, NULL), 2);
	keys.passphrase = passphrase;
	assert_int_equal(open_with(v, &keys, NULL), 3);
	free(passphrase);
	volume_free(v);
}

static void a_sibling_is_known_by_its_key(void **state)
{
	struct header_secrets secrets = {.kinds = HEADER_SIBLING};
	uint8_t ck[FORMAT_KEY];
	struct volume *v = volume_new();
	struct format_slot slot;
	enum header_copy copy;

	(void)state;
	memset(ck, 7, sizeof ck);
	memcpy(secrets.ck, ck, sizeof ck);
	put_slot(v, HEADER_A, 4, 7, &secrets, FORMAT_VERSION);
	assert_int_equal(header_open_sibling(&slot, &copy, v->source, 0, ck), STATUS_OK);
	assert_memory_equal(slot.ck, ck, sizeof ck);
	/* A slot under it that leads to another key is no sibling's. */
	put_slot(v, HEADER_A, 4, 8, &secrets, FORMAT_VERSION);
	assert_int_equal(header_open_sibling(&slot, &copy, v->source, 0, ck), STATUS_INVALID);
	ck[0] ^= 1;
	assert_int_equal(header_open_sibling(&slot, &copy, v->source, 0, ck), STATUS_NOKEY);
	volume_free(v);
}

/* --- what was made elsewhere: tests/encode.py -------------------------------------------- */

static uint8_t *slurp(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20);

	assert_non_null(file);
	*len = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static int open_golden(const struct header_keys *keys)
{
	struct source *source;
	struct format_slot slot;
	enum header_copy copy;
	enum kdf_profile profile;
	size_t len;
	uint8_t *bytes = slurp("tests/data/good/every-key.bundle", &len);
	int status;

	assert_int_equal(source_open_memory(&source, bytes, len), STATUS_OK);
	status = header_open(&slot, &copy, &profile, source, 0, keys);
	source_close(source);
	free(bytes);
	return status;
}

static void identities_of_others_make_open(void **state)
{
	uint8_t identity[3][KDF_KEYBYTES], digest[KDF_KEYBYTES];
	struct header_keys keys = {
		.identity = (const uint8_t(*)[KDF_KEYBYTES])identity,
		.identity_count = 1,
	};
	unsigned count;

	(void)state;
	assert_int_equal(identity_read_file(identity, 1, &count, "tests/data/good/first.identity"),
	                 0);
	assert_int_equal(open_golden(&keys), STATUS_OK);
	/* Neither what cannot be a key nor another one is in its way. */
	memcpy(identity[2], identity[0], KDF_KEYBYTES);
	memset(identity[0], 0, KDF_KEYBYTES);
	memset(identity[1], 0x55, KDF_KEYBYTES);
	assert_int_equal(open_golden(&keys), STATUS_NOKEY);
	keys.identity_count = 3;
	assert_int_equal(open_golden(&keys), STATUS_OK);

	assert_int_equal(identity_read_file(identity, 1, &count, "tests/data/good/second.identity"),
	                 0);
	keys.identity_count = 1;
	assert_int_equal(open_golden(&keys), STATUS_NOKEY);
	assert_int_equal(kdf_key_file("tests/data/good/b.keyfile", digest), STATUS_OK);
	keys.key_file = digest;
	assert_int_equal(open_golden(&keys), STATUS_OK);
}

/* --- what a watcher sees ------------------------------------------------------------------- */

static uint64_t reads_of(const void *bytes, size_t len, const struct header_keys *keys,
                         int expected)
{
	struct source *source;
	struct format_slot slot;
	enum header_copy copy;
	enum kdf_profile profile;
	uint64_t count;

	assert_int_equal(source_open_memory(&source, bytes, len), STATUS_OK);
	assert_int_equal(header_open(&slot, &copy, &profile, source, 0, keys), expected);
	count = source_read_count(source);
	source_close(source);
	return count;
}

static void a_wrong_key_and_no_bundle_are_the_same(void **state)
{
	uint8_t digest[KDF_KEYBYTES], identity[1][KDF_KEYBYTES] = {{1}};
	struct passphrase *passphrase = make_passphrase("wrong for all of them");
	const struct header_keys keys = {
		.passphrase = passphrase,
		.key_file = digest,
		.identity = (const uint8_t(*)[KDF_KEYBYTES])identity,
		.identity_count = 1,
	};
	size_t len;
	uint8_t *bytes = slurp("tests/data/good/every-key.bundle", &len);
	uint8_t *noise = malloc(len);
	uint64_t count;

	(void)state;
	assert_int_equal(kdf_key_file("tests/data/good/one.passphrase", digest), STATUS_OK);
	randombytes_buf(noise, len);
	count = reads_of(bytes, len, &keys, STATUS_NOKEY);
	assert_int_equal(count, 2);
	assert_int_equal(reads_of(noise, len, &keys, STATUS_NOKEY), count);
	assert_int_equal(reads_of(noise, 0, &keys, STATUS_NOKEY), count);
	assert_int_equal(reads_of(noise, 100, &keys, STATUS_NOKEY), count);
	free(passphrase);
	free(noise);
	free(bytes);
}

/* A file that was longer when it was opened fails like a medium: what is gone of
 * a header is not taken for a wrong key, and a slot that is there opens. */
static void a_medium_that_fails_is_said_to(void **state)
{
	const uint8_t digest[KDF_KEYBYTES] = {7}, other[KDF_KEYBYTES] = {8};
	const struct header_keys keys = {.key_file = digest}, wrong = {.key_file = other};
	struct header_secrets secrets = key_file_secrets(digest);
	struct volume *v = volume_new();
	struct format_slot slot;
	enum header_copy copy;
	enum kdf_profile profile;
	int fd;

	unit_enter_folder(state);
	put_slot(v, HEADER_A, 3, 5, &secrets, 1);
	fd = open("stick", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, v->bytes, LEN), LEN);
	source_close(v->source);
	assert_int_equal(source_open_file(&v->source, "stick"), STATUS_OK);

	assert_int_equal(ftruncate(fd, SOURCE_SECTOR), 0);
	assert_int_equal(header_open(&slot, &copy, &profile, v->source, 0, &keys), STATUS_OK);
	assert_int_equal(copy, HEADER_A);
	assert_int_equal(header_open(&slot, &copy, &profile, v->source, 0, &wrong), STATUS_IO);
	assert_int_equal(errno, EIO);
	assert_int_equal(ftruncate(fd, LEN - FORMAT_HEADER), 0);
	assert_int_equal(header_open(&slot, &copy, &profile, v->source, 0, &wrong), STATUS_NOKEY);
	close(fd);
	volume_free(v);
	unit_leave_folder(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_slot_can_be_the_one),
		cmocka_unit_test(a_slot_is_bound_to_its_header_and_place),
		cmocka_unit_test(header_b_takes_the_place_of_a),
		cmocka_unit_test(a_later_version_is_said_to_be_one),
		cmocka_unit_test(who_gives_more_means_what_wants_more),
		cmocka_unit_test(a_sibling_is_known_by_its_key),
		cmocka_unit_test(identities_of_others_make_open),
		cmocka_unit_test(a_wrong_key_and_no_bundle_are_the_same),
		cmocka_unit_test(a_medium_that_fails_is_said_to),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
