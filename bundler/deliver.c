#include "bundler/pack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bundler/cancel.h"
#include "bundler/layout.h"
#include "bundler/outputs.h"
#include "bundler/write.h"
#include "common/arena.h"
#include "common/outfile.h"
#include "common/status.h"

enum { ARENA_BYTES = 1 << 14 };

/* A drive that is unfit does not spoil the others. */
void pack_refuse(struct pack *p, unsigned i, uint64_t len, const struct failure *why)
{
	p->refused[i] = true;
	failure_note(&p->refusal, why->code, why->message);
	if (p->options.json)
		report_json_output(p->options.output.text[i], len, why->message);
}

static int explain(struct failure *own, const char *path, int status)
{
	int error = errno, code = outputs_exit_code(status, error);

	switch (status) {
	case STATUS_CANCELLED: return code;
	case STATUS_DAMAGED:
		return failure_say(
			own, code, path,
			"the drive gave back other bytes than were written; do not use it");
	case STATUS_EXISTS: return failure_say(own, code, path, OUTFILE_EXISTS);
	case STATUS_IO:
		return failure_say(own, code, path, "%s%s", strerror(error),
		                   code == EXIT_UNFIT ? "; take another drive" : "");
	default: return failure_say(own, code, path, "%s", status_text(status));
	}
}

/* Of no use to go on with a source that is not what it was: the next output would
 * meet the same. */
static int explain_fault(struct pack *p, const char *path, const struct write_fault *fault,
                         int status, struct failure *own)
{
	char name[PATH_MAX];
	int saved = errno;

	if (fault->culprit[0])
		return failure_culprit(&p->failure, fault->culprit, p->options.spill, status);
	if (volumes_name(name, sizeof name, path, fault->volume, p->volumes.count))
		snprintf(name, sizeof name, "%s", path);
	errno = saved;
	return explain(own, name, status);
}

/* For the longest that could be drawn: whether it fits is not for chance to say. */
static int check_room(const struct pack *p, const char *path, struct failure *own)
{
	const struct volumes *v = &p->volumes;
	bool padded = p->options.size.kind == SIZE_PADDED;

	return outputs_check_room(path, v->count, v->high, padded ? v->least : 0, own);
}

static int write_one(struct pack *p, const char *path, uint64_t len, struct failure *own)
{
	const struct options *o = &p->options;
	struct write_compartment compartment[FORMAT_SLOTS];
	const struct write_options options = {
		.profile = o->profile,
		.parity = o->parity,
		.workers = p->budget.workers,
		.group = p->budget.group,
		.replace = o->force,
		.verify = !o->no_verify,
	};
	struct write_fault fault;
	struct arena *arena = NULL;
	int status, code;

	code = check_room(p, path, own);
	if (code)
		return code;
	if (!o->no_verify)
		outputs_warn_of_cache(path);
	for (unsigned i = 0; i < o->compartment_count; i++)
		compartment[i] = (struct write_compartment){p->compartment[i].stage,
		                                            p->compartment[i].opener,
		                                            p->compartment[i].opener_count};
	status = arena_new(&arena, ARENA_BYTES, o->allow_unlocked);
	if (status)
		return explain(own, path, status);
	status = write_bundle(path, &p->volumes, len, compartment, o->compartment_count, &options,
	                      arena, p->progress, &fault);
	if (status)
		code = explain_fault(p, path, &fault, status, own);
	arena_free(arena);
	return code;
}

static void note_written(struct pack *p, const char *path, uint64_t len)
{
	unsigned count = p->volumes.count;
	char name[PATH_MAX];

	p->report.written++;
	p->report.path = path;
	if (len > p->report.longest)
		p->report.longest = len;
	for (unsigned no = 0; p->options.json && no < count; no++)
		if (!volumes_name(name, sizeof name, path, no, count))
			report_json_output(name, len, NULL);
}

int pack_rehearse(struct pack *p)
{
	for (unsigned i = 0; i < p->options.output.count; i++) {
		struct failure own = {0};

		if (!p->refused[i] && check_room(p, p->options.output.text[i], &own))
			pack_refuse(p, i, p->volumes.high * p->volumes.count, &own);
	}
	return p->refusal.code;
}

/* Each on its own, with its own keys and its own length. */
int pack_deliver(struct pack *p)
{
	const struct options *o = &p->options;

	for (unsigned i = 0; i < o->output.count; i++) {
		uint64_t len = layout_draw(p->volumes.low, p->volumes.high);
		const char *path = o->output.text[i];
		struct failure own = {0};
		int code;

		if (p->refused[i])
			continue;
		code = cancel_asked() ? EXIT_FAILED : write_one(p, path, len, &own);
		if (code && (cancel_asked() || p->failure.code))
			return EXIT_FAILED;
		if (code)
			pack_refuse(p, i, len * p->volumes.count, &own);
		else
			note_written(p, path, len);
	}
	return p->refusal.code;
}
