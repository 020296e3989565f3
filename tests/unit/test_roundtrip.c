/* From files to a bundle and back, through stage, write and bundle. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "bundler/cancel.h"
#include "bundler/feed.h"
#include "bundler/layout.h"
#include "bundler/minisign.h"
#include "bundler/origin.h"
#include "bundler/parity.h"
#include "bundler/segments.h"
#include "bundler/spill.h"
#include "bundler/stage.h"
#include "bundler/staged.h"
#include "bundler/tree.h"
#include "bundler/volumes.h"
#include "bundler/way.h"
#include "bundler/write.h"
#include "common/arena.h"
#include "common/bundle.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/hash4.h"
#include "common/pages.h"
#include "common/passphrase.h"
#include "common/progress.h"
#include "common/source.h"
#include "common/status.h"

enum { SMALL_FILES = 40, MIB = 1 << 20, FILM = 700001, NOISE = 900000, TEXT = 3 * MIB + 17 };

/* --- what is packed --------------------------------------------------------- */

/* Nodes in the order of the tree. */
enum {
	ROOT,
	ALL_HOLE,
	COPY,
	DIR,
	EMPTY,
	FILM_MP4,
	GONE,
	HOLE,
	LINK,
	MIXED,
	NOISE_BIN,
	TEXT_TXT,
	ZDIR,
	SMALL, /* SMALL_FILES of them */
	HARD = SMALL + SMALL_FILES,
	SUB,
	TWIN,
	GONE_TOO,
	LATE, /* a link to GONE_TOO: behind it here, before it in path order */
	LEAF,
	NODES,
};

static const struct plan {
	const char *name;
	enum format_kind kind;
	uint32_t parent;
} plan[] = {
	[ROOT] = {"", KIND_DIRECTORY, ROOT},        [ALL_HOLE] = {"all-hole", KIND_FILE, ROOT},
	[COPY] = {"copy", KIND_FILE, ROOT},         [DIR] = {"dir", KIND_DIRECTORY, ROOT},
	[EMPTY] = {"empty", KIND_FILE, ROOT},       [FILM_MP4] = {"film.mp4", KIND_FILE, ROOT},
	[GONE] = {"gone", KIND_FILE, ROOT},         [HOLE] = {"hole", KIND_FILE, ROOT},
	[LINK] = {"link", KIND_SYMLINK, ROOT},      [MIXED] = {"mixed", KIND_FILE, ROOT},
	[NOISE_BIN] = {"noise", KIND_FILE, ROOT},   [TEXT_TXT] = {"text.txt", KIND_FILE, ROOT},
	[ZDIR] = {"zdir", KIND_DIRECTORY, ROOT},    [HARD] = {"hard", KIND_HARDLINK, DIR},
	[SUB] = {"sub", KIND_DIRECTORY, DIR},       [TWIN] = {"twin", KIND_FILE, DIR},
	[GONE_TOO] = {"gone-too", KIND_FILE, ZDIR}, [LATE] = {"late", KIND_HARDLINK, SUB},
	[LEAF] = {"leaf", KIND_FILE, SUB},
};

static const char target[] = "dir/sub/leaf";

static void put(const char *path, off_t off, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0640);

	assert_true(fd >= 0);
	assert_true(len == 0 || pwrite(fd, bytes, len, off) == (ssize_t)len);
	close(fd);
}

static void fill_noise(uint8_t *out, size_t len, uint8_t seed)
{
	const uint8_t key[32] = {seed}, nonce[8] = {0};

	crypto_stream_chacha20(out, len, nonce, key);
}

static void fill_text(uint8_t *out, size_t len, unsigned seed)
{
	static const char *const word[] = {"the ",   "films ",  "of ",   "a ",
	                                   "quiet ", "night\n", "radio "};

	for (size_t done = 0; done < len; seed = seed * 1103515245 + 12345) {
		const char *w = word[(seed >> 16) % 7];

		for (; *w && done < len; w++)
			out[done++] = (uint8_t)*w;
	}
}

static void make_files(void)
{
	uint8_t *buf = malloc(4 * MIB);
	struct timespec times[2] = {{.tv_sec = 1000000000, .tv_nsec = 5},
	                            {.tv_sec = 1000000000, .tv_nsec = 123456789}};
	char path[32];

	unlink("link");
	unlink("dir/hard");
	mkdir("dir", 0755);
	mkdir("dir/sub", 0755);
	mkdir("zdir", 0755);
	put("all-hole", 0, "", 0);
	assert_int_equal(truncate("all-hole", MIB), 0);
	fill_noise(buf, NOISE, 1);
	put("noise", 0, buf, NOISE);
	put("copy", 0, buf, NOISE);
	put("empty", 0, "", 0);
	fill_noise(buf, FILM, 2);
	put("film.mp4", 0, buf, FILM);
	fill_text(buf, 100000, 3);
	put("hole", 0, buf, 70000);
	put("hole", 600000, buf, 100000);
	put("hole", 730000, buf, 50000); /* the hole before it is too short to count */
	assert_int_equal(truncate("hole", 2 * MIB), 0);
	assert_int_equal(symlink(target, "link"), 0);
	fill_noise(buf, MIB, 4);
	fill_text(buf + MIB, 2 * MIB, 5);
	fill_noise(buf + 3 * MIB, MIB, 6);
	put("mixed", 0, buf, 4 * MIB);
	assert_int_equal(truncate("mixed", 4 * MIB), 0);
	fill_text(buf, TEXT, 7);
	put("text.txt", 0, buf, TEXT);
	for (unsigned i = 0; i < SMALL_FILES; i++) {
		sprintf(path, "dir/a%02u", i);
		fill_text(buf, 50000, i);
		put(path, 0, buf, i * i * 29 + 1);
	}
	fill_text(buf, 50000, 5);
	put("dir/twin", 0, buf, 5 * 5 * 29 + 1);
	assert_int_equal(link("text.txt", "dir/hard"), 0);
	fill_noise(buf, 3000, 8);
	put("dir/sub/leaf", 0, buf, 3000);
	put("dir/sub/late", 0, buf, 2000);
	assert_int_equal(utimensat(AT_FDCWD, "text.txt", times, 0), 0);
	free(buf);
}

