#include "bundler/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/cancel.h"
#include "bundler/classify.h"
#include "bundler/origin.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "bundler/twins.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/progress.h"
#include "common/squeeze.h"
#include "common/status.h"

enum {
	SMALL = 131072, /* up to here files share a frame */
	SAMPLE = 4096,
	SAMPLES = 3,
	SKETCH = 1024, /* bytes of each sample that tell files apart */
	TRIES = 3,     /* for a file that changes while it is read */
	MOST_HELD = 255,
};

#define TIME_MAX (INT64_C(1) << 54)

/* What is wrong with a file, beside the statuses, which stop everything. */
enum { UNREADABLE = 1, CHANGED };

/* What a node has become, beside what the tree says. */
enum { MARK_TAKEN = 1, MARK_TWIN = 2 };

/* Frames, or extents?  A verdict holds for 1, 3, 7 ... 255 chunks while trials
 * keep confirming it, and is tried again then. */
struct verdict {
	bool frames;
	unsigned run, held; /* chunks it was given for, and those left */
};

struct intake {
	struct stage *stage;
	struct tree *tree;
	const struct stage_options *options;
	struct progress *progress;
	struct stage_report *report;
	struct frames_sink sink;
	struct frames *frames;
	struct frames_job *job;  /* what large files go to next; NULL: none in hand */
	struct frames_job *pack; /* small files that will share a frame; NULL: none */
	uint32_t *member;        /* their nodes, with places counted from the pack's start */
	size_t member_count, member_room;
	struct squeezer *squeezer;
	struct twins *twins;
	uint8_t *mark; /* of each node */
	uint8_t *small, *trial;
	uint64_t addr; /* of what is submitted next */
	uint64_t run_count;
	uint32_t origin_count;
	uint64_t done; /* bytes, for progress */
};

/* The file that is being taken. */
struct file {
	uint32_t node;
	int fd;
	struct origin origin;
	bool referred; /* segments lie in it */
	bool copied;   /* its bytes are in the pack, checked */
	bool sparse;
	uint8_t sample[SAMPLES][SAMPLE];
	size_t sample_len[SAMPLES]; /* 0: not read */
	struct verdict verdict;
};

/* --- what is submitted ---------------------------------------------------- */

static void submit_job(struct intake *in)
{
	frames_submit(in->frames, in->job);
	in->job = NULL;
}

static int take_job(struct intake *in, struct frames_job **job)
{
	if (!*job)
		*job = frames_take(in->frames);
	return *job ? STATUS_OK : STATUS_CANCELLED; /* frames_end knows better */
}

/* The number under which segments name the file. */
static uint32_t refer(struct intake *in, struct file *f)
{
	f->referred = true;
	return in->origin_count;
}

static int add_extent(struct intake *in, struct file *f, uint64_t off, uint64_t len)
{
	int status = take_job(in, &in->job);

	if (status)
		return status;
	in->job->before[in->job->before_count++] =
		(struct piece){.where = off, .plain_len = len, .source = refer(in, f)};
	in->addr += len;
	if (in->job->before_count == FRAMES_BEFORE)
		submit_job(in);
	return STATUS_OK;
}

/* Only now do the files in it have addresses. */
static void close_pack(struct intake *in)
{
	if (in->job && in->job->before_count)
		submit_job(in);
	for (size_t i = 0; i < in->member_count; i++)
		in->tree->node[in->member[i]].place += in->addr;
	in->member_count = 0;
	in->addr += in->pack->plain_len;
	frames_submit(in->frames, in->pack);
	in->pack = NULL;
}

static int add_member(struct intake *in, uint32_t node)
{
	if (in->member_count == in->member_room) {
		size_t room = in->member_room ? 2 * in->member_room : 256;
		uint32_t *member = realloc(in->member, room * sizeof(*member));

		if (!member)
			return STATUS_NOMEM;
		in->member = member;
		in->member_room = room;
	}
	in->member[in->member_count++] = node;
	return STATUS_OK;
}

static int add_to_pack(struct intake *in, struct file *f, size_t len)
{
	int status;

	if (in->pack && in->pack->plain_len + len > FORMAT_FRAME)
		close_pack(in);
	status = take_job(in, &in->pack);
	if (status == STATUS_OK)
		status = add_member(in, f->node);
	if (status)
		return status;
	f->copied = true;
	memcpy(in->pack->plain + in->pack->plain_len, in->small, len);
	in->tree->node[f->node].place = in->pack->plain_len;
	in->pack->plain_len += len;
	return STATUS_OK;
}

/* --- reading -------------------------------------------------------------- */

