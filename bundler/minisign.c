#include "bundler/minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/kdf.h"
#include "common/status.h"

#define COMMENT "untrusted comment: "

/* Where things are in a record.  All from LOCKED on is encrypted by a password. */
enum {
	SIGNATURE_KIND = 0,
	STRETCH_KIND = 2,
	CHECKSUM_KIND = 4,
	SALT = 6,
	TIME_LIMIT = 38,
	MEMORY_LIMIT = 46,
	LOCKED = 54,
	KEY_ID = LOCKED,
	SECRET_KEY = 62,
	CHECKSUM = 126,
	CHECKSUM_LEN = 32,
	LOCKED_LEN = MINISIGN_RECORD - LOCKED,
};

static bool is_kind(const uint8_t field[static 2], const char kind[static 2])
{
	return !memcmp(field, kind, 2);
}

/* The whole file as a string.  STATUS_KEYFILE: no regular file, longer than that of
 * a key, or no text. */
static int read_text(char text[static MINISIGN_TEXT], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), status = STATUS_IO;
	struct stat st;
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return STATUS_IO;
	if (fstat(fd, &st))
		goto out;
	status = STATUS_KEYFILE;
	if (!S_ISREG(st.st_mode))
		goto out;
	do {
		got = read(fd, text + len, MINISIGN_TEXT - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < MINISIGN_TEXT) || (got < 0 && errno == EINTR));
	if (got < 0) {
		status = STATUS_IO;
	} else if (len < MINISIGN_TEXT && !memchr(text, '\0', len)) {
		text[len] = '\0';
		status = STATUS_OK;
	}
out:
	close(fd);
	return status;
}

/* A comment, the record in base64, and nothing else. */
static int decode_text(uint8_t record[static MINISIGN_RECORD], const char *text)
{
	const char *key = strchr(text, '\n'), *rest;
	size_t len = 0;

	if (!key || strncmp(text, COMMENT, strlen(COMMENT)))
		return STATUS_KEYFILE;
	key++;
	rest = key + strcspn(key, "\r\n");
	if (rest[strspn(rest, "\r\n")] ||
	    sodium_base642bin(record, MINISIGN_RECORD, key, (size_t)(rest - key), NULL, &len, NULL,
	                      sodium_base64_VARIANT_ORIGINAL) ||
	    len != MINISIGN_RECORD)
		return STATUS_KEYFILE;
	if (!is_kind(record + SIGNATURE_KIND, "Ed") || !is_kind(record + CHECKSUM_KIND, "B2"))
		return STATUS_KEYFILE;
	return STATUS_OK;
}

/* Take the password off: the locked part and scrypt's output, exclusive or. */
static int unlock(struct minisign_secret *work, minisign_ask *ask, void *context)
{
	uint64_t time_limit = load_le64(work->record + TIME_LIMIT);
	uint64_t memory_limit = load_le64(work->record + MEMORY_LIMIT);
	uint8_t stream[LOCKED_LEN];
	size_t len = 0;
	int status;

	if (time_limit > crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE ||
	    memory_limit > crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE)
		return STATUS_KEYFILE;
	status = ask(context, work->password, &len);
	if (status)
		return status;
	if (len > MINISIGN_PASSWORD_MAX)
		return STATUS_TOOBIG;
	if (crypto_pwhash_scryptsalsa208sha256(stream, LOCKED_LEN, work->password, len,
	                                       work->record + SALT, time_limit,
	                                       (size_t)memory_limit))
		return STATUS_KDFMEM;
	for (size_t i = 0; i < LOCKED_LEN; i++)
		work->record[LOCKED + i] ^= stream[i];
	sodium_memzero(stream, sizeof stream);
	return STATUS_OK;
}

static bool checksum_fits(const uint8_t record[static MINISIGN_RECORD])
{
	crypto_generichash_state state;
	uint8_t sum[CHECKSUM_LEN];
	bool fits;

	crypto_generichash_init(&state, NULL, 0, sizeof sum);
	crypto_generichash_update(&state, record + SIGNATURE_KIND, 2);
	crypto_generichash_update(&state, record + KEY_ID, CHECKSUM - KEY_ID);
	crypto_generichash_final(&state, sum, sizeof sum);
	fits = !sodium_memcmp(sum, record + CHECKSUM, sizeof sum);
	sodium_memzero(&state, sizeof state);
	sodium_memzero(sum, sizeof sum);
	return fits;
}

/* Does the public half belong to the seed?  To sign with another one gives the
 * secret away. */
static bool halves_fit(const struct minisign_secret *secret)
{
	uint8_t public_key[32], secret_key[64];
	bool fit;

	crypto_sign_seed_keypair(public_key, secret_key, secret->secret_key);
	fit = !sodium_memcmp(secret_key, secret->secret_key, sizeof secret_key);
	sodium_memzero(secret_key, sizeof secret_key);
	return fit;
}

static int open_record(struct minisign_secret *work, minisign_ask *ask, void *context)
{
	const uint8_t *record = work->record;
	int status;

	if (is_kind(record + STRETCH_KIND, "Sc")) {
		status = unlock(work, ask, context);
		if (status)
			return status;
		if (!checksum_fits(record))
			return STATUS_NOKEY;
	} else if (!is_kind(record + STRETCH_KIND, "\0") ||
	           /* -G -W leaves it out, -C -W has it */
	           !(sodium_is_zero(record + CHECKSUM, CHECKSUM_LEN) || checksum_fits(record))) {
		return STATUS_KEYFILE;
	}
	memcpy(work->key_id, record + KEY_ID, sizeof work->key_id);
	memcpy(work->secret_key, record + SECRET_KEY, sizeof work->secret_key);
	memcpy(work->public_key, work->secret_key + 32, sizeof work->public_key);
	return halves_fit(work) ? STATUS_OK : STATUS_KEYFILE;
}

int minisign_secret_read(struct minisign_secret *out, const char *path, minisign_ask *ask,
                         void *context)
{
	int status = read_text(out->text, path);

	if (status == STATUS_OK)
		status = decode_text(out->record, out->text);
	if (status == STATUS_OK)
		status = open_record(out, ask, context);
	sodium_memzero(out->password, sizeof out->password);
	sodium_memzero(out->record, sizeof out->record);
	sodium_memzero(out->text, sizeof out->text);
	if (status)
		sodium_memzero(out, sizeof *out);
	return status;
}

void minisign_sign_root(uint8_t signature[static FORMAT_SIGNATURE],
                        const uint8_t content_part[static FORMAT_CONTENT_PART],
                        const struct minisign_secret *secret)
{
	uint8_t message[KDF_SIGNED];

	kdf_signed(message, content_part, FORMAT_CONTENT_PART);
	crypto_sign_detached(signature, NULL, message, sizeof message, secret->secret_key);
}
