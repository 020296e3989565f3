#include "fusefs/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
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

static const struct option known[] = {
	{"passphrase-file", required_argument, NULL, OPENING_PASSPHRASE_FILE},
	{"passphrase-fd", required_argument, NULL, OPENING_PASSPHRASE_FD},
	{"ask-passphrase", no_argument, NULL, OPENING_ASK_PASSPHRASE},
	{"key-file", required_argument, NULL, OPENING_KEY_FILE},
	{"identity", required_argument, NULL, OPENING_IDENTITY},
	{"volume", required_argument, NULL, OPENING_VOLUME},
	{"length", required_argument, NULL, OPENING_LENGTH},
	{"publisher", required_argument, NULL, OPENING_PUBLISHER},
	{"any-publisher", no_argument, NULL, OPENING_ANY_PUBLISHER},
	{"min-edition", required_argument, NULL, OPENING_MIN_EDITION},
	{"allow-unlocked", no_argument, NULL, OPENING_ALLOW_UNLOCKED},
	{"subdir", required_argument, NULL, SUBDIR},
	{"cache", no_argument, NULL, CACHE},
	{"exec", no_argument, NULL, EXEC},
	{"foreground", no_argument, NULL, 'f'},
	{"require-no-swap", no_argument, NULL, REQUIRE_NO_SWAP},
	{"idle", required_argument, NULL, IDLE},
	{"unmount", no_argument, NULL, 'u'},
	{"verbose", no_argument, NULL, 'v'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, VERSION},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: satchel-mount [option...] BUNDLE DIRECTORY\n"
	"       satchel-mount [option...] BUNDLE [DIRECTORY] --run PROGRAM [ARGUMENT...]\n"
	"       satchel-mount -u DIRECTORY\n"
	"\n"
	"Show what a key opens of a bundle at DIRECTORY, read-only, until unmounted.\n"
	"\n"
	"      --run PROGRAM...        only to PROGRAM, and only while it runs: nothing\n"
	"                              that it writes reaches a disk; the last option\n"
	"  -u, --unmount               end the mount at DIRECTORY\n"
	"  -f, --foreground            stay in the foreground\n"
	"      --idle MINUTES          end after so long without a read\n"
	"      --subdir PATH           show only this directory of the bundle\n"
	"      --cache                 let the kernel keep what was read: faster, but it\n"
	"                              stays in memory until the end\n"
	"      --exec                  programs in the bundle may be run\n"
	"      --require-no-swap       refuse while there is swap that is not encrypted\n"
	"      --passphrase-file FILE  the passphrase is in FILE (- standard input)\n"
	"      --passphrase-fd N       the passphrase comes from descriptor N\n"
	"      --ask-passphrase        ask for it, though a key is given\n"
	"      --key-file FILE         FILE is a key\n"
	"      --identity FILE         FILE has age identities (may be repeated)\n"
	"      --volume FILE           a further volume of the set (may be repeated)\n"
	"      --length BYTES          where the volume ended, if bytes were appended\n"
	"      --publisher KEY         only if signed by this minisign key, or file\n"
	"      --any-publisher         whoever signed it, pinned or not\n"
	"      --min-edition N         only if it is edition N or later\n"
	"      --allow-unlocked        go on where memory cannot be locked\n"
	"  -v, --verbose               name damaged files in a log too\n"
	"  -q, --quiet                 only errors\n"
	"  -h, --help                  this text\n"
	"      --version               the version\n"
	"\n"
	"Without an option for a key the passphrase is asked for on the terminal.\n";

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
	char which[WORDS];
	int code, row = 0;

	*options = (struct options){0};
	opening_init(&options->opening);
	argc = cut_program(options, argc, argv);
	if (options->program && !options->program[0])
		return usage("which program?", "--run");
	opterr = 0;
	while ((code = getopt_long(argc, argv, ":fuvqh", known, &row)) != -1) {
		switch (code) {
		case 'h': return fputs(help, stdout) < 0;
		case VERSION: return puts("satchel-mount " SATCHEL_VERSION) < 0;
		case ':': return usage("an argument is missing", argv[optind - 1]);
		case '?': {
			const char *word = argv[optind - 1], *flaw = opening_unknown(optopt, &word);

			return usage(flaw, word);
		}
		}
		if (!take(options, code, optarg)) {
			snprintf(which, sizeof which, "--%s %s", known[row].name, optarg);
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
