/* Headers of all sorts, and keys of all sorts in front of them: slots for every
 * combination of secrets, with contents of all kinds, in files that end anywhere.
 * What opens is what was sealed for those keys, and what was is found.
 *
 *   1 byte     which keys there are: bit 0 a passphrase, 1 a key file; 2, 3 how
 *              many identities
 *   1          memory for them: for no profile, for the low one, for both
 *   2, 2, 2    halves of: the file's length; where header B lies; the length that
 *              the user gives, or 0
 *   32         E of header A; that of B is another
 *   100 each   slots: bit 0 which header, 1 to 4 the kinds of secrets, 5 the profile;
 *              the slot's number; which identity; nothing; the contents */
#include <sodium.h>

#include "common/bytes.h"
#include "common/header.h"
#include "common/passphrase.h"
#include "common/source.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

enum {
	FRONT = 8 + 32,
	SLOT = 4 + FORMAT_SLOT_CONTENTS,
	SLOTS = 6,
	IDENTITIES = 3,
	FILE_ROOM = 2 * 65536,
};

static const uint8_t key_file[KDF_KEYBYTES] = "thirty-two bytes that all know.";
static const uint8_t identity[IDENTITIES][KDF_KEYBYTES] = {"one", "two", "three"};
static const struct passphrase passphrase = {"a passphrase", 12};
static const uint8_t ck[FORMAT_KEY] = "of a volume that is open";

struct input {
	unsigned given, identities;
	size_t memory;
	size_t file_len, b_off;
	uint64_t length;
	const uint8_t *e, *slot;
	unsigned slots;
};

static bool take_input(struct input *in, const uint8_t *data, size_t len)
{
	static const size_t memory[] = {0, 64 << 20, SIZE_MAX};

	if (len < FRONT)
		return false;
	in->given = data[0] & 3;
	in->identities = data[0] >> 2 & 3;
	in->given |= in->identities ? HEADER_PUBLIC_KEY : 0;
	in->memory = memory[data[1] % 3];
	in->file_len = 2 * (size_t)load_le16(data + 2);
	in->b_off = 2 * (size_t)load_le16(data + 4);
	in->length = 2 * (uint64_t)load_le16(data + 6);
	in->e = data + 8;
	in->slot = data + FRONT;
	in->slots = (unsigned)min_u64((len - FRONT) / SLOT, SLOTS);
	return true;
}

/* --- the file --------------------------------------------------------------------- */

static unsigned slot_kinds(const uint8_t *slot)
{
	return slot[0] >> 1 & 15;
}

/* The other half of a secret that is shared.  Not every E has one. */
static bool find_other_half(uint8_t u[static crypto_scalarmult_BYTES], const uint8_t *e)
{
	uint8_t point[crypto_core_ed25519_BYTES];

	return !crypto_core_ed25519_from_uniform(point, e) &&
	       !crypto_sign_ed25519_pk_to_curve25519(u, point);
}

/* How the packer does it, but for E, which is chosen here and not made. */
static void make_secrets(struct header_secrets *secrets, const uint8_t *header, const uint8_t *slot)
{
	const uint8_t *mine = identity[slot[2] % IDENTITIES];
	uint8_t u[crypto_scalarmult_BYTES];

	memset(secrets, 0, sizeof *secrets);
	secrets->kinds = slot_kinds(slot);
	memcpy(secrets->key_file, key_file, sizeof key_file);
	memcpy(secrets->ck, ck, sizeof ck);
	kdf_stretch(passphrase.text, passphrase.len, header, slot[0] >> 5 & 1, secrets->stretched);
	if (find_other_half(u, header + FORMAT_SALT)) {
		MUST(!crypto_scalarmult(secrets->shared, mine, u));
		MUST(!crypto_scalarmult_base(secrets->recipient, mine));
	}
}

static void lay_out(uint8_t file[static FILE_ROOM + FORMAT_HEADER], const struct input *in)
{
	struct header_secrets secrets;
	uint8_t kek[KDF_KEYBYTES];

	memset(file, 0, FILE_ROOM + FORMAT_HEADER);
	memcpy(file + FORMAT_SALT, in->e, 32);
	memcpy(file + in->b_off + FORMAT_SALT, in->e, 32);
	file[in->b_off + FORMAT_SALT] ^= 1;
	for (unsigned i = 0; i < in->slots; i++) {
		const uint8_t *slot = in->slot + i * SLOT;
		uint8_t *header = file + (slot[0] & 1 ? in->b_off : 0);
		unsigned number = slot[1] % FORMAT_SLOTS;

		make_secrets(&secrets, header, slot);
		header_kek(kek, header, &secrets);
		header_seal_slot(header + FORMAT_SLOT_OFFSET + number * FORMAT_SLOT, header, number,
		                 kek, slot + 4);
	}
}

