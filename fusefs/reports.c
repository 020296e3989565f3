#include "fusefs/reports.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/status.h"

enum { KNOWN = 4096, HELD = 1024 };
_Static_assert(KNOWN >= HELD, "what is held is known");

/* Both are rings, counted through. */
struct reports {
	unsigned hold_ms;
	pthread_mutex_t lock; /* of the rest */
	unsigned known_count;
	uint32_t known[KNOWN]; /* the last entries that have had their line */
	unsigned begin, end;
	struct held {
		struct report report;
		int64_t due; /* milliseconds */
	} held[HELD];
};

int reports_new(struct reports **reports, unsigned hold_ms)
{
	struct reports *r = calloc(1, sizeof *r);

	if (!r)
		return STATUS_NOMEM;
	r->hold_ms = hold_ms;
	pthread_mutex_init(&r->lock, NULL);
	*reports = r;
	return STATUS_OK;
}

/* If not, from now on it has. */
static bool has_had_its_line(struct reports *r, uint32_t entry)
{
	for (unsigned i = 0; i < r->known_count && i < KNOWN; i++)
		if (r->known[i] == entry)
			return true;
	r->known[r->known_count++ % KNOWN] = entry;
	return false;
}

void reports_add(struct reports *reports, uint32_t entry, int status)
{
	struct held held = {{entry, status}, clock_ms() + reports->hold_ms};

	pthread_mutex_lock(&reports->lock);
	if (reports->end - reports->begin < HELD && !has_had_its_line(reports, entry))
		reports->held[reports->end++ % HELD] = held;
	pthread_mutex_unlock(&reports->lock);
}

static bool has(const struct reports *r, bool all)
{
	return r->begin != r->end && (all || r->held[r->begin % HELD].due <= clock_ms());
}

bool reports_has_due(struct reports *reports)
{
	bool due;

	pthread_mutex_lock(&reports->lock);
	due = has(reports, false);
	pthread_mutex_unlock(&reports->lock);
	return due;
}

bool reports_take(struct reports *reports, bool all, struct report *report)
{
	bool taken;

	pthread_mutex_lock(&reports->lock);
	taken = has(reports, all);
	if (taken)
		*report = reports->held[reports->begin++ % HELD].report;
	pthread_mutex_unlock(&reports->lock);
	return taken;
}
