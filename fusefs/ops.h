/* What the kernel asks, answered from the bundle. */
#ifndef FUSEFS_OPS_H
#define FUSEFS_OPS_H

#include "fusefs/fuse.h"

/* userdata: struct view. */
extern const struct fuse_lowlevel_ops ops_table;

#endif
