#include "bundler/members.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/scan.h"
#include "common/format.h"
#include "common/path.h"
#include "common/status.h"

enum { FIRST_ROOM = 256, FIRST_NAMES = 4096, DIRECTORY_MODE = 0755 };

#define ROOM_MAX (UINT32_C(1) << 30)

struct members {
	const struct scan_options *options;
	struct member *member;
	uint32_t count, room; /* room: a power of two */
	uint32_t *slot;       /* 2 * room: number of a member, 0 for none, by parent and name */
	struct member_file *file;
	uint32_t file_count, file_room;
	char *names;
	uint64_t names_len, names_room;
	uint8_t key[crypto_shorthash_KEYBYTES]; /* archives are not to choose the slots */
};

struct member *members_get(const struct members *m, uint32_t number)
{
	return &m->member[number];
}

struct member_file *members_file(const struct members *m, uint32_t number)
{
	return &m->file[m->member[number].file];
}

const char *members_name(const struct members *m, uint32_t number)
{
	return m->names + m->member[number].name_off;
}

/* --- by parent and name ----------------------------------------------------- */

static uint32_t hash(const struct members *m, uint32_t parent, const char *name, size_t len)
{
	uint8_t text[sizeof parent + FORMAT_NAME], out[crypto_shorthash_BYTES];
	uint32_t result;

	memcpy(text, &parent, sizeof parent);
	memcpy(text + sizeof parent, name, len);
	crypto_shorthash(out, text, sizeof parent + len, m->key);
	memcpy(&result, out, sizeof result);
	return result;
}

/* Where it is, or where it would go. */
static uint32_t *find_slot(const struct members *m, uint32_t parent, const char *name, size_t len)
{
	for (uint32_t i = hash(m, parent, name, len);; i++) {
		uint32_t *slot = &m->slot[i & (2 * m->room - 1)];
		const struct member *at = &m->member[*slot];

		if (!*slot || (at->parent == parent && at->name_len == len &&
		               !memcmp(members_name(m, *slot), name, len)))
			return slot;
	}
}

static int grow_members(struct members *m)
{
	uint32_t room = m->room ? 2 * m->room : FIRST_ROOM, *slot;
	struct member *member;

	if (room > ROOM_MAX)
		return STATUS_TOOBIG;
	member = realloc(m->member, room * sizeof *member);
	if (!member)
		return STATUS_NOMEM;
	m->member = member;
	slot = calloc(2 * (size_t)room, sizeof *slot);
	if (!slot)
		return STATUS_NOMEM;
	free(m->slot);
	m->slot = slot;
	m->room = room;
	for (uint32_t i = 1; i < m->count; i++)
		*find_slot(m, member[i].parent, members_name(m, i), member[i].name_len) = i;
	return STATUS_OK;
}

static int grow_names(struct members *m)
{
	uint64_t room = m->names_room ? 2 * m->names_room : FIRST_NAMES;
	char *names;

	if (m->names_room - m->names_len > FORMAT_NAME)
		return STATUS_OK;
	names = realloc(m->names, room);
	if (!names)
		return STATUS_NOMEM;
	m->names = names;
	m->names_room = room;
	return STATUS_OK;
}

static int append(struct members *m, uint32_t parent, const char *name, size_t len,
                  uint32_t *number)
{
	int status = m->count == m->room ? grow_members(m) : STATUS_OK;
	struct member *new;

	if (status == STATUS_OK)
		status = grow_names(m);
	if (status)
		return status;
	new = &m->member[m->count];
	*new = (struct member){.name_off = m->names_len, .parent = parent, .file = MEMBERS_NONE};
	new->name_len = (uint8_t)len;
	memcpy(m->names + m->names_len, name, len);
	m->names[m->names_len + len] = '\0';
	m->names_len += len + 1;
	*number = m->count++;
	return STATUS_OK;
}

/* --- files ------------------------------------------------------------------ */

static int add_file(struct members *m, const struct member_file *file, uint32_t *number)
{
	if (m->file_count == m->file_room) {
		uint32_t room = m->file_room ? 2 * m->file_room : FIRST_ROOM;
		struct member_file *larger = NULL;

		if (room > ROOM_MAX)
			return STATUS_TOOBIG;
		larger = realloc(m->file, room * sizeof *larger);
		if (!larger)
			return STATUS_NOMEM;
		m->file = larger;
		m->file_room = room;
	}
	m->file[m->file_count] = *file;
	m->file[m->file_count].names = 0;
	*number = m->file_count++;
	return STATUS_OK;
}

void members_link(struct members *m, uint32_t number, uint32_t file)
{
	struct member *member = &m->member[number];

	m->file[file].names++;
	if (member->file != MEMBERS_NONE)
		m->file[member->file].names--;
	member->file = file;
}

