#include "bundler/compartment.h"

#include <sodium.h>

#include "bundler/budget.h"
#include "bundler/cancel.h"
#include "bundler/failure.h"
#include "bundler/minisign.h"
#include "bundler/options.h"
#include "bundler/report.h"
#include "bundler/signer.h"
#include "bundler/spill.h"
#include "bundler/stage.h"
#include "bundler/tree.h"
#include "common/diag.h"
#include "common/status.h"

int compartment_prepare(struct compartment *c, struct openers *openers, struct arena *arena,
                        struct failure *failure)
{
	int code = EXIT_DONE;

	if (c->run->dry_run)
		return EXIT_DONE;
	if (c->options->sign)
		code = signer_read(&c->signer, arena, c->options->sign, failure);
	c->opener = openers->opener + openers->count;
	if (!code)
		code = openers_collect(openers, arena, c->options, failure);
	c->opener_count = (unsigned)(openers->opener + openers->count - c->opener);
	return code;
}

/* Directories alone are nothing; nor are links, where files had to be left out. */
static int check_content(const struct compartment *c, uint64_t left_out, struct failure *failure)
{
	const struct tree *t = c->tree;
	const char *name = c->options->name;

	for (uint32_t i = 1; i < t->count; i++)
		if (!t->node[i].dropped && t->node[i].kind != KIND_DIRECTORY &&
		    !(left_out && t->node[i].kind == KIND_SYMLINK))
			return EXIT_DONE;
	return failure_say(failure, EXIT_FAILED, *name ? name : NULL,
	                   "there is no file in what is to be packed; is a drive not mounted?");
}

int compartment_scan(struct compartment *c, struct arena *arena, const struct scan_output *output,
                     unsigned output_count, struct progress *progress, struct report *r,
                     struct failure *failure)
{
	const struct compartment_options *o = c->options;
	const struct scan_options options = {
		.full_metadata = o->full_metadata,
		.one_file_system = !o->cross_file_systems,
		.exclude = o->exclude.text,
		.exclude_count = o->exclude.count,
		.output = output,
		.output_count = output_count,
		.newest = c->run->newest,
		.cancelled = cancel_asked,
		.archive = o->archive.text,
		.archive_count = o->archive.count,
		.arena = arena,
		.memory = c->budget->archives,
		.spill_dir = c->run->spill,
		.progress = progress,
	};
	struct scan_report report;
	int status = tree_new(&c->tree, o->full_metadata);

	if (status == STATUS_OK)
		status = spill_new(&c->heap, arena, c->budget->links, c->run->spill);
	if (status)
		return failure_status(failure, NULL, status);
	status = scan_paths(c->tree, c->heap, o->source.text, o->source.count, &options, &report);
	if (status == STATUS_CANCELLED)
		return EXIT_FAILED;
	if (status)
		return failure_note(failure, EXIT_FAILED, report.refusal);
	r->directories += report.directories;
	r->links += report.links;
	r->left_out += report.unreadable;
	r->skipped += report.skipped;
	return check_content(c, report.unreadable, failure);
}

int compartment_stage(struct compartment *c, struct arena *arena, struct progress *progress,
                      struct report *r, struct failure *failure)
{
	const struct compartment_options *o = c->options;
	const struct stage_options options = {
		.full_metadata = o->full_metadata,
		.level = (int)c->run->level,
		.workers = c->budget->workers,
		.memory = c->budget->stage,
		.spill_dir = c->run->spill,
		.label = o->label,
		.series = o->series,
		.edition = o->edition,
		.is_signed = o->sign != NULL,
		.signer = c->signer,
	};
	struct stage_report report;
	int status = stage_run(&c->stage, arena, c->tree, c->heap, &options, progress, &report);

	if (c->signer)
		sodium_memzero(c->signer, sizeof *c->signer);
	c->signer = NULL;
	if (status == STATUS_CANCELLED)
		return EXIT_FAILED;
	if (status == STATUS_IO || status == STATUS_DAMAGED || report.culprit[0])
		return failure_culprit(failure, report.culprit[0] ? report.culprit : c->run->spill,
		                       c->run->spill, status);
	if (status)
		return failure_status(failure, NULL, status);
	r->files += report.files;
	r->bytes += report.bytes;
	r->left_out += report.dropped;
	return check_content(c, report.dropped, failure);
}

void compartment_name_everything(const struct compartment *c)
{
	char path[FORMAT_PATH + 1];

	for (uint32_t i = 0; (i = tree_next_in_path_order(c->tree, i));)
		if (!tree_inner_path(c->tree, i, path, sizeof path))
			diag_note("%s%s", path, c->tree->node[i].kind == KIND_DIRECTORY ? "/" : "");
}

void compartment_release(struct compartment *c)
{
	stage_free(c->stage);
	spill_free(c->heap);
	tree_free(c->tree);
}
