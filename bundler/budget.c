#include "bundler/budget.h"

#include "bundler/ahead.h"
#include "bundler/frames.h"
#include "bundler/options.h"
#include "bundler/parity.h"
#include "bundler/write.h"
#include "common/squeeze.h"

enum {
	BASE = 16 << 20,     /* programs, libraries, the arena; small buffers */
	LEAST_KEPT = 8 << 20 /* of a stage */
};

uint64_t budget_least(unsigned compartment_count, unsigned parity)
{
	return BASE + write_memory(compartment_count, parity, 1, 1) +
	       (uint64_t)compartment_count * LEAST_KEPT;
}

/* What is given back before the bundle is published: the one or the other. */
static size_t passing(const struct options *o, unsigned workers, unsigned group)
{
	size_t staging = frames_memory((int)o->level, workers) + squeezer_size((int)o->level) +
	                 ahead_memory();
	size_t writing = write_memory(o->compartment_count, o->parity, workers, group);

	return staging > writing ? staging : writing;
}

static bool has_archives(const struct options *o)
{
	for (unsigned i = 0; i < o->compartment_count; i++)
		if (o->compartment[i].archive.count)
			return true;
	return false;
}

/* As many workers as leave an eighth for what stays, then as large a group as leaves
 * three. */
struct budget budget_divide(const struct options *o)
{
	size_t whole = (size_t)o->memory - BASE, kept;
	struct budget b = {.workers = o->jobs, .group = PARITY_GROUP};

	while (b.workers > 1 && passing(o, b.workers, 1) > whole / 8 * 7)
		b.workers--;
	while (b.group > 1 &&
	       write_memory(o->compartment_count, o->parity, b.workers, b.group) > whole / 8 * 5)
		b.group--;
	kept = (whole - passing(o, b.workers, b.group)) / o->compartment_count;
	b.links = kept / 9;
	b.archives = has_archives(o) ? kept / 9 : 0;
	b.stage = kept - b.links - b.archives;
	return b;
}
