/* Whether somebody has asked the packer to stop.  Long work looks now and then,
 * and ends with STATUS_CANCELLED. */
#ifndef BUNDLER_CANCEL_H
#define BUNDLER_CANCEL_H

#include <stdbool.h>

/* Safe in a signal handler.  There is no way back. */
void cancel_ask(void);
bool cancel_asked(void);

#endif
