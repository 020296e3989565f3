/* satchel-read extract: what is wanted is found first, then put in place in
 * three rounds - directories and files, on all cores; hard links; and last what
 * directories look like. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/progress.h"
#include "common/source.h"
#include "common/status.h"
#include "reader/out.h"
#include "reader/place.h"
#include "reader/pool.h"
#include "reader/sandbox.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/walk.h"

enum {
	FORCE = OPTION_VERB,
	UNIT_BYTES = 4 << 20, /* of small files go to one thread together */
	UNIT_FILES = 256,
	FIRSTS = 4096, /* files known only by a link; beyond that they are not linked */
};

static const struct option_row rows[] = {
	{'C', "directory", "DIR", "into DIR, which is made if it is not there"},
	{FORCE, "force", NULL, "replace files that exist"},
	{'v', "verbose", NULL, "print what is extracted"},
	{0, NULL, NULL, NULL},
};

/* Entries, a bit for each.  Numbers, so in ordinary memory. */
typedef _Atomic uint64_t bits;

static bool bit_get(bits *set, uint32_t id)
{
	return atomic_load(&set[id / 64]) >> id % 64 & 1;
}

/* Sets it; was it set? */
static bool bit_set(bits *set, uint32_t id)
{
	uint64_t bit = UINT64_C(1) << id % 64;

	return atomic_fetch_or(&set[id / 64], bit) & bit;
}

/* A file whose first name is not wanted, and the first one that is. */
struct first {
	uint32_t inode, link;
};

struct extract {
	const char *directory;
	bool force, verbose;

	struct session *session;
	struct place place;
	struct placer placer; /* for what is done by one thread */
	struct placer worker[SESSION_WORKERS];
	struct walk walk;
	struct out out;
	pthread_mutex_t out_turn;
	struct progress *progress;
	char *pattern; /* arena */

	uint32_t next_wanted;
	uint32_t scan, scan_end; /* entries on their way to threads, */
	uint32_t scan_directory; /* all of this directory */
	uint32_t entries;
	bits *wanted; /* what was named on the command line */
	bits *taken;  /* that, and what is below, seen to */
	bits *made;   /* directories that were not there before */
	bits *done;   /* files that are in place */
	bits *links;  /* wanted hard links */
	bits *gaps;   /* directories some of whose names are lost, which has been said */
	struct first first[FIRSTS];
	size_t first_count;
	bool linking;
};

/* Of the entries first to end those that are neither directory nor hard link. */
struct unit {
	uint32_t directory;
	uint32_t first, end;
};

static bool take_option(void *context, int code, const char *argument)
{
	struct extract *x = context;

	switch (code) {
	case 'C': x->directory = argument; break;
	case FORCE: x->force = true; break;
	default: x->verbose = true; break;
	}
	return true;
}

static bool stopped(struct extract *x)
{
	return atomic_load(&x->place.stopped);
}

/* --- what is wanted ---------------------------------------------------------------- */

static int want(void *context, uint32_t id)
{
	struct extract *x = context;

	bit_set(x->wanted, id);
	return 0;
}

static void find_wanted(struct extract *x)
{
	const struct options *o = x->session->options;

	if (o->path_count == 0)
		want(x, 0);
	for (unsigned i = 0; i < o->path_count; i++) {
		int status = walk_match(&x->walk, o->path[i], x->pattern, want, x);

		if (status)
			session_report(x->session, o->path[i], status);
	}
}

/* --- directories and files ------------------------------------------------------------ */

static void say(struct extract *x, const char *path)
{
	if (!x->verbose)
		return;
	pthread_mutex_lock(&x->out_turn);
	out_name(&x->out, path, strlen(path));
	out_text(&x->out, "\n");
	if (x->out.escape)
		out_flush(&x->out);
	pthread_mutex_unlock(&x->out_turn);
}

/* The directory at path, which is entry id. */
static bool make_directory(struct extract *x, const char *path, uint32_t id)
{
	bool made = false;

	if (id == 0)
		return true;
	if (!place_directory(&x->placer, path, &made))
		return false;
	if (made) {
		bit_set(x->made, id);
		say(x, path);
	}
	return true;
}

