/* Shell patterns for one name: * ? [abc] [a-z] [!a-z] and \ in front of a
 * character that shall mean itself.  Characters are UTF-8, bytes where a name is
 * not.  fnmatch(3) copies names to its stack and heap as wide characters. */
#ifndef READER_GLOB_H
#define READER_GLOB_H

#include <stdbool.h>

/* A dot in front is matched by a dot only. */
bool glob_match(const char *pattern, const char *name);

/* Would it be taken for a pattern? */
bool glob_is_pattern(const char *text);

#endif
