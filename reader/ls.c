/* satchel-read ls */
#include <inttypes.h>
#include <sodium.h>
#include <stdalign.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/absent.h"
#include "reader/glob.h"
#include "reader/out.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/walk.h"

enum { JSON = OPTION_VERB, CHECKSUM, CHUNK = 1 << 20, LINES_ROOM = OUT_ROOM };

static const struct option_row rows[] = {
	{'l', "long", NULL, "mode, links, size, date and where a link points"},
	{'R', "recursive", NULL, "all that is below, with whole paths"},
	{'d', "directory", NULL, "a directory itself, not what is in it"},
	{JSON, "json", NULL, "one JSON object for each entry"},
	{CHECKSUM, "checksum", NULL, "lines for b2sum -c, of all files below"},
	{0, NULL, NULL, NULL},
};

/* Scratch memory; in the arena. */
struct ls_room {
	alignas(64) crypto_generichash_state hash;
	char link[FORMAT_LINK + 1];
	char pattern[FORMAT_PATH + 1];
	char target[FORMAT_PATH + 1];
	uint8_t chunk[CHUNK];
};

struct ls {
	bool in_full, recursive, directory, json, checksum;
	bool whole_paths;
	bool sets; /* some volumes are missing */
	struct session *session;
	struct out out;
	struct walk walk;
	struct ls_room *room;
};

static bool take_option(void *context, int code, const char *argument)
{
	struct ls *ls = context;

	(void)argument;
	switch (code) {
	case 'l': ls->in_full = true; break;
	case 'R': ls->recursive = true; break;
	case 'd': ls->directory = true; break;
	case JSON: ls->json = true; break;
	default: ls->checksum = true; break;
	}
	return true;
}

/* Text or JSON behind an entry: the volumes it needs that are not here. */
static void print_absent(struct ls *ls)
{
	struct absent absent;
	const char *between = "";

	if (!ls->sets)
		return;
	absent_find(&absent, ls->session, ls->walk.cursor, &ls->walk.entry->e);
	if (!absent.count)
		return;
	if (ls->json)
		out_text(&ls->out, ", \"missing_volumes\": [");
	else
		out_text(&ls->out, absent.count == 1 ? "  (needs volume " : "  (needs volumes ");
	for (unsigned v = 0; v < bundle_volume_count(absent.bundle); v++) {
		if (!absent_has(&absent, v))
			continue;
		out_format(&ls->out, "%s%u", between, v + 1);
		between = ", ";
	}
	out_text(&ls->out, ls->json ? "]" : ")");
}

/* --- JSON --------------------------------------------------------------------- */

static const char *kind_name(enum format_kind kind)
{
	switch (kind) {
	case KIND_DIRECTORY: return "directory";
	case KIND_SYMLINK: return "symlink";
	case KIND_HARDLINK: return "hardlink";
	default: return "file";
	}
}

/* Where a symbolic link points, into room->link. */
static int read_target(struct ls *ls)
{
	int status = bundle_readlink(ls->walk.cursor, &ls->walk.entry->e, ls->room->link);

	if (status)
		session_report(ls->session, ls->walk.path, status);
	return status;
}

static void print_json(struct ls *ls)
{
	const struct walk *w = &ls->walk;
	const struct format_entry *e = &w->entry->e;
	struct out *out = &ls->out;
	bool linked = w->inode != w->id;

	out_text(out, "{");
	out_json_name(out, "path", w->path_len ? w->path : ".", w->path_len ? w->path_len : 1);
	out_format(out, ", \"kind\": \"%s\"", linked ? "hardlink" : kind_name(e->kind));
	if (linked && bundle_path(w->cursor, w->inode, ls->room->target) == STATUS_OK) {
		out_text(out, ", ");
		out_json_name(out, "of", ls->room->target, strlen(ls->room->target));
	}
	if (e->kind == KIND_FILE)
		out_format(out, ", \"size\": %" PRIu64, e->size);
	out_format(out, ", \"mode\": \"%04o\", \"mtime\": %" PRId64, e->mode, e->mtime);
	if (e->links > 1)
		out_format(out, ", \"links\": %" PRIu32, e->links);
	if (bundle_content(ls->session->bundle)->full_metadata)
		out_format(out,
		           ", \"nanoseconds\": %" PRIu32 ", \"uid\": %" PRIu32
		           ", \"gid\": %" PRIu32,
		           e->mtime_nsec, e->uid, e->gid);
	if (e->sparse)
		out_text(out, ", \"sparse\": true");
	if (e->kind == KIND_SYMLINK && read_target(ls) == STATUS_OK) {
		out_text(out, ", ");
		out_json_name(out, "target", ls->room->link, (size_t)e->size);
	}
	print_absent(ls);
	out_text(out, "}\n");
}

