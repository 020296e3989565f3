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
#include "common/status.h"
#include "common/swap.h"
#include "reader/sandbox.h"

enum { DIAG_ROOM = 16384 };

/* --- the end, however it comes --------------------------------------------- */

static struct arena *to_wipe;

/* What is wiped must not be gone on with, whatever becomes of the signal. */
static void on_signal(int no)
{
	sigset_t own;

	diag_fall_silent();
	outfile_discard_all();
	if (to_wipe)
		arena_wipe(to_wipe);
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
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	struct sigaction action = {.sa_handler = on_signal}, before;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaction(signals[i], &action, &before);
		if (before.sa_handler == SIG_IGN)
			sigaction(signals[i], &before, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* --- the arena -------------------------------------------------------------- */

/* As many workers as there are cores and room for. */
static size_t plan_arena(struct session *s, const struct session_needs *needs)
{
	size_t each = cursor_size() + needs->worker_room + 64;
	size_t fixed =
		DIAG_ROOM + keyring_size() + bundle_size() + needs->room + cursor_size() + 4096;

	s->worker_count = needs->workers ? cores_count(SESSION_WORKERS) : 0;
	while (s->worker_count > 1 && fixed + s->worker_count * each > ARENA_MAX_BYTES)
		s->worker_count--;
	return fixed + s->worker_count * each;
}

static int make_arena(struct session *s, const struct session_needs *needs)
{
	int code = opening_arena(&s->arena, &s->options->opening, plan_arena(s, needs));

	if (code)
		return code;
	to_wipe = s->arena;
	if (swap_is_exposed())
		diag_warn(NULL, "swap is on: what other programs show might reach the disk");
	return 0;
}

/* --- opening ------------------------------------------------------------------ */

static int make_cursors(struct session *s)
{
	int status = cursor_new(&s->cursor, s->bundle);

	for (unsigned i = 0; i < s->worker_count && status == STATUS_OK; i++)
		status = cursor_new(&s->worker[i], s->bundle);
	return status ? diag_status(NULL, status) : 0;
}

static int open_session(struct session *s, const struct options *options,
                        const struct session_needs *needs)
{
	int code;

	*s = (struct session){.options = options, .one_volume = needs->one_volume};
	catch_signals();
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
	for (unsigned i = 0; i < s->worker_count; i++)
		cursor_free(s->worker[i]);
	cursor_free(s->cursor);
	bundle_close(s->bundle);
	fileset_close(&s->files);
	publisher_free(s->pins);
	diag_use(NULL);
	to_wipe = NULL;
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
