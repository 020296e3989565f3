/* A set of ranges of numbers in bounded memory: where it has to, it takes in
 * more than it was given, never less. */
#ifndef READER_RANGES_H
#define READER_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANGES_MAX = 4096 };

struct ranges {
	size_t count;
	struct range {
		uint64_t begin, end;
	} range[RANGES_MAX + 1]; /* ascending, apart from each other */
};

void ranges_add(struct ranges *ranges, uint64_t begin, uint64_t end);

/* The first range that has something of begin to end; NULL: none has. */
const struct range *ranges_find(const struct ranges *ranges, uint64_t begin, uint64_t end);

#endif