/* --- the tree, by hand ------------------------------------------------------- */

static const char *name_of(uint32_t number)
{
	static char name[8];

	if (number < SMALL || number >= HARD)
		return plan[number].name;
	sprintf(name, "a%02u", number - SMALL);
	return name;
}

static uint32_t parent_of(uint32_t number)
{
	return number < SMALL || number >= HARD ? plan[number].parent : DIR;
}

static void describe(struct tree *tree, uint32_t number)
{
	struct node *n = &tree->node[number];
	char path[64];
	struct stat st = {.st_mode = 0644};

	tree_path(tree, number, path, sizeof path);
	lstat(path, &st);
	n->kind = number >= SMALL && number < HARD ? KIND_FILE : plan[number].kind;
	n->size = n->kind == KIND_FILE ? (uint64_t)st.st_size : 0;
	n->mode = st.st_mode & 07777;
	n->mtime = st.st_mtim.tv_sec;
	if (tree->extra)
		tree->extra[number] =
			(struct node_extra){.mtime_nsec = (uint32_t)st.st_mtim.tv_nsec,
		                            .uid = 1234 + number,
		                            .gid = 70000};
}

static const uint8_t attributes[] = "\1\4user\5value";

static struct tree *make_tree(struct spill *heap, bool full_metadata)
{
	struct tree *tree = NULL;
	uint32_t number;

	assert_int_equal(tree_new(&tree, full_metadata), STATUS_OK);
	for (uint32_t i = 1; i < NODES; i++) {
		const char *name = name_of(i);

		assert_int_equal(tree_add(tree, parent_of(i), name, strlen(name), &number),
		                 STATUS_OK);
		assert_int_equal(number, i);
	}
	for (uint32_t i = 0; i < NODES; i++)
		describe(tree, i);
	tree_link(tree, HARD, TEXT_TXT);
	tree_link(tree, LATE, GONE_TOO);
	tree->node[LINK].size = strlen(target);
	tree->node[LINK].place = spill_len(heap);
	assert_int_equal(spill_append(heap, target, strlen(target)), STATUS_OK);
	if (full_metadata) {
		tree->extra[GONE].xattr_off = spill_len(heap);
		tree->extra[GONE].xattr_len = 1;
		assert_int_equal(spill_append(heap, "x", 1), STATUS_OK);
		tree->extra[DIR].xattr_off = spill_len(heap);
		tree->extra[DIR].xattr_len = sizeof attributes - 1;
		assert_int_equal(spill_append(heap, attributes, sizeof attributes - 1), STATUS_OK);
	}
	return tree;
}

/* --- stage, write, open -------------------------------------------------------- */

struct world {
	struct arena *arena;
	struct progress *progress;
	struct spill *heap;
	struct tree *tree;
	struct stage *stage;
	struct stage_report report;
	uint8_t key_file[KDF_KEYBYTES]; /* quicker than a passphrase */
};

static int stage_as(struct world *w, const struct stage_options *options)
{
	memset(w, 0, sizeof *w);
	randombytes_buf(w->key_file, sizeof w->key_file);
	assert_int_equal(arena_new(&w->arena, ARENA_MAX_BYTES, true), STATUS_OK);
	assert_int_equal(progress_new(&w->progress, PROGRESS_SILENT), STATUS_OK);
	assert_int_equal(spill_new(&w->heap, w->arena, options->memory, "."), STATUS_OK);
	w->tree = make_tree(w->heap, options->full_metadata);
	return stage_run(&w->stage, w->arena, w->tree, w->heap, options, w->progress, &w->report);
}

static int stage_world(struct world *w, bool full_metadata, unsigned workers, size_t memory)
{
	const struct stage_options options = {.full_metadata = full_metadata,
	                                      .level = 3,
	                                      .workers = workers,
	                                      .memory = memory,
	                                      .spill_dir = ".",
	                                      .label = "Night films",
	                                      .series = "radio",
	                                      .edition = 7};

	return stage_as(w, &options);
}

static int stage_signed(struct world *w, size_t memory)
{
	struct minisign_secret signer = {.key_id = "publish"};
	const struct stage_options options = {.level = 3,
	                                      .workers = 2,
	                                      .memory = memory,
	                                      .spill_dir = ".",
	                                      .label = "Night films",
	                                      .series = "radio",
	                                      .edition = 7,
	                                      .is_signed = true,
	                                      .signer = &signer};

	crypto_sign_keypair(signer.public_key, signer.secret_key);
	return stage_as(w, &options);
}

static void forget(struct world *w)
{
	stage_free(w->stage);
	tree_free(w->tree);
	spill_free(w->heap);
	progress_free(w->progress);
	arena_free(w->arena);
}

static uint64_t length_for(const struct world *w, unsigned parity)
{
	const struct volumes_wish wish = {0, 0, 0};
	struct stage *stage = w->stage;
	struct volumes volumes;
	uint64_t least;

	assert_int_equal(volumes_plan(&volumes, &stage, 1, parity, &wish), STATUS_OK);
	assert_int_equal(volumes.count, 1);
	least = volumes.least;
	volumes_fini(&volumes);
	return least;
}