/* --- what must come of it ----------------------------------------------------------- */

/* Was the slot sealed for keys that there are, in a header that is looked at? */
static bool fits(const struct input *in, const uint8_t *slot, unsigned given, bool copy_b)
{
	unsigned kinds = slot_kinds(slot);
	bool low = !(slot[0] >> 5 & 1);
	uint8_t u[crypto_scalarmult_BYTES], e[32];

	if ((slot[0] & 1) != copy_b || !kinds || kinds & ~given)
		return false;
	if (kinds & HEADER_PASSPHRASE && in->memory < (low ? 64u << 20 : 256u << 20))
		return false;
	memcpy(e, in->e, sizeof e);
	e[0] ^= copy_b;
	return !(kinds & HEADER_PUBLIC_KEY) ||
	       (slot[2] % IDENTITIES < in->identities && find_other_half(u, e));
}

/* Not written over by one behind it. */
static bool stands(const struct input *in, unsigned i)
{
	const uint8_t *slot = in->slot + i * SLOT;

	for (unsigned j = i + 1; j < in->slots; j++) {
		const uint8_t *other = in->slot + j * SLOT;

		if ((slot[0] & 1) == (other[0] & 1) &&
		    slot[1] % FORMAT_SLOTS == other[1] % FORMAT_SLOTS)
			return false;
	}
	return true;
}

/* Is there a slot that fits?  Does one of those say this? */
static bool expected(const struct input *in, unsigned given, bool copy_b,
                     const struct format_slot *says)
{
	uint8_t contents[FORMAT_SLOT_CONTENTS];

	if (says)
		format_slot_encode(contents, says);
	for (unsigned i = 0; i < in->slots; i++) {
		const uint8_t *slot = in->slot + i * SLOT;

		if (stands(in, i) && fits(in, slot, given, copy_b) &&
		    (!says || !memcmp(contents, slot + 4, sizeof contents)))
			return true;
	}
	return false;
}

static void judge(const struct input *in, unsigned given, bool copy_b, int status,
                  const struct format_slot *slot)
{
	static const struct format_slot none;
	uint64_t end = in->length ? in->length : in->file_len;
	bool apart = in->b_off >= FORMAT_HEADER, whole;

	if (copy_b)
		whole = end == in->b_off + FORMAT_HEADER && end <= in->file_len;
	else
		whole = in->file_len >= FORMAT_HEADER;
	if (status)
		MUST(!memcmp(slot, &none, sizeof none));
	if (!apart || (copy_b && end >= FORMAT_HEADER && end < 2 * FORMAT_HEADER))
		return;
	if (status == STATUS_NOKEY || status == STATUS_KDFMEM)
		MUST(!whole || !expected(in, given, copy_b, NULL));
	else if (status == STATUS_OK)
		MUST(whole && expected(in, given, copy_b, slot));
	else
		MUST(whole && expected(in, given, copy_b, NULL));
}

static void open_it(const struct input *in, const struct source *source)
{
	const struct header_keys keys = {
		.passphrase = in->given & HEADER_PASSPHRASE ? &passphrase : NULL,
		.key_file = in->given & HEADER_KEY_FILE ? key_file : NULL,
		.identity = identity,
		.identity_count = in->identities,
	};
	struct format_slot slot, again;
	enum header_copy copy;
	enum kdf_profile profile;
	int status, one;

	status = header_open(&slot, &copy, &profile, source, in->length, &keys);
	judge(in, in->given, copy == HEADER_B, status, &slot);
	fuzz_good += !status;
	one = header_open_copy(&again, source, in->length, copy, &keys, profile);
	judge(in, in->given, copy == HEADER_B, one, &again);
	MUST(status == STATUS_KDFMEM || one == status);

	status = header_open_sibling(&slot, &copy, source, in->length, ck);
	if (status == STATUS_OK)
		MUST(!memcmp(slot.ck, ck, sizeof ck));
	else if (status != STATUS_INVALID)
		judge(in, HEADER_SIBLING, copy == HEADER_B, status, &slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t file[FILE_ROOM + FORMAT_HEADER];
	struct source *source = NULL;
	struct input in;

	MUST(sodium_init() >= 0);
	if (!take_input(&in, data, len))
		return 0;
	lay_out(file, &in);
	door_memory = in.memory;
	MUST(!source_open_memory(&source, file, in.file_len));
	open_it(&in, source);
	source_close(source);
	door_memory = SIZE_MAX;
	return 0;
}
