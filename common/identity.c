#include "common/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/status.h"

/* A test of constant time says here that these bytes are public from now on. */
#ifndef IDENTITY_PUBLIC
#define IDENTITY_PUBLIC(p, len) ((void)0)
#endif

enum {
	DIGITS = 52, /* of five bits: 32 bytes and four bits of zero */
	CHECKSUM = 6,
	FILE_MAX = 1 << 16,
};

/* Digits of an identity are secret, so nothing here jumps or looks up by them;
 * whether all of it is in order is public.
 * 1 if c is from first to last, 0 otherwise. */
static uint32_t is_between(char c, char first, char last)
{
	uint32_t byte = (uint8_t)c;

	return ~((byte - (uint8_t)first) | ((uint8_t)last - byte)) >> 31;
}

static char lower(char c)
{
	return (char)(c | is_between(c, 'A', 'Z') << 5);
}

/* 1 or 0. */
static uint32_t has_mixed_case(const char *text, size_t len)
{
	uint32_t small = 0, capital = 0;

	for (size_t i = 0; i < len; i++) {
		small |= is_between(text[i], 'a', 'z');
		capital |= is_between(text[i], 'A', 'Z');
	}
	return small & capital;
}

static bool has_prefix(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++)
		if (lower(*text) != *prefix)
			return false;
	return *text == '1';
}

/* The five bits that a character stands for; *known: whether it stands for any. */
static uint32_t digit(char c, uint32_t *known)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	uint32_t five = 0;

	*known = 0;
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t is_it = is_between(lower(c), digits[i], digits[i]);

		five |= i & -is_it;
		*known |= is_it;
	}
	return five;
}

static uint32_t checksum_add(uint32_t sum, unsigned value)
{
	static const uint32_t generator[] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3,
	};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
		sum ^= generator[i] & -(top >> i & 1);
	return sum;
}

/* The checksum's state behind the prefix and its zero. */
static uint32_t checksum_begin(const char *prefix)
{
	uint32_t sum = 1;

	for (const char *p = prefix; *p; p++)
		sum = checksum_add(sum, (unsigned)*p >> 5);
	sum = checksum_add(sum, 0);
	for (const char *p = prefix; *p; p++)
		sum = checksum_add(sum, (unsigned)*p & 31);
	return sum;
}

static uint32_t is_zero(uint32_t x)
{
	return (~x & (x - 1)) >> 31;
}

int identity_decode(uint8_t key[static KDF_KEYBYTES], const char *text, size_t len,
                    const char *prefix)
{
	size_t front = strlen(prefix) + 1;
	uint32_t sum = checksum_begin(prefix), bits = 0, good = 1;
	uint8_t bytes[KDF_KEYBYTES];
	unsigned have = 0, used = 0;
	int status = STATUS_KEYFILE;

	if (len != front + DIGITS + CHECKSUM || !has_prefix(text, prefix))
		return STATUS_KEYFILE;
	good &= !has_mixed_case(text, len);
	for (unsigned i = 0; i < DIGITS + CHECKSUM; i++) {
		uint32_t known, five = digit(text[front + i], &known);

		good &= known;
		sum = checksum_add(sum, five);
		if (i >= DIGITS)
			continue;
		bits = bits << 5 | five;
		have += 5;
		if (have >= 8) {
			have -= 8;
			bytes[used++] = (uint8_t)(bits >> have);
		}
	}
	good &= is_zero(sum ^ 1) & is_zero(bits & 15);
	IDENTITY_PUBLIC(&good, sizeof good);
	if (good) {
		memcpy(key, bytes, KDF_KEYBYTES);
		status = STATUS_OK;
	}
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(&bits, sizeof bits);
	return status;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One line, without its end.  Returns how many identities it has, or a status. */
static int take_line(uint8_t key[static KDF_KEYBYTES], const char *line, size_t len)
{
	int status;

	while (len && is_blank(line[len - 1]))
		len--;
	for (; len && is_blank(*line); len--)
		line++;
	if (len == 0 || *line == '#')
		return 0;
	status = identity_decode(key, line, len, IDENTITY_PREFIX);
	return status ? status : 1;
}

static int take_text(uint8_t (*key)[KDF_KEYBYTES], unsigned room, unsigned *count, const char *text,
                     size_t len)
{
	const char *end = text + len;
	unsigned found = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		uint8_t one[KDF_KEYBYTES];
		int n = take_line(one, text, (size_t)((stop ? stop : end) - text));

		if (n == 1 && found < room)
			memcpy(key[found], one, sizeof one);
		explicit_bzero(one, sizeof one);
		if (n < 0 || found + (unsigned)n > room)
			return STATUS_KEYFILE;
		found += (unsigned)n;
		text = stop ? stop + 1 : end;
	}
	*count = found;
	return found ? STATUS_OK : STATUS_KEYFILE;
}

int identity_read_file(uint8_t (*key)[KDF_KEYBYTES], unsigned room, unsigned *count,
                       const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status = STATUS_IO;
	char text[FILE_MAX + 1];
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return STATUS_IO;
	do {
		got = read(fd, text + len, sizeof text - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < sizeof text) || (got < 0 && errno == EINTR));
	if (got >= 0)
		status = len > FILE_MAX ? STATUS_KEYFILE : take_text(key, room, count, text, len);
	explicit_bzero(text, sizeof text);
	close(fd);
	if (status)
		explicit_bzero(key, room * sizeof *key);
	return status;
}