/* Compartments as long together as wished. */
static int write_all(struct world *w, const struct write_compartment *compartment, unsigned count,
                     const struct volumes_wish *wish, const struct write_options *options,
                     char *culprit, size_t size)
{
	struct stage *stage[2];
	struct volumes volumes;
	struct write_fault fault;
	int status, saved;

	for (unsigned i = 0; i < count; i++)
		stage[i] = compartment[i].stage;
	culprit[0] = '\0';
	status = volumes_plan(&volumes, stage, count, options->parity, wish);
	if (status)
		return status;
	status = write_bundle("out.bin", &volumes, volumes.high, compartment, count, options,
	                      w->arena, w->progress, &fault);
	saved = errno;
	assert_true(strlen(fault.culprit) < size);
	strcpy(culprit, fault.culprit);
	volumes_fini(&volumes);
	errno = saved;
	return status;
}

static int write_world(struct world *w, uint64_t len, unsigned parity, unsigned workers,
                       char *culprit, size_t size)
{
	const struct opener opener = {.key_file = w->key_file};
	const struct write_compartment compartment = {w->stage, &opener, 1};
	const struct write_options options = {.profile = KDF_LOW,
	                                      .parity = parity,
	                                      .workers = workers,
	                                      .group = PARITY_GROUP,
	                                      .replace = true,
	                                      .verify = true};
	const struct volumes_wish wish = {len, 0, 0};

	return write_all(w, &compartment, 1, &wish, &options, culprit, size);
}

struct reading {
	struct arena *arena;
	struct source *source;
	struct bundle *bundle;
	struct cursor *cursor;
};

static int open_bundle(struct reading *r, const struct header_keys *keys)
{
	int status;

	memset(r, 0, sizeof *r);
	assert_int_equal(arena_new(&r->arena, ARENA_MAX_BYTES, true), STATUS_OK);
	assert_int_equal(source_open_file(&r->source, "out.bin"), STATUS_OK);
	status = bundle_open(&r->bundle, r->arena, &r->source, 1, 0, keys);
	if (status == STATUS_OK)
		status = cursor_new(&r->cursor, r->bundle);
	return status;
}

static void close_bundle(struct reading *r)
{
	cursor_free(r->cursor);
	bundle_close(r->bundle);
	source_close(r->source);
	arena_free(r->arena);
}

/* --- comparing ------------------------------------------------------------------ */

static void same_content(struct reading *r, const struct tree *tree, uint32_t number,
                         const struct format_entry *file)
{
	uint8_t *ours = malloc(file->size + 1), *theirs = malloc(file->size + 1);
	char path[64];
	size_t got = 0;
	int fd;

	tree_path(tree, number, path, sizeof path);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, theirs, file->size + 1), file->size);
	close(fd);
	assert_int_equal(bundle_read(r->cursor, file, 0, file->size + 1, ours, &got), STATUS_OK);
	assert_int_equal(got, file->size);
	assert_memory_equal(ours, theirs, got);
	free(ours);
	free(theirs);
}

static void same_entry(struct reading *r, const struct tree *tree, uint32_t number)
{
	const struct node *n = &tree->node[number];
	bool full = tree->extra;
	struct bundle_entry entry;
	char text[FORMAT_LINK + 1];

	assert_int_equal(bundle_entry(r->cursor, tree->id[number], &entry), STATUS_OK);
	assert_string_equal(entry.name, name_of(number));
	assert_int_equal(entry.e.kind, n->kind);
	assert_int_equal(entry.e.parent, tree->id[n->parent]);
	if (n->kind == KIND_HARDLINK) {
		assert_int_equal(entry.e.place, tree->id[TEXT_TXT]);
		return;
	}
	if (n->kind != KIND_SYMLINK)
		assert_int_equal(entry.e.mode, n->mode & (full ? 07777 : 0555));
	assert_true(entry.e.mtime == (full ? n->mtime : n->mtime / 86400 * 86400));
	if (full) {
		assert_int_equal(entry.e.mtime_nsec, tree->extra[number].mtime_nsec);
		assert_int_equal(entry.e.uid, tree->extra[number].uid);
		assert_int_equal(entry.e.gid, tree->extra[number].gid);
		assert_int_equal(entry.e.xattr_len, number == DIR ? sizeof attributes - 1 : 0);
	}
	if (n->kind == KIND_SYMLINK) {
		assert_int_equal(bundle_readlink(r->cursor, &entry.e, text), STATUS_OK);
		assert_string_equal(text, target);
	}
	if (n->kind == KIND_FILE) {
		assert_int_equal(entry.e.links, n->links);
		same_content(r, tree, number, &entry.e);
	}
}

static void same_holes(struct reading *r, const struct tree *tree)
{
	static const uint64_t data[][2] = {{0, 70000}, {600000, 780000}, {2 * MIB, 2 * MIB}};
	struct bundle_entry entry;
	uint64_t begin, end, at = 0;

	assert_int_equal(bundle_entry(r->cursor, tree->id[HOLE], &entry), STATUS_OK);
	assert_true(entry.e.sparse);
	for (size_t i = 0; i < 3; i++, at = end) {
		assert_int_equal(bundle_data_range(r->cursor, &entry.e, at, &begin, &end),
		                 STATUS_OK);
		/* File systems count holes in blocks. */
		assert_in_range(begin, data[i][0] / 65536 * 65536, data[i][0]);
		assert_in_range(end, data[i][1], data[i][1] / 65536 * 65536 + 65536);
	}
	assert_int_equal(bundle_entry(r->cursor, tree->id[ALL_HOLE], &entry), STATUS_OK);
	assert_true(entry.e.sparse);
	assert_int_equal(entry.e.runs, 0);
}

static void same_as_packed_with(const struct world *w, const struct header_keys *keys)
{
	struct reading r;
	const struct format_content *content;

	assert_int_equal(open_bundle(&r, keys), STATUS_OK);
	content = bundle_content(r.bundle);
	assert_int_equal(content->table[TABLE_ENTRIES].records, w->tree->entry_count);
	assert_string_equal(content->label, "Night films");
	assert_string_equal(content->series, "radio");
	assert_int_equal(content->edition, 7);
	for (uint32_t i = 0; i < NODES; i++)
		if (!w->tree->node[i].dropped)
			same_entry(&r, w->tree, i);
	same_holes(&r, w->tree);
	close_bundle(&r);
}