/* --- lines -------------------------------------------------------------------- */

static void print_mode(struct out *out, const struct format_entry *e)
{
	char mode[] = "?rwxrwxrwx";

	mode[0] = "-dl-"[e->kind];
	for (int bit = 0; bit < 9; bit++)
		if (!(e->mode >> (8 - bit) & 1) && e->kind != KIND_SYMLINK)
			mode[1 + bit] = '-';
	if (e->mode & 04000)
		mode[3] = e->mode & 0100 ? 's' : 'S';
	if (e->mode & 02000)
		mode[6] = e->mode & 0010 ? 's' : 'S';
	if (e->mode & 01000)
		mode[9] = e->mode & 0001 ? 't' : 'T';
	out_text(out, mode);
}

/* The proleptic Gregorian date of a day counted from 1970-01-01.  gmtime(3)
 * would bring time zones and a scanner of numbers into a static program.
 * Years here begin in March, so that a leap day is the last of its year; 719,468
 * days lie between 0000-03-01 and 1970-01-01. */
static void date_of_day(int64_t day, int64_t *year, unsigned *month, unsigned *mday)
{
	const int64_t era_days = 146097; /* 400 years */
	int64_t days = day + 719468, era = days / era_days - (days % era_days < 0);
	unsigned in_era = (unsigned)(days - era * era_days);
	unsigned y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * in_year + 2) / 153;

	*mday = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int64_t)y + era * 400 + (*month <= 2);
}

static void print_date(struct out *out, const struct format_entry *e, bool exact)
{
	const int64_t day_seconds = 86400;
	int64_t day = e->mtime / day_seconds - (e->mtime % day_seconds < 0), year;
	unsigned second = (unsigned)(e->mtime - day * day_seconds), month, mday;

	date_of_day(day, &year, &month, &mday);
	out_format(out, " %04" PRId64 "-%02u-%02u", year, month, mday);
	if (exact)
		out_format(out, " %02u:%02u", second / 3600, second / 60 % 60);
}

static void print_in_full(struct ls *ls)
{
	const struct format_entry *e = &ls->walk.entry->e;

	print_mode(&ls->out, e);
	out_format(&ls->out, " %3" PRIu32 " %14" PRIu64, e->links, e->size);
	print_date(&ls->out, e, bundle_content(ls->session->bundle)->full_metadata);
	out_text(&ls->out, " ");
}

static void print_line(struct ls *ls, bool whole_path)
{
	const struct walk *w = &ls->walk;
	size_t from = whole_path ? 0 : w->name_off;

	if (ls->in_full)
		print_in_full(ls);
	if (w->path_len)
		out_name(&ls->out, w->path + from, w->path_len - from);
	else
		out_text(&ls->out, ".");
	if (ls->in_full && w->entry->e.kind == KIND_SYMLINK && read_target(ls) == STATUS_OK) {
		out_text(&ls->out, " -> ");
		out_name(&ls->out, ls->room->link, (size_t)w->entry->e.size);
	}
	if (ls->in_full || ls->out.escape)
		print_absent(ls);
	out_text(&ls->out, "\n");
}

/* --- checksums ---------------------------------------------------------------- */

static int hash_content(struct ls *ls, uint8_t sum[static 64])
{
	const struct format_entry *e = &ls->walk.entry->e;
	size_t got = 0;
	int status = STATUS_OK;

	crypto_generichash_init(&ls->room->hash, NULL, 0, 64);
	for (uint64_t off = 0; off < e->size && status == STATUS_OK; off += got) {
		status = bundle_read(ls->walk.cursor, e, off, CHUNK, ls->room->chunk, &got);
		if (status == STATUS_OK)
			crypto_generichash_update(&ls->room->hash, ls->room->chunk, got);
	}
	crypto_generichash_final(&ls->room->hash, sum, 64);
	return status;
}

/* As b2sum(1) writes names with line breaks or backslashes. */
static void print_sum_name(struct out *out, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (name[i]) {
		case '\n': out_text(out, "\\n"); break;
		case '\r': out_text(out, "\\r"); break;
		case '\\': out_text(out, "\\\\"); break;
		default: out_bytes(out, name + i, 1);
		}
	}
}

