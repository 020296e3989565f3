#include "reader/ahead.h"

#include "common/bundle.h"
#include "common/bytes.h"

enum { AHEAD = 4 << 20 };

/* All of it at first, then what comes into sight; a single step needs none. */
void ahead_read(struct cursor *cursor, const struct format_entry *file, uint64_t begin,
                uint64_t off, uint64_t end, size_t step)
{
	uint64_t from = off == begin ? off : off + AHEAD - step;

	if (from < end && end - begin > step)
		bundle_will_need(cursor, file, from, min_u64(end, off + AHEAD) - from);
}
