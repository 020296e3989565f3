/* Is this stored name safe?  The single judge of names. */
#ifndef COMMON_PATH_H
#define COMMON_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* 1 to 255 bytes, none of them NUL or '/', neither "." nor "..".  Anything else
 * a file system might do with a name is the business of who writes there. */
bool path_name_ok(const char *name, size_t len);

/* Order of siblings: byte by byte, unsigned; a name before those it begins.
 * <0, 0, >0 as memcmp. */
int path_name_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Valid UTF-8 (no surrogates, nothing over U+10FFFF, shortest forms)? */
bool path_is_utf8(const char *text, size_t len);

#endif
