/* satchel-read repair: a healthy copy of a volume, and what it lacks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/bytes.h"
#include "common/diag.h"
#include "common/outfile.h"
#include "common/pages.h"
#include "common/progress.h"
#include "common/samefile.h"
#include "common/source.h"
#include "common/status.h"
#include "reader/examine.h"
#include "reader/losses.h"
#include "reader/renew.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/verdict.h"

enum { JSON = OPTION_VERB, FORCE };

static const struct option_row rows[] = {
	{'o', "output", "FILE", "write the copy to FILE"},
	{FORCE, "force", NULL, "replace FILE if it exists"},
	{JSON, "json", NULL, "progress, losses and the result as JSON lines"},
	{0, NULL, NULL, NULL},
};

struct mend {
	const char *output;
	bool force, json, is_judged;
	struct session *session;
	struct progress *progress;
	struct losses losses;
	struct renew *renew;
	struct verdict verdict;
};

static bool take_option(void *context, int code, const char *argument)
{
	struct mend *r = context;

	switch (code) {
	case 'o': r->output = argument; return *argument != '\0';
	case FORCE: r->force = true; return true;
	default: r->json = true; return true;
	}
}

/* --- before anything is written ---------------------------------------------------- */

static bool is_key(const struct opening *o, const struct stat *file)
{
	const char *name[OPENING_FILES];
	unsigned count = opening_files(o, name);
	bool found = samefile_descriptor(o->passphrase_fd, file);

	for (unsigned i = 0; i < count && !found; i++)
		found = samefile_path(name[i], file);
	return found;
}

/* No file that is read, under whatever name. */
static int check_output(const struct mend *r)
{
	const struct session *s = r->session;
	struct stat output;
	bool found;

	if (lstat(r->output, &output))
		return 0;
	if (S_ISLNK(output.st_mode) || S_ISDIR(output.st_mode)) {
		diag_error(r->output,
		           S_ISDIR(output.st_mode) ? OUTFILE_IS_DIRECTORY : OUTFILE_IS_LINK);
		return EXIT_FAILED;
	}
	found = is_key(&s->options->opening, &output);
	for (unsigned i = 0; i < s->files.count && !found; i++)
		found = samefile_descriptor(source_fd(s->files.source[i]), &output);
	if (found)
		diag_error(r->output, "is what is read: the copy needs another name");
	return found;
}

/* The volume that was named first, whose other volumes only help. */
static int find_volume(const struct session *s, unsigned *number)
{
	for (unsigned v = 0; v < bundle_volume_count(s->bundle); v++) {
		const struct bundle_volume *volume = bundle_volume(s->bundle, v);

		if (volume->source_no != 0 || !(volume->pages || volume->rootless))
			continue;
		if (volume->rootless)
			return diag_status(s->options->opening.bundle, STATUS_DAMAGED);
		*number = v;
		return 0;
	}
	return diag_status(s->options->opening.bundle, STATUS_NOKEY);
}

/* --- what is lost --------------------------------------------------------------------- */

/* Are the bytes of the stream that are lost all of the content, or of what is in front
 * of it, and behind it once more?  *content: which of the content. */
static bool only_content(const struct mend *r, unsigned v, struct ranges *content)
{
	const struct ranges *lost = renew_lost(r->renew);
	uint64_t front = bundle_volume(r->session->bundle, v)->front;
	uint64_t start = bundle_range_start(r->session->bundle, v);
	uint64_t len = bundle_range_start(r->session->bundle, v + 1) - start;

	for (size_t i = 0; i < lost->count; i++) {
		uint64_t begin = max_u64(lost->range[i].begin, front), end = lost->range[i].end;

		if (end > front + len)
			return false;
		if (begin < end)
			ranges_add(content, start + (begin - front), start + (end - front));
	}
	return true;
}

static void take_all(const struct mend *r, unsigned v, struct ranges *content)
{
	content->count = 0;
	ranges_add(content, bundle_range_start(r->session->bundle, v),
	           bundle_range_start(r->session->bundle, v + 1));
}

/* By name.  Where the index or leaves behind it are lost too, all of the volume must be looked
 * at; never another one, whose losses are no matter here. */
