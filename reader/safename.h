/* Names that every file system takes, in place of those that some refuse. */
#ifndef READER_SAFENAME_H
#define READER_SAFENAME_H

#include <stdbool.h>
#include <stddef.h>

enum { SAFENAME_ROOM = 160 };

/* Does some file system refuse it?  name: len bytes, terminated. */
bool safename_may_be_needed(const char *name, size_t len);

/* Always the same for one name, so that it is found again, and another for any other: what is
 * left of the name, a short hash of all of it, what is left of its extension. */
void safename_make(char out[static SAFENAME_ROOM], const char *name);

#endif
