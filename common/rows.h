/* Options as rows of a table: for getopt_long(3), for help, and for naming the one that is
 * of no use. */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include <getopt.h>
#include <stddef.h>

#include "common/opening.h"

/* One line of help, and how getopt_long(3) is to take it. */
struct option_row {
	int code;             /* the short letter, or from ROWS_LONG on none */
	const char *name;     /* NULL ends a table */
	const char *argument; /* NULL: takes none */
	const char *help;     /* each further line behind "\n" */
};

enum { ROWS_LONG = OPENING_FIRST, ROWS_MAX = 32, ROWS_WORD = 80 };

/* Those of opening.h. */
extern const struct option_row rows_opening[];

/* The tables as getopt_long(3) wants them, who is to start with ":".  All zero: empty. */
struct rows {
	struct option option[ROWS_MAX];
	char letters[2 * ROWS_MAX];
	size_t count;
};

/* ROWS_MAX - 1 in all, at most. */
void rows_add(struct rows *rows, const struct option_row *row);

/* The name of the option that has this code, which must be there. */
const char *rows_name(const struct rows *rows, int code);

/* What to say of an option that getopt_long(3) did not take, by what it left in optopt (0: a long
 * one that there is not) and the word it was at.  which: what to call it, and never what follows
 * "=", which may be a secret; "" for -p and --passphrase, which are tried by many. */
const char *rows_unknown(const struct rows *rows, int code, const char *word,
                         char which[static ROWS_WORD]);

/* Print a line or more for each. */
void rows_help(const struct option_row *row);

#endif
