#include "bundler/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/ahead.h"
#include "bundler/cancel.h"
#include "bundler/classify.h"
#include "bundler/content.h"
#include "bundler/frames.h"
#include "bundler/origin.h"
#include "bundler/samples.h"
#include "bundler/spill.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "bundler/twins.h"
#include "bundler/way.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/progress.h"
#include "common/status.h"

enum {
	SMALL = 131072, /* up to here files share a frame */
	TRIES = 3,      /* for a file that changes while it is read */
	RUNS_AT_A_TIME = 170,
};

/* What is wrong with a file, beside the statuses, which stop everything. */
enum { UNREADABLE = 1, CHANGED };

/* What a node has become, beside what the tree says. */
enum { MARK_TAKEN = 1, MARK_TWIN = 2 };

struct intake {
	struct stage *stage;
	struct tree *tree;
	const struct stage_options *options;
	struct progress *progress;
	struct stage_report *report;
	struct frames_sink sink;
	struct content *content;
	struct twins *twins;
	struct way way;
	uint8_t *mark; /* of each node */
	uint8_t *small;
	uint64_t run_count;
	uint32_t origin_count;
	uint64_t done; /* bytes, for progress */
};

/* The file that is being taken. */
struct file {
	uint32_t node;
	struct origin_file opened;
	struct origin origin;
	bool referred; /* segments lie in it */
	bool copied;   /* its bytes are in a pack, checked */
	bool sparse;
	struct samples samples;
	struct content_verdict verdict;
};

/* The number under which segments name the file. */
static uint32_t refer(struct intake *in, struct file *f)
{
	f->referred = true;
	return in->origin_count;
}

/* --- reading -------------------------------------------------------------- */

/* What is kept cannot change, and fails as spills do. */
static int judge(const struct file *f, int status)
{
	if (status == STATUS_OK || f->origin.is_kept)
		return status;
	return status == STATUS_CHANGED ? CHANGED : UNREADABLE;
}

static int read_file(struct file *f, void *buf, size_t len, uint64_t off)
{
	return judge(f, origin_read(&f->opened, buf, len, off));
}

static int read_samples(struct file *f, int count)
{
	return judge(f, samples_read(&f->samples, count, &f->opened, f->origin.size));
}

/* Of up to SMALL bytes. */
static int read_whole(struct intake *in, struct file *f)
{
	int status;

	if (f->samples.whole)
		return STATUS_OK;
	status = read_file(f, in->small, (size_t)f->origin.size, 0);
	if (status == STATUS_OK)
		f->samples.whole = in->small;
	return status;
}

static int add_extent(struct intake *in, struct file *f, uint64_t off, uint64_t len)
{
	return content_add_extent(in->content, refer(in, f), off, len);
}

static int add_chunk(struct intake *in, struct file *f, uint64_t off, size_t len)
{
	uint8_t *plain;
	int status = content_take_chunk(in->content, &plain);

	if (status == STATUS_OK)
		status = read_file(f, plain, len, off);
	if (status)
		return status;
	return content_add_chunk(in->content, &f->verdict, refer(in, f), off, len);
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
	const struct format_run run = {
		.file_off = off, .addr = content_addr(in->content), .len = len};
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
		status = judge(f, origin_next_data(&f->opened, size, off, &begin, &end));
		if (status || begin == end)
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
	int status = read_whole(in, f);

	if (status)
		return status;
	if (!origin_unchanged(&f->opened, &f->origin))
		return CHANGED;
	if (unsure && samples_look_random(&f->samples) &&
	    !content_gains(in->content, f->samples.whole, len)) {
		in->tree->node[f->node].place = content_addr(in->content);
		return add_extent(in, f, 0, len);
	}
	f->copied = true;
	return content_add_small(in->content, f->node, f->samples.whole, len);
}

static int add_large(struct intake *in, struct file *f, bool store)
{
	in->tree->node[f->node].place = content_addr(in->content);
	return store ? add_extent(in, f, 0, f->origin.size) : add_range(in, f, 0, f->origin.size);
}

