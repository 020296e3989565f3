#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/frames.h"
#include "bundler/spill.h"
#include "common/arena.h"
#include "common/format.h"
#include "common/status.h"

static void three_per_cent(void **state)
{
	(void)state;
	assert_true(frames_gain(100, 97));
	assert_false(frames_gain(100, 98));
	assert_true(frames_gain(FORMAT_FRAME, FORMAT_FRAME / 100 * 97));
	assert_false(frames_gain(FORMAT_FRAME, FORMAT_FRAME));
	assert_false(frames_gain(100, 0)); /* it does not get shorter */
}

struct world {
	struct arena *arena;
	struct frames_sink sink;
	struct frames *frames;
};

static void begin(struct world *w, unsigned workers)
{
	memset(w, 0, sizeof *w);
	assert_int_equal(arena_new(&w->arena, 4096, true), STATUS_OK);
	assert_int_equal(spill_new(&w->sink.bytes, w->arena, 1 << 24, "/tmp"), STATUS_OK);
	assert_int_equal(segments_new(&w->sink.segments, w->arena, 1 << 20, "/tmp"), STATUS_OK);
	assert_int_equal(frames_new(&w->frames, &w->sink, 1, workers), STATUS_OK);
}

static void end(struct world *w)
{
	segments_free(w->sink.segments);
	spill_free(w->sink.bytes);
	arena_free(w->arena);
}

/* A chunk of text or noise, in a file or nowhere else. */
static void submit(struct world *w, bool noise, uint32_t source, uint64_t where, unsigned before)
{
	struct frames_job *job = frames_take(w->frames);

	assert_non_null(job);
	assert_int_equal(job->before_count + job->plain_len, 0);
	for (; job->before_count < before; job->before_count++)
		job->before[job->before_count] = (struct piece){
			.where = 1000 * job->before_count, .plain_len = 10, .source = 9};
	job->plain_len = 50000;
	if (noise)
		randombytes_buf(job->plain, job->plain_len);
	else
		memset(job->plain, 'x', job->plain_len);
	job->source = source;
	job->where = where;
	frames_submit(w->frames, job);
}

static void is(const struct world *w, uint64_t n, uint64_t where, uint64_t plain_len, bool frame,
               uint32_t source)
{
	struct piece piece;

	assert_int_equal(segments_get(w->sink.segments, n, &piece), STATUS_OK);
	assert_true(piece.where == where);
	assert_true(piece.plain_len == plain_len);
	assert_int_equal(piece.stored_len > 0, frame);
	assert_int_equal(piece.source, source);
}

static void chunks_become_segments_in_order(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 4; workers += 3) {
		struct world w;
		struct piece first;

		begin(&w, workers);
		submit(&w, false, 5, 0, 0);            /* compresses: here */
		submit(&w, true, 5, 50000, 0);         /* does not: stays in its file */
		submit(&w, true, 5, 100000, 0);        /* and goes on there */
		submit(&w, true, 6, 150000, 0);        /* another file */
		submit(&w, true, PIECE_SPILLED, 0, 2); /* has no file: here */
		submit(&w, true, PIECE_SPILLED, 0, 0); /* perhaps of other files */
		submit(&w, false, PIECE_SPILLED, 0, FRAMES_BEFORE);
		assert_int_equal(frames_end(w.frames, 0), STATUS_OK);
		assert_int_equal(segments_close(w.sink.segments), STATUS_OK);
		assert_int_equal(segments_count(w.sink.segments), 3 + 4 + FRAMES_BEFORE + 1);
		assert_int_equal(segments_get(w.sink.segments, 0, &first), STATUS_OK);
		is(&w, 0, 0, 50000, true, 5);
		is(&w, 1, 50000, 100000, false, 5);
		is(&w, 2, 150000, 50000, false, 6);
		is(&w, 3, 0, 10, false, 9);
		is(&w, 4, 1000, 10, false, 9);
		is(&w, 5, first.stored_len, 50000, false, PIECE_SPILLED);
		is(&w, 6, first.stored_len + 50000, 50000, false, PIECE_SPILLED);
		is(&w, 7, 0, 10, false, 9);
		is(&w, 7 + FRAMES_BEFORE, first.stored_len + 100000, 50000, true, PIECE_SPILLED);
		assert_int_equal(w.sink.compressed, 100000);
		assert_int_equal(w.sink.stored, 250000 + 20 + 10 * FRAMES_BEFORE);
		assert_true(spill_len(w.sink.bytes) == 2 * first.stored_len + 100000);
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_per_cent),
		cmocka_unit_test(chunks_become_segments_in_order),
	};

	return sodium_init() < 0 || cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
