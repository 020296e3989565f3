/* satchel-read: the verbs, and who runs them. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/arguments.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/verbs.h"

static const struct verb *const verbs[] = {
	&ls_verb, &tree_verb, &info_verb, &cat_verb, &extract_verb, &verify_verb, &repair_verb,
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(const char *name)
{
	for (int i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

/* What was printed by stdio, which is never plaintext. */
static int printed(void)
{
	return fflush(stdout) ? diag_status("standard output", STATUS_IO) : 0;
}

static int print_help(void)
{
	puts("usage: satchel-read VERB [option...] BUNDLE [PATH...]\n\n"
	     "Read a bundle that satchel-pack wrote.  Nothing is written to its drive.\n");
	for (int i = 0; i < VERBS; i++)
		printf("  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	puts("  help     this text, or all about one verb: satchel-read help extract\n\n"
	     "The passphrase is asked for, if no option says where a key is.\n"
	     "satchel-read(1) has examples, and what the exit codes mean.");
	return printed();
}

static int help(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;

	if (argc < 2)
		return print_help();
	if (!verb)
		return options_usage(NULL, "no such verb", argv[1]);
	options_help(verb);
	return printed();
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct verb *verb = name ? find_verb(name) : NULL;

	if (verb) {
		if (sodium_init() < 0) {
			diag_error(NULL, "no source of randomness");
			return EXIT_FAILED;
		}
		return verb->run(argc - 1, argv + 1);
	}
	if (!name)
		return options_usage(NULL, "which verb?", NULL);
	if (!strcmp(name, "help"))
		return help(argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return print_help();
	if (!strcmp(name, "--version")) {
		puts("satchel-read " SATCHEL_VERSION);
		return printed();
	}
	return options_usage(NULL, "no such verb", name);
}

int main(int argc, char **argv)
{
	int code;

	diag_open_standard_streams();
	diag_init("satchel-read");
	arena_harden_process();
	argv = arguments_hide(argc, argv);
	code = argv ? run(argc, argv) : diag_status(NULL, STATUS_NOMEM);
	arguments_free(argv);
	return code;
}