static void same_as_packed(const struct world *w)
{
	const struct header_keys keys = {.key_file = w->key_file};

	same_as_packed_with(w, &keys);
}

/* Every page, every copy of the root, both headers. */
static void is_healthy(const struct world *w)
{
	const struct header_keys keys = {.key_file = w->key_file};
	const struct format_parity *parity;
	struct reading r;

	assert_int_equal(open_bundle(&r, &keys), STATUS_OK);
	parity = &bundle_volume(r.bundle, 0)->pages->parity;
	for (uint32_t t = 0; t < parity->data_pages + parity->parity_pages; t++)
		assert_int_equal(bundle_check_page(r.cursor, 0, t), STATUS_OK);
	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		assert_int_equal(bundle_check_root(r.cursor, 0, c), STATUS_OK);
	assert_int_equal(bundle_check_header(r.bundle, 0, HEADER_A, &keys), STATUS_OK);
	assert_int_equal(bundle_check_header(r.bundle, 0, HEADER_B, &keys), STATUS_OK);
	close_bundle(&r);
}

/* --- tests ----------------------------------------------------------------------- */

static void everything_comes_back(void **state)
{
	static const struct {
		bool full;
		unsigned parity, workers;
		size_t memory;
		uint64_t more; /* bytes than needed */
	} row[] = {{false, 4, 2, 64 * MIB, 0},
	           {true, 0, 1, 0, 65536 + 777},
	           {false, 16, 3, MIB, 30 * MIB + 1}};
	char culprit[64];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct world w;

		assert_int_equal(stage_world(&w, row[i].full, row[i].workers, row[i].memory),
		                 STATUS_OK);
		assert_int_equal(write_world(&w, length_for(&w, row[i].parity) + row[i].more,
		                             row[i].parity, row[i].workers, culprit,
		                             sizeof culprit),
		                 STATUS_OK);
		same_as_packed(&w);
		is_healthy(&w);
		forget(&w);
	}
}

/* Nothing of what was dropped is in the heap; that the rest is, other tests see. */
static void what_is_dropped_leaves_no_attributes(void **state)
{
	const size_t left = strlen(target) + sizeof attributes - 1;
	struct world w;

	(void)state;
	assert_int_equal(stage_world(&w, true, 1, MIB), STATUS_OK);
	assert_true(spill_len(w.heap) > left); /* the control */
	assert_int_equal(stage_content(w.stage)->table[TABLE_HEAP].records, left);
	forget(&w);
}

static void the_report_adds_up(void **state)
{
	const struct format_content *content;
	struct world w;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	content = stage_content(w.stage);
	/* Four directories, two links, and two that are not there. */
	assert_int_equal(w.report.files, NODES - 8);
	assert_int_equal(w.report.dropped, 2);
	assert_int_equal(w.tree->entry_count, NODES - 2);
	assert_int_equal(w.tree->node[LATE].kind, KIND_FILE);
	assert_true(w.tree->node[GONE].dropped && w.tree->node[GONE_TOO].dropped);
	assert_int_equal(w.report.duplicates, NOISE + 5 * 5 * 29 + 1);
	assert_int_equal(w.report.stored + w.report.compressed, content->plain_len);
	/* Film, noise, leaf and late, once each, and most of what is mixed in. */
	assert_in_range(w.report.stored, FILM + NOISE + 5000 + MIB, FILM + NOISE + 5000 + 3 * MIB);
	assert_in_range(w.report.compressed, TEXT + MIB, TEXT + 5 * MIB);
	assert_true(content->content_len < w.report.stored + w.report.compressed / 3);
	forget(&w);
}

/* All of the stream, from begin to end of the content. */
static uint8_t *whole_stream(struct stage *stage, uint64_t begin, uint64_t end, size_t piece,
                             size_t *len)
{
	struct feed *feed = NULL;
	uint8_t *bytes;

	*len = end - begin + 2 * stage_content(stage)->index_len +
	       2 * stage_content(stage)->leaf_count * FORMAT_DIGEST + 100;
	bytes = malloc(*len);
	assert_int_equal(feed_open(&feed, stage, begin, end), STATUS_OK);
	for (size_t done = 0; done < *len; done += piece)
		assert_int_equal(feed_read(feed, bytes + done, min_u64(piece, *len - done), NULL),
		                 STATUS_OK);
	assert_null(feed_culprit(feed));
	feed_close(feed);
	return bytes;
}

static void content_does_not_depend_on_threads(void **state)
{
	struct world one, four;
	size_t len, other_len;
	uint8_t *bytes, *other;

	(void)state;
	assert_int_equal(stage_world(&one, false, 1, 0), STATUS_OK);
	assert_int_equal(stage_world(&four, false, 4, 64 * MIB), STATUS_OK);
	assert_memory_equal(stage_content_part(one.stage), stage_content_part(four.stage),
	                    FORMAT_CONTENT_PART);
	bytes = whole_stream(one.stage, 0, stage_content(one.stage)->content_len, 65521, &len);
	other = whole_stream(four.stage, 0, stage_content(one.stage)->content_len, 3000000,
	                     &other_len);
	assert_int_equal(len, other_len);
	assert_memory_equal(bytes, other, len);
	for (size_t i = len - 100; i < len; i++)
		assert_int_equal(bytes[i], 0);
	free(bytes);
	free(other);
	forget(&one);
	forget(&four);
}

