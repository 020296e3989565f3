#include "bundler/write.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/check.h"
#include "bundler/headers.h"
#include "bundler/lane.h"
#include "bundler/layout.h"
#include "bundler/pipeline.h"
#include "bundler/stage.h"
#include "common/arena.h"
#include "common/bytes.h"
#include "common/outfile.h"
#include "common/progress.h"
#include "common/status.h"

enum {
	PAGES = 64, /* of a job: one piece of the file */
	PIECE = PAGES * FORMAT_PAGE,
	UNITS = PAGES + 2, /* the last job has the tail and header B too */
	PIECE_MAX = PIECE + 2 * FORMAT_PAGE,
	JOBS_MAX = 16, /* 34 MB */
	NOBODY = UINT8_MAX,
	PARITY_MOST = 4096 * FORMAT_PAYLOAD, /* of a compartment's sums */
};

/* What belongs to one compartment; in the arena. */
struct keys {
	struct format_slot slot; /* with the compartment key */
	uint8_t page[FORMAT_KEY];
};

struct secrets {
	uint8_t fill[FORMAT_KEY]; /* of pages that nobody owns; thrown away */
	struct check check;
	struct headers_room room;
	struct keys keys[]; /* one for each compartment */
};

struct write {
	const struct write_compartment *compartment;
	unsigned count;
	const struct write_options *options;
	struct progress *progress;
	struct format_geometry geometry;
	struct secrets *secrets;
	struct lane *lane[FORMAT_SLOTS];
	uint8_t owner[FORMAT_MAX_SLICES]; /* of each slice: number of a compartment, or NOBODY */
	uint8_t header[2][FORMAT_HEADER];
	struct outfile *out;
	struct pipeline *pipeline;
	const char *culprit;
};

/* Some bytes of the file: a page, a header, or the tail. */
struct unit {
	size_t len;
	const uint8_t *copy; /* as they are */
	const uint8_t *key;  /* of a page to be sealed; neither: random */
	struct lane_page page;
};

struct job {
	uint64_t no;
	unsigned count;
	struct unit unit[UNITS];
	uint8_t *payload; /* of unit i, if it is sealed, at i payloads */
	uint8_t *piece;
	size_t piece_len;
	uint8_t tag[CHECK_TAG];
};

/* What a worker has. */
struct tools {
	struct seal *seal;
	struct check_piece *check;
};

/* --- before the first byte ------------------------------------------------- */

static struct layout_demand demand_of(const struct write *w, unsigned i)
{
	const struct format_content *content = stage_content(w->compartment[i].stage);

	return (struct layout_demand){.stream_len = content->content_len +
	                                            content->leaf_count * FORMAT_DIGEST +
	                                            content->index_len,
	                              .parity = w->options->parity};
}

static int make_keys(struct write *w, struct keys *keys, const struct layout_demand *demand)
{
	const uint8_t volume_no[2] = {0};
	struct format_parity shape;
	int status = layout_pages(demand, &shape);

	if (status)
		return status;
	keys->slot = (struct format_slot){.parity = (uint8_t)demand->parity,
	                                  .volume_count = 1,
	                                  .file_len = w->geometry.file_len,
	                                  .data_pages = shape.data_pages};
	randombytes_buf(keys->slot.ck, FORMAT_KEY);
	kdf_derive(keys->page, keys->slot.ck, "satchel page key 1", volume_no, sizeof(volume_no));
	return STATUS_OK;
}

static void own(struct write *w, unsigned i, const uint8_t map[static FORMAT_MAX_SLICES / 8])
{
	for (uint32_t q = 0; q < w->geometry.slice_count; q++)
		if (map[q / 8] >> q % 8 & 1)
			w->owner[q] = (uint8_t)i;
}

