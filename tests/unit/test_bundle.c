#include "tests/unit/unit.h"

#include <sodium.h>

#include "common/arena.h"
#include "common/bundle.h"
#include "common/identity.h"
#include "common/pages.h"
#include "common/passphrase.h"
#include "common/source.h"
#include "common/status.h"

#define GOOD "tests/data/good/"

/* --- golden bundles, in memory ------------------------------------------------------- */

enum { VOLUMES = 3, FILE_MAX = 1 << 20 };

struct fixture {
	struct arena *arena;
	uint8_t *bytes[VOLUMES];
	size_t len[VOLUMES];
	struct source *source[VOLUMES];
	unsigned count;
	struct passphrase passphrase;
	uint8_t key_file[KDF_KEYBYTES];
	struct header_keys keys;
	struct bundle *bundle;
	struct cursor *cursor;
	struct bundle_entry *entry;
	char *path;
	char *expect; /* the text of NAME.expect */
};

static size_t slurp(const char *path, uint8_t **bytes)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	assert_non_null(file);
	*bytes = calloc(1, FILE_MAX);
	len = fread(*bytes, 1, FILE_MAX - 1, file);
	assert_true(len < FILE_MAX - 1);
	fclose(file);
	return len;
}

static void use_passphrase(struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, GOOD "%s.passphrase", name);
	assert_int_equal(passphrase_read_file(&f->passphrase, path), STATUS_OK);
	f->keys.passphrase = &f->passphrase;
}

static void add_source(struct fixture *f, const char *name)
{
	char path[256];
	unsigned i = f->count++;

	snprintf(path, sizeof path, GOOD "%s.bundle", name);
	f->len[i] = slurp(path, &f->bytes[i]);
	assert_int_equal(source_open_memory(&f->source[i], f->bytes[i], f->len[i]), STATUS_OK);
}

static struct fixture *make(const char *name, const char *passphrase)
{
	struct fixture *f = calloc(1, sizeof *f);
	char path[256];

	assert_int_equal(arena_new(&f->arena, ARENA_MAX_BYTES, true), STATUS_OK);
	f->entry = arena_alloc(f->arena, sizeof *f->entry);
	f->path = arena_alloc(f->arena, FORMAT_PATH + 1);
	if (passphrase)
		use_passphrase(f, passphrase);
	add_source(f, name);
	snprintf(path, sizeof path, GOOD "%s.expect", name);
	if (access(path, R_OK) == 0)
		slurp(path, (uint8_t **)&f->expect);
	return f;
}

static int try_open(struct fixture *f)
{
	return bundle_open(&f->bundle, f->arena, f->source, f->count, 0, &f->keys);
}

static void open_bundle(struct fixture *f)
{
	size_t room = arena_room(f->arena);

	assert_int_equal(try_open(f), STATUS_OK);
	assert_true(room - arena_room(f->arena) <= bundle_size());
	room = arena_room(f->arena);
	assert_int_equal(cursor_new(&f->cursor, f->bundle), STATUS_OK);
	assert_true(room - arena_room(f->arena) <= cursor_size());
}

static struct fixture *open_golden(const char *name)
{
	struct fixture *f = make(name, "one");

	open_bundle(f);
	return f;
}

static void end(struct fixture *f)
{
	cursor_free(f->cursor);
	bundle_close(f->bundle);
	for (unsigned i = 0; i < f->count; i++) {
		source_close(f->source[i]);
		free(f->bytes[i]);
	}
	arena_free(f->arena);
	free(f->expect);
	free(f);
}

/* --- contents -------------------------------------------------------------------------- */

static bool is_plain(const char *path)
{
	return *path && strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789 ./-") == strlen(path);
}

/* What the line of path says of key, in quotes, the last time that it does (its
 * attributes come first); NULL: nothing. */
static const char *expected(const struct fixture *f, const char *path, const char *key)
{
	static char value[4200];
	char begin[512];
	const char *line, *at, *stop, *last = NULL;

	snprintf(begin, sizeof begin, "{\"path\": \"%s\", ", path);
	line = strstr(f->expect, begin);
	assert_non_null(line);
	stop = strchr(line, '\n');
	snprintf(begin, sizeof begin, "\"%s\": \"", key);
	for (at = line; (at = strstr(at, begin)) && at < stop; last = at)
		at += strlen(begin);
	if (!last)
		return NULL;
	snprintf(value, sizeof value, "%.*s", (int)(strchr(last, '"') - last), last);
	return value;
}

