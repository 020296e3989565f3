#include "bundler/recipient.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bundler/field.h"
#include "common/identity.h"
#include "common/status.h"

enum { LINE = 128 }; /* longer than any key */

/* Could an identity have this key?  Its coordinate is below p, because readers
 * bind what they compute, not what we were told; and no secret with it is zero. */
static bool is_usable(const uint8_t key[static RECIPIENT_BYTES])
{
	static const uint8_t any_scalar[32];
	uint8_t canonical[RECIPIENT_BYTES], secret[32];
	struct field u;

	field_load(&u, key);
	field_store(canonical, &u);
	return !memcmp(key, canonical, RECIPIENT_BYTES) &&
	       !crypto_scalarmult(secret, any_scalar, key);
}

static int parse(uint8_t out[static RECIPIENT_BYTES], const char *text, size_t len)
{
	uint8_t key[RECIPIENT_BYTES];

	if (identity_decode(key, text, len, IDENTITY_RECIPIENT_PREFIX) || !is_usable(key))
		return STATUS_KEYFILE;
	memcpy(out, key, RECIPIENT_BYTES);
	return STATUS_OK;
}

int recipient_parse(uint8_t out[static RECIPIENT_BYTES], const char *text)
{
	return parse(out, text, strlen(text));
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line without blanks at its ends; of one that is too long what fits, and
 * of a comment nothing.  false: there is none. */
static bool next_line(FILE *f, char line[static LINE], size_t *len)
{
	bool comment = false;
	int c = getc(f);

	*len = 0;
	if (c == EOF)
		return false;
	for (; c != '\n' && c != EOF && *len < LINE; c = getc(f)) {
		comment = comment || (*len == 0 && c == '#');
		if (!comment && (*len || !is_blank(c)))
			line[(*len)++] = (char)c;
	}
	while (*len && *len < LINE && is_blank(line[*len - 1]))
		(*len)--;
	return true;
}

int recipient_read_file(uint8_t (*out)[RECIPIENT_BYTES], unsigned room, unsigned *count,
                        unsigned *line, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[LINE];
	unsigned found = 0;
	int status = STATUS_OK;
	size_t len;

	*line = 0;
	if (!f)
		return STATUS_IO;
	while (status == STATUS_OK && next_line(f, text, &len)) {
		++*line;
		if (len == 0)
			continue;
		if (found < room)
			status = parse(out[found++], text, len);
		else
			status = STATUS_TOOBIG;
	}
	if (ferror(f))
		status = STATUS_IO;
	else if (status == STATUS_OK && found == 0) {
		status = STATUS_KEYFILE;
		*line = 0;
	}
	if (status == STATUS_OK)
		*count = found;
	fclose(f);
	return status;
}
