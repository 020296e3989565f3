/* Tens of megabytes of memory, in huge pages where the system has some: each page that
 * is touched for the first time costs as much as copying several. */
#ifndef BUNDLER_LARGE_H
#define BUNDLER_LARGE_H

#include <stddef.h>

/* len bytes, of no particular content, for free(3).  NULL: there is no room. */
void *large_new(size_t len);

#endif
