#include "common/path.h"

#include <stdint.h>
#include <string.h>

#include "common/bytes.h"

bool path_name_ok(const char *name, size_t len)
{
	if (len < 1 || len > 255)
		return false;
	if (memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

int path_name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

/* Bytes that a lead byte of at least 0x80 announces behind it, -1 if it cannot lead. */
static int tail_bytes(uint8_t lead)
{
	if (lead < 0xc2)
		return -1;
	if (lead < 0xe0)
		return 1;
	if (lead < 0xf0)
		return 2;
	return lead < 0xf5 ? 3 : -1;
}

/* The second byte is where overlong forms, surrogates and the end of Unicode
 * show. */
static bool second_ok(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second < 0xa0;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second < 0x90;
	default: return true;
	}
}

/* Most text has nothing else. */
static const uint8_t *skip_ascii(const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 8 && !(load_le64(p) & 0x8080808080808080))
		p += 8;
	while (p < end && *p < 0x80)
		p++;
	return p;
}

bool path_is_utf8(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + len;

	while ((p = skip_ascii(p, end)) < end) {
		uint8_t lead = *p++;
		int tail = tail_bytes(lead);

		if (tail < 0 || end - p < tail)
			return false;
		if (!second_ok(lead, *p))
			return false;
		for (; tail; tail--)
			if ((*p++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}
