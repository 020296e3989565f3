/* satchel-read tree */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/out.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/walk.h"

static const struct option_row rows[] = {{0, NULL, NULL, NULL}};

/* What is drawn in front of a name. */
struct strokes {
	const char *pass, *none, *branch, *last;
};

static const struct strokes boxes = {"│   ", "    ", "├── ", "└── "};
static const struct strokes ascii = {"|   ", "    ", "|-- ", "`-- "};

struct tree {
	struct session *session;
	struct out out;
	struct walk walk;
	const struct strokes *strokes;
	uint64_t directories, files, links;
	char *link;    /* FORMAT_LINK + 1, arena */
	char *pattern; /* FORMAT_PATH + 1, arena */
};

static bool take_option(void *context, int code, const char *argument)
{
	(void)context;
	(void)code;
	(void)argument;
	return false;
}

/* By name: the reader brings no locales along. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]), *dot;

		if (!value || !*value)
			continue;
		for (dot = value; *dot; dot++)
			if (!strncasecmp(dot, "utf-8", 5) || !strncasecmp(dot, "utf8", 4))
				return true;
		return false;
	}
	return false;
}

static void count(struct tree *t)
{
	switch (t->walk.entry->e.kind) {
	case KIND_DIRECTORY: t->directories++; break;
	case KIND_SYMLINK: t->links++; break;
	default: t->files++; break;
	}
}

static void draw(struct tree *t, const char *name, size_t len)
{
	const struct walk *w = &t->walk;

	for (unsigned up = w->depth; up-- > 1;)
		out_text(&t->out, walk_is_last(w, up) ? t->strokes->none : t->strokes->pass);
	if (w->depth)
		out_text(&t->out, walk_is_last(w, 0) ? t->strokes->last : t->strokes->branch);
	out_name(&t->out, name, len);
	if (w->entry->e.kind == KIND_SYMLINK) {
		int status = bundle_readlink(w->cursor, &w->entry->e, t->link);

		if (status)
			session_report(t->session, w->path, status);
		out_text(&t->out, " -> ");
		out_name(&t->out, t->link, status ? 0 : (size_t)w->entry->e.size);
	}
	out_text(&t->out, "\n");
}

static int draw_from(void *context, uint32_t id)
{
	struct tree *t = context;
	struct walk *w = &t->walk;
	int status = walk_start(w, id);

	if (status) {
		session_report(t->session, w->path, status);
		return 0;
	}
	draw(t, w->path_len ? w->path : ".", w->path_len ? w->path_len : 1);
	if (w->entry->e.kind != KIND_DIRECTORY)
		count(t);
	while ((status = walk_next(w)) != 0 && !t->out.error) {
		if (status < 0) {
			walk_report(w, t->session, status);
			continue;
		}
		draw(t, w->path + w->name_off, w->path_len - w->name_off);
		count(t);
	}
	return 0;
}

static void print_count(struct tree *t, uint64_t n, const char *one, const char *many,
                        const char *end)
{
	out_format(&t->out, "%" PRIu64 " %s%s", n, n == 1 ? one : many, end);
}

static void draw_all(struct tree *t)
{
	const struct options *o = t->session->options;

	if (o->path_count == 0)
		draw_from(t, 0);
	for (unsigned i = 0; i < o->path_count; i++) {
		int status = walk_match(&t->walk, o->path[i], t->pattern, draw_from, t);

		if (status)
			session_report(t->session, o->path[i], status);
	}
	out_text(&t->out, "\n");
	print_count(t, t->directories, "directory", "directories", ", ");
	print_count(t, t->files, "file", "files", t->links ? ", " : "\n");
	if (t->links)
		print_count(t, t->links, "link", "links", "\n");
	session_note(t->session, out_finish(&t->out));
}

static int prepare(struct tree *t)
{
	struct arena *arena = t->session->arena;

	t->strokes = locale_is_utf8() ? &boxes : &ascii;
	t->link = arena_alloc(arena, FORMAT_LINK + 1);
	t->pattern = arena_alloc(arena, FORMAT_PATH + 1);
	if (!t->link || !t->pattern || out_init(&t->out, arena, OUT_ROOM) ||
	    walk_init(&t->walk, arena, t->session->cursor))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int act(void *context, struct session *session)
{
	struct tree *t = context;
	int code;

	t->session = session;
	code = prepare(t);
	if (code == 0)
		draw_all(t);
	return code;
}

static int run(int argc, char **argv)
{
	const struct session_needs needs = {.room = walk_size() + OUT_ROOM + FORMAT_LINK +
	                                            FORMAT_PATH};
	struct tree t = {0};
	struct options options;
	int code = options_parse(&options, &tree_verb, argc, argv, take_option, NULL);

	if (code >= 0)
		return code;
	code = session_run(&options, &needs, act, &t);
	walk_fini(&t.walk);
	return code;
}

const struct verb tree_verb = {
	.name = "tree",
	.operands = "BUNDLE [PATH|PATTERN...]",
	.summary = "draw what is in it as a tree",
	.rows = rows,
	.paths_max = -1u,
	.run = run,
};
