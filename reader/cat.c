/* satchel-read cat */
#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/absent.h"
#include "reader/ahead.h"
#include "reader/out.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/walk.h"

enum { OFFSET = OPTION_VERB, COUNT, CHUNK = 1 << 20 };

static const struct option_row rows[] = {
	{OFFSET, "offset", "N", "begin N bytes into each file"},
	{COUNT, "count", "N", "at most N bytes of each file"},
	{0, NULL, NULL, NULL},
};

struct cat {
	uint64_t offset, count;
	struct session *session;
	struct out out;
	struct walk walk;
	char *pattern; /* arena */
};

static bool take_option(void *context, int code, const char *argument)
{
	struct cat *cat = context;

	return opening_number(code == OFFSET ? &cat->offset : &cat->count, argument, INT64_MAX);
}

/* The buffer is filled where it is written from. */
static int copy(struct cat *cat, const struct format_entry *file)
{
	uint64_t off = cat->offset, end = file->size;

	if (off < end)
		end = off + min_u64(end - off, cat->count);
	while (off < end && !cat->out.error) {
		size_t len = (size_t)min_u64(end - off, CHUNK), got;
		int status;

		ahead_read(cat->walk.cursor, file, cat->offset, off, end, CHUNK);
		status = bundle_read(cat->walk.cursor, file, off, len, out_reserve(&cat->out, len),
		                     &got);
		if (status)
			return status;
		out_take(&cat->out, got);
		off += got;
	}
	return STATUS_OK;
}

static int show(void *context, uint32_t id)
{
	struct cat *cat = context;
	struct walk *w = &cat->walk;
	int status = walk_start(w, id);

	if (status == STATUS_OK && w->entry->e.kind == KIND_SYMLINK) {
		diag_error(w->path, "is a symbolic link; give the path that it points to");
		session_note(cat->session, EXIT_FAILED);
		return 0;
	}
	if (status == STATUS_OK)
		status = w->entry->e.kind == KIND_FILE ? copy(cat, &w->entry->e) : STATUS_ISDIR;
	/* What is good is out before the complaint. */
	out_flush(&cat->out);
	if (status == STATUS_VOLUME)
		absent_report(cat->session, w->cursor, &w->entry->e, w->path);
	else if (status)
		session_report(cat->session, w->path, status);
	return cat->out.error ? EXIT_FAILED : EXIT_DONE;
}

static void show_all(struct cat *cat)
{
	const struct options *o = cat->session->options;

	for (unsigned i = 0; i < o->path_count && !cat->out.error; i++) {
		int status = walk_match(&cat->walk, o->path[i], cat->pattern, show, cat);

		if (status < 0)
			session_report(cat->session, o->path[i], status);
	}
	session_note(cat->session, out_finish(&cat->out));
}

static int prepare(struct cat *cat)
{
	struct arena *arena = cat->session->arena;

	cat->pattern = arena_alloc(arena, FORMAT_PATH + 1);
	if (!cat->pattern || out_init(&cat->out, arena, CHUNK) ||
	    walk_init(&cat->walk, arena, cat->session->cursor))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int act(void *context, struct session *session)
{
	struct cat *cat = context;
	int code;

	cat->session = session;
	code = prepare(cat);
	if (code == 0)
		show_all(cat);
	return code;
}

static int run(int argc, char **argv)
{
	const struct session_needs needs = {.room = walk_size() + CHUNK + FORMAT_PATH};
	struct cat cat = {.count = UINT64_MAX};
	struct options options;
	int code = options_parse(&options, &cat_verb, argc, argv, take_option, &cat);

	if (code >= 0)
		return code;
	code = session_run(&options, &needs, act, &cat);
	walk_fini(&cat.walk);
	return code;
}

const struct verb cat_verb = {
	.name = "cat",
	.operands = "BUNDLE PATH|PATTERN...",
	.summary = "write files to standard output",
	.rows = rows,
	.paths_min = 1,
	.paths_max = -1u,
	.run = run,
};
