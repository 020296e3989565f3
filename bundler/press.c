#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/lane.h"
#include "bundler/later.h"
#include "bundler/pipeline.h"
#include "bundler/writing.h"
#include "common/bytes.h"
#include "common/outfile.h"
#include "common/progress.h"
#include "common/status.h"

enum {
	UNITS = WRITE_PAGES + 2, /* the last job has the tail and header B too */
	JOBS_MAX = 16,           /* 34 MB */
};

struct press {
	struct write *write;
	struct write_volume *volume;
	struct pipeline *pipeline;
};

/* Some bytes of the file: a page, a header, or the tail. */
struct unit {
	size_t len;
	const uint8_t *copy; /* as they are */
	const uint8_t *key;  /* of a page to be sealed; neither: random */
	struct lane *lane;   /* that it is of, NULL for none */
	struct lane_page page;
};

/* A piece of the file. */
struct job {
	uint64_t no;
	unsigned count;
	struct unit unit[UNITS];
	uint8_t *payload; /* room for those that no lane keeps */
	struct later later;
	uint8_t *piece;
	size_t piece_len;
	uint8_t tag[CHECK_TAG];
};

/* What a worker has. */
struct tools {
	struct seal *seal;
	struct later_tools reading;
};

/* --- payloads in, pages out --------------------------------------------------- */

static int job_start(void *job, void *context)
{
	struct job *j = job;

	(void)context;
	j->payload = malloc((size_t)UNITS * FORMAT_PAYLOAD);
	j->piece = malloc(WRITE_PIECE_MAX);
	return j->payload && j->piece ? STATUS_OK : STATUS_NOMEM;
}

static void job_stop(void *job)
{
	struct job *j = job;

	later_end(&j->later, NULL);
	free(j->payload);
	free(j->piece);
}

static void thread_stop(void *local)
{
	struct tools *t = local;

	later_tools_fini(&t->reading);
	seal_free(t->seal);
	free(t);
}

static int thread_start(void **local, void *context)
{
	struct tools *t = calloc(1, sizeof(*t));
	int status = STATUS_NOMEM;

	(void)context;
	if (!t)
		return status;
	status = seal_new(&t->seal);
	if (status == STATUS_OK)
		status = later_tools_init(&t->reading);
	if (status == STATUS_OK)
		*local = t;
	else
		thread_stop(t);
	return status;
}

/* A page of nobody is made like all others, of zeros, under a key that nobody
 * has: it takes the same time, and cannot be told from them.  The tail is the
 * beginning of one. */
static void make_random(struct seal *seal, const struct write_secrets *secrets, const struct job *j,
                        unsigned i, uint8_t *out)
{
	static const uint8_t zeros[FORMAT_PAYLOAD];
	const struct unit *u = &j->unit[i];
	uint8_t page[FORMAT_PAGE];

	seal_page(seal, secrets->fill, SEAL_PAGE, j->no * UNITS + i, zeros,
	          u->len == FORMAT_PAGE ? out : page);
	if (u->len < FORMAT_PAGE)
		memcpy(out, page, u->len);
}

static void fetch(void *job, void *local, void *context)
{
	struct job *j = job;
	struct tools *t = local;

	(void)context;
	later_run(&j->later, &t->reading);
}

/* Parity is summed up in order, but not by the thread that reads the sources. */
static int prepare(void *job, void *context)
{
	struct job *j = job;

	(void)context;
	for (unsigned i = 0; i < j->count; i++)
		if (j->unit[i].lane)
			lane_sum(j->unit[i].lane, &j->unit[i].page);
	return STATUS_OK;
}

static int work(void *job, void *local, void *context)
{
	const struct press *p = context;
	const struct write_secrets *secrets = p->write->secrets;
	struct tools *t = local;
	struct job *j = job;

	j->piece_len = 0;
	for (unsigned i = 0; i < j->count; i++) {
		const struct unit *u = &j->unit[i];
		uint8_t *out = j->piece + j->piece_len;

		if (u->copy)
			memcpy(out, u->copy, u->len);
		else if (u->key)
			seal_page(t->seal, u->key, u->page.domain, u->page.number, u->page.payload,
			          out);
		else
			make_random(t->seal, secrets, j, i, out);
		j->piece_len += u->len;
	}
	if (p->write->options->verify)
		check_piece_tag(t->reading.check, &secrets->check, j->no, j->piece, j->piece_len,
		                j->tag);
	return STATUS_OK;
}

static int finish(void *job, void *context)
{
	struct press *p = context;
	struct write *w = p->write;
	struct job *j = job;
	int status = later_end(&j->later, w->fault->culprit);

	if (status == STATUS_OK)
		status = outfile_write(p->volume->out, j->piece, j->piece_len);
	if (w->options->verify)
		check_add(&w->secrets->check, j->tag);
	progress_update(w->progress,
	                w->no * w->geometry.file_len + outfile_synced_len(p->volume->out));
	return status;
}