static int add_content(struct intake *in, struct file *f)
{
	const struct node *node = &in->tree->node[f->node];
	enum class_verdict class =
		classify_name_and_head(tree_name(in->tree, f->node), node->name_len,
	                               f->samples.bytes[0], f->samples.len[0]);
	bool store = class == CLASS_STORE;
	int status = class == CLASS_UNSURE ? read_samples(f, SAMPLES) : STATUS_OK;

	if (status)
		return status;
	/* What does not look random is tried first by its second chunk. */
	f->verdict.frames = class == CLASS_COMPRESS || !samples_look_random(&f->samples);
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
	uint8_t sketch[SAMPLES * SAMPLES_SKETCH];
	int status;

	*first = f->node;
	if (!twins_possible(in->twins, f->node))
		return STATUS_OK;
	status = read_samples(f, SAMPLES);
	if (status)
		return status;
	status = twins_note(in->twins, &f->opened, &f->origin, sketch,
	                    samples_sketch(&f->samples, sketch), first);
	return status == STATUS_NOMEM || status == STATUS_CANCELLED ? status : judge(f, status);
}

/* The scan may be a while ago. */
static int refresh(struct intake *in, struct file *f)
{
	struct node *node = &in->tree->node[f->node];

	if (!f->origin.is_kept)
		tree_set_time(in->tree, f->node, f->origin.mtime, f->origin.mtime_nsec);
	node->size = f->origin.size;
	node->sparse = 0;
	node->runs = 0;
	node->place = 0;
	return judge(f, origin_has_holes(&f->opened, f->origin.size, &f->sparse));
}

