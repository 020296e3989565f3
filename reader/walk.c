#include "reader/walk.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/glob.h"
#include "reader/session.h"

/* A path has so many names at most, and the walk begins outside of them. */
enum { LEVELS = FORMAT_PATH / 2 + 2 };

struct walk_level {
	uint32_t directory;
	uint32_t next, end; /* its children that are still to come */
	uint32_t path_len;
	bool has_lost; /* which has been said */
};

size_t walk_size(void)
{
	return sizeof(struct bundle_entry) + FORMAT_PATH + 1 + 2 * 64;
}

int walk_init(struct walk *walk, struct arena *arena, struct cursor *cursor)
{
	*walk = (struct walk){.cursor = cursor};
	walk->entry = arena_alloc(arena, sizeof *walk->entry);
	walk->path = arena_alloc(arena, FORMAT_PATH + 1);
	walk->level = calloc(LEVELS, sizeof *walk->level); /* numbers only */
	return walk->entry && walk->path && walk->level ? STATUS_OK : STATUS_NOMEM;
}

void walk_fini(struct walk *walk)
{
	free(walk->level);
}

int walk_start(struct walk *walk, uint32_t id)
{
	int status;

	walk->depth = 0;
	walk->enter = false;
	walk->id = id;
	status = bundle_path(walk->cursor, id, walk->path);
	if (status) {
		walk->path[0] = '\0';
		return status;
	}
	walk->path_len = strlen(walk->path);
	walk->inode = id;
	if (walk->raw)
		status = bundle_entry(walk->cursor, id, walk->entry);
	else
		status = bundle_inode(walk->cursor, id, walk->entry, &walk->inode);
	if (status)
		return status;
	walk->name_off = walk->path_len - walk->entry->e.name_len;
	walk->enter = walk->entry->e.kind == KIND_DIRECTORY;
	return STATUS_OK;
}

static void go_down(struct walk *walk)
{
	const struct format_entry *e = &walk->entry->e;

	walk->level[walk->depth++] = (struct walk_level){
		.directory = walk->id,
		.next = (uint32_t)e->place,
		.end = (uint32_t)(e->place + e->size),
		.path_len = (uint32_t)walk->path_len,
	};
}

static bool append_name(struct walk *walk)
{
	const struct bundle_entry *entry = walk->entry;
	size_t len = walk->path_len;

	if (len + (len > 0) + entry->e.name_len > FORMAT_PATH)
		return false;
	if (len)
		walk->path[len++] = '/';
	memcpy(walk->path + len, entry->name, entry->e.name_len + 1u);
	walk->name_off = len;
	walk->path_len = len + entry->e.name_len;
	return true;
}

uint32_t walk_behind_block(struct cursor *cursor, uint32_t id, uint32_t end)
{
	uint64_t block = bundle_next_block(cursor, TABLE_ENTRIES, id / FORMAT_ENTRIES_PER_BLOCK);

	return (uint32_t)min_u64(block * FORMAT_ENTRIES_PER_BLOCK, end);
}

/* Entry id, a child of the directory of level. */
static int stand_on(struct walk *walk, struct walk_level *level, uint32_t id)
{
	int status = bundle_entry(walk->cursor, id, walk->entry);

	walk->id = walk->inode = id;
	walk->names_lost = true;
	if (status) {
		level->next = walk_behind_block(walk->cursor, id, level->end);
		return status;
	}
	if (walk->entry->e.parent != level->directory) {
		level->next = level->end;
		return STATUS_INVALID;
	}
	if (!append_name(walk))
		return STATUS_INVALID;
	walk->names_lost = false;
	if (walk->entry->e.kind == KIND_HARDLINK && !walk->raw)
		status = bundle_inode(walk->cursor, id, walk->entry, &walk->inode);
	walk->enter = status == STATUS_OK && walk->entry->e.kind == KIND_DIRECTORY;
	return status ? status : 1;
}

int walk_next(struct walk *walk)
{
	if (walk->enter)
		go_down(walk);
	walk->enter = false;
	while (walk->depth) {
		struct walk_level *level = &walk->level[walk->depth - 1];

		walk->path_len = level->path_len;
		walk->path[walk->path_len] = '\0';
		if (level->next < level->end) {
			int status = stand_on(walk, level, level->next++);

			if (!walk->names_lost || !level->has_lost) {
				level->has_lost |= walk->names_lost;
				return status;
			}
		} else {
			walk->depth--;
		}
	}
	return 0;
}

