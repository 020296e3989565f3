/* satchel-mount: what a key opens of a bundle, as a read-only file system. */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/arguments.h"
#include "common/clock.h"
#include "common/diag.h"
#include "common/pages.h"
#include "common/seal_heap.h"
#include "common/status.h"
#include "fusefs/access.h"
#include "fusefs/device.h"
#include "fusefs/inherited.h"
#include "fusefs/loop.h"
#include "fusefs/mountpoint.h"
#include "fusefs/notes.h"
#include "fusefs/ops.h"
#include "fusefs/options.h"
#include "fusefs/reports.h"
#include "fusefs/run.h"
#include "fusefs/sandbox.h"
#include "fusefs/streams.h"
#include "fusefs/supervisor.h"
#include "fusefs/tell.h"
#include "fusefs/view.h"
#include "fusefs/watch.h"

/* An end has a second: so long for answers that are being made, for the page
 * cache, for the supervisor, and for who reads messages. */
enum { ANSWERS_MS = 200, OVERWRITE_MS = 500, DETACH_MS = 1000, LAST_WORDS_MS = 200 };

/* And a beginning as long for a bus that does not answer. */
enum { LISTEN_MS = 1000 };

/* A stick that is pulled out fails reads before it is gone: no name is printed before the
 * medium has been there for so much longer.  Who pulled it wants nothing on the screen. */
enum { HOLD_MS = 1000 };

static const char program[] = "satchel-mount";

/* Everything that the serving process has. */
struct mounted {
	const struct options *options;
	const char *directory;
	struct supervisor *supervisor;
	struct access access;
	struct view view;
	struct watch *watch;
	struct fuse_session *session;
	struct loop *loop;
	struct run run;
};

/* --- starting ------------------------------------------------------------------------ */

static int fail(int status)
{
	return diag_status(NULL, status);
}

static int make_view(struct mounted *m)
{
	const struct options *o = m->options;
	struct view *v = &m->view;
	struct access *a = &m->access;
	int status = STATUS_OK;

	*v = (struct view){
		.content = bundle_content(a->bundle),
		.read_max = a->read_max,
		.cached = o->cache,
		.names = diag_gives_names(),
		.uid = getuid(),
		.gid = getgid(),
		.asked_to_end = watch_asked,
		.medium_is_there = watch_medium_is_there,
		.context = m->watch,
		.last_read = clock_boot_s(),
	};
	if (o->subdir)
		status = bundle_resolve(a->share[0].cursor, o->subdir, &v->root);
	if (status == STATUS_OK)
		status = bundle_entry(a->share[0].cursor, v->root, a->share[0].entry);
	if (status == STATUS_OK && a->share[0].entry->e.kind != KIND_DIRECTORY)
		status = STATUS_NOTDIR;
	if (status)
		return diag_status(diag_name(o->subdir ? o->subdir : o->opening.bundle), status);
	status = notes_new(&v->notes);
	if (status == STATUS_OK)
		status = streams_new(&v->streams);
	if (status == STATUS_OK)
		status = reports_new(&v->reports, v->names ? HOLD_MS : 0);
	return status ? fail(status) : 0;
}

/* libfuse's own words, where it has some. */
static bool fuse_said;

static void log_fuse(enum fuse_log_level level, const char *format, va_list arguments)
{
	char text[512];
	size_t len;

	if (level > FUSE_LOG_WARNING)
		return;
	vsnprintf(text, sizeof text, format, arguments);
	len = strcspn(text, "\n");
	text[len] = '\0';
	fuse_said = true;
	diag_error(NULL, "%s", strncmp(text, "fuse: ", 6) ? text : text + 6);
}

/* No name that tells anything: everybody on the machine can read the list of
 * mounts. */
static int mount_session(struct mounted *m)
{
	char options[128];
	char *words[] = {(char *)program, options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, words);

	snprintf(options, sizeof options, "-oro,nosuid,nodev,%sfsname=none,max_read=%lu",
	         m->options->exec ? "" : "noexec,", (unsigned long)m->view.read_max);
	fuse_set_log_func(log_fuse);
	m->session = fuse_session_new(&args, &ops_table, sizeof ops_table, &m->view);
	fuse_opt_free_args(&args);
	if (m->session && fuse_session_mount(m->session, m->directory)) {
		/* fusermount3 has words of its own, which are not seen here. */
		if (!fuse_said)
			diag_error(m->directory, "cannot be mounted there");
		return EXIT_FAILED;
	}
	if (m->session && device_take(m->session) == STATUS_OK)
		return 0;
	return fuse_said ? EXIT_FAILED : fail(STATUS_NOMEM);
}

