#include "reader/session.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/cores.h"
#include "common/diag.h"
#include "common/outfile.h"
#include "common/pages.h"
#include "common/publisher.h"
#include "common/source.h"
#include "common/status.h"
#include "common/swap.h"
#include "reader/sandbox.h"
#include "reader/verdict.h"

enum { DIAG_ROOM = 16384, SPARE_FRAMES = 3 };

/* --- the end, however it comes --------------------------------------------- */

static void leave_nothing(void)
{
	outfile_discard_all();
	arena_wipe_all();
}

/* What is wiped must not be gone on with, whatever becomes of the signal. */
static void on_signal(int no)
{
	sigset_t own;

	diag_fall_silent();
	leave_nothing();
	sigemptyset(&own);
	sigaddset(&own, no);
	signal(no, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &own, NULL);
	/* raise(3), which in some C libraries does what the sandbox refuses. */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), no);
	_exit(128 + no);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
	                              SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};
	struct sigaction action = {.sa_handler = on_signal}, before;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaction(signals[i], &action, &before);
		if (before.sa_handler != SIG_DFL) /* ignored (nohup); or a fuzzer's own */
			sigaction(signals[i], &before, NULL);
	}
	/* Those who write hear of it otherwise, and tidy up. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static struct session *watched;

/* NULL: it is no volume, but somebody else's file beside them. */
static const char *name_of(const struct source *source)
{
	for (unsigned i = 0; i < watched->files.count; i++)
		if (watched->files.source[i] == source)
			return watched->files.file[i];
	return NULL;
}

/* Where the medium is gone all that follows would be called damage.  The first thread that
 * meets it ends the others; a signal is as good an end. */
static void on_gone(const struct source *source)
{
	const char *file = name_of(source);

	if (!file)
		return;
	diag_last_error(file, "cannot be read any more: the drive was pulled out, or fails");
	leave_nothing();
	if (watched->is_json)
		verdict_print_json_failure(EXIT_ABSENT);
	_exit(EXIT_ABSENT);
}

/* --- the arena -------------------------------------------------------------- */

static size_t arena_bytes(const struct session *s, const struct session_needs *needs)
{
	size_t cursor = cursor_size() - bundle_frames_size(1) + 64;

	return DIAG_ROOM + keyring_size() + bundle_size() + needs->room + 4096 + cursor +
	       s->worker_count * (cursor + needs->worker_room + 64) +
	       bundle_frames_size(s->frame_count);
}

/* As many workers as there are cores and room for.  If there is more, it is for frames of which
 * the next files are that another worker has. */
static size_t plan_arena(struct session *s, const struct session_needs *needs)
{
	s->worker_count = needs->workers ? cores_count(SESSION_WORKERS) : 0;
	s->frame_count = s->worker_count + 1;
	for (; s->worker_count > 1 && arena_bytes(s, needs) > ARENA_MAX_BYTES; s->frame_count--)
		s->worker_count--;
	for (int i = 0; i < SPARE_FRAMES && s->worker_count > 1; i++)
		if (arena_bytes(s, needs) + bundle_frames_size(1) <= ARENA_MAX_BYTES)
			s->frame_count++;
	return arena_bytes(s, needs);
}

static int make_arena(struct session *s, const struct session_needs *needs)
{
	int code = opening_arena(&s->arena, &s->options->opening, plan_arena(s, needs));

	if (code)
		return code;
	if (swap_is_exposed())
		diag_warn(NULL, "swap is on: what other programs show might reach the disk");
	return 0;
}

/* --- opening ------------------------------------------------------------------ */

static int make_cursors(struct session *s)
{
	int status = bundle_share_frames(s->bundle, s->frame_count);

	if (status == STATUS_OK)
		status = cursor_new(&s->cursor, s->bundle);
	for (unsigned i = 0; i < s->worker_count && status == STATUS_OK; i++)
		status = cursor_new(&s->worker[i], s->bundle);
	return status ? diag_status(NULL, status) : 0;
}

static int open_session(struct session *s, const struct options *options,
                        const struct session_needs *needs)
{
	int code;

	*s = (struct session){
		.options = options, .one_volume = needs->one_volume, .is_json = needs->json};
	catch_signals();
	watched = s;
	source_watch(on_gone);
	code = make_arena(s, needs);
	if (code == 0)
		code = fileset_open(&s->files, &options->opening);
	if (code == 0)
		code = publisher_load(&s->pins, &options->opening.publisher);
	if (code == 0)
		code = keyring_read(&s->keys, s->arena, &options->opening);
	if (code == 0) {
		sandbox_begin(needs->place);
		code = fileset_open_bundle(&s->files, &s->bundle, s->arena, &options->opening,
		                           keyring_keys(s->keys));
	}
	if (code == 0)
		sandbox_close(needs->place);
	if (code == 0)
		code = publisher_judge(s->pins, bundle_content(s->bundle), options->opening.bundle);
	if (code == 0)
		code = make_cursors(s);
	if (code == 0)
		fileset_warn(&s->files, s->bundle);
	return code;
}

/* --- the exit code -------------------------------------------------------------- */

static int rank(int code)
{
	static const uint8_t worse[] = {EXIT_DONE,   EXIT_REPAIRED, EXIT_PARTLY,
	                                EXIT_ABSENT, EXIT_LOST,     EXIT_FAILED};

	for (int i = 0; i < (int)sizeof worse; i++)
		if (worse[i] == code)
			return i;
	return sizeof worse;
}

void session_note(struct session *s, int code)
{
	int before = atomic_load(&s->exit_code);

	while (rank(code) > rank(before) &&
	       !atomic_compare_exchange_weak(&s->exit_code, &before, code))
		;
}

void session_report(struct session *s, const char *path, int status)
{
	session_note(s, diag_status(*path ? path : ".", status));
}

/* Does what was met call for a warning, or is everything as it was written? */
static bool is_damage_seen(const struct session *s)
{
	for (unsigned v = 0; v < bundle_volume_count(s->bundle); v++) {
		const struct bundle_volume *volume = bundle_volume(s->bundle, v);

		if (s->one_volume && volume->source_no != 0)
			continue;
		if (bundle_volume_is_damaged(volume))
			return true;
	}
	return false;
}

static int close_session(struct session *s)
{
	if (s->bundle && bundle_ready(s->bundle) == STATUS_OK && is_damage_seen(s))
		session_note(s, EXIT_REPAIRED);
	source_watch(NULL);
	for (unsigned i = 0; i < s->worker_count; i++)
		cursor_free(s->worker[i]);
	cursor_free(s->cursor);
	bundle_close(s->bundle);
	fileset_close(&s->files);
	publisher_free(s->pins);
	diag_use(NULL);
	arena_free(s->arena);
	return atomic_load(&s->exit_code);
}

int session_run(const struct options *options, const struct session_needs *needs,
                int (*act)(void *context, struct session *session), void *context)
{
	struct session s;
	int code = open_session(&s, options, needs);

	if (code == 0)
		code = act(context, &s);
	session_note(&s, code);
	return close_session(&s);
}
