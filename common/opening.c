#include "common/opening.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"

void opening_init(struct opening *opening)
{
	*opening = (struct opening){.passphrase_fd = -1};
}

bool opening_number(uint64_t *number, const char *text, uint64_t max)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || value > max / 10 || value * 10 > max - digit)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

/* It is open now, before there are any of our own. */
static bool take_descriptor(int *fd, const char *text)
{
	uint64_t value;

	if (!opening_number(&value, text, INT_MAX) || fcntl((int)value, F_GETFD) < 0)
		return false;
	*fd = (int)value;
	return true;
}

static bool append(const char **list, unsigned *count, unsigned room, const char *text)
{
	if (*count == room)
		return false;
	list[(*count)++] = text;
	return true;
}

bool opening_take(struct opening *o, int code, const char *argument)
{
	switch (code) {
	case OPENING_PASSPHRASE_FILE: o->passphrase_file = argument; return true;
	case OPENING_PASSPHRASE_FD: return take_descriptor(&o->passphrase_fd, argument);
	case OPENING_ASK_PASSPHRASE: o->ask_passphrase = true; return true;
	case OPENING_KEY_FILE: o->key_file = argument; return true;
	case OPENING_IDENTITY:
		return append(o->identity, &o->identity_count, HEADER_MAX_IDENTITIES, argument);
	case OPENING_VOLUME:
		return append(o->volume, &o->volume_count, FORMAT_MAX_VOLUMES, argument);
	case OPENING_LENGTH: return opening_number(&o->length, argument, FORMAT_MAX_FILE);
	case OPENING_PUBLISHER: o->publisher.only = argument; return true;
	case OPENING_ANY_PUBLISHER: o->publisher.any = true; return true;
	case OPENING_MIN_EDITION:
		return opening_number(&o->publisher.min_edition, argument, INT64_MAX);
	case OPENING_ALLOW_UNLOCKED: o->allow_unlocked = true; return true;
	default: return false;
	}
}

const char *opening_flaw(const struct opening *o, const char **which)
{
	*which = NULL;
	if (!!o->passphrase_file + (o->passphrase_fd >= 0) + o->ask_passphrase > 1)
		return "one passphrase is enough";
	*which = "--publisher, --any-publisher";
	return o->publisher.only && o->publisher.any ? "not together" : NULL;
}

unsigned opening_files(const struct opening *o, const char *file[static OPENING_FILES])
{
	const char *const one[] = {o->passphrase_file, o->key_file, o->publisher.only};
	unsigned count = 0;

	for (size_t i = 0; i < sizeof one / sizeof *one; i++)
		if (one[i])
			file[count++] = one[i];
	for (unsigned i = 0; i < o->identity_count; i++)
		file[count++] = o->identity[i];
	return count;
}

int opening_arena(struct arena **arena, const struct opening *o, size_t len)
{
	int status = arena_new(arena, len, o->allow_unlocked);

	if (status == STATUS_UNLOCKED) {
		diag_error(NULL,
		           "memory cannot be locked, so plaintext might reach the disk; raise the "
		           "limit (ulimit -l) or give --allow-unlocked");
		return EXIT_FAILED;
	}
	if (status)
		return diag_status(NULL, status);
	diag_use(*arena);
	if (!arena_locked(*arena))
		diag_warn(NULL, "memory is not locked: plaintext might reach the disk");
	return 0;
}
