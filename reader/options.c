#include "reader/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/status.h"

enum { ROWS_MAX = 32, WORDS = 256 };

static const struct option_row common_rows[] = {
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
	{'q', "quiet", NULL, "only errors"},
	{'h', "help", NULL, "this text"},
	{0, NULL, NULL, NULL},
};

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

static const char *name_of(const struct tables *t, int code)
{
	const struct option *option = t->option;

	while (option->val != code)
		option++;
	return option->name;
}

static bool is_opening(int code)
{
	return code >= OPENING_FIRST && code < OPENING_END;
}

int options_usage(const char *verb, const char *what, const char *which)
{
	diag_error(NULL, "%s%s%s; see \"satchel-read help%s%s\"", what, which ? ": " : "",
	           which ? which : "", verb ? " " : "", verb ? verb : "");
	return EXIT_USAGE;
}

/* What is left behind the options. */
static int take_operands(struct options *o, const struct verb *verb, int count, char **operand)
{
	const char *flaw, *which;

	if (count == 0)
		return options_usage(verb->name, "which bundle?", NULL);
	o->opening.bundle = operand[0];
	o->path = operand + 1;
	o->path_count = (unsigned)count - 1;
	if (o->path_count < verb->paths_min)
		return options_usage(verb->name, "which path?", NULL);
	if (o->path_count > verb->paths_max)
		return options_usage(verb->name, "too many operands", o->path[verb->paths_max]);
	flaw = opening_flaw(&o->opening, &which);
	return flaw ? options_usage(verb->name, flaw, which) : -1;
}

int options_parse(struct options *options, const struct verb *verb, int argc, char **argv,
                  bool (*own)(void *context, int code, const char *argument), void *context)
{
	struct tables t = {.letters = ":"};
	char which[WORDS];
	size_t count = 0;
	int code;

	*options = (struct options){0};
	opening_init(&options->opening);
	add_rows(&t, &count, verb->rows);
	add_rows(&t, &count, common_rows);
	opterr = 0;
	while ((code = getopt_long(argc, argv, t.letters, t.option, NULL)) != -1) {
		if (code == 'h') {
			options_help(verb);
			return 0;
		}
		if (code == ':')
			return options_usage(verb->name, "an argument is missing",
			                     argv[optind - 1]);
		if (code == '?') {
			const char *word = argv[optind - 1], *flaw = opening_unknown(optopt, &word);

			return options_usage(verb->name, flaw, word);
		}
		if (code == 'q')
			options->quiet = true;
		else if (is_opening(code) ? !opening_take(&options->opening, code, optarg)
		                          : !own(context, code, optarg)) {
			snprintf(which, sizeof which, "--%s %s", name_of(&t, code), optarg);
			return options_usage(verb->name, "not usable", which);
		}
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
