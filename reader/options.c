#include "reader/options.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/status.h"

enum { WORDS = 256 };

static const struct option_row common_rows[] = {
	{'q', "quiet", NULL, "only errors"},
	{'h', "help", NULL, "this text"},
	{0, NULL, NULL, NULL},
};

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
	struct rows rows = {.letters = ":"};
	char which[WORDS];
	int code;

	*options = (struct options){0};
	opening_init(&options->opening);
	rows_add(&rows, verb->rows);
	rows_add(&rows, rows_opening);
	rows_add(&rows, common_rows);
	opterr = 0;
	while ((code = getopt_long(argc, argv, rows.letters, rows.option, NULL)) != -1) {
		if (code == 'h') {
			options_help(verb);
			return 0;
		}
		if (code == ':')
			return options_usage(verb->name, "an argument is missing",
			                     argv[optind - 1]);
		if (code == '?') {
			const char *flaw = rows_unknown(&rows, optopt, argv[optind - 1], which);

			return options_usage(verb->name, flaw, *which ? which : NULL);
		}
		if (code == 'q')
			options->quiet = true;
		else if (is_opening(code) ? !opening_take(&options->opening, code, optarg)
		                          : !own(context, code, optarg)) {
			snprintf(which, sizeof which, "--%s %s", rows_name(&rows, code), optarg);
			return options_usage(verb->name, "not usable", which);
		}
	}
	diag_set_quiet(options->quiet);
	return take_operands(options, verb, argc - optind, argv + optind);
}

void options_help(const struct verb *verb)
{
	printf("usage: satchel-read %s [option...] %s\n\n%s.\n\n", verb->name, verb->operands,
	       verb->summary);
	if (verb->rows->name) {
		rows_help(verb->rows);
		putchar('\n');
	}
	rows_help(rows_opening);
	rows_help(common_rows);
	puts("\nWithout an option for a key the passphrase is asked for on the terminal.");
}
