#include "fusefs/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/rows.h"
#include "common/status.h"

enum {
	SUBDIR = OPENING_END,
	CACHE,
	EXEC,
	REQUIRE_NO_SWAP,
	IDLE,
	VERSION,
};

enum { WORDS = 256 }; /* of a message */

static const struct option_row own_rows[] = {
	{'u', "unmount", NULL, "end the mount at DIRECTORY"},
	{'f', "foreground", NULL, "stay in the foreground"},
	{IDLE, "idle", "MINUTES", "end after so long without a read"},
	{SUBDIR, "subdir", "PATH", "show only this directory of the bundle"},
	{CACHE, "cache", NULL,
         "let the kernel keep what was read: faster, but it\nstays in memory until the end"},
	{EXEC, "exec", NULL, "programs in the bundle may be run"},
	{REQUIRE_NO_SWAP, "require-no-swap", NULL,
         "refuse while there is swap that is not encrypted"},
	{0, NULL, NULL, NULL},
};

static const struct option_row last_rows[] = {
	{'v', "verbose", NULL, "name damaged files in a log too"},
	{'q', "quiet", NULL, "only errors"},
	{'h', "help", NULL, "this text"},
	{VERSION, "version", NULL, "the version"},
	{0, NULL, NULL, NULL},
};

/* --run is no option for getopt_long(3), which would take --ru for it. */
static int help(void)
{
	puts("usage: satchel-mount [option...] BUNDLE DIRECTORY\n"
	     "       satchel-mount [option...] BUNDLE [DIRECTORY] --run PROGRAM [ARGUMENT...]\n"
	     "       satchel-mount -u DIRECTORY\n"
	     "\n"
	     "Show what a key opens of a bundle at DIRECTORY, read-only, until unmounted.\n"
	     "\n"
	     "      --run PROGRAM...        only to PROGRAM, and only while it runs: nothing\n"
	     "                              that it writes reaches a disk; the last option");
	rows_help(own_rows);
	rows_help(rows_opening);
	rows_help(last_rows);
	return puts("\nWithout an option for a key the passphrase is asked for on the terminal.") <
	       0;
}

static int usage(const char *what, const char *which)
{
	diag_error(NULL, "%s%s%s; see \"satchel-mount --help\"", what, which ? ": " : "",
	           which ? which : "");
	return EXIT_USAGE;
}

/* False: the argument is of no use. */
static bool take(struct options *o, int code, const char *argument)
{
	uint64_t value = 0;
	bool good = true;

	switch (code) {
	case SUBDIR: o->subdir = argument; break;
	case CACHE: o->cache = true; break;
	case EXEC: o->exec = true; break;
	case REQUIRE_NO_SWAP: o->require_no_swap = true; break;
	case IDLE:
		good = opening_number(&value, argument, 1000000) && value > 0;
		o->idle_minutes = (unsigned)value;
		break;
	case 'f': o->foreground = true; break;
	case 'u': o->end = true; break;
	case 'v': o->names = true; break;
	case 'q': o->quiet = true; break;
	default: return opening_take(&o->opening, code, argument);
	}
	return good;
}

static int take_operands(struct options *o, int count, char **operand)
{
	int bundles = o->end ? 0 : 1, wanted = bundles + (o->program ? 0 : 1);
	const char *flaw, *which;

	if (count < wanted)
		return usage(count < bundles ? "which bundle?" : "at which directory?", NULL);
	if (count > bundles + 1)
		return usage("too many operands", operand[bundles + 1]);
	o->opening.bundle = bundles ? operand[0] : NULL;
	o->directory = count > bundles ? operand[bundles] : NULL;
	flaw = opening_flaw(&o->opening, &which);
	if (flaw)
		return usage(flaw, which);
	if (o->end && o->program)
		return usage("not together", "-u, --run");
	return -1;
}

/* What stands behind --run is another program's command line. */
static int cut_program(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (strcmp(argv[i], "--run"))
			continue;
		o->program = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

int options_parse(struct options *options, int argc, char **argv)
{
	struct rows rows = {.letters = ":"};
	char which[WORDS];
	int code;

	*options = (struct options){0};
	opening_init(&options->opening);
	argc = cut_program(options, argc, argv);
	if (options->program && !options->program[0])
		return usage("which program?", "--run");
	rows_add(&rows, own_rows);
	rows_add(&rows, rows_opening);
	rows_add(&rows, last_rows);
	opterr = 0;
	while ((code = getopt_long(argc, argv, rows.letters, rows.option, NULL)) != -1) {
		switch (code) {
		case 'h': return help();
		case VERSION: return puts("satchel-mount " SATCHEL_VERSION) < 0;
		case ':': return usage("an argument is missing", argv[optind - 1]);
		case '?': {
			const char *flaw = rows_unknown(&rows, optopt, argv[optind - 1], which);

			return usage(flaw, *which ? which : NULL);
		}
		}
		if (!take(options, code, optarg)) {
			snprintf(which, sizeof which, "--%s %s", rows_name(&rows, code), optarg);
			return usage(code == IDLE ? "whole minutes, from 1 on, are wanted"
			                          : "not usable",
			             which);
		}
	}
	diag_set_quiet(options->quiet);
	if (!options->names && !isatty(STDERR_FILENO))
		diag_hide_names();
	return take_operands(options, argc - optind, argv + optind);
}