static const struct pipeline_ops ops = {
	.job_size = sizeof(struct job),
	.start = job_start,
	.stop = job_stop,
	.thread_start = thread_start,
	.thread_stop = thread_stop,
	.fetch = fetch,
	.prepare = prepare,
	.work = work,
	.finish = finish,
};

/* --- front to back ------------------------------------------------------------- */

static void add_unit(struct job *j, size_t len, const uint8_t *copy)
{
	j->unit[j->count++] = (struct unit){.len = len, .copy = copy};
}

/* The next run pages, all of one compartment. */
static int add_lane_pages(struct write *w, struct job *j, unsigned owner, unsigned run)
{
	struct lane_page page[WRITE_PAGES];
	int status = lane_fill(w->lane[owner], run, page,
	                       j->payload + (size_t)j->count * FORMAT_PAYLOAD, &j->later);

	if (status)
		return status;
	for (unsigned i = 0; i < run; i++)
		j->unit[j->count++] = (struct unit){
			.len = FORMAT_PAGE,
			.lane = w->lane[owner],
			.key = page[i].kind == LANE_RANDOM ? NULL : w->secrets->keys[owner].page,
			.page = page[i]};
	return STATUS_OK;
}

/* The pages from *page on, as many as the job takes. */
static int add_pages(struct press *p, struct job *j, uint32_t *page)
{
	const struct format_geometry *g = &p->write->geometry;
	const uint8_t *owner = p->volume->owner;
	int status = STATUS_OK;

	while (j->count < WRITE_PAGES && *page < g->page_count && status == STATUS_OK) {
		uint32_t q = *page / g->slice_pages;
		uint32_t slice_end = q < g->slice_count ? (q + 1) * g->slice_pages : g->page_count;
		uint32_t run = (uint32_t)min_u64(slice_end - *page, WRITE_PAGES - j->count);

		if (q < g->slice_count && owner[q] != LAYOUT_NOBODY)
			status = add_lane_pages(p->write, j, owner[q], run);
		else
			for (uint32_t i = 0; i < run; i++)
				add_unit(j, FORMAT_PAGE, NULL);
		*page += run;
	}
	return status;
}

static int produce(struct press *p)
{
	const struct format_geometry *g = &p->write->geometry;
	uint64_t end = format_page_offset(g->page_count), first = write_first_piece(p->write);
	uint32_t page = 0;

	for (uint64_t no = 0; no == 0 || page < g->page_count; no++) {
		struct job *j = cancel_asked() ? NULL : pipeline_take(p->pipeline);
		int status;

		if (!j)
			return STATUS_CANCELLED; /* pipeline_end may know better */
		j->no = first + no;
		j->count = 0;
		if (no == 0)
			add_unit(j, FORMAT_HEADER, p->volume->header[0]);
		status = add_pages(p, j, &page);
		if (status)
			return status;
		if (page == g->page_count) {
			add_unit(j, g->file_len - FORMAT_HEADER - end, NULL);
			add_unit(j, FORMAT_HEADER, p->volume->header[1]);
		}
		pipeline_submit(p->pipeline, j);
	}
	return STATUS_OK;
}

static unsigned depth(unsigned workers)
{
	return (unsigned)min_u64(2 * workers + 4, JOBS_MAX);
}

/* A job that is being filled is the only one of depth that is not behind it. */
struct lane_ahead press_ahead(unsigned workers, unsigned group)
{
	return (struct lane_ahead){.pages = depth(workers) * WRITE_PAGES, .group = group};
}

size_t write_memory(unsigned count, unsigned parity, unsigned workers, unsigned group)
{
	const struct lane_ahead ahead = press_ahead(workers, group);
	size_t job = sizeof(struct job) + (size_t)UNITS * FORMAT_PAYLOAD + WRITE_PIECE_MAX;

	return depth(workers) * job + count * lane_memory(parity, &ahead);
}

/* The lane that could not be filled, if there is one, knows who is to blame. */
static void blame(struct write *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		const char *culprit = lane_culprit(w->lane[i]);

		if (culprit)
			snprintf(w->fault->culprit, sizeof(w->fault->culprit), "%s", culprit);
	}
}

int press_run(struct write *w)
{
	struct press p = {.write = w, .volume = &w->volume[w->no]};
	int status, ended, saved;

	check_begin(&w->secrets->check, w->no);
	status = pipeline_new(&p.pipeline, &ops, &p, w->options->workers,
	                      depth(w->options->workers));
	if (status)
		return status;
	status = produce(&p);
	saved = errno;
	ended = pipeline_end(p.pipeline, status != STATUS_OK);
	if (ended)
		status = ended; /* of what came before */
	else
		blame(w);
	errno = ended ? errno : saved;
	check_end(&w->secrets->check, p.volume->sum);
	if (status == STATUS_OK)
		status = outfile_sync(p.volume->out);
	if (status == STATUS_OK)
		progress_update(w->progress, (w->no + 1) * w->geometry.file_len);
	return status;
}