static int read_file(const struct file *f, void *buf, size_t len, uint64_t off)
{
	int status = origin_read(f->fd, buf, len, off);

	return status == STATUS_OK ? STATUS_OK : status == STATUS_CHANGED ? CHANGED : UNREADABLE;
}

/* Sample i: from the start, the middle, the end; a short file has one. */
static int read_sample(struct file *f, int i)
{
	uint64_t spare = f->origin.size > SAMPLE ? f->origin.size - SAMPLE : 0;
	const uint64_t off[SAMPLES] = {0, spare / 2, spare};
	size_t len = min_u64(f->origin.size, SAMPLE);

	if (f->sample_len[i] || (i && !spare))
		return STATUS_OK;
	f->sample_len[i] = len;
	return read_file(f, f->sample[i], len, off[i]);
}

static int read_samples(struct file *f)
{
	int status = STATUS_OK;

	for (int i = 0; i < SAMPLES && status == STATUS_OK; i++)
		status = read_sample(f, i);
	return status;
}

static bool looks_random(const struct file *f)
{
	for (int i = 0; i < SAMPLES; i++)
		if (f->sample_len[i] && !classify_looks_random(f->sample[i], f->sample_len[i]))
			return false;
	return true;
}

/* --- frames or extents? ---------------------------------------------------- */

/* What a trial has shown. */
static void learn(struct verdict *v, bool frames)
{
	v->run = frames == v->frames ? 2 * v->run + 1 : 1;
	if (v->run > MOST_HELD)
		v->run = MOST_HELD;
	v->frames = frames;
	v->held = v->run;
}

/* What the verdict says, or a trial of the chunk that is in the job. */
static bool wants_frame(struct intake *in, struct verdict *v, struct frames_job *job, size_t len)
{
	if (v->held) {
		v->held--;
		return v->frames;
	}
	job->packed_len = squeezer_run(in->squeezer, job->packed, job->plain, len);
	learn(v, frames_gain(len, job->packed_len));
	job->packed_known = v->frames;
	return v->frames;
}

static int add_chunk(struct intake *in, struct file *f, uint64_t off, size_t len)
{
	int status = take_job(in, &in->job);

	if (status == STATUS_OK)
		status = read_file(f, in->job->plain, len, off);
	if (status)
		return status;
	if (!wants_frame(in, &f->verdict, in->job, len))
		return add_extent(in, f, off, len);
	in->job->plain_len = len;
	in->job->source = refer(in, f);
	in->job->where = off;
	in->addr += len;
	submit_job(in);
	return STATUS_OK;
}

/* Bytes [off, end) of a large file. */
static int add_range(struct intake *in, struct file *f, uint64_t off, uint64_t end)
{
	int status = STATUS_OK;

	for (uint64_t len; off < end && status == STATUS_OK; off += len) {
		if (cancel_asked())
			return STATUS_CANCELLED;
		if (!f->verdict.frames && f->verdict.held) {
			len = min_u64(end - off, (uint64_t)f->verdict.held * FORMAT_FRAME);
			f->verdict.held -= (unsigned)div_ceil(len, FORMAT_FRAME);
			status = add_extent(in, f, off, len);
		} else {
			len = min_u64(end - off, FORMAT_FRAME);
			status = add_chunk(in, f, off, (size_t)len);
		}
		progress_update(in->progress, in->done + off);
	}
	return status;
}

/* --- one file -------------------------------------------------------------- */

static int add_run(struct intake *in, uint64_t off, uint64_t len)
{
	const struct format_run run = {.file_off = off, .addr = in->addr, .len = len};
	uint8_t record[FORMAT_RUN];

	format_run_encode(record, &run);
	in->run_count++;
	return spill_append(in->stage->runs, record, sizeof(record));
}

static int add_sparse(struct intake *in, struct file *f, bool store)
{
	struct node *node = &in->tree->node[f->node];
	uint64_t begin, end, size = f->origin.size;
	int status = STATUS_OK;

	node->place = in->run_count;
	for (uint64_t off = 0; off < size && status == STATUS_OK; off = end) {
		origin_next_data(f->fd, size, off, &begin, &end);
		if (begin == end)
			break;
		status = add_run(in, begin, end - begin);
		if (status == STATUS_OK)
			status = store ? add_extent(in, f, begin, end - begin)
			               : add_range(in, f, begin, end);
	}
	node->runs = (uint32_t)(in->run_count - node->place);
	node->sparse = 1;
	return status;
}