/* The directories above id, the uppermost first. */
static bool make_ancestors(struct extract *x, uint32_t id)
{
	uint32_t above[FORMAT_PATH / 2 + 1];
	struct placer *p = &x->placer;
	size_t count = 0;

	while (id && count < sizeof above / sizeof *above) {
		int status = bundle_entry(p->cursor, id, p->entry);

		if (status) {
			session_report(x->session, x->walk.path, status);
			return false;
		}
		id = p->entry->e.parent;
		above[count++] = id;
	}
	while (count-- > 0) {
		int status = bundle_path(p->cursor, above[count], p->where);

		if (status)
			session_report(x->session, x->walk.path, status);
		if (status || !make_directory(x, p->where, above[count]))
			return false;
	}
	return true;
}

/* Some names of the directory at path cannot be had, which is said once, whoever meets it:
 * what one reads another may not, as media have moods. */
static void report_gap(struct extract *x, uint32_t directory, const char *path, int status)
{
	if (!bit_set(x->gaps, directory))
		walk_report_names(x->session, path, status);
}

/* The next entry on its way to threads, for which the walk stands on its directory, or on
 * itself.  false: it is lost, and what cannot be had with it is passed over. */
static bool read_next(struct extract *x)
{
	struct placer *p = &x->placer;
	int status = bundle_entry(p->cursor, x->scan, p->entry);

	if (status == STATUS_OK && p->entry->e.parent == x->scan_directory)
		return true;
	if (status == STATUS_OK) {
		x->scan = x->scan_end; /* another's children: the walk says so */
		return false;
	}
	if (x->walk.id == x->scan_directory)
		report_gap(x, x->scan_directory, x->walk.path, status);
	else
		session_report(x->session, x->walk.path, status);
	x->scan = walk_behind_block(p->cursor, x->scan, x->scan_end);
	return false;
}

/* Is p->entry, entry id, for a thread now?  A hard link waits; a directory is made by the
 * walk; *done: it was wanted twice. */
static bool is_for_now(struct extract *x, uint32_t id, bool *done)
{
	const struct format_entry *e = &x->placer.entry->e;

	*done = false;
	if (e->kind == KIND_DIRECTORY)
		return false;
	if (e->kind == KIND_HARDLINK) {
		bit_set(x->links, id);
		return false;
	}
	*done = bit_get(x->taken, id);
	return !*done;
}

/* As many as one thread gets at a time; a large file is alone.  false: none of these are
 * for a thread. */
static bool cut_unit(struct extract *x, struct unit *unit)
{
	uint32_t files = 0;
	uint64_t bytes = 0;

	unit->directory = x->scan_directory;
	unit->first = unit->end = x->scan;
	for (; x->scan < x->scan_end && files < UNIT_FILES && bytes < UNIT_BYTES;
	     unit->end = ++x->scan) {
		uint64_t size;
		bool done, now;

		if (!read_next(x))
			break;
		now = is_for_now(x, x->scan, &done);
		if (!now && !done)
			continue;
		size = x->placer.entry->e.size;
		if (files && (done || size >= UNIT_BYTES))
			break;
		if (done) {
			unit->first = x->scan + 1;
			continue;
		}
		bit_set(x->taken, x->scan);
		files++;
		bytes += size;
	}
	return files > 0;
}

static void scan_from(struct extract *x, uint32_t directory, uint32_t first, uint64_t count)
{
	x->scan_directory = directory;
	x->scan = first;
	x->scan_end = (uint32_t)(first + count);
}

/* The walk stands on a directory: make it, and see to what is in it first. */
static void enter(struct extract *x)
{
	struct walk *w = &x->walk;
	const struct format_entry *e = &w->entry->e;

	if (bit_set(x->taken, w->id) || !make_directory(x, w->path, w->id))
		w->enter = false;
	else
		scan_from(x, w->id, (uint32_t)e->place, e->size);
}

/* The first of a set from id on; x->entries where there is none. */
static uint32_t bit_find(struct extract *x, bits *set, uint64_t id)
{
	while (id < x->entries && !bit_get(set, (uint32_t)id))
		id = atomic_load(&set[id / 64]) >> id % 64 ? id + 1 : (id | 63) + 1;
	return id < x->entries ? (uint32_t)id : x->entries;
}

