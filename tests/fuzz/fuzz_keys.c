/* What keys are read from: identities, recipients, minisign's keys, with a password
 * and without, files of recipients, pinned publishers, patterns of names; passphrases
 * and key files. */
#include "bundler/minisign.h"
#include "bundler/recipient.h"
#include "common/identity.h"
#include "common/passphrase.h"
#include "common/publisher.h"
#include "common/status.h"
#include "reader/glob.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 32 };

static bool good(int status)
{
	fuzz_good += status == STATUS_OK;
	return status == STATUS_OK;
}

static void identity(const uint8_t *data, size_t len)
{
	uint8_t key[KDF_KEYBYTES];

	good(identity_decode(key, (const char *)data, len, IDENTITY_PREFIX));
	good(identity_decode(key, (const char *)data, len, IDENTITY_RECIPIENT_PREFIX));
}

static void identities(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	uint8_t key[ROOM][KDF_KEYBYTES];
	unsigned count = 0;

	if (good(identity_read_file(key, ROOM, &count, file.path)))
		MUST(count >= 1 && count <= ROOM);
	fuzz_file_close(&file);
}

static void recipients(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	uint8_t key[ROOM][RECIPIENT_BYTES];
	unsigned count = 0, line = 0;

	if (good(recipient_read_file(key, ROOM, &count, &line, file.path)))
		MUST(count >= 1 && count <= ROOM);
	fuzz_file_close(&file);
}

static int ask(void *context, char password[static MINISIGN_PASSWORD_MAX], size_t *len)
{
	(void)context;
	memcpy(password, "a password", 10);
	*len = 10;
	return STATUS_OK;
}

static void secret_key(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	static struct minisign_secret secret;

	good(minisign_secret_read(&secret, file.path, ask, NULL));
	fuzz_file_close(&file);
}

static void publishers(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	struct publisher_options options = {.only = file.path};
	struct publisher_pins *pins = NULL;

	if (good(publisher_load(&pins, &options)))
		publisher_free(pins);
	fuzz_file_close(&file);
}

/* A pattern and a name, a NUL between them. */
static void pattern(const uint8_t *data, size_t len)
{
	char text[600] = "";
	const char *name;

	if (len > 512)
		return;
	memcpy(text, data, len);
	name = text + strlen(text) + 1;
	glob_is_pattern(text);
	glob_match(text, name);
}

/* Two of one form are one passphrase, and the form of the form is itself. */
static void passphrase(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	char text[KDF_PASSPHRASE_MAX], again[KDF_PASSPHRASE_MAX];
	struct passphrase read;
	size_t text_len, again_len;

	if (good(kdf_passphrase_normalize((const char *)data, len, text, &text_len))) {
		MUST(text_len >= 1 && text_len <= KDF_PASSPHRASE_MAX);
		MUST(!kdf_passphrase_normalize(text, text_len, again, &again_len));
		MUST(again_len == text_len && !memcmp(again, text, text_len));
	}
	if (!passphrase_read_file(&read, file.path))
		MUST(!memchr(read.text, '\n', read.len) && !memchr(read.text, '\0', read.len));
	fuzz_file_close(&file);
}

static void key_file(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	uint8_t key[KDF_KEYBYTES];
	bool taken = good(kdf_key_file(file.path, key));

	MUST(taken == (len >= KDF_KEYFILE_MIN && len <= KDF_KEYFILE_MAX));
	fuzz_file_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const reader[])(const uint8_t *data,
	                              size_t len) = {identity,   identities, recipients, secret_key,
	                                             publishers, pattern,    passphrase, key_file};
	unsigned which = fuzz_pick(&data, &len, sizeof reader / sizeof reader[0]);

	reader[which](data, len);
	return 0;
}