static int open_lanes(struct write *w)
{
	uint8_t map[FORMAT_SLOTS][FORMAT_MAX_SLICES / 8];
	uint16_t owned[FORMAT_SLOTS];
	struct layout_demand demand[FORMAT_SLOTS];
	int status;

	for (unsigned i = 0; i < w->count; i++)
		demand[i] = demand_of(w, i);
	status = layout_deal(&w->geometry, demand, w->count, map, owned);
	memset(w->owner, NOBODY, sizeof(w->owner));
	for (unsigned i = 0; i < w->count && status == STATUS_OK; i++) {
		struct stage *stage = w->compartment[i].stage;
		struct keys *keys = &w->secrets->keys[i];

		own(w, i, map[i]);
		status = make_keys(w, keys, &demand[i]);
		if (status == STATUS_OK)
			status = lane_open(&w->lane[i], stage, &keys->slot, map[i], owned[i], 0,
			                   stage_content(stage)->content_len);
	}
	return status;
}

static int make_headers(struct write *w)
{
	struct headers_compartment compartment[FORMAT_SLOTS];
	int status = STATUS_OK;

	for (unsigned i = 0; i < w->count; i++)
		compartment[i] = (struct headers_compartment){
			.slot = &w->secrets->keys[i].slot,
			.opener = w->compartment[i].opener,
			.opener_count = w->compartment[i].opener_count};
	for (int copy = 0; copy < 2 && status == STATUS_OK; copy++)
		status = headers_make(w->header[copy], compartment, w->count, w->options->profile,
		                      &w->secrets->room);
	return status;
}

/* --- the pipeline: payloads in, pages out ----------------------------------- */

static int job_start(void *job, void *context)
{
	struct job *j = job;

	(void)context;
	j->payload = malloc((size_t)UNITS * FORMAT_PAYLOAD);
	j->piece = malloc(PIECE_MAX);
	return j->payload && j->piece ? STATUS_OK : STATUS_NOMEM;
}

static void job_stop(void *job)
{
	struct job *j = job;

	free(j->payload);
	free(j->piece);
}

static void thread_stop(void *local)
{
	struct tools *t = local;

	check_piece_free(t->check);
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
		status = check_piece_new(&t->check);
	if (status == STATUS_OK)
		*local = t;
	else
		thread_stop(t);
	return status;
}

/* A page of nobody is made like all others, of zeros, under a key that nobody
 * has: it takes the same time, and cannot be told from them.  The tail is the
 * beginning of one. */
static void make_random(struct seal *seal, const struct write *w, const struct job *j, unsigned i,
                        uint8_t *out)
{
	static const uint8_t zeros[FORMAT_PAYLOAD];
	const struct unit *u = &j->unit[i];
	uint8_t page[FORMAT_PAGE];

	seal_page(seal, w->secrets->fill, SEAL_PAGE, j->no * UNITS + i, zeros,
	          u->len == FORMAT_PAGE ? out : page);
	if (u->len < FORMAT_PAGE)
		memcpy(out, page, u->len);
}

static int work(void *job, void *local, void *context)
{
	const struct write *w = context;
	struct tools *t = local;
	struct job *j = job;

	j->piece_len = 0;
	for (unsigned i = 0; i < j->count; i++) {
		const struct unit *u = &j->unit[i];
		uint8_t *out = j->piece + j->piece_len;

		if (u->copy)
			memcpy(out, u->copy, u->len);
		else if (u->key)
			seal_page(t->seal, u->key, u->page.domain, u->page.number,
			          j->payload + (size_t)i * FORMAT_PAYLOAD, out);
		else
			make_random(t->seal, w, j, i, out);
		j->piece_len += u->len;
	}
	if (w->options->verify)
		check_piece_tag(t->check, &w->secrets->check, j->no, j->piece, j->piece_len,
		                j->tag);
	return STATUS_OK;
}

static int finish(void *job, void *context)
{
	struct write *w = context;
	struct job *j = job;
	int status = outfile_write(w->out, j->piece, j->piece_len);

	if (w->options->verify)
		check_add(&w->secrets->check, CHECK_WRITTEN, j->tag);
	progress_update(w->progress, outfile_synced_len(w->out));
	return status;
}