/* Its bytes are all read before anything is said about them. */
static int add_small(struct intake *in, struct file *f, bool unsure)
{
	size_t len = (size_t)f->origin.size;
	int status = read_file(f, in->small, len, 0);

	if (status)
		return status;
	if (!origin_unchanged(f->fd, &f->origin))
		return CHANGED;
	if (unsure && looks_random(f) &&
	    !frames_gain(len, squeezer_run(in->squeezer, in->trial, in->small, len))) {
		in->tree->node[f->node].place = in->addr;
		return add_extent(in, f, 0, len);
	}
	return add_to_pack(in, f, len);
}

static int add_large(struct intake *in, struct file *f, bool store)
{
	in->tree->node[f->node].place = in->addr;
	return store ? add_extent(in, f, 0, f->origin.size) : add_range(in, f, 0, f->origin.size);
}

static int add_content(struct intake *in, struct file *f)
{
	const struct node *node = &in->tree->node[f->node];
	enum class_verdict class = classify_name_and_head(
		tree_name(in->tree, f->node), node->name_len, f->sample[0], f->sample_len[0]);
	bool store = class == CLASS_STORE;
	int status = class == CLASS_UNSURE ? read_samples(f) : STATUS_OK;

	if (status)
		return status;
	/* What does not look random is tried first by its second chunk. */
	f->verdict.frames = class == CLASS_COMPRESS || !looks_random(f);
	f->verdict.run = f->verdict.held = f->verdict.frames;
	if (f->sparse)
		return add_sparse(in, f, store);
	if (f->origin.size <= SMALL && !store)
		return add_small(in, f, class == CLASS_UNSURE);
	return add_large(in, f, store);
}

/* Is it one of several?  Then *first is not its own node. */
static int find_twin(struct intake *in, struct file *f, uint32_t *first)
{
	uint8_t sketch[SAMPLES * SKETCH];
	size_t len = 0;
	int status;

	*first = f->node;
	if (!twins_possible(in->twins, f->node))
		return STATUS_OK;
	status = read_samples(f);
	if (status)
		return status;
	for (int i = 0; i < SAMPLES; i++) {
		size_t part = min_u64(f->sample_len[i], SKETCH);

		memcpy(sketch + len, f->sample[i], part);
		len += part;
	}
	status = twins_note(in->twins, f->fd, &f->origin, sketch, len, first);
	return status == STATUS_CHANGED ? CHANGED : status == STATUS_IO ? UNREADABLE : status;
}

static void refresh_time(struct intake *in, const struct origin *origin)
{
	bool late = origin->mtime >= in->options->newest;

	if (origin->mtime < -TIME_MAX || origin->mtime > TIME_MAX)
		return; /* as the scan has it */
	in->tree->node[origin->node].mtime = late ? in->options->newest : origin->mtime;
	if (in->tree->extra)
		in->tree->extra[origin->node].mtime_nsec = late ? 0 : origin->mtime_nsec;
}

/* The scan may be a while ago. */
static void refresh(struct intake *in, struct file *f, const struct stat *st)
{
	struct node *node = &in->tree->node[f->node];
	uint64_t begin = 0, end = f->origin.size;

	refresh_time(in, &f->origin);
	node->size = f->origin.size;
	node->sparse = 0;
	node->runs = 0;
	node->place = 0;
	if ((uint64_t)st->st_blocks * 512 < f->origin.size)
		origin_next_data(f->fd, f->origin.size, 0, &begin, &end);
	f->sparse = begin > 0 || end < f->origin.size;
}

static int take_opened(struct intake *in, struct file *f)
{
	struct node *node = &in->tree->node[f->node];
	uint32_t first;
	int status;

	if (node->size == 0)
		return STATUS_OK;
	status = read_sample(f, 0);
	if (status == STATUS_OK)
		status = find_twin(in, f, &first);
	if (status)
		return status;
	if (first != f->node) {
		node->place = first;
		in->mark[f->node] = MARK_TWIN;
		return STATUS_OK;
	}
	return add_content(in, f);
}

/* A file that was given up half way leaves extents behind that nobody looks at. */
static int note_origin(struct intake *in, struct file *f, bool gone)
{
	f->origin.gone = gone;
	in->origin_count++;
	return spill_append(in->stage->origins, &f->origin, sizeof(f->origin));
}

/* Is it another file now than when its names were found to be one file's?  The
 * scan has left the inode where the place will be. */
static bool is_replaced(const struct node *node, const struct origin *origin)
{
	return node->links > 1 && node->place && node->place != origin->ino;
}