/* Begin with the next that was named.  Returns false where there is none. */
static bool begin_wanted(struct extract *x)
{
	struct walk *w = &x->walk;
	uint32_t id = bit_find(x, x->wanted, x->next_wanted);
	int status;

	if (id == x->entries)
		return false;
	x->next_wanted = id + 1;
	status = walk_start(w, id);
	if (status)
		session_report(x->session, w->path, status);
	else if (!make_ancestors(x, id))
		w->enter = false;
	else if (w->enter)
		enter(x);
	else
		scan_from(x, w->entry->e.parent, id, 1);
	return true;
}

static bool next_unit(void *context, void *unit)
{
	struct extract *x = context;

	progress_update(x->progress, atomic_load(&x->place.written));
	while (!stopped(x)) {
		int status;

		if (x->scan < x->scan_end) {
			if (cut_unit(x, unit))
				return true;
			continue;
		}
		status = walk_next(&x->walk);
		if (status < 0 && x->walk.names_lost)
			report_gap(x, walk_directory(&x->walk), x->walk.path, status);
		else if (status < 0)
			session_report(x->session, x->walk.path, status);
		else if (status == 0 && !begin_wanted(x))
			return false;
		else if (status > 0 && x->walk.enter)
			enter(x);
	}
	return false;
}

/* p->entry, a file or symbolic link, at p->where. */
static bool put(struct extract *x, struct placer *p, int dirfd)
{
	if (!place_entry(p, dirfd, p->where))
		return false;
	say(x, p->where);
	return true;
}

/* Where entry id of the directory at p->where goes: behind its first len bytes. */
static bool append_name(struct placer *p, size_t len)
{
	if (len + (len > 0) + p->entry->e.name_len > FORMAT_PATH)
		return false; /* the walk has named it */
	if (len)
		p->where[len++] = '/';
	memcpy(p->where + len, p->entry->name, p->entry->e.name_len + 1u);
	return true;
}

/* p->entry, entry id of the directory at p->where, whose path has len bytes. */
static void do_entry(struct extract *x, struct placer *p, int dirfd, uint32_t id, size_t len)
{
	enum format_kind kind = p->entry->e.kind;

	if (kind == KIND_DIRECTORY || kind == KIND_HARDLINK || !append_name(p, len))
		return;
	if (put(x, p, dirfd) && p->entry->e.links > 1)
		bit_set(x->done, id);
}

/* A directory to put things into; reported where there is none. */
static int open_directory(struct extract *x, struct placer *p, uint32_t id)
{
	int status = bundle_path(p->cursor, id, p->where), fd;

	if (status) {
		session_report(x->session, "", status);
		return -1;
	}
	fd = place_open(p, p->where);
	if (fd < 0) {
		diag_error(p->where, "%s", strerror(errno));
		session_note(x->session, EXIT_FAILED);
	}
	return fd;
}

static void do_unit(void *context, unsigned worker, const void *in)
{
	struct extract *x = context;
	const struct unit *unit = in;
	struct placer *p = &x->worker[worker];
	int dirfd = open_directory(x, p, unit->directory);
	size_t len = strlen(p->where);

	if (dirfd < 0)
		return;
	p->is_new = bit_get(x->made, unit->directory);
	for (uint32_t id = unit->first; id < unit->end && !stopped(x);) {
		int status = bundle_entry(p->cursor, id, p->entry);

		p->where[len] = '\0';
		if (status) {
			report_gap(x, unit->directory, p->where, status);
			id = walk_behind_block(p->cursor, id, unit->end);
		} else {
			do_entry(x, p, dirfd, id++, len);
		}
	}
}

/* --- hard links ------------------------------------------------------------------------- */

/* The path of a name that inode has already, into x->pattern. */
static bool find_first(struct extract *x, uint32_t inode)
{
	uint32_t id = inode;

	if (!bit_get(x->done, inode)) {
		size_t i = 0;

		while (i < x->first_count && x->first[i].inode != inode)
			i++;
		if (i == x->first_count)
			return false;
		id = x->first[i].link;
	}
	return bundle_path(x->placer.cursor, id, x->pattern) == STATUS_OK;
}