static void ranges_join_up(void **state)
{
	struct world w;
	uint64_t total, from = 0, cuts = 0, index_len, front;
	size_t len, part_len, in_front = 0;
	uint8_t *bytes, *content, *index, *part;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	total = stage_content(w.stage)->content_len;
	index_len = stage_content(w.stage)->index_len;
	bytes = whole_stream(w.stage, 0, total, 100000, &len);
	assert_int_equal(stage_front_len(w.stage, 0, total, &front), STATUS_OK);
	content = bytes + front;
	index = content + total;
	for (uint64_t end, wish; from < total; from = end, cuts++) {
		wish = from + 300000;
		assert_int_equal(stage_cut(w.stage, wish, wish, wish, &end), STATUS_OK);
		assert_true(end > from && end <= wish);
		part = whole_stream(w.stage, from, end, 7777, &part_len);
		assert_int_equal(stage_front_len(w.stage, from, end, &front), STATUS_OK);
		assert_int_equal(front, index_len <= (end - from) / 32 ? index_len : 0);
		in_front += front > 0;
		assert_memory_equal(part, index, front);
		assert_memory_equal(part + front, content + from, end - from);
		assert_memory_equal(part + front + (end - from), index, index_len);
		free(part);
	}
	assert_true(cuts >= total / 300000);
	assert_true(in_front > 0);
	assert_memory_equal(bytes, index, index_len);
	free(bytes);
	forget(&w);
}

/* Is a large file cut there? */
static bool is_cut(const struct world *w, uint64_t cut)
{
	uint64_t begin, end;

	if (cut == stage_content(w->stage)->content_len)
		return false;
	assert_int_equal(segments_find_file(w->stage->segments, cut, &begin, &end), STATUS_OK);
	return cut != begin;
}

/* Give the stage segments of their own, so many that not all are in memory. */
static void put_segments(struct world *w)
{
	const struct piece piece = {.plain_len = 1, .stored_len = 1};
	struct segments *segments;

	assert_int_equal(segments_new(&segments, w->arena, 0, "."), STATUS_OK);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(segments_add(segments, &piece), STATUS_OK);
	assert_int_equal(segments_close(segments), STATUS_OK);
	segments_free(w->stage->segments);
	w->stage->segments = segments;
	w->stage->content.content_len = w->stage->content.leaf_count = 3000;
}

/* Nothing is left of the temporary files. */
static void break_spills(void)
{
	char path[64], file[PATH_MAX];

	for (int fd = 3; fd < 100; fd++) {
		ssize_t len;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		len = readlink(path, file, sizeof file - 1);
		file[len > 0 ? len : 0] = '\0';
		if (strstr(file, " (deleted)"))
			assert_int_equal(ftruncate(fd, 0), 0);
	}
}

static void a_spill_that_fails_is_no_drive(void **state)
{
	const struct volumes_wish wish = {0, 0, 0};
	const struct write_options options = {
		.profile = KDF_LOW, .workers = 1, .group = 1, .replace = true};
	struct opener opener = {0};
	struct write_compartment compartment = {.opener = &opener, .opener_count = 1};
	struct volumes volumes;
	struct write_fault fault;
	struct world w;

	(void)state;
	assert_int_equal(stage_world(&w, false, 1, 0), STATUS_OK);
	put_segments(&w);
	opener.key_file = w.key_file;
	compartment.stage = w.stage;
	assert_int_equal(volumes_plan(&volumes, &w.stage, 1, 0, &wish), STATUS_OK);
	break_spills();
	assert_int_equal(write_bundle("out.bin", &volumes, volumes.high, &compartment, 1, &options,
	                              w.arena, w.progress, &fault),
	                 STATUS_IO);
	assert_string_equal(fault.culprit, ".");
	volumes_fini(&volumes);
	forget(&w);
}

/* With some room to choose, a cut is where a file ends; without, where segments allow. */
static void cuts_keep_files_whole(void **state)
{
	enum { REACH = 5 * MIB };
	struct world w;
	uint64_t total, cut, through = 0;

	(void)state;
	assert_int_equal(stage_signed(&w, 64 * MIB), STATUS_OK);
	total = stage_content(w.stage)->content_len;
	for (uint64_t wish = 0; wish <= total; wish += 12345) {
		uint64_t low = wish > REACH ? wish - REACH : 0;

		assert_int_equal(stage_cut(w.stage, low, wish, wish + REACH, &cut), STATUS_OK);
		assert_false(is_cut(&w, cut));
		assert_in_range(cut, low, wish + REACH);
		assert_int_equal(stage_cut(w.stage, wish, wish, wish, &cut), STATUS_OK);
		assert_in_range(cut, wish - min_u64(wish, FORMAT_FRAME), wish);
		through += is_cut(&w, cut);
	}
	assert_true(through > 100); /* the control */
	assert_int_equal(stage_cut(w.stage, 0, 1, 1, &cut), STATUS_OK);
	assert_true(cut == 0);
	forget(&w);
}

/* Overwrite len bytes at off of the bundle. */
static void damage(uint64_t off, size_t len)
{
	uint8_t *bytes = malloc(len);
	int fd = open("out.bin", O_WRONLY);

	memset(bytes, 0xa5, len);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)off), len);
	close(fd);
	free(bytes);
}

static void damage_is_repaired(void **state)
{
	struct world w;
	struct format_parity shape;
	struct layout_demand demand = {.parity = 4};
	char culprit[64];
	uint64_t len;
	size_t burst;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	len = length_for(&w, 4);
	assert_int_equal(stage_stream_len(w.stage, 0, stage_content(w.stage)->content_len,
	                                  &demand.stream_len),
	                 STATUS_OK);
	assert_int_equal(layout_pages(&demand, &shape), STATUS_OK);
	burst = (size_t)shape.m * shape.columns * FORMAT_PAGE;
	for (uint64_t at = FORMAT_PAGE; at < len - burst; at += len / 5) {
		assert_int_equal(write_world(&w, len, 4, 2, culprit, sizeof culprit), STATUS_OK);
		damage(at / FORMAT_PAGE * FORMAT_PAGE, burst);
		same_as_packed(&w);
	}
	/* Scattered, both headers' neighbours, and header A itself. */
	assert_int_equal(write_world(&w, len, 4, 2, culprit, sizeof culprit), STATUS_OK);
	for (uint64_t at = 0; at < len - FORMAT_HEADER; at += len / 7)
		damage(at, 1);
	same_as_packed(&w);
	forget(&w);
}

