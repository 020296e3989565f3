/* Who reads a file in order says so in time: the drive shall be busy while what
 * has come is decrypted and written. */
#ifndef READER_AHEAD_H
#define READER_AHEAD_H

#include <stddef.h>
#include <stdint.h>

struct cursor;
struct format_entry;

/* Before the bytes at off are read, in steps of step from begin to end. */
void ahead_read(struct cursor *cursor, const struct format_entry *file, uint64_t begin,
                uint64_t off, uint64_t end, size_t step);

#endif
