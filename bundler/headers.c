#include "bundler/headers.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/write.h"
#include "common/passphrase.h"
#include "common/progress.h"
#include "common/status.h"

static bool has_sibling(const struct headers_compartment *compartment)
{
	return compartment->slot->volume_count > 1;
}

static unsigned count_slots(const struct headers_compartment *compartment, unsigned count)
{
	unsigned total = 0;

	for (unsigned i = 0; i < count; i++)
		total += compartment[i].opener_count + has_sibling(&compartment[i]);
	return total;
}

static void shuffle(uint8_t order[static FORMAT_SLOTS])
{
	for (unsigned i = 0; i < FORMAT_SLOTS; i++) {
		unsigned other = randombytes_uniform(i + 1);

		order[i] = order[other];
		order[other] = (uint8_t)i;
	}
}

static bool has_recipient(const struct headers_compartment *compartment, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < compartment[i].opener_count; j++)
			if (compartment[i].opener[j].recipient)
				return true;
	return false;
}

/* Its secrets, as a reader with this header will have them. */
static int gather(struct headers_room *room, const struct opener *opener,
                  const uint8_t head[static FORMAT_SLOT_OFFSET], enum kdf_profile profile)
{
	struct header_secrets *secrets = &room->secrets;

	secrets->kinds = 0;
	if (opener->recipient) {
		secrets->kinds |= HEADER_PUBLIC_KEY;
		memcpy(secrets->recipient, opener->recipient, KDF_KEYBYTES);
		if (uniform_share(secrets->shared, room->scalar, opener->recipient))
			return STATUS_KEYFILE;
	}
	if (opener->key_file) {
		secrets->kinds |= HEADER_KEY_FILE;
		memcpy(secrets->key_file, opener->key_file, KDF_KEYBYTES);
	}
	if (opener->passphrase) {
		secrets->kinds |= HEADER_PASSPHRASE;
		return kdf_stretch(opener->passphrase->text, opener->passphrase->len, head, profile,
		                   secrets->stretched);
	}
	return secrets->kinds ? STATUS_OK : STATUS_INVALID;
}

static void seal(uint8_t *header, unsigned index, struct headers_room *room)
{
	header_kek(room->kek, header, &room->secrets);
	header_seal_slot(header + FORMAT_SLOT_OFFSET + (size_t)index * FORMAT_SLOT, header, index,
	                 room->kek, room->contents);
}

static void seal_sibling(uint8_t *header, unsigned index,
                         const struct headers_compartment *compartment, struct headers_room *room)
{
	room->secrets.kinds = HEADER_SIBLING;
	memcpy(room->secrets.ck, compartment->slot->ck, FORMAT_KEY);
	seal(header, index, room);
}

/* *order: the slots that are left, in the order in which they are taken. */
static int make_slots(uint8_t *header, const struct headers_compartment *compartment,
                      const uint8_t **order, enum kdf_profile profile, struct headers_room *room,
                      struct progress *progress)
{
	format_slot_encode(room->contents, compartment->slot);
	for (unsigned i = 0; i < compartment->opener_count; i++) {
		const struct opener *opener = &compartment->opener[i];
		/* Each may take a second or more. */
		int status =
			cancel_asked() ? STATUS_CANCELLED : gather(room, opener, header, profile);

		if (status)
			return status;
		seal(header, *(*order)++, room);
		if (opener->passphrase)
			progress_step(progress);
	}
	if (has_sibling(compartment))
		seal_sibling(header, *(*order)++, compartment, room);
	return STATUS_OK;
}

int headers_make(uint8_t header[static FORMAT_HEADER],
                 const struct headers_compartment *compartment, unsigned count,
                 enum kdf_profile profile, struct headers_room *room, struct progress *progress)
{
	uint8_t order[FORMAT_SLOTS] = {0};
	const uint8_t *next = order;
	int status = STATUS_OK;

	if (count_slots(compartment, count) > FORMAT_SLOTS)
		return STATUS_TOOBIG;
	randombytes_buf(header, FORMAT_HEADER);
	shuffle(order);
	if (has_recipient(compartment, count))
		status = uniform_ephemeral(header + FORMAT_SALT, room->scalar);
	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = make_slots(header, &compartment[i], &next, profile, room, progress);
	sodium_memzero(room, sizeof(*room));
	sodium_memzero(order, sizeof(order));
	return status;
}
