#include "common/keyring.h"

#include <errno.h>
#include <string.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/opening.h"
#include "common/passphrase.h"
#include "common/status.h"

struct keyring {
	struct header_keys keys;
	struct passphrase passphrase;
	uint8_t key_file[KDF_KEYBYTES];
	uint8_t identity[HEADER_MAX_IDENTITIES][KDF_KEYBYTES];
	struct header_secrets room;
};

size_t keyring_size(void)
{
	return sizeof(struct keyring);
}

static int read_passphrase(struct keyring *k, const struct opening *o)
{
	int status;

	if (o->passphrase_file)
		status = passphrase_read_file(&k->passphrase, o->passphrase_file);
	else if (o->passphrase_fd >= 0)
		status = passphrase_read_fd(&k->passphrase, o->passphrase_fd);
	else if (o->ask_passphrase || (!o->key_file && !o->identity_count))
		status = passphrase_ask(&k->passphrase, "passphrase: ", false);
	else
		return 0;
	if (status == STATUS_IO && errno == ENXIO) {
		diag_error(NULL, "no terminal to ask for the passphrase: give --passphrase-file, "
		                 "--key-file or --identity");
		return EXIT_USAGE;
	}
	if (status)
		return diag_status(o->passphrase_file ? o->passphrase_file : "passphrase", status);
	k->keys.passphrase = &k->passphrase;
	return 0;
}

static int read_identities(struct keyring *k, const struct opening *o)
{
	for (unsigned i = 0; i < o->identity_count; i++) {
		unsigned have = k->keys.identity_count, count = 0;
		int status = identity_read_file(k->identity + have, HEADER_MAX_IDENTITIES - have,
		                                &count, o->identity[i]);

		if (status)
			return diag_status(o->identity[i], status);
		k->keys.identity_count += count;
	}
	k->keys.identity = (const uint8_t(*)[KDF_KEYBYTES])k->identity;
	return 0;
}

static int read_key_file(struct keyring *k, const struct opening *o)
{
	int status;

	if (!o->key_file)
		return 0;
	status = kdf_key_file(o->key_file, k->key_file);
	if (status)
		return diag_status(o->key_file, status);
	k->keys.key_file = k->key_file;
	return 0;
}

int keyring_read(struct keyring **keyring, struct arena *arena, const struct opening *opening)
{
	struct keyring *k = arena_alloc(arena, sizeof *k);
	int code;

	if (!k)
		return diag_status(NULL, STATUS_NOMEM);
	*keyring = k;
	k->keys.room = &k->room;
	code = read_key_file(k, opening);
	if (code == 0)
		code = read_identities(k, opening);
	return code ? code : read_passphrase(k, opening);
}

const struct header_keys *keyring_keys(const struct keyring *keyring)
{
	return &keyring->keys;
}

void keyring_wipe(struct keyring *keyring)
{
	explicit_bzero(keyring, sizeof *keyring);
}
