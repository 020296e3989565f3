#include "reader/ranges.h"

#include <string.h>

#include "common/bytes.h"

/* The first range that ends at or behind at. */
static size_t find(const struct ranges *r, uint64_t at)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->range[middle].end < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_at(struct ranges *r, size_t i, size_t n)
{
	memmove(&r->range[i], &r->range[i + n], (r->count - i - n) * sizeof *r->range);
	r->count -= n;
}

/* Join the two that are closest to each other. */
static void make_room(struct ranges *r)
{
	size_t best = 0;

	for (size_t i = 1; i + 1 < r->count; i++)
		if (r->range[i + 1].begin - r->range[i].end <
		    r->range[best + 1].begin - r->range[best].end)
			best = i;
	r->range[best].end = r->range[best + 1].end;
	remove_at(r, best + 1, 1);
}

void ranges_add(struct ranges *r, uint64_t begin, uint64_t end)
{
	size_t i = find(r, begin), n = 0;

	while (i + n < r->count && r->range[i + n].begin <= end) {
		begin = min_u64(begin, r->range[i + n].begin);
		end = max_u64(end, r->range[i + n].end);
		n++;
	}
	if (n > 0) {
		remove_at(r, i + 1, n - 1);
	} else {
		memmove(&r->range[i + 1], &r->range[i], (r->count - i) * sizeof *r->range);
		r->count++;
	}
	r->range[i] = (struct range){begin, end};
	if (r->count > RANGES_MAX)
		make_room(r);
}

const struct range *ranges_find(const struct ranges *r, uint64_t begin, uint64_t end)
{
	size_t i = find(r, begin + 1);

	return begin < end && i < r->count && r->range[i].begin < end ? &r->range[i] : NULL;
}