static int name_losses(struct mend *r, unsigned v)
{
	struct ranges *content = calloc(1, sizeof *content);
	struct verdict found = {0};
	struct examine *examine = NULL;
	int status = STATUS_NOMEM;

	if (content)
		status = examine_new(&examine, r->session, r->progress, &found);
	if (status == STATUS_OK) {
		if (!only_content(r, v, content)) {
			take_all(r, v, content);
			examine_index(examine);
		}
		examine_part(examine, content);
		losses_name(&r->losses, examine_suspect(examine), &found);
		r->verdict.files_lost = found.files_lost;
		r->verdict.tree_lost = found.tree_lost;
		r->verdict.not_all_named = found.not_all_named;
		r->verdict.index_lost = found.index_lost;
		r->verdict.index_unchecked = found.index_unchecked;
		r->verdict.segments_lost = found.segments_lost;
		r->verdict.worst = found.worst;
	}
	examine_free(examine);
	free(content);
	return status ? diag_status(NULL, status) : 0;
}

/* --- the report ------------------------------------------------------------------------- */

static void print_result(struct mend *r)
{
	struct out *out = &r->losses.out;
	const struct verdict *v = &r->verdict;

	verdict_print(v, r->session, out);
	if (v->unrestored)
		out_format(out, "random in the copy: %" PRIu64 " page%s\n", v->unrestored,
		           verdict_plural(v->unrestored));
	if (v->tree_lost)
		out_text(out, VERDICT_LIST_LOST);
	else if (v->not_all_named)
		out_format(out, VERDICT_MORE_LOST, v->files_lost, verdict_plural(v->files_lost));
	else if (v->files_lost)
		out_format(out, "lost: %" PRIu64 " file%s, named above; the copy has all others\n",
		           v->files_lost, verdict_plural(v->files_lost));
	else if (verdict_is_lost(v))
		out_text(out, "no file is lost, but the copy is not whole\n");
	else if (v->bad_headers)
		out_text(out, "the copy has all files, but one of its headers does not open, and "
		              "cannot be made again\n");
	else if (v->unchecked_headers)
		out_text(out, "the copy has all files, but whether both of its headers open could "
		              "not be tried\n");
	else if (!verdict_is_same(v))
		out_text(out, "the copy has all files, but what could not be read is random\n");
	else
		out_text(out, "the copy is as it was packed\n");
}

static void print_json_result(struct mend *r)
{
	struct out *out = &r->losses.out;

	out_format(out, "{\"type\": \"summary\", \"identical\": %s, \"unrestored\": %" PRIu64,
	           verdict_is_same(&r->verdict) ? "true" : "false", r->verdict.unrestored);
	verdict_print_json(&r->verdict, r->session, out);
	out_text(out, "}\n");
}

static int repair(struct mend *r)
{
	unsigned v = 0;
	int code = find_volume(r->session, &v);

	if (code == 0)
		code = check_output(r);
	if (code)
		return code;
	if (renew_new(&r->renew, r->session, v, r->progress, &r->verdict))
		return diag_status(NULL, STATUS_NOMEM);
	code = renew_write(r->renew, r->output, r->force);
	if (code == 0 && (r->verdict.lost || renew_lost(r->renew)->count))
		code = name_losses(r, v);
	if (code)
		return code;
	if (r->json)
		print_json_result(r);
	else
		print_result(r);
	r->is_judged = true;
	session_note(r->session, verdict_exit_code(&r->verdict));
	return out_finish(&r->losses.out);
}

static int prepare(struct mend *r)
{
	enum progress_mode mode = r->json ? PROGRESS_JSON : PROGRESS_TEXT;

	if (r->session->options->quiet)
		mode = PROGRESS_SILENT;
	if (progress_new(&r->progress, mode) || losses_init(&r->losses, r->session, r->json))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int act(void *context, struct session *session)
{
	struct mend *m = context;
	int code;

	m->session = session;
	code = prepare(m);
	return code ? code : repair(m);
}

static int run(int argc, char **argv)
{
	struct session_needs needs = {
		.room = losses_size() + examine_size(),
		.workers = true,
		.one_volume = true,
	};
	struct mend m = {0};
	struct options options;
	int code = options_parse(&options, &repair_verb, argc, argv, take_option, &m);

	if (code >= 0)
		return code;
	if (!m.output)
		return options_usage("repair", "write the copy where?", "-o FILE");
	needs.place = m.output;
	needs.json = m.json;
	code = session_run(&options, &needs, act, &m);
	if (m.json && !m.is_judged)
		verdict_print_json_failure(code);
	renew_free(m.renew);
	progress_free(m.progress);
	losses_fini(&m.losses);
	return code;
}

const struct verb repair_verb = {
	.name = "repair",
	.operands = "-o FILE BUNDLE",
	.summary = "write a healthy copy of a damaged bundle",
	.rows = rows,
	.run = run,
};
