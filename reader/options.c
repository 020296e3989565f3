#include "reader/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"

enum {
	PASSPHRASE_FILE = OPTION_LONG,
	PASSPHRASE_FD,
	KEY_FILE,
	IDENTITY,
	VOLUME,
	LENGTH,
	PUBLISHER,
	ANY_PUBLISHER,
	MIN_EDITION,
	ALLOW_UNLOCKED,
	ROWS_MAX = 32,
};

static const struct option_row common_rows[] = {
	{PASSPHRASE_FILE, "passphrase-file", "FILE",
         "the passphrase is in FILE (- standard input)"},
	{PASSPHRASE_FD, "passphrase-fd", "N", "the passphrase comes from descriptor N"},
	{KEY_FILE, "key-file", "FILE", "FILE is a key"},
	{IDENTITY, "identity", "FILE", "FILE has age identities (may be repeated)"},
	{VOLUME, "volume", "FILE", "a further volume of the set (may be repeated)"},
	{LENGTH, "length", "BYTES", "where the volume ended, if bytes were appended"},
	{PUBLISHER, "publisher", "KEY", "only if signed by this minisign key, or file"},
	{ANY_PUBLISHER, "any-publisher", NULL, "whoever signed it, pinned or not"},
	{MIN_EDITION, "min-edition", "N", "only if it is edition N or later"},
	{ALLOW_UNLOCKED, "allow-unlocked", NULL, "go on where memory cannot be locked"},
	{'q', "quiet", NULL, "only errors"},
	{'h', "help", NULL, "this text"},
	{0, NULL, NULL, NULL},
};

bool options_number(uint64_t *number, const char *text)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*number = value;
	return true;
}

static bool take_number(int *number, const char *text)
{
	uint64_t value;

	if (!options_number(&value, text) || value > INT_MAX)
		return false;
	*number = (int)value;
	return true;
}

static bool append(const char **list, unsigned *count, unsigned room, const char *text)
{
	if (*count == room)
		return false;
	list[(*count)++] = text;
	return true;
}

static bool take_common(struct options *o, int code, const char *argument)
{
	switch (code) {
	case PASSPHRASE_FILE: o->passphrase_file = argument; return true;
	case PASSPHRASE_FD: return take_number(&o->passphrase_fd, argument);
	case KEY_FILE: o->key_file = argument; return true;
	case IDENTITY:
		return append(o->identity, &o->identity_count, HEADER_MAX_IDENTITIES, argument);
	case VOLUME: return append(o->volume, &o->volume_count, FORMAT_MAX_VOLUMES, argument);
	case LENGTH: return options_number(&o->length, argument);
	case PUBLISHER: o->publisher.only = argument; return true;
	case ANY_PUBLISHER: o->publisher.any = true; return true;
	case MIN_EDITION: return options_number(&o->publisher.min_edition, argument);
	case ALLOW_UNLOCKED: o->allow_unlocked = true; return true;
	default: o->quiet = true; return true;
	}
}

/* The tables as getopt_long(3) wants them. */
struct tables {
	struct option option[ROWS_MAX];
	char letters[2 * ROWS_MAX];
};

static void add_rows(struct tables *t, size_t *count, const struct option_row *rows)
{
	char *letter = t->letters + strlen(t->letters);

	for (; rows->name; rows++) {
		t->option[(*count)++] = (struct option){
			.name = rows->name,
			.has_arg = rows->argument ? required_argument : no_argument,
			.val = rows->code,
		};
		if (rows->code >= OPTION_LONG)
			continue;
		*letter++ = (char)rows->code;
		if (rows->argument)
			*letter++ = ':';
	}
}

static bool is_common(int code)
{
	for (const struct option_row *row = common_rows; row->name; row++)
		if (row->code == code)
			return true;
	return false;
}

int options_usage(const char *verb, const char *what, const char *which)
{
	diag_error(NULL, "%s%s%s; see \"satchel-read help%s%s\"", what, which ? ": " : "",
	           which ? which : "", verb ? " " : "", verb ? verb : "");
	return 2;
}

/* What is left behind the options. */
static int take_operands(struct options *o, const struct verb *verb, int count, char **operand)
{
	if (count == 0)
		return options_usage(verb->name, "which bundle?", NULL);
	o->bundle = operand[0];
	o->path = operand + 1;
	o->path_count = (unsigned)count - 1;
	if (o->path_count < verb->paths_min)
		return options_usage(verb->name, "which path?", NULL);
	if (o->path_count > verb->paths_max)
		return options_usage(verb->name, "too many operands", o->path[verb->paths_max]);
	if (o->passphrase_file && o->passphrase_fd >= 0)
		return options_usage(verb->name, "one passphrase is enough", NULL);
	if (o->publisher.only && o->publisher.any)
		return options_usage(verb->name, "not together", "--publisher, --any-publisher");
	return -1;
}

int options_parse(struct options *options, const struct verb *verb, int argc, char **argv,
                  bool (*own)(void *context, int code, const char *argument), void *context)
{
	struct tables t = {.letters = ":"};
	size_t count = 0;
	int code;

	*options = (struct options){.passphrase_fd = -1};
	add_rows(&t, &count, verb->rows);
	add_rows(&t, &count, common_rows);
	opterr = 0;
	while ((code = getopt_long(argc, argv, t.letters, t.option, NULL)) != -1) {
		bool taken;

		if (code == 'h') {
			options_help(verb);
			return 0;
		}
		if (code == ':')
			return options_usage(verb->name, "an argument is missing",
			                     argv[optind - 1]);
		if (code == '?')
			return options_usage(verb->name, "no such option", argv[optind - 1]);
		taken = is_common(code) ? take_common(options, code, optarg)
		                        : own(context, code, optarg);
		if (!taken)
			return options_usage(verb->name, "not usable", optarg);
	}
	diag_set_quiet(options->quiet);
	return take_operands(options, verb, argc - optind, argv + optind);
}

static void help_rows(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		char left[32];

		snprintf(left, sizeof left, "%c%c%c --%s%s%s", rows->code < OPTION_LONG ? '-' : ' ',
		         rows->code < OPTION_LONG ? rows->code : ' ',
		         rows->code < OPTION_LONG ? ',' : ' ', rows->name,
		         rows->argument ? " " : "", rows->argument ? rows->argument : "");
		printf("  %-27s %s\n", left, rows->help);
	}
}

void options_help(const struct verb *verb)
{
	printf("usage: satchel-read %s [option...] %s\n\n%s.\n\n", verb->name, verb->operands,
	       verb->summary);
	if (verb->rows->name) {
		help_rows(verb->rows);
		putchar('\n');
	}
	help_rows(common_rows);
	puts("\nWithout an option for a key the passphrase is asked for on the terminal.");
}
