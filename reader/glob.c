#include "reader/glob.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/path.h"

/* The character at text, and how many bytes it takes: one that is part of no
 * UTF-8 is itself, out of the way of those that are. */
static size_t next_char(const char *text, uint32_t *c)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n > 1 && (strnlen(text, n) < n || !path_is_utf8(text, n)))
		n = 1;
	if (n == 1) {
		*c = p[0] < 0x80 ? p[0] : 0x200000u + p[0];
		return 1;
	}
	*c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | (p[i] & 0x3f);
	return n;
}

/* The set behind a '[' at pattern: is c in it?  Returns its end, or NULL where
 * it has none and the bracket means itself. */
static const char *match_set(const char *pattern, uint32_t c, bool *in)
{
	bool negated = *pattern == '!' || *pattern == '^', found = false;
	const char *p = pattern + negated, *first = p;
	uint32_t low, high;

	while (*p && (*p != ']' || p == first)) {
		p += *p == '\\' && p[1];
		p += next_char(p, &low);
		high = low;
		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			p += *p == '\\' && p[1];
			p += next_char(p, &high);
		}
		found |= c >= low && c <= high;
	}
	*in = found != negated;
	return *p ? p + 1 : NULL;
}

/* Does what is at pattern, no star, match the character at name?  Both move
 * behind what they matched. */
static bool match_one(const char **pattern, const char **name)
{
	const char *p = *pattern, *behind = NULL;
	uint32_t c, wanted;
	bool in = true;

	if (!*p || !**name)
		return false;
	*name += next_char(*name, &c);
	if (*p == '?')
		behind = p + 1;
	else if (*p == '[')
		behind = match_set(p + 1, c, &in);
	if (!behind) {
		p += *p == '\\' && p[1];
		behind = p + next_char(p, &wanted);
		in = c == wanted;
	}
	*pattern = behind;
	return in;
}

/* Only the last star is ever gone back to: what an earlier one could take
 * more, the later can as well. */
bool glob_match(const char *pattern, const char *name)
{
	const char *star = NULL, *star_name = NULL;
	uint32_t c;

	if (*name == '.' && *pattern != '.' && strncmp(pattern, "\\.", 2) != 0)
		return false;
	while (*name || *pattern) {
		if (*pattern == '*') {
			star = ++pattern;
			star_name = name;
			continue;
		}
		if (match_one(&pattern, &name))
			continue;
		if (!star || !*star_name)
			return false;
		star_name += next_char(star_name, &c);
		name = star_name;
		pattern = star;
	}
	return true;
}

bool glob_is_pattern(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}