void walk_report_names(struct session *session, const char *path, int status)
{
	diag_error(*path ? path : ".", "not all of its names can be read: %s", status_text(status));
	session_note(session, status_exit_code(status));
}

void walk_report(const struct walk *walk, struct session *session, int status)
{
	if (walk->names_lost)
		walk_report_names(session, walk->path, status);
	else
		session_report(session, walk->path, status);
}

uint32_t walk_directory(const struct walk *walk)
{
	return walk->level[walk->depth - 1].directory;
}

bool walk_is_last(const struct walk *walk, unsigned up)
{
	const struct walk_level *level = &walk->level[walk->depth - 1 - up];

	return level->next == level->end;
}

/* --- patterns ---------------------------------------------------------------- */

struct match {
	struct walk *walk;
	int (*found)(void *context, uint32_t id);
	void *context;
	bool any;
};

static int match_from(struct match *m, uint32_t id, char *pattern);

/* All children that fit the one component at pattern; what is lost does not
 * keep the others from being found. */
static int match_children(struct match *m, uint32_t directory, const char *pattern, char *rest)
{
	struct bundle_entry *entry = m->walk->entry;
	int status = bundle_entry(m->walk->cursor, directory, entry), lost = STATUS_OK;
	uint32_t next, end;

	if (status || entry->e.kind != KIND_DIRECTORY)
		return status;
	next = (uint32_t)entry->e.place;
	end = next + (uint32_t)entry->e.size;
	while (next < end) {
		status = bundle_entry(m->walk->cursor, next, entry);
		if (status) {
			lost = status;
			next = walk_behind_block(m->walk->cursor, next, end);
			continue;
		}
		if (entry->e.parent != directory) {
			lost = STATUS_INVALID; /* another's children */
			break;
		}
		if (glob_match(pattern, entry->name)) {
			status = match_from(m, next, rest);
			if (status > 0 || status == STATUS_NOMEM || status == STATUS_IO)
				return status;
			if (status)
				lost = status;
		}
		next++;
	}
	return lost;
}

/* What is called just so comes first: names may have stars in them. */
static int match_component(struct match *m, uint32_t id, const char *pattern, char *rest)
{
	uint32_t child;
	int status = bundle_lookup(m->walk->cursor, id, pattern, strlen(pattern), &child);

	if (status == STATUS_OK)
		return match_from(m, child, rest);
	/* Whether it is called so may be lost; others may match all the same. */
	if ((status == STATUS_NOENT || status == STATUS_DAMAGED) && glob_is_pattern(pattern))
		return match_children(m, id, pattern, rest);
	return status == STATUS_NOENT || status == STATUS_NOTDIR ? STATUS_OK : status;
}

static int match_from(struct match *m, uint32_t id, char *pattern)
{
	char *rest, *slash;
	int status;

	for (;;) {
		while (*pattern == '/')
			pattern++;
		if (!*pattern) {
			m->any = true;
			return m->found(m->context, id);
		}
		slash = strchr(pattern, '/');
		rest = slash ? slash + 1 : pattern + strlen(pattern);
		if (slash)
			*slash = '\0';
		if (!strcmp(pattern, "..")) {
			status = bundle_entry(m->walk->cursor, id, m->walk->entry);
			if (status)
				return status;
			id = m->walk->entry->e.parent;
		} else if (strcmp(pattern, ".") != 0) {
			break;
		}
		if (slash)
			*slash = '/';
		pattern = rest;
	}
	status = match_component(m, id, pattern, rest);
	if (slash)
		*slash = '/';
	return status;
}

int walk_match(struct walk *walk, const char *pattern, char *pattern_room,
               int (*found)(void *context, uint32_t id), void *context)
{
	struct match m = {.walk = walk, .found = found, .context = context};
	size_t len = strlen(pattern);
	int status;

	if (len > FORMAT_PATH)
		return STATUS_TOOBIG;
	memcpy(pattern_room, pattern, len + 1);
	status = match_from(&m, 0, pattern_room);
	return status == STATUS_OK && !m.any ? STATUS_NOENT : status;
}