static void print_sum(struct ls *ls)
{
	const struct walk *w = &ls->walk;
	uint8_t sum[64];
	char hex[2 * sizeof sum + 1];
	int status;

	if (w->entry->e.kind != KIND_FILE)
		return;
	status = hash_content(ls, sum);
	if (status) {
		session_report(ls->session, w->path, status);
		return;
	}
	sodium_bin2hex(hex, sizeof hex, sum, sizeof sum);
	if (!ls->out.escape && strpbrk(w->path, "\\\n\r")) {
		out_format(&ls->out, "\\%s  ", hex);
		print_sum_name(&ls->out, w->path, w->path_len);
	} else {
		/* A lone "-" would be standard input. */
		out_format(&ls->out, "%s  %s", hex, strcmp(w->path, "-") ? "" : "./");
		out_name(&ls->out, w->path, w->path_len);
	}
	out_text(&ls->out, "\n");
}

/* --- which ---------------------------------------------------------------------- */

static void print_entry(struct ls *ls, bool whole_path)
{
	if (ls->checksum)
		print_sum(ls);
	else if (ls->json)
		print_json(ls);
	else
		print_line(ls, whole_path);
}

/* Entry id as it was named: itself, or what is in it. */
static int list(void *context, uint32_t id)
{
	struct ls *ls = context;
	struct walk *w = &ls->walk;
	int status = walk_start(w, id), next;

	if (status) {
		session_report(ls->session, w->path, status);
		return 0;
	}
	if (ls->directory || !w->enter || (ls->recursive && ls->json))
		print_entry(ls, true);
	if (ls->directory)
		return 0;
	while ((next = walk_next(w)) != 0 && !ls->out.error) {
		if (next < 0) {
			walk_report(w, ls->session, next);
			continue;
		}
		if (!ls->recursive)
			w->enter = false;
		print_entry(ls, ls->whole_paths);
	}
	return 0;
}

static void list_all(struct ls *ls)
{
	const struct options *o = ls->session->options;

	if (o->path_count == 0)
		list(ls, 0);
	for (unsigned i = 0; i < o->path_count; i++) {
		int status = walk_match(&ls->walk, o->path[i], ls->room->pattern, list, ls);

		if (status)
			session_report(ls->session, o->path[i], status);
	}
	session_note(ls->session, out_finish(&ls->out));
	if (ls->sets)
		diag_note("%u of the set's %u volumes are not here",
		          bundle_missing(ls->session->bundle),
		          bundle_volume_count(ls->session->bundle));
}

static int prepare(struct ls *ls)
{
	struct arena *arena = ls->session->arena;
	const struct options *o = ls->session->options;
	/* Only checksums read contents. */
	size_t room = ls->checksum ? sizeof *ls->room : offsetof(struct ls_room, chunk);

	ls->recursive |= ls->checksum;
	ls->whole_paths = ls->recursive || o->path_count > 1 ||
	                  (o->path_count == 1 && glob_is_pattern(o->path[0]));
	ls->sets = bundle_missing(ls->session->bundle) > 0;
	ls->room = arena_alloc(arena, room);
	if (!ls->room || out_init(&ls->out, arena, LINES_ROOM) ||
	    walk_init(&ls->walk, arena, ls->session->cursor))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int act(void *context, struct session *session)
{
	struct ls *ls = context;
	int code;

	ls->session = session;
	code = prepare(ls);
	if (code == 0)
		list_all(ls);
	return code;
}

static int run(int argc, char **argv)
{
	struct ls ls = {0};
	struct options options;
	struct session_needs needs = {.room = walk_size() + LINES_ROOM +
	                                      offsetof(struct ls_room, chunk)};
	int code = options_parse(&options, &ls_verb, argc, argv, take_option, &ls);

	if (code >= 0)
		return code;
	if (ls.checksum && ls.json)
		return options_usage("ls", "either --json or --checksum", NULL);
	needs.room += ls.checksum ? CHUNK : 0;
	code = session_run(&options, &needs, act, &ls);
	walk_fini(&ls.walk);
	return code;
}

const struct verb ls_verb = {
	.name = "ls",
	.operands = "BUNDLE [PATH|PATTERN...]",
	.summary = "list what is in it",
	.rows = rows,
	.paths_max = -1u,
	.run = run,
};
