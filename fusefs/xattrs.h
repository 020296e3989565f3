/* Extended attributes, of bundles that have them. */
#ifndef FUSEFS_XATTRS_H
#define FUSEFS_XATTRS_H

#include <stddef.h>

#include "fusefs/fuse.h"

/* room: 0 to be told the length. */
void xattrs_get(fuse_req_t request, fuse_ino_t node, const char *name, size_t room);
void xattrs_list(fuse_req_t request, fuse_ino_t node, size_t room);

#endif