static void write_two(struct world *w, const struct opener *mine, unsigned mine_count,
                      struct world *other)
{
	const struct opener theirs = {.key_file = other->key_file};
	const struct write_compartment compartment[2] = {{w->stage, mine, mine_count},
	                                                 {other->stage, &theirs, 1}};
	const struct write_options options = {
		.profile = KDF_LOW, .parity = 2, .workers = 2, .group = 2, .replace = true};
	const struct volumes_wish wish = {length_for(w, 2) + length_for(other, 2), 0, 0};
	char culprit[64];

	assert_int_equal(write_all(w, compartment, 2, &wish, &options, culprit, sizeof culprit),
	                 STATUS_OK);
}

static void two_compartments_and_all_sorts_of_keys(void **state)
{
	static const struct passphrase alone = {"two of us", 9}, together = {"nobody else", 11};
	const uint8_t key_file[KDF_KEYBYTES] = {42};
	const struct opener mine[2] = {{.passphrase = &alone},
	                               {.passphrase = &together, .key_file = key_file}};
	const struct header_keys right[] = {{.passphrase = &alone},
	                                    {.passphrase = &alone, .key_file = key_file},
	                                    {.passphrase = &together, .key_file = key_file}};
	const struct header_keys wrong[] = {{.passphrase = &together}, {.key_file = key_file}};
	struct world w, other;
	struct reading r;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(stage_world(&other, true, 2, 64 * MIB), STATUS_OK);
	write_two(&w, mine, 2, &other);
	for (size_t i = 0; i < 3; i++)
		same_as_packed_with(&w, &right[i]);
	same_as_packed(&other);
	is_healthy(&other);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(open_bundle(&r, &wrong[i]), STATUS_NOKEY);
		close_bundle(&r);
	}
	forget(&w);
	forget(&other);
}

static void recipients_with_and_without_more(void **state)
{
	static const struct passphrase together = {"and a word", 10};
	const uint8_t key_file[KDF_KEYBYTES] = {42};
	uint8_t identity[3][KDF_KEYBYTES], recipient[3][KDF_KEYBYTES];
	const uint8_t(*held)[KDF_KEYBYTES] = (const uint8_t(*)[KDF_KEYBYTES])identity;
	const struct opener mine[] = {
		{.recipient = recipient[0]},
		{.recipient = recipient[1], .key_file = key_file},
		{.recipient = recipient[2], .key_file = key_file, .passphrase = &together}};
	const struct header_keys right[] = {
		{.identity = held, .identity_count = 1},
		{.identity = held + 1, .identity_count = 1, .key_file = key_file},
		{.identity = held + 1,
	         .identity_count = 2,
	         .key_file = key_file,
	         .passphrase = &together}};
	const struct header_keys wrong[] = {{.identity = held + 1, .identity_count = 2},
	                                    {.key_file = key_file, .passphrase = &together}};
	struct world w, other;
	struct reading r;

	(void)state;
	randombytes_buf(identity, sizeof identity);
	for (size_t i = 0; i < 3; i++)
		crypto_scalarmult_base(recipient[i], identity[i]);
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(stage_world(&other, true, 2, 64 * MIB), STATUS_OK);
	write_two(&w, mine, 3, &other);
	for (size_t i = 0; i < 3; i++)
		same_as_packed_with(&w, &right[i]);
	same_as_packed(&other);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(open_bundle(&r, &wrong[i]), STATUS_NOKEY);
		close_bundle(&r);
	}
	forget(&w);
	forget(&other);
}

static void openers_that_are_none(void **state)
{
	static const uint8_t nobody[KDF_KEYBYTES];
	static const struct opener nothing, recipient = {.recipient = nobody};
	struct opener many[FORMAT_SLOTS + 1];
	const struct {
		const struct opener *opener;
		unsigned count;
		int status;
	} row[] = {{&nothing, 1, STATUS_INVALID},
	           {&recipient, 1, STATUS_KEYFILE},
	           {many, FORMAT_SLOTS + 1, STATUS_TOOBIG},
	           {many, FORMAT_SLOTS, STATUS_OK}};
	struct world w;
	char culprit[64];

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	for (unsigned i = 0; i < FORMAT_SLOTS + 1; i++)
		many[i] = (struct opener){.key_file = w.key_file};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const struct write_compartment compartment = {w.stage, row[i].opener, row[i].count};
		const struct write_options options = {
			.profile = KDF_LOW, .workers = 1, .replace = true};
		const struct volumes_wish wish = {length_for(&w, 0), 0, 0};

		assert_int_equal(
			write_all(&w, &compartment, 1, &wish, &options, culprit, sizeof culprit),
			row[i].status);
	}
	same_as_packed(&w);
	forget(&w);
}

/* The folder holds what was packed and nothing else. */
static bool nothing_was_written(void)
{
	return access("out.bin", F_OK) != 0 && system("test $(ls -A | wc -l) = 11") == 0;
}

static void a_changed_source_is_named(void **state)
{
	static const char *const path[] = {"film.mp4", "copy", "dir/sub/leaf"};
	struct world w;
	char culprit[64];

	(void)state;
	unlink("out.bin");
	for (size_t i = 0; i < 3; i++) {
		int status;

		assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
		put(path[i], 100, "x", 1);
		status = write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit);
		assert_int_equal(status, STATUS_CHANGED);
		assert_string_equal(culprit, path[i]);
		assert_true(nothing_was_written());
		forget(&w);
	}
	/* What lies in frames is safe. */
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	put("dir/a39", 0, "y", 1);
	assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
	                 STATUS_OK);
	assert_int_equal(unlink("film.mp4"), 0);
	errno = 0;
	unlink("out.bin");
	assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
	                 STATUS_IO);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(culprit, "film.mp4");
	forget(&w);
	make_files();
}