/* The SHA-256 of a file read in pieces of step bytes. */
static int hash_file(struct fixture *f, const struct format_entry *e, size_t step,
                     char hex[static 65])
{
	crypto_hash_sha256_state hash;
	uint8_t sum[32], *piece = malloc(step);
	size_t got = 0;
	int status = STATUS_OK;

	crypto_hash_sha256_init(&hash);
	for (uint64_t off = 0; off < e->size && status == STATUS_OK; off += got) {
		status = bundle_read(f->cursor, e, off, step, piece, &got);
		if (status == STATUS_OK)
			crypto_hash_sha256_update(&hash, piece, got);
		assert_true(status || got == step || off + got == e->size);
	}
	crypto_hash_sha256_final(&hash, sum);
	sodium_bin2hex(hex, 65, sum, sizeof sum);
	free(piece);
	return status;
}

/* Every entry whose path needs no quoting in JSON.  Returns how many. */
static unsigned check_all(struct fixture *f, size_t step)
{
	uint64_t count = bundle_content(f->bundle)->table[TABLE_ENTRIES].records;
	char hex[65], target[FORMAT_LINK + 1];
	unsigned checked = 0;
	uint32_t inode, found;

	for (uint32_t id = 0; id < count; id++) {
		assert_int_equal(bundle_inode(f->cursor, id, f->entry, &inode), STATUS_OK);
		assert_int_equal(f->entry->e.id, id);
		assert_int_equal(bundle_path(f->cursor, id, f->path), STATUS_OK);
		if (!is_plain(f->path))
			continue;
		assert_int_equal(bundle_resolve(f->cursor, f->path, &found), STATUS_OK);
		assert_int_equal(found, id);
		if (f->entry->e.kind == KIND_FILE && expected(f, f->path, "sha256")) {
			assert_int_equal(hash_file(f, &f->entry->e, step, hex), STATUS_OK);
			assert_string_equal(hex, expected(f, f->path, "sha256"));
		} else if (f->entry->e.kind == KIND_SYMLINK && expected(f, f->path, "target")) {
			assert_int_equal(bundle_readlink(f->cursor, &f->entry->e, target),
			                 STATUS_OK);
			assert_string_equal(target, expected(f, f->path, "target"));
		}
		checked++;
	}
	return checked;
}

static void golden_bundles_read_as_they_were_written(void **state)
{
	static const char *const names[] = {
		"passphrase-low",
		"two-compartments",
		"three-compartments",
		"parity-2",
		"parity-4",
		"parity-8",
		"parity-16",
		"signed",
		"names",
		"links",
		"sparse",
		"many-entries",
		"signed-full-metadata",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct fixture *f = open_golden(names[i]);

		assert_true(check_all(f, 1 << 16) >= 1);
		assert_true(check_all(f, 137) >= 1);
		assert_int_equal(bundle_volume(f->bundle, 0)->pages->health.lost, 0);
		end(f);
	}
}

/* Whatever was asked before. */
static void a_path_is_the_same_in_any_order(void **state)
{
	static const char *const names[] = {"links", "names", "many-entries"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct fixture *f = open_golden(names[i]);
		uint64_t count = bundle_content(f->bundle)->table[TABLE_ENTRIES].records;

		for (int n = 0; n < 3000; n++) {
			uint32_t id = randombytes_uniform((uint32_t)count), found;

			assert_int_equal(bundle_path(f->cursor, id, f->path), STATUS_OK);
			assert_int_equal(bundle_resolve(f->cursor, f->path, &found), STATUS_OK);
			assert_int_equal(found, id);
		}
		end(f);
	}
}

/* --- lending ------------------------------------------------------------------------------- */

enum { SLOTS = 8, LOOK = 3 * FORMAT_FRAME };

/* What is lent is what would be read.  False: nothing is. */
static bool check_lent(struct fixture *f, const struct format_entry *e, uint64_t off, size_t len)
{
	struct iovec part[BUNDLE_LENT];
	unsigned count = bundle_lend(f->cursor, e, off, len, part);
	uint8_t *lent = malloc(len), *read = malloc(len);
	size_t got = 0;

	for (unsigned i = 0; i < count; got += part[i++].iov_len) {
		assert_true(got + part[i].iov_len <= len);
		memcpy(lent + got, part[i].iov_base, part[i].iov_len);
	}
	assert_true(count == 0 || got == len);
	bundle_give_back(f->cursor);
	if (count) {
		assert_int_equal(bundle_read(f->cursor, e, off, len, read, &got), STATUS_OK);
		assert_memory_equal(lent, read, len);
	}
	free(read);
	free(lent);
	return count;
}