static int take_once(struct intake *in, uint32_t number, bool first_try)
{
	struct file f = {.node = number, .fd = -1};
	struct stat st;
	int status, noted = STATUS_OK, saved;

	in->mark[number] = 0;
	if (origin_open(in->tree, number, &f.fd, &f.origin, &st))
		return UNREADABLE;
	if (first_try && is_replaced(&in->tree->node[number], &f.origin)) {
		close(f.fd);
		errno = ESTALE;
		return UNREADABLE;
	}
	refresh(in, &f, &st);
	status = take_opened(in, &f);
	saved = errno;
	if (status == STATUS_OK && !f.copied && !origin_unchanged(f.fd, &f.origin))
		status = CHANGED;
	close(f.fd);
	errno = saved;
	if (f.referred)
		noted = note_origin(in, &f, status != STATUS_OK);
	if (noted)
		return noted;
	errno = saved;
	return status;
}

static void drop(struct intake *in, uint32_t number, int trouble)
{
	const char *why = trouble == UNREADABLE ? strerror(errno) : "changes while it is read";
	char path[TREE_PATH_SIZE];

	tree_path(in->tree, number, path, sizeof(path));
	diag_error(path, "%s: left out", why);
	tree_drop(in->tree, number);
	in->report->dropped++;
}

static int take_file(struct intake *in, uint32_t number)
{
	int status = CHANGED;

	if (cancel_asked())
		return STATUS_CANCELLED;
	for (int i = 0; i < TRIES && status == CHANGED; i++)
		status = take_once(in, number, i == 0);
	if (status < 0)
		return status;
	in->done += in->tree->node[number].size;
	progress_update(in->progress, in->done);
	if (status) {
		drop(in, number, status);
		return STATUS_OK;
	}
	in->mark[number] |= MARK_TAKEN;
	in->report->files++;
	in->report->bytes += in->tree->node[number].size;
	if (in->mark[number] & MARK_TWIN)
		in->report->duplicates += in->tree->node[number].size;
	return STATUS_OK;
}

/* --- all of them ----------------------------------------------------------- */

static bool to_be_taken(const struct intake *in, uint32_t number)
{
	const struct node *node = &in->tree->node[number];

	return node->kind == KIND_FILE && !node->dropped && !(in->mark[number] & MARK_TAKEN);
}

static int take_all(struct intake *in)
{
	int status = STATUS_OK;

	for (uint32_t i = 0; status == STATUS_OK && (i = tree_next_in_path_order(in->tree, i));)
		if (to_be_taken(in, i))
			status = take_file(in, i);
	/* Links that took the place of a dropped file, behind the walk's back. */
	for (uint32_t i = 1; status == STATUS_OK && in->report->dropped && i < in->tree->count; i++)
		if (to_be_taken(in, i))
			status = take_file(in, i);
	if (status)
		return status;
	if (in->pack)
		close_pack(in);
	if (in->job && in->job->before_count)
		submit_job(in);
	return STATUS_OK;
}

static void resolve_twins(struct intake *in)
{
	struct node *node = in->tree->node;

	for (uint32_t i = 1; i < in->tree->count; i++) {
		const struct node *first;

		if (!(in->mark[i] & MARK_TWIN))
			continue;
		first = &node[node[i].place];
		node[i].sparse = first->sparse;
		node[i].runs = first->runs;
		node[i].place = first->place;
	}
}

static uint64_t total_size(const struct tree *tree)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < tree->count; i++)
		if (tree->node[i].kind == KIND_FILE)
			total += tree->node[i].size;
	return total;
}

static int prepare(struct intake *in)
{
	int status = twins_new(&in->twins, in->tree);

	in->mark = calloc(in->tree->count, 1);
	in->small = malloc(SMALL);
	in->trial = malloc(SMALL);
	if (status == STATUS_OK && !(in->mark && in->small && in->trial))
		status = STATUS_NOMEM;
	if (status == STATUS_OK)
		status = squeezer_new(&in->squeezer, in->options->level);
	if (status == STATUS_OK)
		status = frames_new(&in->frames, &in->sink, in->options->level,
		                    in->options->workers);
	return status;
}

int intake_run(struct stage *stage, const struct stage_options *options, struct progress *progress,
               struct stage_report *report)
{
	struct intake in = {.stage = stage,
	                    .tree = stage->tree,
	                    .options = options,
	                    .progress = progress,
	                    .report = report,
	                    .sink = {.bytes = stage->bytes, .segments = stage->segments}};
	int status = prepare(&in), ended;

	if (status == STATUS_OK) {
		progress_start(progress, "staging", total_size(in.tree));
		status = take_all(&in);
		progress_finish(progress);
	}
	ended = frames_end(in.frames, status != STATUS_OK);
	if (ended)
		status = ended;
	if (status == STATUS_OK)
		resolve_twins(&in);
	report->stored = in.sink.stored;
	report->compressed = in.sink.compressed;
	twins_free(in.twins);
	squeezer_free(in.squeezer);
	free(in.trial);
	free(in.small);
	free(in.mark);
	free(in.member);
	return status;
}
