#include "bundler/kept.h"

#include <stdlib.h>
#include <string.h>

#include "bundler/origin.h"
#include "bundler/spill.h"
#include "common/bytes.h"
#include "common/status.h"

/* Of a place: it is that of a map - a number of runs, and the runs. */
#define HOLES (UINT64_C(1) << 63)

#define NO_RUN UINT64_MAX

enum { FIRST_ROOM = 16, RUNS_MAX = 1 << 18 }; /* 6 MiB of them */

/* --- putting in ------------------------------------------------------------- */

void kept_begin(struct kept_writer *w, struct spill *spill)
{
	w->spill = spill;
	w->end = 0;
	w->count = 0;
}

void kept_fini(struct kept_writer *w)
{
	free(w->run);
	memset(w, 0, sizeof *w);
}

static int begin_run(struct kept_writer *w, uint64_t off)
{
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : FIRST_ROOM;
		struct kept_run *run = NULL;

		if (room > RUNS_MAX)
			return STATUS_TOOBIG;
		run = realloc(w->run, room * sizeof *run);
		if (!run)
			return STATUS_NOMEM;
		w->run = run;
		w->room = room;
	}
	w->run[w->count++] = (struct kept_run){.off = off, .at = spill_len(w->spill)};
	return STATUS_OK;
}

static int append(struct kept_writer *w, const void *bytes, size_t len)
{
	w->run[w->count - 1].len += len;
	w->end += len;
	return spill_append(w->spill, bytes, len);
}

int kept_add(struct kept_writer *w, uint64_t off, const void *bytes, size_t len)
{
	static const uint8_t zeros[ORIGIN_HOLE];
	uint64_t gap = off - w->end;
	int status = STATUS_OK;

	if (off < w->end || off > INT64_MAX || len > INT64_MAX - off)
		return STATUS_INVALID;
	if (!len)
		return STATUS_OK;
	if (!w->count || gap >= ORIGIN_HOLE) {
		uint64_t begin = gap < ORIGIN_HOLE ? 0 : off;

		status = begin_run(w, begin);
		if (status)
			return status;
		w->end = begin;
		gap = off - begin;
	}
	if (gap)
		status = append(w, zeros, (size_t)gap);
	return status ? status : append(w, bytes, len);
}

/* Behind the data, which nobody will look for but through it. */
static int put_map(struct kept_writer *w, uint64_t *at)
{
	uint64_t count = w->count;
	int status;

	*at = spill_len(w->spill) | HOLES;
	status = spill_append(w->spill, &count, sizeof count);
	if (status == STATUS_OK && count)
		status = spill_append(w->spill, w->run, w->count * sizeof *w->run);
	return status;
}

int kept_end(struct kept_writer *w, uint64_t size, uint64_t *at)
{
	int status = STATUS_OK;

	if (size < w->end)
		return STATUS_INVALID;
	if (size > w->end && size - w->end < ORIGIN_HOLE)
		status = kept_add(w, size - 1, "", 1);
	if (status)
		return status;
	if (size == w->end && w->count <= 1 && (!w->count || w->run[0].off == 0))
		*at = w->count ? w->run[0].at : spill_len(w->spill);
	else
		status = put_map(w, at);
	return status;
}

/* --- reading ---------------------------------------------------------------- */

int kept_open(struct kept_file *f, struct spill *spill, uint64_t at)
{
	*f = (struct kept_file){.spill = spill, .run_count = 1, .run = {0, INT64_MAX, at}};
	if (!(at & HOLES))
		return STATUS_OK;
	f->run_no = NO_RUN;
	f->at = (at & ~HOLES) + sizeof f->run_count;
	return spill_read(spill, at & ~HOLES, sizeof f->run_count, &f->run_count);
}

static bool is_within(const struct kept_file *f, uint64_t off)
{
	return f->run_no != NO_RUN && off >= f->run.off && off - f->run.off < f->run.len;
}

static int get_run(struct kept_file *f, uint64_t no)
{
	int status = spill_read(f->spill, f->at + no * sizeof f->run, sizeof f->run, &f->run);

	f->run_no = status ? NO_RUN : no;
	return status;
}

/* The first run that ends behind off becomes the one in hand; *found: is there
 * one? */
static int find_run(struct kept_file *f, uint64_t off, bool *found)
{
	uint64_t low = 0, high = f->run_count;
	int status = STATUS_OK;

	*found = true;
	if (is_within(f, off))
		return STATUS_OK;
	while (low < high && status == STATUS_OK) {
		uint64_t middle = low + (high - low) / 2;

		status = get_run(f, middle);
		if (f->run.off + f->run.len > off)
			high = middle;
		else
			low = middle + 1;
	}
	*found = low < f->run_count;
	return status || !*found || low == f->run_no ? status : get_run(f, low);
}

int kept_next_data(struct kept_file *f, uint64_t size, uint64_t off, uint64_t *begin, uint64_t *end)
{
	bool found = off < size;
	int status = found ? find_run(f, off, &found) : STATUS_OK;

	*begin = *end = size;
	if (status || !found)
		return status;
	*begin = min_u64(max_u64(off, f->run.off), size);
	*end = min_u64(f->run.off + f->run.len, size);
	return STATUS_OK;
}

int kept_read(struct kept_file *f, void *buf, size_t len, uint64_t off)
{
	uint8_t *p = buf;
	int status = STATUS_OK;

	for (size_t part; len && status == STATUS_OK; p += part, off += part, len -= part) {
		bool found;

		status = find_run(f, off, &found);
		if (status == STATUS_OK && is_within(f, off)) {
			part = min_u64(f->run.off + f->run.len - off, len);
			status = spill_read(f->spill, f->run.at + (off - f->run.off), part, p);
		} else {
			part = found ? min_u64(f->run.off - off, len) : len;
			memset(p, 0, part);
		}
	}
	return status;
}
