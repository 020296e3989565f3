/* satchel-pack: from the command line to bundles.  Each step returns an exit
 * code, and whoever fails has said why. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/budget.h"
#include "bundler/cancel.h"
#include "bundler/compartment.h"
#include "bundler/drive.h"
#include "bundler/failure.h"
#include "bundler/layout.h"
#include "bundler/openers.h"
#include "bundler/options.h"
#include "bundler/outputs.h"
#include "bundler/report.h"
#include "bundler/sandbox.h"
#include "bundler/stage.h"
#include "bundler/tree.h"
#include "bundler/volumes.h"
#include "bundler/write.h"
#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/outfile.h"
#include "common/progress.h"
#include "common/seal_heap.h"
#include "common/status.h"

enum { ARENA_BYTES = 1 << 20 };

struct pack {
	struct options options;
	struct failure failure; /* of everything */
	struct failure refusal; /* of the first output that cannot be had */
	struct arena *arena;
	struct budget budget;
	struct openers openers;
	struct compartment compartment[FORMAT_SLOTS];
	struct scan_output *existing;
	unsigned existing_count;
	bool *refused; /* one for each output */
	struct volumes volumes;
	struct progress *progress;
	struct report report;
};

/* --- signals -------------------------------------------------------------- */

/* The signal that came; and whether there is anything to put in order first. */
static volatile sig_atomic_t stopped_by, is_working;

