/* satchel-pack: from the command line to bundles. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bundler/cancel.h"
#include "bundler/pack.h"
#include "bundler/sandbox.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/outfile.h"
#include "common/progress.h"
#include "common/seal_heap.h"
#include "common/status.h"

/* --- signals -------------------------------------------------------------- */

/* The signal that came; and whether there is anything to put in order first. */
static volatile sig_atomic_t stopped_by, is_working;

static void on_signal(int no)
{
	if (stopped_by || !is_working) {
		outfile_discard_all();
		arena_wipe_all();
		_exit(128 + no);
	}
	stopped_by = no;
	cancel_ask();
}

static void catch_signals(void)
{
	static const int caught[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
	                             SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;

	sigfillset(&stop.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		/* What was ignored before (nohup) stays so. */
		if (!sigaction(caught[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(caught[i], &stop, NULL);
	/* A reader that went away, or a limit, is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* --- stage ---------------------------------------------------------------- */

/* All are looked for before the first is taken in: what is missing is known soon. */
static int stage(struct pack *p)
{
	unsigned count = p->options.compartment_count;
	int code = EXIT_DONE;

	for (unsigned i = 0; i < count && !code; i++)
		code = compartment_scan(&p->compartment[i], p->arena, p->existing,
		                        p->existing_count, p->progress, &p->report, &p->failure);
	for (unsigned i = 0; i < count && !code; i++)
		code = compartment_stage(&p->compartment[i], p->arena, p->progress, &p->report,
		                         &p->failure);
	for (unsigned i = 0; i < count && !code && p->options.verbose; i++)
		compartment_name_everything(&p->compartment[i]);
	return code;
}

/* --- all of it ------------------------------------------------------------ */

static int pack(struct pack *p)
{
	const struct options *o = &p->options;
	int code = pack_prepare(p);

	is_working = 1;
	if (!code && sandbox_enter(o))
		code = failure_status(&p->failure, NULL, STATUS_NOMEM);
	if (!code)
		code = stage(p);
	if (!code)
		code = pack_plan(p);
	if (!code)
		code = o->dry_run ? pack_rehearse(p) : pack_deliver(p);
	return code;
}

/* Turn what happened into the last words and the exit code. */
static int finish(struct pack *p, int code)
{
	const struct options *o = &p->options;
	const struct failure *why = p->failure.code ? &p->failure : &p->refusal;

	if (stopped_by && code) {
		p->failure.code = 0;
		code = failure_say(&p->failure, 128 + stopped_by, NULL,
		                   "stopped by signal %d; no unfinished bundle is left",
		                   (int)stopped_by);
		why = &p->failure;
	}
	if (!code && p->report.left_out)
		code = EXIT_PARTLY;
	if (o->json)
		report_json_end(&p->report, why, code, o->dry_run);
	else if (o->dry_run && p->report.high)
		report_text_dry_run(&p->report);
	else if (p->report.written)
		report_text_end(&p->report);
	return code;
}

static void release(struct pack *p)
{
	for (unsigned i = 0; i < FORMAT_SLOTS; i++)
		compartment_release(&p->compartment[i]);
	volumes_fini(&p->volumes);
	free(p->existing);
	free(p->refused);
	/* Not unmapped: libcrypto has things there until the process ends. */
	if (p->arena)
		arena_wipe(p->arena);
	options_fini(&p->options);
}

static int run(struct pack *p)
{
	const struct options *o = &p->options;
	enum progress_mode mode = PROGRESS_TEXT;
	int code;

	if (o->json)
		mode = PROGRESS_JSON;
	else if (o->quiet)
		mode = PROGRESS_SILENT;
	diag_set_quiet(o->quiet);
	if (progress_new(&p->progress, mode))
		return failure_status(&p->failure, NULL, STATUS_NOMEM);
	code = pack(p);
	progress_free(p->progress);
	return finish(p, code);
}

int main(int argc, char **argv)
{
	/* Not on the stack: libcrypto has what is in the arena behind main, too. */
	static struct pack p;
	bool right;
	int code = EXIT_DONE;

	arena_harden_process();
	diag_open_standard_streams();
	diag_init("satchel-pack");
	catch_signals();
	right = options_read(&p.options, argc, argv);
	if (sodium_init() < 0 || seal_heap_init())
		code = failure_say(&p.failure, EXIT_FAILED, NULL, "no source of randomness");
	else if (p.options.help)
		options_print_help();
	else if (p.options.version)
		printf("satchel-pack %s\n", SATCHEL_VERSION);
	else if (right)
		code = run(&p);
	else
		code = failure_say(&p.failure, p.options.no_memory ? EXIT_FAILED : EXIT_USAGE, NULL,
		                   "%s", p.options.error);
	if (!right && p.failure.code && p.options.json)
		report_json_end(&p.report, &p.failure, code, false);
	release(&p);
	if ((fflush(stdout) || ferror(stdout)) && !code)
		code = diag_status("standard output", STATUS_IO);
	return code;
}
