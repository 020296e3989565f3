#include "common/header.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/bytes.h"
#include "common/passphrase.h"
#include "common/source.h"
#include "common/status.h"

enum { TAG = 32, ALL_KINDS = HEADER_PASSPHRASE | HEADER_KEY_FILE | HEADER_PUBLIC_KEY };

void header_kek(uint8_t kek[static KDF_KEYBYTES], const uint8_t head[static FORMAT_SLOT_OFFSET],
                const struct header_secrets *secrets)
{
	static const char label[] = "satchel kek 1"; /* with its NUL */
	const uint8_t kinds = (uint8_t)secrets->kinds;
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, KDF_KEYBYTES);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof(label));
	crypto_generichash_update(&state, &kinds, 1);
	crypto_generichash_update(&state, head, FORMAT_SLOT_OFFSET);
	if (kinds & HEADER_PASSPHRASE)
		crypto_generichash_update(&state, secrets->stretched, KDF_KEYBYTES);
	if (kinds & HEADER_KEY_FILE)
		crypto_generichash_update(&state, secrets->key_file, KDF_KEYBYTES);
	if (kinds & HEADER_PUBLIC_KEY) {
		crypto_generichash_update(&state, secrets->shared, KDF_KEYBYTES);
		crypto_generichash_update(&state, secrets->recipient, KDF_KEYBYTES);
	}
	if (kinds & HEADER_SIBLING)
		crypto_generichash_update(&state, secrets->ck, KDF_KEYBYTES);
	crypto_generichash_final(&state, kek, KDF_KEYBYTES);
	sodium_memzero(&state, sizeof(state));
	sodium_stackzero(KDF_STACK);
}

static void slot_tag(uint8_t tag[static TAG], const uint8_t key[static KDF_KEYBYTES],
                     const uint8_t head[static FORMAT_SLOT_OFFSET], unsigned index,
                     const uint8_t ciphertext[static FORMAT_SLOT_CONTENTS])
{
	const uint8_t number = (uint8_t)index;
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, KDF_KEYBYTES, TAG);
	crypto_generichash_update(&state, head, FORMAT_SLOT_OFFSET);
	crypto_generichash_update(&state, &number, 1);
	crypto_generichash_update(&state, ciphertext, FORMAT_SLOT_CONTENTS);
	crypto_generichash_final(&state, tag, TAG);
	sodium_memzero(&state, sizeof(state));
	sodium_stackzero(KDF_STACK);
}

/* Encrypts and decrypts. */
static void slot_crypt(uint8_t out[static FORMAT_SLOT_CONTENTS],
                       const uint8_t in[static FORMAT_SLOT_CONTENTS], unsigned index,
                       const uint8_t kek[static KDF_KEYBYTES])
{
	uint8_t key[KDF_KEYBYTES], nonce[crypto_stream_xchacha20_NONCEBYTES] = {(uint8_t)index};

	kdf_derive(key, kek, "satchel slot encryption 1", NULL, 0);
	crypto_stream_xchacha20_xor(out, in, FORMAT_SLOT_CONTENTS, nonce, key);
	sodium_memzero(key, sizeof(key));
	sodium_stackzero(KDF_STACK); /* libsodium leaves the key that it makes of this one */
}

void header_seal_slot(uint8_t slot[static FORMAT_SLOT],
                      const uint8_t head[static FORMAT_SLOT_OFFSET], unsigned index,
                      const uint8_t kek[static KDF_KEYBYTES],
                      const uint8_t contents[static FORMAT_SLOT_CONTENTS])
{
	uint8_t key[KDF_KEYBYTES];

	slot_crypt(slot, contents, index, kek);
	kdf_derive(key, kek, "satchel slot tag 1", NULL, 0);
	slot_tag(slot + FORMAT_SLOT_CONTENTS, key, head, index, slot);
	sodium_memzero(key, sizeof(key));
}

/* Which slot has the tag of this KEK, or -1.  Constant time: all are tried, and
 * the number is picked by masks. */
