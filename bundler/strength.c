#include "bundler/strength.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/words.h"

/* Costs are in eighths of a bit. */
enum {
	BIT = 8,
	WORD = 103,      /* one of 7,776 */
	SHORT_WORD = 64, /* between spaces, of one or two letters */
	FOREIGN = 48,    /* a character beyond ASCII: part of a word, too */
	YEAR = 56,
	DATE = 120,
	SHORTEST_RUN = 3,
	SHORTEST_WORD = 3,
};

enum piece_kind { SINGLE, WORDS, RUN, DATES };

/* The cheapest way to the end of a prefix: its last piece. */
struct piece {
	uint32_t cost; /* of the whole prefix */
	uint16_t len;
	uint8_t kind;
};

struct estimate {
	const char *text;
	size_t len;
	uint32_t single; /* what one ASCII character costs */
	struct piece end[KDF_PASSPHRASE_MAX + 1];
};

/* What it is made of. */
struct census {
	unsigned lower, upper, digits, symbols, spaces, foreign;
	unsigned words, in_runs, in_dates, left; /* left: in none of these */
};

/* 8 log2 of choices <= 255, rounded down. */
static uint32_t cost_of(uint64_t choices)
{
	uint64_t square = choices * choices, fourth = square * square;

	return 63 - (uint32_t)__builtin_clzll(fourth * fourth);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool continues(char c)
{
	return (c & 0xc0) == 0x80;
}

static char to_lower(char c)
{
	return is_letter(c) ? (char)(c | 0x20) : c;
}

static void count_classes(struct census *census, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		census->spaces += text[i] == ' ';
		census->lower += is_lower(text[i]);
		census->upper += is_letter(text[i]) && !is_lower(text[i]);
		census->digits += is_digit(text[i]);
		census->foreign += (text[i] & 0xc0) == 0xc0;
		census->symbols += text[i] > ' ' && !is_letter(text[i]) && !is_digit(text[i]);
	}
}

/* From how many characters each one may have been drawn. */
static uint32_t single_cost(const struct census *c)
{
	unsigned pool = (c->lower ? 26 : 0) + (c->upper ? 26 : 0) + (c->digits ? 10 : 0) +
	                (c->symbols ? 32 : 0);

	return cost_of(pool ? pool : 1);
}

static int compare(const void *key, const void *word)
{
	return strcmp(key, word);
}

static bool is_word(const char *text, size_t len)
{
	char word[WORDS_LONGEST + 1] = {0};
	bool found;

	for (size_t i = 0; i < len; i++)
		word[i] = to_lower(text[i]);
	found = bsearch(word, words, WORDS_COUNT, sizeof words[0], compare);
	sodium_memzero(word, sizeof word);
	return found;
}

/* How far b is from a in the alphabet, among the digits, or on a row of the
 * keyboard; 99 if they are on none together. */
static int step(char a, char b)
{
	static const char row[] = "qwertyuiop asdfghjkl zxcvbnm";
	const char *at = strchr(row, to_lower(a)), *to = strchr(row, to_lower(b));

	if ((is_digit(a) && is_digit(b)) || (is_letter(a) && is_letter(b)))
		if (abs(to_lower(b) - to_lower(a)) <= 1)
			return to_lower(b) - to_lower(a);
	if (is_letter(a) && is_letter(b) && abs((int)(to - at)) == 1)
		return (int)(to - at);
	return a == b ? 0 : 99;
}

/* How many characters from the beginning repeat or follow each other. */
static size_t run_len(const char *text, size_t len)
{
	size_t n = 2;

	if (len < SHORTEST_RUN || step(text[0], text[1]) == 99)
		return 1;
	while (n < len && step(text[n - 1], text[n]) == step(text[0], text[1]))
		n++;
	return n;
}

static size_t count_while(bool (*is)(char), const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is(text[n]))
		n++;
	return n;
}

static void offer(struct estimate *e, size_t at, size_t len, enum piece_kind kind, uint32_t cost)
{
	struct piece *end = &e->end[at + len];

	cost += e->end[at].cost;
	if (cost < end->cost)
		*end = (struct piece){cost, (uint16_t)len, (uint8_t)kind};
}

static void offer_words(struct estimate *e, size_t at)
{
	const char *text = e->text + at;
	size_t left = e->len - at;
	size_t run = count_while(is_letter, text, left);
	bool spaced = memchr(e->text, ' ', e->len) && (!at || text[-1] == ' ') &&
	              (run == left || text[run] == ' ');

	for (size_t len = SHORTEST_WORD; len <= left && len <= WORDS_LONGEST; len++)
		if (is_word(text, len))
			offer(e, at, len, WORDS, WORD);
	/* A word that is not on the list is hardly worth more. */
	if (spaced && run)
		offer(e, at, run, WORDS, run < SHORTEST_WORD ? SHORT_WORD : WORD);
}