int members_set(struct members *m, uint32_t number, const struct member_file *file)
{
	uint32_t added = 0;
	int status = add_file(m, file, &added);

	if (status == STATUS_OK)
		members_link(m, number, added);
	return status;
}

/* --- paths ------------------------------------------------------------------ */

const char *members_clean(const char *path, char *clean, size_t size)
{
	size_t used = 0, len;

	for (; *path; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.'))
			continue;
		if (len == 2 && !memcmp(path, "..", 2))
			return "would lie outside of the bundle";
		if (!path_name_ok(path, len))
			return "a part of its name is longer than 255 bytes";
		if (used + len + 2 > size)
			return "its path is longer than a bundle can hold";
		if (used)
			clean[used++] = '/';
		memcpy(clean + used, path, len);
		used += len;
	}
	clean[used] = '\0';
	return NULL;
}

static uint32_t find_child(const struct members *m, uint32_t parent, const char *name, size_t len)
{
	return *find_slot(m, parent, name, len);
}

uint32_t members_find(const struct members *m, const char *clean)
{
	uint32_t at = 0;
	size_t len;

	for (; *clean; clean += len + (clean[len] == '/')) {
		len = strcspn(clean, "/");
		at = find_child(m, at, clean, len);
		if (!at)
			return 0;
	}
	return at;
}

/* A new name in parent; end: of it in the path. */
static int add_child(struct members *m, uint32_t parent, const char *path, const char *name,
                     size_t len, uint32_t *number)
{
	char inner[FORMAT_PATH + 1];
	size_t end = (size_t)(name - path) + len;
	struct member *member;
	int status = append(m, parent, name, len, number);

	if (status)
		return status;
	memcpy(inner, path, end);
	inner[end] = '\0';
	member = &m->member[*number];
	member->excluded = m->member[parent].excluded ||
	                   scan_excludes(m->options, members_name(m, *number), inner);
	member->next = m->member[parent].child;
	m->member[parent].child = *number;
	*find_slot(m, parent, name, len) = *number;
	return STATUS_OK;
}

/* What is on the way must be a directory; what is missing becomes one. */
static int make_directory(struct members *m, uint32_t number)
{
	static const struct member_file directory = {.kind = KIND_DIRECTORY,
	                                             .mode = DIRECTORY_MODE,
	                                             .mtime = INT64_MIN,
	                                             .invented = true};

	return m->member[number].file == MEMBERS_NONE ? members_set(m, number, &directory)
	                                              : STATUS_OK;
}

/* What stands in the way, before anything is added. */
static const char *find_obstacle(const struct members *m, const char *clean)
{
	uint32_t at = 0;
	size_t len;

	for (; *clean; clean += len + (clean[len] == '/')) {
		if (at && m->member[at].file != MEMBERS_NONE &&
		    members_file(m, at)->kind != KIND_DIRECTORY)
			return members_file(m, at)->kind == KIND_SYMLINK
			               ? "would lie behind a symbolic link of the archive"
			               : "would lie in a file of the archive";
		len = strcspn(clean, "/");
		at = find_child(m, at, clean, len);
		if (!at)
			return NULL;
	}
	return NULL;
}

int members_add(struct members *m, const char *clean, uint32_t archive, uint32_t *number,
                const char **why)
{
	const char *name = clean;
	uint32_t at = 0, next;
	int status = STATUS_OK;
	size_t len;

	*why = find_obstacle(m, clean);
	for (; *name && !*why && status == STATUS_OK; name += len + (name[len] == '/')) {
		len = strcspn(name, "/");
		status = make_directory(m, at);
		next = status ? 0 : find_child(m, at, name, len);
		if (status == STATUS_OK && !next) {
			status = add_child(m, at, clean, name, len, &next);
			if (status == STATUS_OK)
				m->member[next].archive = archive;
		}
		at = next;
	}
	*number = at;
	return status;
}

/* --- all of it ---------------------------------------------------------------- */

int members_new(struct members **members, const struct scan_options *options)
{
	struct members *m = calloc(1, sizeof *m);
	uint32_t root;
	int status = STATUS_NOMEM;

	if (!m)
		return status;
	m->options = options;
	randombytes_buf(m->key, sizeof m->key);
	status = append(m, 0, "", 0, &root);
	if (status == STATUS_OK)
		status = make_directory(m, root);
	if (status == STATUS_OK)
		*members = m;
	else
		members_free(m);
	return status;
}

void members_free(struct members *m)
{
	if (!m)
		return;
	free(m->member);
	free(m->slot);
	free(m->file);
	free(m->names);
	free(m);
}
