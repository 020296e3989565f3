/* The command line of satchel-mount(1).  Nothing here is secret: a passphrase
 * never comes in this way. */
#ifndef FUSEFS_OPTIONS_H
#define FUSEFS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/opening.h"

struct options {
	struct opening opening; /* of it, bundle is NULL with -u */

	/* the mount */
	const char *subdir; /* NULL: the root */
	bool cache;
	bool exec;
	bool foreground;
	bool require_no_swap;
	unsigned idle_minutes; /* 0: never */
	bool end;              /* -u */
	bool names;            /* -v: into logs, too */
	bool quiet;

	const char *directory; /* NULL: --run chooses one */
	char **program;        /* --run: it and its arguments; NULL: a plain mount */
};

/* Returns -1 to go on, or the exit code (of --help and --version, or 2: what is
 * wrong has been said). */
int options_parse(struct options *options, int argc, char **argv);

#endif
