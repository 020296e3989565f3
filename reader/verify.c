/* satchel-read verify: every byte that means something; then, by name, what is
 * lost. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "common/bundle.h"
#include "common/diag.h"
#include "common/progress.h"
#include "common/source.h"
#include "common/status.h"
#include "reader/examine.h"
#include "reader/losses.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/verdict.h"

enum { JSON = OPTION_VERB };

static const struct option_row rows[] = {
	{JSON, "json", NULL, "progress, losses and the result as JSON lines"},
	{0, NULL, NULL, NULL},
};

struct verify {
	bool json, is_judged;
	struct session *session;
	struct progress *progress;
	struct examine *examine;
	struct losses losses;
	struct verdict verdict;
};

static bool take_option(void *context, int code, const char *argument)
{
	(void)code;
	(void)argument;
	((struct verify *)context)->json = true;
	return true;
}

static void print_result(struct verify *v)
{
	struct out *out = &v->losses.out;
	const struct verdict *verdict = &v->verdict;

	verdict_print(verdict, v->session, out);
	if (verdict->tree_lost)
		out_text(out, VERDICT_LIST_LOST);
	else if (verdict->not_all_named)
		out_format(out, VERDICT_MORE_LOST, verdict->files_lost,
		           verdict_plural(verdict->files_lost));
	else if (verdict->files_lost)
		out_format(out, "lost: %" PRIu64 " file%s, named above; all others can be read\n",
		           verdict->files_lost, verdict_plural(verdict->files_lost));
	else if (verdict_is_lost(verdict))
		out_text(out, "no file is lost\n");
	else if (verdict_is_damaged(verdict))
		out_text(out, "all files are whole, but this copy is wearing out: get a fresh one, "
		              "or make one with satchel-read repair\n");
	else
		out_text(out, verdict_is_partial(verdict)          ? "what was checked is healthy\n"
		              : bundle_missing(v->session->bundle) ? "what is here is healthy\n"
		                                                   : "healthy\n");
}

static void print_json_result(struct verify *v)
{
	struct out *out = &v->losses.out;

	out_text(out, "{\"type\": \"summary\"");
	verdict_print_json(&v->verdict, v->session, out);
	out_text(out, "}\n");
}

/* Who asks after a file, and gets no answer for it, must not take another's for it. */
static unsigned count_unused(const struct session *session)
{
	unsigned unused = 0;

	for (unsigned i = 0; i < session->files.named; i++)
		unused += !fileset_is_used(session->bundle, i);
	unused += fileset_barred(&session->files, session->bundle) != NULL;
	return unused;
}

/* Signals are for who does not wait for a drive. */
static void *drop_caches(void *files)
{
	const struct fileset *f = files;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (unsigned i = 0; i < f->count; i++)
		source_drop_cache(f->source[i]);
	return NULL;
}

/* Until the thread has ended, or for a tenth of a second: false. */
static bool has_ended(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT;
}

/* What was copied a moment ago, and can be had from memory, need not be on the stick.  To get
 * there can take minutes, of which somebody should hear. */
static void turn_to_the_medium(struct verify *v)
{
	struct fileset *files = &v->session->files;
	pthread_t thread;

	if (pthread_create(&thread, NULL, drop_caches, files))
		return; /* it is read from memory, as by any other program */
	progress_start_steps(v->progress, "waiting for the drive", 1);
	while (!has_ended(thread))
		progress_update(v->progress, 0);
	progress_step(v->progress);
	progress_finish(v->progress);
}

static void verify_all(struct verify *v)
{
	v->verdict.unused = count_unused(v->session);
	turn_to_the_medium(v);
	examine_all(v->examine);
	if (examine_found_losses(v->examine))
		losses_name(&v->losses, examine_suspect(v->examine), &v->verdict);
	if (v->json)
		print_json_result(v);
	else
		print_result(v);
	v->is_judged = true;
	session_note(v->session, verdict_exit_code(&v->verdict));
	session_note(v->session, out_finish(&v->losses.out));
}

static int prepare(struct verify *v)
{
	enum progress_mode mode = v->json ? PROGRESS_JSON : PROGRESS_TEXT;

	if (v->session->options->quiet)
		mode = PROGRESS_SILENT;
	if (progress_new(&v->progress, mode) ||
	    examine_new(&v->examine, v->session, v->progress, &v->verdict) ||
	    losses_init(&v->losses, v->session, v->json))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int act(void *context, struct session *session)
{
	struct verify *v = context;
	int code;

	v->session = session;
	code = prepare(v);
	if (code == 0)
		verify_all(v);
	return code;
}

static int run(int argc, char **argv)
{
	struct session_needs needs = {
		.room = losses_size() + examine_size(),
		.workers = true,
	};
	struct verify v = {0};
	struct options options;
	int code = options_parse(&options, &verify_verb, argc, argv, take_option, &v);

	if (code >= 0)
		return code;
	needs.json = v.json;
	code = session_run(&options, &needs, act, &v);
	if (v.json && !v.is_judged)
		verdict_print_json_failure(code);
	examine_free(v.examine);
	progress_free(v.progress);
	losses_fini(&v.losses);
	return code;
}

const struct verb verify_verb = {
	.name = "verify",
	.operands = "BUNDLE",
	.summary = "read all of it and name what is damaged",
	.rows = rows,
	.run = run,
};
