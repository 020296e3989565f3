#include "bundler/frames.h"

#include <stdlib.h>

#include "bundler/pipeline.h"
#include "bundler/spill.h"
#include "common/bytes.h"
#include "common/format.h"
#include "common/squeeze.h"
#include "common/status.h"

enum { DEPTH_MAX = 68 }; /* 34 MB */

struct frames {
	struct pipeline *pipeline;
	struct frames_sink *sink;
	int level;
};

static int start(void *job, void *context)
{
	struct frames_job *j = job;

	(void)context;
	j->source = PIECE_SPILLED;
	j->plain = malloc(FORMAT_FRAME);
	j->packed = malloc(FORMAT_FRAME);
	return j->plain && j->packed ? STATUS_OK : STATUS_NOMEM;
}

static void stop(void *job)
{
	struct frames_job *j = job;

	free(j->plain);
	free(j->packed);
}

static int thread_start(void **local, void *context)
{
	struct frames *f = context;
	struct squeezer *squeezer = NULL;
	int status = squeezer_new(&squeezer, f->level);

	*local = squeezer;
	return status;
}

static void thread_stop(void *local)
{
	squeezer_free(local);
}

static int work(void *job, void *local, void *context)
{
	struct frames_job *j = job;

	(void)context;
	if (j->plain_len && !j->packed_known)
		j->packed_len = squeezer_run(local, j->packed, j->plain, j->plain_len);
	return STATUS_OK;
}

bool frames_gain(size_t plain_len, size_t packed_len)
{
	return packed_len && packed_len * 100 <= plain_len * 97;
}

/* Every segment of the content passes here, in order. */
static int emit(struct frames_sink *sink, const struct piece *piece)
{
	if (piece->stored_len)
		sink->compressed += piece->plain_len;
	else
		sink->stored += piece->plain_len;
	return segments_add(sink->segments, piece);
}

/* A chunk becomes a frame, or an extent in its file or, if it has none, here. */
static int emit_chunk(struct frames_sink *sink, const struct frames_job *j)
{
	struct piece piece = {.where = j->where, .plain_len = j->plain_len, .source = j->source};
	bool gain = frames_gain(j->plain_len, j->packed_len);
	int status = STATUS_OK;

	if (gain || j->source == PIECE_SPILLED) {
		piece.where = spill_len(sink->bytes);
		piece.stored_len = gain ? (uint32_t)j->packed_len : 0;
		status = spill_append(sink->bytes, gain ? j->packed : j->plain,
		                      gain ? j->packed_len : j->plain_len);
	}
	return status ? status : emit(sink, &piece);
}

static int finish(void *job, void *context)
{
	struct frames *f = context;
	struct frames_job *j = job;
	int status = STATUS_OK;

	for (unsigned i = 0; i < j->before_count && status == STATUS_OK; i++)
		status = emit(f->sink, &j->before[i]);
	if (j->plain_len && status == STATUS_OK)
		status = emit_chunk(f->sink, j);
	j->before_count = 0;
	j->plain_len = j->packed_len = 0;
	j->packed_known = false;
	j->source = PIECE_SPILLED;
	return status;
}

/* 32, where there is more than one: of eight for two workers all were often on the way while
 * everybody slept, on a virtual machine, where to be woken takes long. */
static unsigned depth(unsigned workers)
{
	if (workers < 15)
		return workers == 1 ? 24 : 32;
	return (unsigned)min_u64(2 * workers + 4, DEPTH_MAX);
}

size_t frames_memory(int level, unsigned workers)
{
	return workers * squeezer_size(level) +
	       depth(workers) * (sizeof(struct frames_job) + 2 * FORMAT_FRAME);
}

int frames_new(struct frames **frames, struct frames_sink *sink, int level, unsigned workers)
{
	static const struct pipeline_ops ops = {
		.job_size = sizeof(struct frames_job),
		.start = start,
		.stop = stop,
		.thread_start = thread_start,
		.thread_stop = thread_stop,
		.work = work,
		.finish = finish,
	};
	struct frames *f = calloc(1, sizeof(*f));
	int status = STATUS_NOMEM;

	if (!f)
		return status;
	f->sink = sink;
	f->level = level;
	status = pipeline_new(&f->pipeline, &ops, f, workers, depth(workers));
	if (status == STATUS_OK)
		*frames = f;
	else
		free(f);
	return status;
}

struct frames_job *frames_take(struct frames *f)
{
	return pipeline_take(f->pipeline);
}

void frames_submit(struct frames *f, struct frames_job *job)
{
	pipeline_submit(f->pipeline, job);
}

int frames_rewind(struct frames *f, uint64_t plain_len)
{
	struct frames_sink *sink = f->sink;
	uint64_t stored, compressed, spilled = UINT64_MAX;
	int status;

	if (!pipeline_wait(f->pipeline))
		return STATUS_CANCELLED;
	status = segments_rewind(sink->segments, plain_len, &stored, &compressed, &spilled);
	if (status)
		return status;
	sink->stored -= stored;
	sink->compressed -= compressed;
	return spilled == UINT64_MAX ? STATUS_OK : spill_cut(sink->bytes, spilled);
}

int frames_end(struct frames *f, int cancel)
{
	int status;

	if (!f)
		return STATUS_OK;
	status = pipeline_end(f->pipeline, cancel);
	free(f);
	return status;
}