static const struct pipeline_ops ops = {
	.job_size = sizeof(struct job),
	.start = job_start,
	.stop = job_stop,
	.thread_start = thread_start,
	.thread_stop = thread_stop,
	.work = work,
	.finish = finish,
};

/* --- front to back ----------------------------------------------------------- */

static void add_unit(struct job *j, size_t len, const uint8_t *copy)
{
	j->unit[j->count++] = (struct unit){.len = len, .copy = copy};
}

/* The next run pages, all of one compartment. */
static int add_lane_pages(struct write *w, struct job *j, unsigned owner, unsigned run)
{
	struct lane_page page[PAGES];
	int status = lane_fill(w->lane[owner], run, page,
	                       j->payload + (size_t)j->count * FORMAT_PAYLOAD);

	if (status) {
		w->culprit = lane_culprit(w->lane[owner]);
		return status;
	}
	for (unsigned i = 0; i < run; i++)
		j->unit[j->count++] =
			(struct unit){.len = FORMAT_PAGE,
		                      .key = page[i].random ? NULL : w->secrets->keys[owner].page,
		                      .page = page[i]};
	return STATUS_OK;
}

/* The pages from *page on, as many as the job takes. */
static int add_pages(struct write *w, struct job *j, uint32_t *page)
{
	const struct format_geometry *g = &w->geometry;
	int status = STATUS_OK;

	while (j->count < PAGES && *page < g->page_count && status == STATUS_OK) {
		uint32_t q = *page / g->slice_pages;
		uint32_t slice_end = q < g->slice_count ? (q + 1) * g->slice_pages : g->page_count;
		uint32_t run = (uint32_t)min_u64(slice_end - *page, PAGES - j->count);

		if (q < g->slice_count && w->owner[q] != NOBODY)
			status = add_lane_pages(w, j, w->owner[q], run);
		else
			for (uint32_t i = 0; i < run; i++)
				add_unit(j, FORMAT_PAGE, NULL);
		*page += run;
	}
	return status;
}

static int produce(struct write *w)
{
	const struct format_geometry *g = &w->geometry;
	uint64_t end = format_page_offset(g->page_count);
	uint32_t page = 0;

	for (uint64_t no = 0; no == 0 || page < g->page_count; no++) {
		struct job *j = cancel_asked() ? NULL : pipeline_take(w->pipeline);
		int status;

		if (!j)
			return STATUS_CANCELLED; /* pipeline_end may know better */
		j->no = no;
		j->count = 0;
		if (no == 0)
			add_unit(j, FORMAT_HEADER, w->header[0]);
		status = add_pages(w, j, &page);
		if (status)
			return status;
		if (page == g->page_count) {
			add_unit(j, g->file_len - FORMAT_HEADER - end, NULL);
			add_unit(j, FORMAT_HEADER, w->header[1]);
		}
		pipeline_submit(w->pipeline, j);
	}
	return STATUS_OK;
}

static unsigned depth(unsigned workers)
{
	return (unsigned)min_u64(2 * workers + 4, JOBS_MAX);
}

size_t write_memory(unsigned count, unsigned parity, unsigned workers)
{
	size_t job = sizeof(struct job) + (size_t)UNITS * FORMAT_PAYLOAD + PIECE_MAX;

	return depth(workers) * job + (parity ? count * (size_t)PARITY_MOST : 0);
}

static int write_all(struct write *w)
{
	int status, ended;

	if (w->options->verify)
		check_begin(&w->secrets->check);
	randombytes_buf(w->secrets->fill, sizeof(w->secrets->fill));
	status = pipeline_new(&w->pipeline, &ops, w, w->options->workers,
	                      depth(w->options->workers));
	if (status)
		return status;
	progress_start(w->progress, "writing", w->geometry.file_len);
	status = produce(w);
	ended = pipeline_end(w->pipeline, status != STATUS_OK);
	if (status == STATUS_OK || status == STATUS_CANCELLED)
		status = ended ? ended : status;
	if (status == STATUS_OK)
		status = outfile_sync(w->out);
	if (status == STATUS_OK)
		progress_update(w->progress, w->geometry.file_len);
	progress_finish(w->progress);
	return status;
}

