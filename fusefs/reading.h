/* The content of files: answered, looked ahead, put off. */
#ifndef FUSEFS_READING_H
#define FUSEFS_READING_H

#include <stddef.h>
#include <sys/types.h>

#include "fusefs/fuse.h"

void reading_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t off,
                  struct fuse_file_info *file);

/* Holes and data. */
void reading_lseek(fuse_req_t request, fuse_ino_t node, off_t off, int whence,
                   struct fuse_file_info *file);

#endif