static int find_slot(const uint8_t header[static FORMAT_HEADER],
                     const uint8_t kek[static KDF_KEYBYTES])
{
	uint8_t key[KDF_KEYBYTES], tag[TAG];
	int found = -1;

	kdf_derive(key, kek, "satchel slot tag 1", NULL, 0);
	for (int i = 0; i < FORMAT_SLOTS; i++) {
		const uint8_t *slot = header + FORMAT_SLOT_OFFSET + i * FORMAT_SLOT;
		int differs; /* 0, or -1: all bits */

		slot_tag(tag, key, header, (unsigned)i, slot);
		differs = sodium_memcmp(tag, slot + FORMAT_SLOT_CONTENTS, TAG);
		found = (found & differs) | (i & ~differs);
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(tag, sizeof(tag));
	return found;
}

/* STATUS_NOKEY, or what the contents of the slot say. */
static int try_secrets(struct format_slot *slot, const uint8_t header[static FORMAT_HEADER],
                       const struct header_secrets *secrets)
{
	uint8_t kek[KDF_KEYBYTES], contents[FORMAT_SLOT_CONTENTS];
	int found, status = STATUS_NOKEY;

	header_kek(kek, header, secrets);
	found = find_slot(header, kek);
	if (found >= 0) {
		slot_crypt(contents, header + FORMAT_SLOT_OFFSET + found * FORMAT_SLOT,
		           (unsigned)found, kek);
		status = format_slot_decode(slot, contents);
	}
	sodium_memzero(kek, sizeof(kek));
	sodium_memzero(contents, sizeof(contents));
	return status;
}

/* The secret shared with whoever made E, and our own recipient. */
static bool share_secret(struct header_secrets *secrets,
                         const uint8_t identity[static KDF_KEYBYTES], const uint8_t e[static 32])
{
	uint8_t point[crypto_core_ed25519_BYTES], u[crypto_scalarmult_BYTES];

	return crypto_core_ed25519_from_uniform(point, e) == 0 &&
	       crypto_sign_ed25519_pk_to_curve25519(u, point) == 0 &&
	       crypto_scalarmult(secrets->shared, identity, u) == 0 &&
	       crypto_scalarmult_base(secrets->recipient, identity) == 0;
}

/* Every combination of what is given, whoever fits first: the time taken shall
 * not tell.  Where several fit, the last counts, which wants the most: who gives
 * a key file beside a passphrase means what both open.
 * stretched: false where there is no stretched passphrase.  rest: those without
 * a passphrase too. */
static int try_combinations(struct format_slot *slot, const uint8_t header[static FORMAT_HEADER],
                            struct header_secrets *secrets, const struct header_keys *keys,
                            bool stretched, bool rest)
{
	struct format_slot found;
	int status = STATUS_NOKEY;

	for (unsigned kinds = 1; kinds <= ALL_KINDS; kinds++) {
		bool shares = kinds & HEADER_PUBLIC_KEY;
		unsigned tries = shares ? keys->identity_count : 1;

		if (!(kinds & HEADER_PASSPHRASE ? stretched : rest) ||
		    (kinds & HEADER_KEY_FILE && !keys->key_file))
			continue;
		secrets->kinds = kinds;
		for (unsigned i = 0; i < tries; i++) {
			int one;

			if (shares &&
			    !share_secret(secrets, keys->identity[i], header + FORMAT_SALT))
				continue;
			one = try_secrets(&found, header, secrets);
			if (one == STATUS_NOKEY)
				continue;
			status = one;
			*slot = found;
		}
	}
	sodium_memzero(&found, sizeof(found));
	return status;
}

static int try_profile(struct format_slot *slot, const uint8_t header[static FORMAT_HEADER],
                       struct header_secrets *secrets, const struct header_keys *keys,
                       enum kdf_profile profile)
{
	int status, stretch = STATUS_OK;

	if (keys->passphrase)
		stretch = kdf_stretch(keys->passphrase->text, keys->passphrase->len, header,
		                      profile, secrets->stretched);
	status = try_combinations(slot, header, secrets, keys,
	                          keys->passphrase && stretch == STATUS_OK, profile == KDF_LOW);
	return status == STATUS_NOKEY ? (stretch ? stretch : STATUS_NOKEY) : status;
}

/* Header A or B, with zeros for what cannot be read: the work shall be the same,
 * and a slot whose bytes are all there opens.  False: the medium is to blame. */
static bool read_header(uint8_t header[static FORMAT_HEADER], const struct source *source,
                        uint64_t length, enum header_copy copy)
{
	uint64_t len = length ? length : source_len(source);
	uint64_t off = copy == HEADER_A || len < FORMAT_HEADER ? 0 : len - FORMAT_HEADER;

	if (source_read_at(source, header, FORMAT_HEADER, off) == STATUS_OK)
		return true;
	memset(header, 0, FORMAT_HEADER);
	return !range_within(off, FORMAT_HEADER, source_len(source)) ||
	       source_salvage(source, header, FORMAT_HEADER, off) == STATUS_OK;
}

/* With the profiles from first to last; *profile: the one that opened it. */
static int open_copy(struct format_slot *slot, enum kdf_profile *profile,
                     const struct source *source, uint64_t length, enum header_copy copy,
                     const struct header_keys *keys, enum kdf_profile first, enum kdf_profile last)
{
	uint8_t header[FORMAT_HEADER];
	struct header_secrets own = {0}, *secrets = keys->room ? keys->room : &own;
	int status = STATUS_NOKEY, error = 0;

	sodium_memzero(secrets, sizeof(*secrets));
	if (keys->key_file)
		memcpy(secrets->key_file, keys->key_file, KDF_KEYBYTES);
	if (!read_header(header, source, length, copy))
		error = errno;
	for (*profile = first;; ++*profile) {
		int one = try_profile(slot, header, secrets, keys, *profile);

		if (one != STATUS_NOKEY) /* perhaps for want of memory */
			status = one;
		if ((one != STATUS_NOKEY && one != STATUS_KDFMEM) || *profile == last)
			break;
	}
	if (status == STATUS_NOKEY && error)
		status = STATUS_IO;
	if (status)
		sodium_memzero(slot, sizeof(*slot));
	sodium_memzero(secrets, sizeof(*secrets));
	if (error)
		errno = error;
	return status;
}

int header_open_copy(struct format_slot *slot, const struct source *source, uint64_t length,
                     enum header_copy copy, const struct header_keys *keys,
                     enum kdf_profile profile)
{
	return open_copy(slot, &profile, source, length, copy, keys, profile, profile);
}

int header_open(struct format_slot *slot, enum header_copy *copy, enum kdf_profile *profile,
                const struct source *source, uint64_t length, const struct header_keys *keys)
{
	int a, b;

	*copy = HEADER_A;
	a = open_copy(slot, profile, source, length, HEADER_A, keys, KDF_LOW, KDF_STANDARD);
	if (a != STATUS_NOKEY && a != STATUS_KDFMEM && a != STATUS_IO)
		return a;
	*copy = HEADER_B;
	b = open_copy(slot, profile, source, length, HEADER_B, keys, KDF_LOW, KDF_STANDARD);
	if (b == STATUS_IO || (b == STATUS_NOKEY && a == STATUS_KDFMEM))
		return a;
	return b;
}

int header_open_sibling_copy(struct format_slot *slot, const struct source *source, uint64_t length,
                             enum header_copy copy, const uint8_t ck[static FORMAT_KEY])
{
	uint8_t header[FORMAT_HEADER];
	struct header_secrets secrets = {.kinds = HEADER_SIBLING};
	int status;

	memcpy(secrets.ck, ck, FORMAT_KEY);
	read_header(header, source, length, copy);
	status = try_secrets(slot, header, &secrets);
	if (status == STATUS_OK && sodium_memcmp(slot->ck, ck, FORMAT_KEY))
		status = STATUS_INVALID;
	if (status)
		sodium_memzero(slot, sizeof(*slot));
	sodium_memzero(&secrets, sizeof(secrets));
	return status;
}

int header_open_sibling(struct format_slot *slot, enum header_copy *copy,
                        const struct source *source, uint64_t length,
                        const uint8_t ck[static FORMAT_KEY])
{
	int status;

	*copy = HEADER_A;
	status = header_open_sibling_copy(slot, source, length, HEADER_A, ck);
	if (status != STATUS_NOKEY)
		return status;
	*copy = HEADER_B;
	return header_open_sibling_copy(slot, source, length, HEADER_B, ck);
}