static unsigned two_digits(const char *text)
{
	return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

static bool is_year(const char *text)
{
	return two_digits(text) == 19 || (two_digits(text) == 20 && text[2] < '4');
}

static bool is_day(const char *text)
{
	unsigned a = two_digits(text), b = two_digits(text + 2);

	return a && b && (a <= 12 || b <= 12) && a <= 31 && b <= 31;
}

static void offer_digits(struct estimate *e, size_t at)
{
	const char *text = e->text + at;
	size_t run = count_while(is_digit, text, e->len - at);

	if (run >= 4 && is_year(text))
		offer(e, at, 4, DATES, YEAR);
	if (run >= 8 &&
	    ((is_year(text) && is_day(text + 4)) || (is_day(text) && is_year(text + 4))))
		offer(e, at, 8, DATES, DATE);
}

static void offer_run(struct estimate *e, size_t at)
{
	size_t run = run_len(e->text + at, e->len - at);

	if (run >= SHORTEST_RUN)
		offer(e, at, run, RUN, e->single + BIT + cost_of(run < 255 ? run : 255));
}

static void offer_single(struct estimate *e, size_t at)
{
	char c = e->text[at];
	uint32_t cost = e->single;

	if (c == ' ' || continues(c))
		cost = 0;
	else if ((c & 0xc0) == 0xc0)
		cost = FOREIGN;
	offer(e, at, 1, SINGLE, cost);
}

static void walk(struct estimate *e)
{
	for (size_t i = 1; i <= e->len; i++)
		e->end[i].cost = UINT32_MAX;
	for (size_t at = 0; at < e->len; at++) {
		offer_single(e, at);
		offer_run(e, at);
		offer_digits(e, at);
		offer_words(e, at);
	}
}

static void count_pieces(struct census *census, const struct estimate *e)
{
	for (size_t at = e->len; at; at -= e->end[at].len) {
		char c = e->text[at - 1];

		census->words += e->end[at].kind == WORDS;
		census->in_runs += e->end[at].kind == RUN ? e->end[at].len : 0U;
		census->in_dates += e->end[at].kind == DATES ? e->end[at].len : 0U;
		census->left += e->end[at].kind == SINGLE && c != ' ' && !continues(c);
	}
}

/* Bytes after which it begins again, or its length. */
static size_t period(const char *text, size_t len)
{
	for (size_t p = 1; p <= len / 2; p++)
		if (!memcmp(text, text + p, len - p))
			return p;
	return len;
}

static const char *plural(unsigned count)
{
	return count == 1 ? "" : "s";
}

static void say_classes(const struct census *c, char why[static STRENGTH_WHY])
{
	unsigned letters = c->lower + c->upper;
	unsigned all = letters + c->digits + c->symbols + c->spaces + c->foreign;
	const char *what = "character";

	if (all == c->lower)
		what = "lower-case letter";
	else if (all == c->upper)
		what = "upper-case letter";
	else if (all == letters)
		what = "letter";
	else if (all == c->digits)
		what = "digit";
	else if (all == letters + c->digits)
		what = NULL;
	if (what)
		snprintf(why, STRENGTH_WHY, "%u %s%s", all, what, plural(all));
	else
		snprintf(why, STRENGTH_WHY, "%u letters and digits", all);
}

static void say(const struct census *c, char why[static STRENGTH_WHY])
{
	unsigned others = c->left + c->in_runs + c->in_dates;

	if (c->in_dates && !c->words && c->left <= 2)
		snprintf(why, STRENGTH_WHY, "a date");
	else if (c->in_runs && !c->words && c->left <= 3)
		snprintf(why, STRENGTH_WHY, "characters that follow or repeat each other");
	else if (c->words && !c->left && !c->in_runs && !c->in_dates)
		snprintf(why, STRENGTH_WHY, "%u common word%s", c->words, plural(c->words));
	else if (c->words)
		snprintf(why, STRENGTH_WHY, "%u common word%s and %u other character%s", c->words,
		         plural(c->words), others, plural(others));
	else
		say_classes(c, why);
}

unsigned strength_bits(const struct passphrase *passphrase, char why[static STRENGTH_WHY])
{
	struct estimate e = {.text = passphrase->text, .len = passphrase->len};
	struct census census = {0};
	size_t once = period(e.text, e.len);
	uint32_t cost;

	count_classes(&census, e.text, e.len);
	e.single = single_cost(&census);
	walk(&e);
	count_pieces(&census, &e);
	cost = e.end[once].cost;
	if (once == e.len)
		say(&census, why);
	else
		snprintf(why, STRENGTH_WHY, "a short piece, repeated");
	sodium_memzero(&e, sizeof e);
	sodium_memzero(&census, sizeof census);
	return cost / BIT;
}
