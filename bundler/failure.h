/* What went wrong, said once, and kept for the exit status and for the closing
 * record of --json. */
#ifndef BUNDLER_FAILURE_H
#define BUNDLER_FAILURE_H

#include "common/status.h"

/* The first one; all zero while there is none. */
struct failure {
	int code;
	char message[512];
};

/* Say "file: text" on standard error.  file may be NULL.  Returns code. */
int failure_say(struct failure *failure, int code, const char *file, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The words of a status. Returns its exit code. */
int failure_status(struct failure *failure, const char *file, int status);

/* The same of a source that is not what it was when it was staged, or of the directory
 * of a spill that fails: no drive is to blame.  Returns EXIT_FAILED. */
int failure_culprit(struct failure *failure, const char *culprit, const char *spill, int status);

/* It has been said. */
int failure_note(struct failure *failure, int code, const char *message);

#endif