static void put_link(struct extract *x, uint32_t id)
{
	struct placer *p = &x->placer;
	bool reported, known;
	int status, dirfd;
	uint32_t inode;

	status = bundle_path(p->cursor, id, p->where);
	if (status == STATUS_OK)
		status = bundle_inode(p->cursor, id, p->entry, &inode);
	if (status) {
		session_report(x->session, p->where, status);
		return;
	}
	p->is_new = bit_get(x->made, p->entry->e.parent);
	known = find_first(x, inode);
	if (known && place_link(p, x->pattern, p->where, &reported)) {
		say(x, p->where);
		return;
	}
	if (known && reported)
		return;
	/* The content once more, or for the first time. */
	dirfd = open_directory(x, p, p->entry->e.parent);
	if (dirfd < 0)
		return;
	if (append_name(p, strlen(p->where)) && put(x, p, dirfd) && !known &&
	    x->first_count < FIRSTS)
		x->first[x->first_count++] = (struct first){inode, id};
}

static void put_links(void *context, unsigned worker, const void *unused)
{
	struct extract *x = context;

	(void)worker;
	(void)unused;
	for (uint64_t id = 0; id < x->entries && !stopped(x); id++)
		if (atomic_load(&x->links[id / 64]) == 0)
			id |= 63;
		else if (bit_get(x->links, (uint32_t)id))
			put_link(x, (uint32_t)id);
}

/* One unit. */
static bool has_links(void *context, void *unused)
{
	struct extract *x = context;
	bool first = !x->linking;

	(void)unused;
	x->linking = true;
	return first;
}

/* --- directories, again ------------------------------------------------------------------- */

static void finish_directory(struct extract *x, uint32_t id)
{
	struct placer *p = &x->placer;
	int status;

	p->where[0] = '\0'; /* not the one before, if it cannot be had */
	status = bundle_path(p->cursor, id, p->where);
	if (status == STATUS_OK)
		status = bundle_entry(p->cursor, id, p->entry);
	if (status)
		session_report(x->session, p->where, status);
	else
		place_finish(p, p->where);
}

/* The deepest have the highest numbers: nothing that is closed to us is needed
 * afterwards. */
static void finish_directories(struct extract *x)
{
	for (uint32_t id = x->entries; id-- > 0;)
		if (atomic_load(&x->made[id / 64]) == 0)
			id &= ~(uint32_t)63;
		else if (bit_get(x->made, id))
			finish_directory(x, id);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void extract_all(struct extract *x)
{
	const struct options *o = x->session->options;
	const struct pool_job files = {.next = next_unit, .work = do_unit, .context = x};
	const struct pool_job links = {.next = has_links, .work = put_links, .context = x};

	diag_note("what is extracted stays readable on the disk of %s, even when it is deleted",
	          x->directory);
	find_wanted(x);
	progress_start(x->progress, "extracting",
	               o->path_count ? 0 : bundle_content(x->session->bundle)->plain_len);
	pool_run(x->session, &files);
	pool_run(x->session, &links);
	progress_update(x->progress, atomic_load(&x->place.written));
	progress_finish(x->progress);
	finish_directories(x);
	session_note(x->session, out_finish(&x->out));
}

static int open_target(struct extract *x)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	x->place.root = open(x->directory, flags);
	if (x->place.root < 0 && errno == ENOENT && mkdir(x->directory, 0700) == 0) {
		x->place.root = open(x->directory, flags);
		if (x->place.root >= 0)
			sandbox_close(
				x->directory); /* so far all beside it could be written, too */
	}
	if (x->place.root < 0)
		return diag_status(x->directory, STATUS_IO);
	place_look(&x->place);
	return 0;
}

/* What is read must not be replaced by what is in it. */
static int spare_sources(struct extract *x)
{
	const struct opening *o = &x->session->options->opening;
	struct spared *spared = &x->place.spared;
	const char *name[OPENING_FILES];
	unsigned count = opening_files(o, name);
	int status = spared_add_descriptor(spared, o->passphrase_fd);

	for (unsigned i = 0; i < count && status == STATUS_OK; i++)
		status = spared_add_path(spared, name[i]);
	for (unsigned i = 0; i < x->session->files.count && status == STATUS_OK; i++)
		status = spared_add_descriptor(spared, source_fd(x->session->files.source[i]));
	return status;
}

