/* The command line: options that every verb has, those of one verb, and help.
 * Nothing here is secret: a passphrase never comes in this way. */
#ifndef READER_OPTIONS_H
#define READER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/opening.h"
#include "common/rows.h"

/* Codes of verbs without a letter, from here. */
enum { OPTION_VERB = OPENING_END };

/* What every verb knows. */
struct options {
	struct opening opening;
	bool quiet;
	char **path;
	unsigned path_count;
};

struct verb {
	const char *name;
	const char *operands; /* "BUNDLE [PATH...]" */
	const char *summary;
	const struct option_row *rows;
	unsigned paths_min, paths_max; /* operands behind BUNDLE */
	int (*run)(int argc, char **argv);
};

/* argv[0]: the verb.  own: takes an option of the verb; false: its argument is
 * wrong.  Returns -1 to go on, or the exit code (of --help, or 2 for usage). */
int options_parse(struct options *options, const struct verb *verb, int argc, char **argv,
                  bool (*own)(void *context, int code, const char *argument), void *context);

/* Help for one verb. */
void options_help(const struct verb *verb);

/* One line each, behind which is asked for more help.  Returns 2. */
int options_usage(const char *verb, const char *what, const char *which);

#endif
