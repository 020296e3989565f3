/* The one door to libfuse: its low-level interface, in the version that Debian
 * 12 has. */
#ifndef FUSEFS_FUSE_H
#define FUSEFS_FUSE_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#endif