/* Returns how many times something was lent, of each file from its beginning, its middle
 * and in one byte. */
static unsigned lend_all(struct fixture *f)
{
	uint64_t count = bundle_content(f->bundle)->table[TABLE_ENTRIES].records;
	unsigned lent = 0;

	for (uint32_t id = 0; id < count; id++) {
		const struct format_entry *e = &f->entry->e;
		uint64_t len;

		assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
		if (e->kind != KIND_FILE || !e->size)
			continue;
		len = e->size < LOOK ? e->size : LOOK;
		for (uint64_t off = 0; off < len; off += FORMAT_FRAME / 4)
			bundle_decode_ahead(f->cursor, e, off);
		lent += check_lent(f, e, 0, (size_t)len);
		lent += check_lent(f, e, len / 2, (size_t)(len - len / 2));
		lent += check_lent(f, e, len - 1, 1);
	}
	return lent;
}

static void what_was_decoded_ahead_is_lent(void **state)
{
	static const char *const names[] = {"passphrase-low", "signed", "sparse"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct fixture *f = make(names[i], "one");

		assert_int_equal(try_open(f), STATUS_OK);
		assert_int_equal(bundle_share_frames(f->bundle, SLOTS), STATUS_OK);
		assert_int_equal(cursor_new(&f->cursor, f->bundle), STATUS_OK);
		assert_true(lend_all(f) > 0);
		end(f);
	}
}

static void nothing_is_lent_that_is_not_there(void **state)
{
	struct fixture *f = open_golden("links");
	struct iovec part[BUNDLE_LENT];
	uint32_t id;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "again", &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 0, 500, part), 0);
	bundle_decode_ahead(f->cursor, &f->entry->e, 0);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 0, 501, part), 0);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 500, 1, part), 0);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 0, 0, part), 0);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 0, 500, part), 1);
	bundle_give_back(f->cursor);
	assert_int_equal(bundle_entry(f->cursor, 0, f->entry), STATUS_OK);
	assert_int_equal(bundle_lend(f->cursor, &f->entry->e, 0, 1, part), 0);
	end(f);
}

/* --- paths ---------------------------------------------------------------------------------- */

static void paths_lead_where_they_say(void **state)
{
	struct fixture *f = open_golden("links");
	uint32_t id, other;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "", &id), STATUS_OK);
	assert_int_equal(id, 0);
	assert_int_equal(bundle_resolve(f->cursor, "/", &id), STATUS_OK);
	assert_int_equal(id, 0);
	assert_int_equal(bundle_resolve(f->cursor, "..", &id), STATUS_OK);
	assert_int_equal(id, 0);
	assert_int_equal(bundle_resolve(f->cursor, "under/deeper", &id), STATUS_OK);
	assert_int_equal(bundle_resolve(f->cursor, "//under/./../under//deeper/", &other),
	                 STATUS_OK);
	assert_int_equal(id, other);
	assert_int_equal(bundle_resolve(f->cursor, "under/deeper/../../../..", &id), STATUS_OK);
	assert_int_equal(id, 0);
	assert_int_equal(bundle_resolve(f->cursor, "nothing", &id), STATUS_NOENT);
	assert_int_equal(bundle_resolve(f->cursor, "again/x", &id), STATUS_NOTDIR);
	/* Links are not followed. */
	assert_int_equal(bundle_resolve(f->cursor, "to directory/deeper", &id), STATUS_NOTDIR);
	end(f);
}

