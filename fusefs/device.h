/* The way to the kernel and back: libfuse's own, but that an answer which cannot be sent
 * becomes an input/output error.  Whoever asked would wait for ever else. */
#ifndef FUSEFS_DEVICE_H
#define FUSEFS_DEVICE_H

#include <stdbool.h>

#include "fusefs/fuse.h"

/* From now on the session, which is mounted, reads and writes so.  STATUS_NOMEM. */
int device_take(struct fuse_session *session);

/* Has there been a question that could not be read, or an answer that could not be sent? */
bool device_has_failed(void);

#endif
