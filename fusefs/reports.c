#include "fusefs/reports.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/status.h"

enum { KNOWN = 256, HELD = 1024 };

/* Both are rings, counted through. */
struct reports {
	unsigned hold_ms;
	pthread_mutex_t lock; /* of the rest */
	unsigned known_count;
	uint32_t known[KNOWN]; /* entries that have had their line */
	unsigned begin, end;
	struct report held[HELD];
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

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
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
	struct report report = {entry, status, now_ms() + reports->hold_ms};

	pthread_mutex_lock(&reports->lock);
	if (reports->end - reports->begin < HELD && !has_had_its_line(reports, entry))
		reports->held[reports->end++ % HELD] = report;
	pthread_mutex_unlock(&reports->lock);
}

static bool has(const struct reports *r, bool all)
{
	return r->begin != r->end && (all || r->held[r->begin % HELD].due <= now_ms());
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
		*report = reports->held[reports->begin++ % HELD];
	pthread_mutex_unlock(&reports->lock);
	return taken;
}
