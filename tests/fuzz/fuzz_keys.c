/* What keys are read from: identities, recipients, minisign's keys, files of
 * recipients, pinned publishers, patterns of names. */
#include "bundler/minisign.h"
#include "bundler/recipient.h"
#include "common/identity.h"
#include "common/publisher.h"
#include "common/status.h"
#include "reader/glob.h"
#include "tests/fuzz/fuzz.h"

enum { ROOM = 32 };

static void identity(const uint8_t *data, size_t len)
{
	uint8_t key[KDF_KEYBYTES];

	identity_decode(key, (const char *)data, len, IDENTITY_PREFIX);
	identity_decode(key, (const char *)data, len, IDENTITY_RECIPIENT_PREFIX);
}

static void identities(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	uint8_t key[ROOM][KDF_KEYBYTES];
	unsigned count = 0;

	if (identity_read_file(key, ROOM, &count, file.path) == STATUS_OK)
		MUST(count >= 1 && count <= ROOM);
	fuzz_file_close(&file);
}

static void recipients(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	uint8_t key[ROOM][RECIPIENT_BYTES];
	unsigned count = 0, line = 0;

	if (recipient_read_file(key, ROOM, &count, &line, file.path) == STATUS_OK)
		MUST(count >= 1 && count <= ROOM);
	fuzz_file_close(&file);
}

static int no_password(void *context, char password[static MINISIGN_PASSWORD_MAX], size_t *len)
{
	(void)context, (void)password, (void)len;
	return STATUS_IO;
}

static void secret_key(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	static struct minisign_secret secret;

	minisign_secret_read(&secret, file.path, no_password, NULL);
	fuzz_file_close(&file);
}

static void publishers(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	struct publisher_options options = {.only = file.path};
	struct publisher_pins *pins = NULL;

	if (!publisher_load(&pins, &options))
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const reader[])(const uint8_t *data, size_t len) = {
		identity, identities, recipients, secret_key, publishers, pattern};
	unsigned which = fuzz_pick(&data, &len, sizeof reader / sizeof reader[0]);

	reader[which](data, len);
	return 0;
}