static void a_hard_link_is_the_file_that_it_names(void **state)
{
	struct fixture *f = open_golden("links");
	uint32_t id, first, inode;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "again", &first), STATUS_OK);
	assert_int_equal(bundle_resolve(f->cursor, "under/deeper/several", &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	assert_int_equal(f->entry->e.kind, KIND_HARDLINK);
	assert_int_equal(bundle_inode(f->cursor, id, f->entry, &inode), STATUS_OK);
	assert_int_equal(inode, first);
	assert_int_equal(f->entry->e.kind, KIND_FILE);
	assert_int_equal(f->entry->e.id, id);
	assert_int_equal(f->entry->e.size, 500);
	assert_int_equal(f->entry->e.links, 4);
	assert_string_equal(f->entry->name, "several");
	assert_ptr_equal(f->entry->e.name, f->entry->name);
	end(f);
}

static void what_is_no_file_cannot_be_read(void **state)
{
	struct fixture *f = open_golden("links");
	uint8_t byte;
	size_t got = 99;
	char target[FORMAT_LINK + 1];

	(void)state;
	assert_int_equal(bundle_entry(f->cursor, 0, f->entry), STATUS_OK);
	assert_int_equal(bundle_read(f->cursor, &f->entry->e, 0, 1, &byte, &got), STATUS_ISDIR);
	assert_int_equal(got, 99);
	assert_int_equal(bundle_readlink(f->cursor, &f->entry->e, target), STATUS_INVALID);
	assert_int_equal(bundle_entry(f->cursor, UINT32_MAX, f->entry), STATUS_INVALID);
	end(f);
}

static void reads_end_where_the_file_does(void **state)
{
	struct fixture *f = open_golden("links");
	uint8_t out[1000];
	uint32_t id;
	size_t got;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "again", &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	assert_int_equal(bundle_read(f->cursor, &f->entry->e, 490, 1000, out, &got), STATUS_OK);
	assert_int_equal(got, 10);
	assert_int_equal(bundle_read(f->cursor, &f->entry->e, 500, 1000, out, &got), STATUS_OK);
	assert_int_equal(got, 0);
	assert_int_equal(bundle_read(f->cursor, &f->entry->e, UINT64_MAX, 1000, out, &got),
	                 STATUS_OK);
	assert_int_equal(got, 0);
	end(f);
}

/* --- holes, attributes ------------------------------------------------------------------------ */

static void holes_are_where_they_were(void **state)
{
	static const struct {
		const char *name;
		uint64_t off, begin, end;
	} row[] = {
		{"middle", 0, 65535, 65537},
		{"middle", 65536, 65536, 65537},
		{"middle", 65537, 65600, 66000},
		{"middle", 66000, 70000, 70000},
		{"middle", 99999, 70000, 70000},
		{"hole", 0, 5 << 20, 5 << 20},
		{"front", 0, 0, 300},
		{"not sparse", 7, 7, 300},
		{"no bytes", 0, 0, 0},
	};
	struct fixture *f = open_golden("sparse");

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		uint64_t begin, stop;
		uint32_t id;

		assert_int_equal(bundle_resolve(f->cursor, row[i].name, &id), STATUS_OK);
		assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
		assert_int_equal(
			bundle_data_range(f->cursor, &f->entry->e, row[i].off, &begin, &stop),
			STATUS_OK);
		assert_true(begin == row[i].begin && stop == row[i].end);
	}
	end(f);
}

static void attributes_are_those_that_were_packed(void **state)
{
	struct fixture *f = open_golden("signed-full-metadata");
	uint8_t *set = arena_alloc(f->arena, FORMAT_XATTRS);
	struct format_xattr x;
	size_t pos = 0;
	uint32_t id;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "large", &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	assert_int_equal(bundle_xattrs(f->cursor, &f->entry->e, set), STATUS_OK);
	assert_int_equal(format_xattr_next(set, f->entry->e.xattr_len, &pos, &x), 1);
	assert_int_equal(x.value_len, 30000);
	assert_int_equal(format_xattr_next(set, f->entry->e.xattr_len, &pos, &x), 1);
	assert_int_equal(x.name_len, 255);
	assert_int_equal(x.value_len, 65536);
	assert_int_equal(format_xattr_next(set, f->entry->e.xattr_len, &pos, &x), 1);
	assert_memory_equal(x.value, "small", 5);
	assert_int_equal(format_xattr_next(set, f->entry->e.xattr_len, &pos, &x), 0);
	end(f);
}

/* --- sets ----------------------------------------------------------------------------------------- */

static struct fixture *make_set(void)
{
	struct fixture *f = make("volumes-3.2", "one");

	assert_int_equal(kdf_key_file(GOOD "a.keyfile", f->key_file), STATUS_OK);
	f->keys.key_file = f->key_file;
	return f;
}

