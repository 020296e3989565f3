#include "bundler/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bundler/spill.h"
#include "common/diag.h"
#include "common/status.h"

int failure_note(struct failure *failure, int code, const char *message)
{
	if (!failure->code) {
		failure->code = code;
		snprintf(failure->message, sizeof failure->message, "%s", message);
	}
	return code;
}

int failure_say(struct failure *failure, int code, const char *file, const char *format, ...)
{
	char text[256], message[sizeof failure->message];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	diag_error(file, "%s", text);
	snprintf(message, sizeof message, "%s%s%s", file ? file : "", file ? ": " : "", text);
	return failure_note(failure, code, message);
}

static const char *words_of(int status)
{
	return status == STATUS_IO ? strerror(errno) : status_text(status);
}

int failure_status(struct failure *failure, const char *file, int status)
{
	return failure_say(failure, status_exit_code(status), file, "%s", words_of(status));
}

int failure_culprit(struct failure *failure, const char *culprit, const char *spill, int status)
{
	const char *advice = status == STATUS_IO
	                             ? "%s; leave it out (--exclude), or pack another copy of it"
	                             : "%s; pack again";

	return failure_say(failure, EXIT_FAILED, culprit,
	                   strcmp(culprit, spill) ? advice : SPILL_TROUBLE, words_of(status));
}
