#include "common/rows.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN = 30 }; /* where help begins */

const struct option_row rows_opening[] = {
	{OPENING_PASSPHRASE_FILE, "passphrase-file", "FILE",
         "the passphrase is in FILE (- standard input)"},
	{OPENING_PASSPHRASE_FD, "passphrase-fd", "N", "the passphrase comes from descriptor N"},
	{OPENING_ASK_PASSPHRASE, "ask-passphrase", NULL, "ask for it, though a key is given"},
	{OPENING_KEY_FILE, "key-file", "FILE", "FILE is a key"},
	{OPENING_IDENTITY, "identity", "FILE", "FILE has age identities (may be repeated)"},
	{OPENING_VOLUME, "volume", "FILE", "a further volume of the set (may be repeated)"},
	{OPENING_LENGTH, "length", "BYTES", "where the volume ended, if bytes were appended"},
	{OPENING_PUBLISHER, "publisher", "KEY", "only if signed by this minisign key, or file"},
	{OPENING_ANY_PUBLISHER, "any-publisher", NULL, "whoever signed it, pinned or not"},
	{OPENING_MIN_EDITION, "min-edition", "N", "only if it is edition N or later"},
	{OPENING_ALLOW_UNLOCKED, "allow-unlocked", NULL, "go on where memory cannot be locked"},
	{0, NULL, NULL, NULL},
};

void rows_add(struct rows *rows, const struct option_row *row)
{
	char *letter = rows->letters + strlen(rows->letters);

	for (; row->name; row++) {
		rows->option[rows->count++] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = row->code,
		};
		if (row->code >= ROWS_LONG)
			continue;
		*letter++ = (char)row->code;
		if (row->argument)
			*letter++ = ':';
	}
}

const char *rows_name(const struct rows *rows, int code)
{
	const struct option *option = rows->option;

	while (option->val != code)
		option++;
	return option->name;
}

static bool is_row(const struct rows *rows, int code)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->option[i].val == code)
			return true;
	return false;
}

const char *rows_unknown(const struct rows *rows, int code, const char *word,
                         char which[static ROWS_WORD])
{
	if (code && is_row(rows, code)) {
		snprintf(which, ROWS_WORD, "--%s", rows_name(rows, code));
		return "takes no argument";
	}
	if (code == 'p' || (!code && !strncmp(word, "--pass", strlen("--pass")))) {
		*which = '\0';
		return "a passphrase on the command line is seen by everybody on this machine; use "
		       "--passphrase-file or --passphrase-fd, or be asked";
	}
	/* In the midst of several letters the word is the one before. */
	if (code)
		snprintf(which, ROWS_WORD, "-%c", code);
	else
		snprintf(which, ROWS_WORD, "%.*s", (int)strcspn(word, "="), word);
	return "no such option";
}

static void print_help(const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		printf("%.*s\n%*s", (int)(end - text), text, COLUMN, "");
	puts(text);
}

void rows_help(const struct option_row *row)
{
	for (; row->name; row++) {
		const char letter[] = {'-', (char)row->code, ',', '\0'};
		int len = printf("  %3s --%s%s%s", row->code < ROWS_LONG ? letter : "", row->name,
		                 row->argument ? " " : "", row->argument ? row->argument : "");

		printf("%*s", len < COLUMN ? COLUMN - len : 1, "");
		print_help(row->help);
	}
}