static int prepare(struct extract *x)
{
	struct session *s = x->session;
	size_t words;
	int status;

	x->entries = (uint32_t)bundle_content(s->bundle)->table[TABLE_ENTRIES].records;
	words = (size_t)x->entries / 64 + 1;
	x->wanted = calloc(words, sizeof *x->wanted);
	x->taken = calloc(words, sizeof *x->taken);
	x->made = calloc(words, sizeof *x->made);
	x->done = calloc(words, sizeof *x->done);
	x->links = calloc(words, sizeof *x->links);
	x->gaps = calloc(words, sizeof *x->gaps);
	x->place.session = s;
	x->place.force = x->force;
	x->place.full = bundle_content(s->bundle)->full_metadata;
	x->place.owner = geteuid() == 0;
	x->place.umask = umask(0);
	umask(x->place.umask);
	x->pattern = arena_alloc(s->arena, FORMAT_PATH + 1);
	status = x->wanted && x->taken && x->made && x->done && x->links && x->gaps && x->pattern
	                 ? STATUS_OK
	                 : STATUS_NOMEM;
	if (status == STATUS_OK)
		status = spare_sources(x);
	if (status == STATUS_OK)
		status = out_init(&x->out, s->arena, OUT_ROOM);
	if (status == STATUS_OK)
		status = walk_init(&x->walk, s->arena, s->cursor);
	if (status == STATUS_OK)
		status = progress_new(&x->progress,
		                      s->options->quiet ? PROGRESS_SILENT : PROGRESS_TEXT);
	x->walk.raw = true;
	return status ? diag_status(NULL, status) : 0;
}

/* Into the target, which is open. */
static int make_placers(struct extract *x)
{
	struct session *s = x->session;
	int status = placer_init(&x->placer, &x->place, s->arena, s->cursor);

	for (unsigned i = 0; i < s->worker_count && status == STATUS_OK; i++)
		status = placer_init(&x->worker[i], &x->place, s->arena, s->worker[i]);
	return status ? diag_status(NULL, status) : 0;
}

static void release(struct extract *x)
{
	progress_free(x->progress);
	walk_fini(&x->walk);
	placer_fini(&x->placer);
	for (unsigned i = 0; i < SESSION_WORKERS; i++)
		placer_fini(&x->worker[i]);
	if (x->place.root >= 0)
		close(x->place.root);
	spared_fini(&x->place.spared);
	free((void *)x->wanted);
	free((void *)x->taken);
	free((void *)x->made);
	free((void *)x->done);
	free((void *)x->links);
	free((void *)x->gaps);
	free(x);
}

static int act(void *context, struct session *session)
{
	struct extract *x = context;
	int code;

	x->session = session;
	code = prepare(x);
	if (code == 0)
		code = open_target(x);
	if (code == 0)
		code = make_placers(x);
	if (code == 0)
		extract_all(x);
	return code;
}

static int run(int argc, char **argv)
{
	struct session_needs needs = {
		.room = walk_size() + OUT_ROOM + FORMAT_PATH + placer_size() + 128,
		.workers = true,
		.worker_room = placer_size(),
	};
	struct extract *x = calloc(1, sizeof *x);
	struct options options;
	int code;

	if (!x)
		return diag_status(NULL, STATUS_NOMEM);
	x->directory = ".";
	x->place.root = -1;
	spared_init(&x->place.spared);
	pthread_mutex_init(&x->out_turn, NULL);
	code = options_parse(&options, &extract_verb, argc, argv, take_option, x);
	needs.place = x->directory;
	if (code < 0)
		code = session_run(&options, &needs, act, x);
	release(x);
	return code;
}

const struct verb extract_verb = {
	.name = "extract",
	.operands = "BUNDLE [PATH|PATTERN...]",
	.summary = "copy out, readable for everybody who has the disk",
	.rows = rows,
	.paths_max = -1u,
	.run = run,
};
