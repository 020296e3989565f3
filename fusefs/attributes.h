/* What stat(2) shows of an entry. */
#ifndef FUSEFS_ATTRIBUTES_H
#define FUSEFS_ATTRIBUTES_H

#include <stdint.h>
#include <sys/stat.h>

#include "common/format.h"
#include "fusefs/fuse.h"

struct view;

/* Seconds.  Nothing ever changes. */
#define ATTRIBUTES_FOR_EVER ((double)UINT32_MAX)

void attributes_fill(const struct view *view, const struct format_entry *entry, fuse_ino_t node,
                     struct stat *st);

/* The answer to a name that is inode's. */
void attributes_entry(const struct view *view, const struct format_entry *entry, uint32_t inode,
                      struct fuse_entry_param *answer);

#endif