/* Piece number no, len bytes at off. */
static int verify_piece(struct write *w, struct check_piece *check, uint64_t no, uint8_t *piece,
                        size_t len, uint64_t off)
{
	uint8_t tag[CHECK_TAG];
	int status = cancel_asked() ? STATUS_CANCELLED : outfile_read_back(w->out, piece, len, off);

	if (status)
		return status;
	check_piece_tag(check, &w->secrets->check, no, piece, len, tag);
	check_add(&w->secrets->check, CHECK_READ, tag);
	progress_update(w->progress, off + len);
	return STATUS_OK;
}

/* Read it back in the pieces in which it was written. */
static int verify(struct write *w)
{
	uint64_t len = w->geometry.file_len, off = 0;
	uint64_t last = w->geometry.page_count / PAGES; /* header A counts as a page */
	struct check_piece *check = NULL;
	uint8_t *piece = malloc(PIECE_MAX);
	int status = piece ? check_piece_new(&check) : STATUS_NOMEM;

	progress_start(w->progress, "verifying", len);
	for (uint64_t no = 0; no <= last && status == STATUS_OK; no++) {
		size_t part = no == last ? (size_t)(len - off) : PIECE;

		status = verify_piece(w, check, no, piece, part, off);
		off += part;
	}
	progress_finish(w->progress);
	check_piece_free(check);
	free(piece);
	if (status == STATUS_OK && !check_end(&w->secrets->check))
		status = STATUS_DAMAGED;
	return status;
}

static int run(struct write *w, const char *path)
{
	int status = outfile_open(&w->out, path, w->options->replace);

	if (status == STATUS_OK)
		status = open_lanes(w);
	if (status == STATUS_OK)
		status = make_headers(w);
	if (status == STATUS_OK)
		status = write_all(w);
	if (status == STATUS_OK && w->options->verify)
		status = verify(w);
	if (status == STATUS_OK) {
		status = outfile_commit(w->out, true);
		w->out = NULL;
	}
	return status;
}

static void release(struct write *w, size_t secrets_len)
{
	outfile_discard(w->out);
	for (unsigned i = 0; i < w->count; i++)
		lane_close(w->lane[i]);
	sodium_memzero(w->secrets, secrets_len);
	sodium_memzero(w, sizeof(*w)); /* it knows who owns which slice */
	free(w);
}

int write_bundle(const char *path, uint64_t file_len, const struct write_compartment *compartment,
                 unsigned count, const struct write_options *options, struct arena *arena,
                 struct progress *progress, char *culprit, size_t culprit_size)
{
	size_t secrets_len = sizeof(struct secrets) + count * sizeof(struct keys);
	struct write *w;
	int status, saved;

	snprintf(culprit, culprit_size, "%s", "");
	if (count < 1 || count > FORMAT_SLOTS)
		return STATUS_TOOBIG;
	w = calloc(1, sizeof(*w));
	if (!w)
		return STATUS_NOMEM;
	w->compartment = compartment;
	w->options = options;
	w->progress = progress;
	w->secrets = arena_alloc(arena, secrets_len);
	if (!w->secrets || format_geometry_make(&w->geometry, file_len)) {
		status = w->secrets ? STATUS_TOOBIG : STATUS_NOMEM;
		free(w);
		return status;
	}
	w->count = count;
	status = run(w, path);
	saved = errno;
	if (w->culprit)
		snprintf(culprit, culprit_size, "%s", w->culprit);
	release(w, secrets_len);
	errno = saved;
	return status;
}