static int read_name(struct fixture *f, const char *name)
{
	uint8_t out[9000];
	uint32_t id;
	size_t got;

	assert_int_equal(bundle_resolve(f->cursor, name, &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	return bundle_read(f->cursor, &f->entry->e, 0, sizeof out, out, &got);
}

static void note_volume(void *context, unsigned v)
{
	*(unsigned *)context |= 1u << v;
}

static void a_missing_volume_costs_what_is_in_it(void **state)
{
	struct fixture *f = make_set();
	unsigned volumes = 0;

	(void)state;
	open_bundle(f);
	assert_int_equal(bundle_volume_count(f->bundle), 3);
	assert_null(bundle_volume(f->bundle, 0)->pages);
	assert_non_null(bundle_volume(f->bundle, 1)->pages);
	assert_int_equal(read_name(f, "2"), STATUS_OK);
	assert_int_equal(read_name(f, "1"), STATUS_VOLUME);
	assert_int_equal(read_name(f, "all"), STATUS_VOLUME);
	assert_int_equal(bundle_file_volumes(f->cursor, &f->entry->e, note_volume, &volumes),
	                 STATUS_OK);
	assert_int_equal(volumes, 7);
	end(f);
}

static void volumes_are_known_by_their_key(void **state)
{
	struct fixture *f = make_set();

	(void)state;
	add_source(f, "links"); /* no part of it */
	add_source(f, "volumes-3.1");
	open_bundle(f);
	assert_int_equal(bundle_volume(f->bundle, 0)->source_no, 2);
	assert_int_equal(bundle_volume(f->bundle, 1)->source_no, 0);
	assert_null(bundle_volume(f->bundle, 2)->pages);
	assert_int_equal(read_name(f, "1"), STATUS_OK);
	assert_int_equal(read_name(f, "3"), STATUS_VOLUME);
	end(f);
}

static void volumes_can_be_found_later(void **state)
{
	struct fixture *f = make_set();

	(void)state;
	assert_int_equal(try_open(f), STATUS_OK);
	add_source(f, "links");
	assert_int_equal(bundle_add(f->bundle, f->source[1], 1), 0);
	assert_int_equal(bundle_add(f->bundle, f->source[0], 0), 0); /* is there already */
	add_source(f, "volumes-3.3");
	assert_int_equal(bundle_add(f->bundle, f->source[2], 2), 1);
	assert_int_equal(bundle_volume(f->bundle, 2)->source_no, 2);
	assert_int_equal(cursor_new(&f->cursor, f->bundle), STATUS_OK);
	assert_int_equal(read_name(f, "3"), STATUS_OK);
	assert_int_equal(read_name(f, "1"), STATUS_VOLUME);
	end(f);
}

/* --- what cannot be opened ---------------------------------------------------------------------------- */

static void who_has_no_key_gets_nothing(void **state)
{
	struct fixture *f = make("links", "wrong");
	struct bundle *before = f->bundle;

	(void)state;
	assert_int_equal(try_open(f), STATUS_NOKEY);
	assert_ptr_equal(f->bundle, before);
	end(f);
}

static void any_copy_of_the_root_will_do(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost <= FORMAT_ROOTS; lost++) {
		struct fixture *f = open_golden("parity-4");
		const struct pages *pages = bundle_volume(f->bundle, 0)->pages;
		uint32_t at[FORMAT_ROOTS];

		for (unsigned c = 0; c < FORMAT_ROOTS; c++)
			at[c] = pages_root_page(pages, c);
		cursor_free(f->cursor);
		bundle_close(f->bundle);
		f->cursor = NULL;
		f->bundle = NULL;
		for (unsigned c = 0; c < lost; c++)
			f->bytes[0][format_page_offset(at[c]) + 100] ^= 1;
		assert_int_equal(try_open(f), lost < FORMAT_ROOTS ? STATUS_OK : STATUS_DAMAGED);
		if (f->bundle) {
			assert_int_equal(bundle_volume(f->bundle, 0)->bad_roots, (1u << lost) - 1);
			assert_int_equal(cursor_new(&f->cursor, f->bundle), STATUS_OK);
			for (unsigned c = 0; c < FORMAT_ROOTS; c++)
				assert_int_equal(bundle_check_root(f->cursor, 0, c),
				                 c < lost ? STATUS_DAMAGED : STATUS_OK);
		}
		end(f);
	}
}

static void a_wiped_arena_gives_nothing_more(void **state)
{
	struct fixture *f = open_golden("parity-4");
	uint8_t out[100];
	uint32_t id;
	size_t got;

	(void)state;
	assert_int_equal(bundle_resolve(f->cursor, "a", &id), STATUS_OK);
	assert_int_equal(bundle_entry(f->cursor, id, f->entry), STATUS_OK);
	assert_int_equal(bundle_read(f->cursor, &f->entry->e, 0, sizeof out, out, &got), STATUS_OK);
	arena_wipe(f->arena);
	assert_int_not_equal(bundle_resolve(f->cursor, "a", &id), STATUS_OK);
	end(f);
}

/* --- verification ---------------------------------------------------------------------------------------- */

/* Everything that can be checked: how much of it is wrong? */
static unsigned count_faults(struct fixture *f)
{
	const struct format_content *content = bundle_content(f->bundle);
	const struct pages *pages = bundle_volume(f->bundle, 0)->pages;
	struct format_segment s;
	unsigned bad = 0;

	for (uint64_t n = 0; n < content->table[TABLE_SEGMENTS].records; n++) {
		bool lost = bundle_segment(f->cursor, n, &s) != STATUS_OK;

		bad += lost || bundle_check_segment(f->cursor, &s, 0, (size_t)s.stored_len);
	}
	for (int t = 0; t < TABLE_COUNT; t++)
		for (uint64_t b = 0; b < format_block_count(t, content->table[t].records); b++)
			bad += bundle_check_block(f->cursor, t, b) != STATUS_OK;
	for (uint32_t t = 0; t < pages->parity.data_pages + pages->parity.parity_pages; t++)
		bad += bundle_check_page(f->cursor, 0, t) != STATUS_OK;
	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		bad += bundle_check_root(f->cursor, 0, c) != STATUS_OK;
	bad += bundle_check_header(f->bundle, 0, HEADER_A, &f->keys) != STATUS_OK;
	bad += bundle_check_header(f->bundle, 0, HEADER_B, &f->keys) != STATUS_OK;
	return bad;
}

static void what_is_whole_has_no_faults(void **state)
{
	static const char *const names[] = {"parity-4", "signed", "sparse"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture *f = open_golden(names[i]);

		assert_int_equal(count_faults(f), 0);
		end(f);
	}
}

static void every_page_that_is_ours_is_looked_at(void **state)
{
	struct fixture *f = open_golden("parity-4");
	const struct pages *pages = bundle_volume(f->bundle, 0)->pages;
	uint32_t all = pages->parity.data_pages + pages->parity.parity_pages;

	(void)state;
	for (uint32_t t = 0; t < all; t++) {
		uint8_t *byte = f->bytes[0] + pages_offset(pages, t) + 4321;

		*byte ^= 1;
		/* A data page is repaired, a parity page is found wanting. */
		assert_int_equal(bundle_check_page(f->cursor, 0, t),
		                 t < pages->parity.data_pages ? STATUS_OK : STATUS_DAMAGED);
		*byte ^= 1;
	}
	assert_int_equal(pages->health.repaired, pages->parity.data_pages);
	assert_int_equal(pages->health.parity, pages->parity.parity_pages);
	f->bytes[0][0] ^= 1;
	assert_int_equal(bundle_check_header(f->bundle, 0, HEADER_A, &f->keys), STATUS_NOKEY);
	assert_int_equal(bundle_check_header(f->bundle, 0, HEADER_B, &f->keys), STATUS_OK);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bundles_read_as_they_were_written),
		cmocka_unit_test(a_path_is_the_same_in_any_order),
		cmocka_unit_test(what_was_decoded_ahead_is_lent),
		cmocka_unit_test(nothing_is_lent_that_is_not_there),
		cmocka_unit_test(paths_lead_where_they_say),
		cmocka_unit_test(a_hard_link_is_the_file_that_it_names),
		cmocka_unit_test(what_is_no_file_cannot_be_read),
		cmocka_unit_test(reads_end_where_the_file_does),
		cmocka_unit_test(holes_are_where_they_were),
		cmocka_unit_test(attributes_are_those_that_were_packed),
		cmocka_unit_test(a_missing_volume_costs_what_is_in_it),
		cmocka_unit_test(volumes_are_known_by_their_key),
		cmocka_unit_test(volumes_can_be_found_later),
		cmocka_unit_test(who_has_no_key_gets_nothing),
		cmocka_unit_test(any_copy_of_the_root_will_do),
		cmocka_unit_test(a_wiped_arena_gives_nothing_more),
		cmocka_unit_test(what_is_whole_has_no_faults),
		cmocka_unit_test(every_page_that_is_ours_is_looked_at),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