static void on_signal(int no)
{
	if (stopped_by || !is_working) {
		outfile_discard_all();
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

/* No bundle may become file 0, 1 or 2, where others write. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* --- before anything is read ---------------------------------------------- */

static int check_directory(struct pack *p, const char *option, const char *path)
{
	struct stat st;
	bool there = !stat(path, &st);

	if (there && S_ISDIR(st.st_mode))
		return EXIT_DONE;
	return failure_say(&p->failure, EXIT_FAILED, path, "%s: %s", option,
	                   strerror(there ? ENOTDIR : errno));
}

/* A drive that is unfit does not spoil the others. */
static void refuse_output(struct pack *p, unsigned i, uint64_t len, const struct failure *why)
{
	p->refused[i] = true;
	failure_note(&p->refusal, why->code, why->message);
	if (p->options.json)
		report_json_output(p->options.output.text[i], len, why->message);
}

/* Is there room, if it is known already how much that takes? */
static int check_size(const struct options *o, const char *path, struct failure *own)
{
	const struct volumes_wish wish = {o->size.bytes, o->volume_size};
	uint64_t len = o->size.bytes;
	unsigned count = 1;

	if (o->size.kind != SIZE_EXACT)
		return EXIT_DONE;
	if (o->volume_size)
		(void)volumes_divide(&wish, &count, &len); /* the options were checked */
	return outputs_check_room(path, count, len, false, own);
}

/* Fails for what is wrong with the command line, or if no output is left. */
static int check_outputs(struct pack *p)
{
	const struct options *o = &p->options;
	unsigned left = o->output.count;

	p->existing = calloc((o->output.count + (size_t)1) * OUTPUTS_FILES, sizeof *p->existing);
	p->refused = calloc(o->output.count + (size_t)1, sizeof *p->refused);
	if (!p->existing || !p->refused)
		return failure_status(&p->failure, NULL, STATUS_NOMEM);
	for (unsigned i = 0; i < o->output.count; i++) {
		struct failure own = {0};
		int code = outputs_check(o, i, p->existing, &p->existing_count, &own);

		if (!code)
			code = check_size(o, o->output.text[i], &own);
		if (code == EXIT_USAGE)
			return failure_note(&p->failure, code, own.message);
		if (code)
			refuse_output(p, i, o->size.bytes, &own);
		left -= code != EXIT_DONE;
	}
	return left || !o->output.count ? EXIT_DONE : p->refusal.code;
}

static int check_places(struct pack *p)
{
	const struct options *o = &p->options;
	int code = check_outputs(p);

	if (!code && o->size.kind == SIZE_FILL)
		code = check_directory(p, "--size=fill", o->size.directory);
	if (!code)
		code = outputs_check_spill(o, &p->failure);
	return code;
}

/* Room for the keys, and for libcrypto, which has them while pages are sealed: a
 * worker, a spill (a stage has seven, archives two) or a feed at a time. */
static int make_arena(struct pack *p)
{
	const struct options *o = &p->options;
	size_t heap = seal_heap_bytes(p->budget.workers + 10 * o->compartment_count + 8);
	int status = arena_new(&p->arena, ARENA_BYTES + heap, o->allow_unlocked);

	if (status == STATUS_UNLOCKED)
		return failure_say(&p->failure, EXIT_FAILED, NULL,
		                   "memory for keys cannot be locked; raise its limit (ulimit -l), "
		                   "or use --allow-unlocked");
	if (status == STATUS_OK)
		status = seal_heap_move_in(p->arena, heap);
	return status ? failure_status(&p->failure, NULL, status) : EXIT_DONE;
}

static int make_budget(struct pack *p)
{
	const struct options *o = &p->options;
	uint64_t least = budget_least(o->compartment_count, o->parity);

	if (o->memory < least)
		return failure_say(&p->failure, EXIT_USAGE, NULL, "--memory: this takes %uM",
		                   (unsigned)(least >> 20) + 1);
	p->budget = budget_divide(o);
	return EXIT_DONE;
}

/* A file of recipients may have had more than the options tell. */
static int check_openers(struct pack *p)
{
	const struct options *o = &p->options;
	unsigned most = write_max_openers(o->compartment_count, options_several_volumes(o));

	if (p->openers.count > most)
		return failure_say(&p->failure, EXIT_USAGE, NULL,
		                   "more than %u passphrases, key files and recipients", most);
	return EXIT_DONE;
}

static int prepare(struct pack *p)
{
	const struct options *o = &p->options;
	int code = make_budget(p);

	if (!code)
		code = check_places(p);
	if (!code)
		code = make_arena(p);
	if (code)
		return code;
	if (arena_swap_is_on())
		diag_warn(NULL, "warning: swap is on, and what is packed may reach it; swapoff -a "
		                "turns it off");
	for (unsigned i = 0; i < o->compartment_count && !code; i++) {
		p->compartment[i].run = o;
		p->compartment[i].options = &o->compartment[i];
		p->compartment[i].budget = &p->budget;
		code = compartment_prepare(&p->compartment[i], &p->openers, p->arena, &p->failure);
	}
	return code ? code : check_openers(p);
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

static uint64_t content_len(const struct pack *p, unsigned i)
{
	const struct format_content *content = stage_content(p->compartment[i].stage);

	return content->content_len + content->leaf_count * FORMAT_DIGEST + content->index_len;
}

/* What was asked for; --size=fill is looked up now. */
static int wish(struct pack *p, struct volumes_wish *wish)
{
	const struct options *o = &p->options;

	wish->limit = o->volume_size;
	wish->size = o->size.bytes;
	if (o->size.kind == SIZE_FILL && drive_fill(o->size.directory, o->volume_size, &wish->size))
		return failure_status(&p->failure, o->size.directory, STATUS_IO);
	return EXIT_DONE;
}

static int say_too_long(struct pack *p, bool has_size)
{
	char least[REPORT_BYTES];

	report_bytes(least, p->volumes.least);
	if (has_size && p->volumes.least)
		return failure_say(&p->failure, EXIT_UNFIT, NULL,
		                   "the bundle needs %s, and --size leaves less", least);
	if (has_size)
		return failure_say(&p->failure, EXIT_UNFIT, NULL,
		                   "the bundle needs more than --size leaves");
	return failure_say(&p->failure, EXIT_FAILED, NULL, "too much for one bundle%s",
	                   p->options.volume_size ? "; make --volume-size larger" : "");
}

static int plan(struct pack *p)
{
	struct stage *stage[FORMAT_SLOTS];
	struct volumes_wish wanted;
	int status, code = wish(p, &wanted);

	for (unsigned i = 0; i < p->options.compartment_count; i++)
		stage[i] = p->compartment[i].stage;
	if (code)
		return code;
	status = volumes_plan(&p->volumes, stage, p->options.compartment_count, p->options.parity,
	                      &wanted);
	if (status == STATUS_TOOBIG)
		return say_too_long(p, wanted.size);
	return status ? failure_status(&p->failure, status == STATUS_IO ? p->options.spill : NULL,
	                               status)
	              : EXIT_DONE;
}

/* What the bundle holds, and how much of it may be lost in one place. */
static void measure(struct pack *p)
{
	struct report *r = &p->report;

	r->parity = p->options.parity;
	r->low = p->volumes.low;
	r->high = p->volumes.high;
	r->volumes = p->volumes.count;
	r->burst = UINT64_MAX;
	for (unsigned i = 0; i < p->options.compartment_count; i++) {
		struct format_parity parity = {0};

		(void)layout_pages(&p->volumes.spread[i].most, &parity); /* it was planned */
		r->content += content_len(p, i);
		r->burst = min_u64(r->burst, (uint64_t)parity.m * parity.columns * FORMAT_PAGE);
	}
}

/* Whoever is made to open one compartment shows how much of the file it explains. */
static void warn_of_stories(const struct pack *p)
{
	const struct options *o = &p->options;

	for (unsigned i = 0; i < o->compartment_count && o->compartment_count > 1; i++) {
		uint64_t percent = p->volumes.spread[i].most.stream_len / (p->report.low / 100);

		if (percent < 10)
			diag_warn(NULL,
			          "warning: compartment %s fills %u %% of the bundle; whoever is "
			          "shown this one alone may ask what the rest is",
			          o->compartment[i].name, (unsigned)percent);
	}
}

/* --- write ---------------------------------------------------------------- */

static int explain(struct failure *own, const char *path, int status)
{
	int error = errno, code = outputs_exit_code(status, error);

	switch (status) {
	case STATUS_CANCELLED: return code;
	case STATUS_DAMAGED:
		return failure_say(
			own, code, path,
			"the drive gave back other bytes than were written; do not use it");
	case STATUS_EXISTS:
		return failure_say(own, code, path, "exists already; --force replaces it");
	case STATUS_IO: return failure_say(own, code, path, "%s", strerror(error));
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
		return compartment_explain_culprit(&p->compartment[0], &p->failure, fault->culprit,
		                                   status);
	if (volumes_name(name, sizeof name, path, fault->volume, p->volumes.count))
		snprintf(name, sizeof name, "%s", path);
	errno = saved;
	return explain(own, name, status);
}

static int write_one(struct pack *p, const char *path, uint64_t len, struct failure *own)
{
	const struct options *o = &p->options;
	struct write_compartment compartment[FORMAT_SLOTS];
	const struct write_options options = {
		.profile = o->profile,
		.parity = o->parity,
		.workers = p->budget.workers,
		.replace = o->force,
		.verify = !o->no_verify,
	};
	struct write_fault fault;
	struct arena *arena = NULL;
	int status, code;

	/* For the longest that could be drawn: whether it fits is not for chance to say. */
	code = outputs_check_room(path, p->volumes.count, p->volumes.high,
	                          o->size.kind == SIZE_PADDED, own);
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

/* Each on its own, with its own keys and its own length. */
static int write_all(struct pack *p)
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
			refuse_output(p, i, len * p->volumes.count, &own);
		else
			note_written(p, path, len);
	}
	return p->refusal.code;
}

/* --- all of it ------------------------------------------------------------ */

static int pack(struct pack *p)
{
	const struct options *o = &p->options;
	int code = prepare(p);

	is_working = 1;
	if (!code)
		sandbox_enter(o);
	if (!code)
		code = stage(p);
	if (!code)
		code = plan(p);
	if (code)
		return code;
	measure(p);
	warn_of_stories(p);
	if (!o->dry_run)
		code = write_all(p);
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
	else if (o->dry_run && !why->code)
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
	struct pack p = {.arena = NULL};
	bool right;
	int code = EXIT_DONE;

	arena_harden_process();
	open_standard_streams();
	diag_init("satchel-pack", NULL);
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
		code = failure_say(&p.failure, EXIT_USAGE, NULL, "%s", p.options.error);
	if (!right && p.failure.code && p.options.json)
		report_json_end(&p.report, &p.failure, code, false);
	release(&p);
	if ((fflush(stdout) || ferror(stdout)) && !code)
		code = diag_status("standard output", STATUS_IO);
	return code;
}