/* From here on no file can be opened any more. */
static int confine(struct mounted *m)
{
	int status =
		loop_new(&m->loop, m->session, &m->view, &m->access, watch_session_over, m->watch);

	if (status)
		return fail(status);
	supervisor_leave_terminal(m->supervisor);
	if (!sandbox_files(m->run.program))
		diag_warn(NULL, "this kernel has no Landlock: the file system is not closed off");
	status = loop_start(m->loop);
	if (status == STATUS_OK)
		status = notes_start(m->view.notes, m->session);
	if (status == STATUS_OK)
		status = watch_start(m->watch);
	if (status)
		return fail(status);
	if (!sandbox_calls(m->run.program))
		diag_warn(NULL, "this kernel has no seccomp: system calls are not limited");
	status = loop_release(m->loop);
	/* What libfuse has no memory for it answers with an error, and goes on; but without
	 * INIT the kernel never asks anything. */
	if (status == STATUS_OK && !m->view.greeted)
		status = STATUS_NOMEM;
	return status ? fail(status) : 0;
}

/* A signal that ends mounts, come while there was none yet. */
static int pending_signal(void)
{
	sigset_t ends, pending;

	supervisor_signals(&ends);
	sigpending(&pending);
	for (int no = 1; no < SIGRTMIN; no++)
		if (sigismember(&ends, no) == 1 && sigismember(&pending, no) == 1)
			return no;
	return 0;
}

static int start(struct mounted *m)
{
	const struct options *o = m->options;
	int code = o->program ? run_prepare(&m->run, o) : 0, status;

	if (code)
		return code;
	if (o->program)
		m->directory = m->run.directory;
	arena_harden_process();
	if (sodium_init() < 0 || seal_heap_init())
		return fail(STATUS_NOMEM);
	code = access_open(&m->access, o);
	inherited_close();
	if (pending_signal())
		return 128 + pending_signal();
	if (code)
		return code;
	supervisor_ignore_stops();
	supervisor_listen(m->supervisor, LISTEN_MS);
	status = watch_new(&m->watch, (int64_t)o->idle_minutes * 60, m->supervisor,
	                   m->access.files.source, m->access.files.count);
	code = status ? fail(status) : make_view(m);
	if (code == 0 && o->program)
		code = run_cover(&m->run, o);
	if (code == 0)
		code = mount_session(m);
	return code ? code : confine(m);
}

/* --- ending ---------------------------------------------------------------------------- */

/* What was met on the way, where the end itself tells nothing. */
static int damage_code(const struct mounted *m)
{
	const struct bundle *b = m->access.bundle;
	bool damaged = false;

	if (device_has_failed())
		return EXIT_FAILED; /* libfuse has said why */
	if (atomic_load(&m->view.damaged))
		return EXIT_LOST;
	for (unsigned v = 0; v < bundle_volume_count(b); v++)
		damaged |= bundle_volume_is_damaged(bundle_volume(b, v));
	return damaged ? EXIT_REPAIRED : EXIT_DONE;
}

/* The order matters: nothing may be answered from the bundle any more when the
 * keys go, and the page cache can only be overwritten while the mount is there. */
static int finish(struct mounted *m, const struct end *end)
{
	loop_refuse(m->loop, ANSWERS_MS);
	arena_wipe(m->access.arena);
	arguments_forget();
	fileset_forget_names(&m->access.files);
	if (m->run.program && end->reason != END_PROGRAM)
		run_kill(&m->run);
	/* A device that fails looks like an unmount, and is none. */
	if (end->reason != END_UNMOUNTED || device_has_failed()) {
		notes_overwrite(m->view.notes, OVERWRITE_MS);
		supervisor_detach(m->supervisor, DETACH_MS);
	}
	if (end->reason != END_MEDIUM)
		tell_held(&m->view, LAST_WORDS_MS);
	if (end->text && diag_can_tell(LAST_WORDS_MS))
		diag_note("%s", end->text);
	/* A worker that was late may have finished a page meanwhile. */
	arena_wipe(m->access.arena);
	return end->code ? end->code : damage_code(m);
}

static int serve(const struct options *options, struct supervisor *supervisor)
{
	/* Not on the stack: threads have it until the process ends. */
	static struct mounted m;
	struct end end;
	int code;

	m.options = options;
	m.directory = options->directory;
	m.supervisor = supervisor;
	code = start(&m);
	if (code) {
		if (m.access.arena)
			arena_wipe(m.access.arena);
		arguments_forget();
		loop_clean_stack();
		return code;
	}
	if (m.run.program)
		run_begin(&m.run);
	supervisor_ready(supervisor);
	loop_clean_stack();
	end = watch_run(m.watch, &m.view, m.loop, m.run.program);
	return finish(&m, &end);
}

/* --- the command line ------------------------------------------------------------------ */

static int run(int argc, char **argv)
{
	struct options options;
	int code = options_parse(&options, argc, argv);

	if (code >= 0)
		return code;
	if (options.end)
		return mountpoint_end(options.directory);
	if (options.program)
		options.foreground = true;
	/* What can be seen to be wrong before anything is asked for. */
	if (!options.program && !mountpoint_is_free(options.directory))
		return EXIT_FAILED;
	return supervisor_run(&options, options.program ? NULL : options.directory, serve);
}

int main(int argc, char **argv)
{
	int code;

	diag_open_standard_streams();
	inherited_note();
	diag_init(program);
	argv = arguments_hide(argc, argv);
	code = argv ? run(argc, argv) : fail(STATUS_NOMEM);
	arguments_free(argv);
	return code;
}