/* Between its first byte and its last. */
static void a_source_that_changes_under_the_writer(void **state)
{
	uint8_t *bytes = malloc(2 * NOISE);
	struct feed *feed = NULL;
	struct world w;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(feed_open(&feed, w.stage, 0, stage_content(w.stage)->content_len),
	                 STATUS_OK);
	/* The first extents are those of "copy". */
	assert_int_equal(feed_read(feed, bytes, 1000, NULL), STATUS_OK);
	put("copy", NOISE - 1, "?", 1);
	assert_int_equal(feed_read(feed, bytes, 2 * NOISE, NULL), STATUS_CHANGED);
	assert_string_equal(feed_culprit(feed), "copy");
	feed_close(feed);
	forget(&w);

	make_files();
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(feed_open(&feed, w.stage, 0, stage_content(w.stage)->content_len),
	                 STATUS_OK);
	assert_int_equal(feed_read(feed, bytes, 1000, NULL), STATUS_OK);
	assert_int_equal(truncate("copy", 2000), 0);
	assert_int_equal(feed_read(feed, bytes, NOISE, NULL), STATUS_CHANGED);
	assert_string_equal(feed_culprit(feed), "copy");
	feed_close(feed);
	forget(&w);
	free(bytes);
	make_files();
}

/* While there is one, no reading of any file finds it as the reading before did.  A
 * thread that writes does not do: behind a busy disk it rests for longer than a reading
 * takes. */
static const char *restless;

static void change_again(void)
{
	static _Atomic time_t now = 1000000000;
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = now++}};

	put(restless, 1000, "x", 1);
	MUST(!utimensat(AT_FDCWD, restless, times, 0));
}

/* The library's, as sanitizers have it, under another name. */
ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
	const struct iovec iov = {buf, len};

	if (restless)
		change_again();
	return preadv(fd, &iov, 1, off);
}

/* And nothing that was read of it stays in the content: it is, byte by byte, the
 * content of a stage that never saw the file. */
static void a_file_that_keeps_changing_is_left_out(void **state)
{
	const size_t half = 10 * MIB;
	uint8_t *buf = malloc(2 * half), *content, *expected;
	size_t len, expected_len;
	char culprit[64];
	struct world w;
	int status;

	(void)state;
	fill_noise(buf, half, 9);
	fill_text(buf + half, half, 9);
	put("mixed", 0, buf, 2 * half);
	free(buf);
	restless = "mixed";
	status = stage_world(&w, false, 2, 64 * MIB);
	restless = NULL;
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(w.report.dropped, 3);
	assert_true(w.tree->node[MIXED].dropped);
	assert_int_equal(w.report.stored + w.report.compressed, stage_content(w.stage)->plain_len);
	assert_int_equal(write_world(&w, length_for(&w, 2), 2, 2, culprit, sizeof culprit),
	                 STATUS_OK);
	same_as_packed(&w);
	is_healthy(&w);
	content = whole_stream(w.stage, 0, stage_content(w.stage)->content_len, 7777, &len);
	forget(&w);

	unlink("mixed");
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(w.report.dropped, 3);
	expected =
		whole_stream(w.stage, 0, stage_content(w.stage)->content_len, 7777, &expected_len);
	assert_int_equal(len, expected_len);
	assert_memory_equal(content, expected, len);
	forget(&w);

	/* The control: read whole, it would be in there. */
	make_files();
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_true(stage_content(w.stage)->content_len > expected_len);
	forget(&w);
	free(content);
	free(expected);
}

/* Every leaf is over what bundle(5) says, and a range has the blocks that it needs. */
static void leaves_follow_the_segments(void **state)
{
	struct world w;
	uint64_t leaf = 0, done = 0, first, count, front;
	uint8_t *whole, *bytes, digest[FORMAT_DIGEST];
	const struct format_content *content;
	size_t len;

	(void)state;
	assert_int_equal(stage_signed(&w, 64 * MIB), STATUS_OK);
	content = stage_content(w.stage);
	whole = whole_stream(w.stage, 0, content->content_len, 7777, &len);
	assert_int_equal(stage_front_len(w.stage, 0, content->content_len, &front), STATUS_OK);
	bytes = whole + front;
	for (uint64_t n = 0; n < segments_count(w.stage->segments); n++) {
		struct piece piece;

		assert_int_equal(segments_get(w.stage->segments, n, &piece), STATUS_OK);
		for (uint64_t left = piece_stored_len(&piece), part; left; left -= part) {
			part = piece.stored_len ? left : min_u64(left, FORMAT_LEAF);
			hash4_one(digest, bytes + done, part);
			assert_memory_equal(digest,
			                    bytes + content->content_len + leaf * FORMAT_DIGEST,
			                    FORMAT_DIGEST);
			if (front)
				assert_memory_equal(
					digest, whole + content->index_len + leaf * FORMAT_DIGEST,
					FORMAT_DIGEST);
			done += part;
			leaf++;
		}
	}
	assert_true(front == content->index_len + leaf * FORMAT_DIGEST);
	assert_int_equal(leaf, content->leaf_count);
	assert_int_equal(done, content->content_len);
	assert_int_equal(content->table[TABLE_LEAF_SUMS].records, 1);
	assert_int_equal(stage_leaf_blocks(w.stage, 5, done, &first, &count), STATUS_OK);
	assert_true(first == 0 && count == 1);
	assert_int_equal(stage_leaf_blocks(w.stage, done, done, &first, &count), STATUS_OK);
	assert_true(first == 0 && count == 0);
	free(whole);
	forget(&w);
}

