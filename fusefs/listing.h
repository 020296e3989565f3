/* The names in a directory. */
#ifndef FUSEFS_LISTING_H
#define FUSEFS_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fusefs/fuse.h"

/* readdir, or, plus, readdirplus: what fits in size bytes, from off on. */
void listing_answer(fuse_req_t request, fuse_ino_t node, size_t size, off_t off, bool plus);

#endif
