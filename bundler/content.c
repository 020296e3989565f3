#include "bundler/content.h"

#include <stdlib.h>
#include <string.h>

#include "bundler/frames.h"
#include "bundler/tree.h"
#include "common/squeeze.h"
#include "common/status.h"

enum { MOST_HELD = 255, FIRST_ROOM = 256 };

struct content {
	struct tree *tree;
	struct frames *frames;
	struct frames_job *job;  /* what large files go to next; NULL: none in hand */
	struct frames_job *pack; /* small files that will share a frame; NULL: none */
	uint32_t *member;        /* their nodes, with places counted from the pack's start */
	size_t member_count, member_room;
	struct squeezer *squeezer;
	uint8_t *trial;
	uint64_t addr; /* of what is submitted next */
};

int content_new(struct content **content, struct frames_sink *sink, struct tree *tree, int level,
                unsigned workers)
{
	struct content *c = calloc(1, sizeof(*c));
	int status = STATUS_NOMEM;

	if (!c)
		return status;
	c->tree = tree;
	c->trial = malloc(FORMAT_FRAME);
	if (c->trial)
		status = squeezer_new(&c->squeezer, level);
	if (status == STATUS_OK)
		status = frames_new(&c->frames, sink, level, workers);
	if (status == STATUS_OK)
		*content = c;
	else
		content_end(c, 1);
	return status;
}

int content_end(struct content *c, int cancel)
{
	int status;

	if (!c)
		return STATUS_OK;
	status = frames_end(c->frames, cancel);
	squeezer_free(c->squeezer);
	free(c->member);
	free(c->trial);
	free(c);
	return status;
}

uint64_t content_addr(const struct content *c)
{
	return c->addr;
}

static void submit_job(struct content *c)
{
	frames_submit(c->frames, c->job);
	c->job = NULL;
}

static int take_job(struct content *c, struct frames_job **job)
{
	if (!*job)
		*job = frames_take(c->frames);
	return *job ? STATUS_OK : STATUS_CANCELLED;
}

int content_add_extent(struct content *c, uint32_t source, uint64_t off, uint64_t len)
{
	int status = take_job(c, &c->job);

	if (status)
		return status;
	c->job->before[c->job->before_count++] =
		(struct piece){.where = off, .plain_len = len, .source = source};
	c->addr += len;
	if (c->job->before_count == FRAMES_BEFORE)
		submit_job(c);
	return STATUS_OK;
}

/* --- chunks ------------------------------------------------------------------ */

int content_take_chunk(struct content *c, uint8_t **plain)
{
	int status = take_job(c, &c->job);

	if (status == STATUS_OK)
		*plain = c->job->plain;
	return status;
}

/* What a trial has shown. */
static void learn(struct content_verdict *v, bool frames)
{
	v->run = frames == v->frames ? 2 * v->run + 1 : 1;
	if (v->run > MOST_HELD)
		v->run = MOST_HELD;
	v->frames = frames;
	v->held = v->run;
}

/* What the verdict says, or a trial of the chunk that is in the job. */
static bool wants_frame(struct content *c, struct content_verdict *v, size_t len)
{
	struct frames_job *job = c->job;

	if (v->held) {
		v->held--;
		return v->frames;
	}
	job->packed_len = squeezer_run(c->squeezer, job->packed, job->plain, len);
	learn(v, frames_gain(len, job->packed_len));
	job->packed_known = v->frames;
	return v->frames;
}

int content_add_chunk(struct content *c, struct content_verdict *verdict, uint32_t source,
                      uint64_t off, size_t len)
{
	if (!wants_frame(c, verdict, len))
		return content_add_extent(c, source, off, len);
	c->job->plain_len = len;
	c->job->source = source;
	c->job->where = off;
	c->addr += len;
	submit_job(c);
	return STATUS_OK;
}

/* --- small files --------------------------------------------------------------- */

bool content_gains(struct content *c, const uint8_t *bytes, size_t len)
{
	return frames_gain(len, squeezer_run(c->squeezer, c->trial, bytes, len));
}

/* Only now do the files in it have addresses. */
static void close_pack(struct content *c)
{
	if (c->job && c->job->before_count)
		submit_job(c);
	for (size_t i = 0; i < c->member_count; i++)
		c->tree->node[c->member[i]].place += c->addr;
	c->member_count = 0;
	c->addr += c->pack->plain_len;
	frames_submit(c->frames, c->pack);
	c->pack = NULL;
}

static int add_member(struct content *c, uint32_t node)
{
	if (c->member_count == c->member_room) {
		size_t room = c->member_room ? 2 * c->member_room : FIRST_ROOM;
		uint32_t *member = realloc(c->member, room * sizeof(*member));

		if (!member)
			return STATUS_NOMEM;
		c->member = member;
		c->member_room = room;
	}
	c->member[c->member_count++] = node;
	return STATUS_OK;
}

int content_add_small(struct content *c, uint32_t node, const uint8_t *bytes, size_t len)
{
	int status;

	if (c->pack && c->pack->plain_len + len > FORMAT_FRAME)
		close_pack(c);
	status = take_job(c, &c->pack);
	if (status == STATUS_OK)
		status = add_member(c, node);
	if (status)
		return status;
	memcpy(c->pack->plain + c->pack->plain_len, bytes, len);
	c->tree->node[node].place = c->pack->plain_len;
	c->pack->plain_len += len;
	return STATUS_OK;
}

/* --- and back ------------------------------------------------------------------- */

/* First what was not submitted, from the last piece on. */
int content_rewind(struct content *c, uint64_t addr)
{
	while (c->addr > addr && c->job && c->job->before_count)
		c->addr -= c->job->before[--c->job->before_count].plain_len;
	if (c->addr <= addr)
		return STATUS_OK;
	c->addr = addr;
	return frames_rewind(c->frames, addr);
}

void content_close(struct content *c)
{
	if (c->pack)
		close_pack(c);
	if (c->job && c->job->before_count)
		submit_job(c);
}