static void signed_content_comes_back(void **state)
{
	static const size_t memory[] = {0, 64 * MIB};
	struct world w;
	char culprit[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(stage_signed(&w, memory[i]), STATUS_OK);
		assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
		                 STATUS_OK);
		same_as_packed(&w);
		is_healthy(&w);
		forget(&w);
	}
	unlink("out.bin");
}

/* Let the stage believe that its files have always been as they are now. */
static void forge_origins(struct world *w)
{
	struct spill *forged;
	struct origin old, now;
	struct origin_file file;
	struct way way = WAY_NONE;

	assert_int_equal(spill_new(&forged, w->arena, MIB, "."), STATUS_OK);
	for (uint64_t at = 0; at < spill_len(w->stage->origins); at += sizeof old) {
		assert_int_equal(spill_read(w->stage->origins, at, sizeof old, &old), STATUS_OK);
		assert_int_equal(origin_open(&way, w->tree, old.node, &file, &now), STATUS_OK);
		origin_close(&file);
		assert_int_equal(spill_append(forged, &now, sizeof now), STATUS_OK);
	}
	way_end(&way);
	spill_free(w->stage->origins);
	w->stage->origins = forged;
}

static void what_looks_the_same_is_hashed(void **state)
{
	struct world w;
	char culprit[64];

	(void)state;
	unlink("out.bin");
	assert_int_equal(stage_signed(&w, 64 * MIB), STATUS_OK);
	put("film.mp4", FILM - 1, "x", 1);
	forge_origins(&w);
	assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
	                 STATUS_CHANGED);
	assert_string_equal(culprit, "film.mp4");
	assert_true(nothing_was_written());
	forget(&w);

	/* The control: unsigned, nobody would notice. */
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	put("film.mp4", FILM - 1, "y", 1);
	forge_origins(&w);
	assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
	                 STATUS_OK);
	forget(&w);
	make_files();
}

static void what_does_not_fit_is_refused(void **state)
{
	struct world w;
	char culprit[64] = "x";

	(void)state;
	unlink("out.bin");
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	assert_int_equal(write_world(&w, length_for(&w, 4) - 1, 4, 2, culprit, sizeof culprit),
	                 STATUS_TOOBIG);
	assert_string_equal(culprit, "");
	assert_int_equal(write_world(&w, 1000, 4, 2, culprit, sizeof culprit), STATUS_TOOBIG);
	assert_true(nothing_was_written());
	forget(&w);
}

/* A drive that says that all is on it, and it is not. */
static bool lies;

int fsync(int fd)
{
	if (lies)
		MUST(pwrite(fd, "not by chance", 13, MIB) == 13);
	return (int)syscall(SYS_fsync, fd);
}

static void a_drive_that_lies_is_found_out(void **state)
{
	struct world w;
	char culprit[64];
	int status;

	(void)state;
	unlink("out.bin");
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	lies = true;
	status = write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit);
	lies = false;
	assert_int_equal(status, STATUS_DAMAGED);
	assert_string_equal(culprit, "");
	assert_true(nothing_was_written());
	forget(&w);
}

static void nothing_is_written_twice_alike(void **state)
{
	enum { BLOCK = 16, SHOWN = 1 << 20 };
	struct world w;
	char culprit[64];
	uint8_t *first = malloc(SHOWN), *second = malloc(SHOWN);
	int fd;

	(void)state;
	assert_int_equal(stage_world(&w, false, 2, 64 * MIB), STATUS_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit),
		                 STATUS_OK);
		fd = open("out.bin", O_RDONLY);
		assert_int_equal(read(fd, i ? second : first, SHOWN), SHOWN);
		close(fd);
	}
	for (size_t at = 0; at < SHOWN; at += BLOCK)
		assert_memory_not_equal(first + at, second + at, BLOCK);
	free(first);
	free(second);
	forget(&w);
}

static void cancel_at_once(void)
{
	struct world w;
	char culprit[64];

	MUST(stage_world(&w, false, 2, 64 * MIB) == STATUS_OK);
	cancel_ask();
	MUST(cancel_asked());
	MUST(write_world(&w, length_for(&w, 4), 4, 2, culprit, sizeof culprit) == STATUS_CANCELLED);
	MUST(nothing_was_written());
	forget(&w);
	MUST(stage_world(&w, false, 2, 64 * MIB) == STATUS_CANCELLED);
	MUST(w.stage == NULL);
	forget(&w);
}

static void stopping_leaves_nothing(void **state)
{
	(void)state;
	unlink("out.bin");
	assert_int_equal(unit_in_child(cancel_at_once), 0);
}

static int setup(void **state)
{
	diag_init("test");
	if (sodium_init() < 0 || unit_enter_folder(state))
		return -1;
	make_files();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(the_report_adds_up),
		cmocka_unit_test(what_is_dropped_leaves_no_attributes),
		cmocka_unit_test(content_does_not_depend_on_threads),
		cmocka_unit_test(ranges_join_up),
		cmocka_unit_test(cuts_keep_files_whole),
		cmocka_unit_test(a_spill_that_fails_is_no_drive),
		cmocka_unit_test(damage_is_repaired),
		cmocka_unit_test(two_compartments_and_all_sorts_of_keys),
		cmocka_unit_test(recipients_with_and_without_more),
		cmocka_unit_test(openers_that_are_none),
		cmocka_unit_test(a_changed_source_is_named),
		cmocka_unit_test(a_source_that_changes_under_the_writer),
		cmocka_unit_test(a_file_that_keeps_changing_is_left_out),
		cmocka_unit_test(leaves_follow_the_segments),
		cmocka_unit_test(signed_content_comes_back),
		cmocka_unit_test(what_looks_the_same_is_hashed),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_drive_that_lies_is_found_out),
		cmocka_unit_test(nothing_is_written_twice_alike),
		cmocka_unit_test(stopping_leaves_nothing),
	};

	return cmocka_run_group_tests_name("roundtrip", tests, setup, unit_leave_folder);
}
