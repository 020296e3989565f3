#include "reader/safename.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/path.h"

enum {
	LONG = 143, /* some file systems have no longer ones */
	STEM = 100,
	EXTENSION = 16,
	DIGITS = 8,
};

_Static_assert(1 + STEM + 1 + DIGITS + EXTENSION < SAFENAME_ROOM, "they fit, and are not long");

static bool is_bad_byte(char c)
{
	return (uint8_t)c < 0x20 || c == 0x7f || strchr("\\:*?\"<>|", c);
}

/* Of the file systems of Windows, as they are mounted: these name devices, whatever
 * extension they have. */
static bool is_device(const char *name)
{
	static const char *const devices[] = {"con", "prn", "aux", "nul"};
	size_t len = strcspn(name, ". ");

	for (size_t i = 0; len == 3 && i < sizeof devices / sizeof *devices; i++)
		if (!strncasecmp(name, devices[i], len))
			return true;
	return len == 4 && strchr("0123456789", name[3]) &&
	       (!strncasecmp(name, "com", 3) || !strncasecmp(name, "lpt", 3));
}

/* Of these they take no end. */
static bool is_bad_end(char c)
{
	return c == '.' || c == ' ';
}

bool safename_may_be_needed(const char *name, size_t len)
{
	if (len > LONG || !path_is_utf8(name, len) || is_device(name) ||
	    (len && is_bad_end(name[len - 1])))
		return true;
	for (size_t i = 0; i < len; i++)
		if (is_bad_byte(name[i]))
			return true;
	return false;
}

/* Bytes of the character that name begins with; 0: none does. */
static size_t character(const char *name, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (path_is_utf8(name, n))
			return n;
	return 0;
}

/* What of it every file system takes, at most room bytes. */
static size_t clean(char *out, size_t room, const char *name, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		size_t n = character(name + i, len - i), took = n ? n : 1;

		if (used + took > room)
			break;
		memcpy(out + used, name + i, took);
		if (n == 0 || is_bad_byte(name[i]))
			out[used] = '_';
		used += took;
		i += took;
	}
	return used;
}

void safename_make(char out[static SAFENAME_ROOM], const char *name)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	const char *dot = strrchr(name, '.');
	size_t len = strlen(name), stem, used = 0;

	if (!dot || dot == name || name + len - dot > EXTENSION)
		dot = name + len;
	stem = (size_t)(dot - name);
	crypto_generichash(hash, sizeof hash, (const uint8_t *)name, len, NULL, 0);
	if (is_device(name))
		out[used++] = '_';
	used += clean(out + used, STEM, name, stem);
	out[used++] = '-';
	sodium_bin2hex(out + used, DIGITS + 1, hash, DIGITS / 2);
	used += DIGITS;
	used += clean(out + used, EXTENSION, dot, len - stem);
	while (is_bad_end(out[used - 1]))
		used--;
	out[used] = '\0';
}
