/* Is it the same file, under whatever name?  A question that cannot be answered, as
 * nothing is there, is answered with false. */
#ifndef COMMON_SAMEFILE_H
#define COMMON_SAMEFILE_H

#include <stdbool.h>

struct stat;

/* fd: negative for none. */
bool samefile_descriptor(int fd, const struct stat *file);

/* path: NULL for none.  A symbolic link is the file that it leads to, and itself. */
bool samefile_path(const char *path, const struct stat *file);

#endif
