#include "common/amount.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* Whole numbers only: for others printf may allocate. */
void amount_of_bytes(char out[static AMOUNT_ROOM], uint64_t bytes)
{
	static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t value = bytes, tenth = 0;
	size_t i = 0;

	for (; value >= 1000; i++) {
		tenth = value % 1000 / 100;
		value /= 1000;
	}
	if (i)
		snprintf(out, AMOUNT_ROOM, "%" PRIu64 ".%" PRIu64 " %s", value, tenth, unit[i]);
	else
		snprintf(out, AMOUNT_ROOM, "%" PRIu64 " byte%s", value, value == 1 ? "" : "s");
}

void amount_needed(char out[static AMOUNT_ROOM], uint64_t bytes)
{
	uint64_t unit = 1, tenth;

	while (bytes / unit >= 1000)
		unit *= 1000;
	tenth = unit > 1 ? unit / 10 : 1;
	amount_of_bytes(out, bytes - bytes % tenth + (bytes % tenth ? tenth : 0));
}