static int take_opened(struct intake *in, struct file *f)
{
	struct node *node = &in->tree->node[f->node];
	uint32_t first;
	int status = refresh(in, f);

	if (status || node->size == 0)
		return status;
	/* The samples of a small one are not worth a read of their own. */
	status = f->origin.size <= AHEAD_SMALL ? read_whole(in, f) : STATUS_OK;
	if (status == STATUS_OK)
		status = read_samples(f, 1);
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

/* Is it another file now than when its names were found to be one file's?  ino: of that. */
static bool is_replaced(const struct intake *in, const struct file *f, uint64_t ino)
{
	return in->tree->node[f->node].links > 1 && ino &&
	       !origin_has_number(&f->opened, &f->origin, ino);
}

/* What was there before the file: it is given up as if it had never been read, so
 * that nothing lies in the content that no name leads to. */
static int give_up(struct intake *in, uint64_t addr, uint64_t run_count)
{
	int saved = errno, status = content_rewind(in->content, addr);

	in->run_count = run_count;
	if (status == STATUS_OK)
		status = spill_cut(in->stage->runs, run_count * FORMAT_RUN);
	if (status == STATUS_OK)
		errno = saved;
	return status;
}

/* Bytes that stay where they are will be read again: from what was read ahead, and is perhaps
 * no longer there? */
static int look_again(struct intake *in, const struct file *f)
{
	struct origin_file again;
	struct origin now;
	int status = origin_open(&in->way, in->tree, f->node, &again, &now);

	if (status)
		return UNREADABLE;
	status = origin_is(&again, &now, &f->origin) ? STATUS_OK : CHANGED;
	origin_close(&again);
	return status;
}

static int take_file_in(struct intake *in, struct file *f)
{
	uint64_t addr = content_addr(in->content), run_count = in->run_count;
	int status = take_opened(in, f), given_up;

	if (status == STATUS_OK && !f->copied && !origin_unchanged(&f->opened, &f->origin))
		status = CHANGED;
	if (status == STATUS_OK && f->referred && f->opened.loaded)
		status = look_again(in, f);
	if (status > 0) {
		given_up = give_up(in, addr, run_count);
		return given_up ? given_up : status;
	}
	if (status || !f->referred)
		return status;
	in->origin_count++;
	return spill_append(in->stage->origins, &f->origin, sizeof(f->origin));
}

/* As it was read ahead, if it was and is beyond doubt the file that the scan saw. */
static int open_file(struct intake *in, struct file *f, const struct ahead_file *read, uint64_t ino)
{
	if (!read || !read->opened.loaded || (ino && read->origin.ino != ino))
		return origin_open(&in->way, in->tree, f->node, &f->opened, &f->origin);
	f->opened = read->opened;
	f->origin = read->origin;
	f->samples.whole = read->opened.loaded;
	return STATUS_OK;
}

static int take_once(struct intake *in, uint32_t number, const struct ahead_file *read,
                     uint64_t ino)
{
	struct file f = {.node = number, .opened = ORIGIN_CLOSED};
	int status = open_file(in, &f, read, ino);

	in->mark[number] = 0;
	if (status)
		return tree_is_kept(in->tree, number) ? status : UNREADABLE;
	if (is_replaced(in, &f, ino)) {
		errno = ESTALE;
		status = UNREADABLE;
	} else {
		status = take_file_in(in, &f);
	}
	origin_close(&f.opened);
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

/* read: NULL where it was not read ahead. */
static int take_file(struct intake *in, uint32_t number, const struct ahead_file *read)
{
	/* The scan has left the inode where the place will be. */
	uint64_t ino = in->tree->node[number].place;
	int status = CHANGED;

	if (cancel_asked())
		return STATUS_CANCELLED;
	for (int i = 0; i < TRIES && status == CHANGED; i++)
		status = take_once(in, number, i ? NULL : read, ino);
	if (status < 0)
		return status;
	in->done += in->tree->node[number].size;
	progress_update(in->progress, in->done);
	if (status) {
		in->tree->node[number].place = ino; /* for its other names */
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

static int take_in_order(struct intake *in)
{
	const struct ahead_file *read;
	struct ahead *ahead;
	int status = ahead_new(&ahead, in->tree), ended;

	if (status)
		return status;
	while (status == STATUS_OK && (read = ahead_next(ahead)))
		status = take_file(in, read->node, read);
	ended = ahead_end(ahead);
	return status ? status : ended;
}

static bool is_left(const struct intake *in, uint32_t number)
{
	const struct node *node = &in->tree->node[number];

	return node->kind == KIND_FILE && !node->dropped && !(in->mark[number] & MARK_TAKEN);
}

/* Links that took the place of a dropped file, behind the walk's back. */
static int take_promoted(struct intake *in)
{
	int status = STATUS_OK;

	for (uint32_t i = 1; i < in->tree->count && status == STATUS_OK; i++)
		if (is_left(in, i))
			status = take_file(in, i, NULL);
	return status;
}

static int take_all(struct intake *in)
{
	int status = take_in_order(in);

	if (status == STATUS_OK && in->report->dropped)
		status = take_promoted(in);
	if (status == STATUS_OK)
		content_close(in->content);
	return status;
}

/* A run belongs to one file: so that who reads all files reads each run once. */
static int copy_runs(struct intake *in, struct node *node, const struct node *first)
{
	uint8_t record[RUNS_AT_A_TIME * FORMAT_RUN];
	int status = STATUS_OK;

	node->place = in->run_count;
	for (uint64_t n = 0, count; n < first->runs && status == STATUS_OK; n += count) {
		count = min_u64(first->runs - n, RUNS_AT_A_TIME);
		if (cancel_asked())
			return STATUS_CANCELLED;
		status = spill_read(in->stage->runs, (first->place + n) * FORMAT_RUN,
		                    count * FORMAT_RUN, record);
		if (status == STATUS_OK)
			status = spill_append(in->stage->runs, record, count * FORMAT_RUN);
		in->run_count += count;
	}
	return status;
}

static int resolve_twins(struct intake *in)
{
	struct node *node = in->tree->node;
	int status = STATUS_OK;

	for (uint32_t i = 1; i < in->tree->count && status == STATUS_OK; i++) {
		const struct node *first;

		/* Not one that was left out in the end. */
		if (in->mark[i] != (MARK_TAKEN | MARK_TWIN))
			continue;
		first = &node[node[i].place];
		node[i].sparse = first->sparse;
		node[i].runs = first->runs;
		node[i].place = first->place;
		if (first->runs)
			status = copy_runs(in, &node[i], first);
	}
	return status;
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
	if (status == STATUS_OK && !(in->mark && in->small))
		status = STATUS_NOMEM;
	if (status == STATUS_OK)
		status = content_new(&in->content, &in->sink, in->tree, in->options->level,
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
	                    .way = WAY_NONE,
	                    .sink = {.bytes = stage->bytes, .segments = stage->segments}};
	int status = prepare(&in), ended;

	if (status == STATUS_OK) {
		progress_start(progress, "staging", total_size(in.tree));
		status = take_all(&in);
		progress_finish(progress);
	}
	ended = content_end(in.content, status != STATUS_OK);
	if (ended)
		status = ended;
	if (status == STATUS_OK)
		status = resolve_twins(&in);
	report->stored = in.sink.stored;
	report->compressed = in.sink.compressed;
	way_end(&in.way);
	twins_free(in.twins);
	free(in.small);
	free(in.mark);
	return status;
}
