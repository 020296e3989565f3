/* satchel-read verify: every byte that means something, on all cores; then, by
 * name, what is lost. */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/pages.h"
#include "common/progress.h"
#include "common/status.h"
#include "reader/check.h"
#include "reader/out.h"
#include "reader/pool.h"
#include "reader/ranges.h"
#include "reader/session.h"
#include "reader/verbs.h"
#include "reader/walk.h"

enum {
	JSON = OPTION_VERB,
	CHUNK = FORMAT_FRAME,
	PAGES_AT_ONCE = 64,
};

static const struct option_row rows[] = {
	{JSON, "json", NULL, "progress, losses and the result as JSON lines"},
	{0, NULL, NULL, NULL},
};

struct verify {
	bool json;
	struct session *session;
	struct bundle *bundle;
	const struct format_content *content;
	struct cursor *cursor; /* for who hands out work, and for the rounds of one thread */
	struct out out;
	struct walk walk;
	uint8_t *chunk; /* arena */
	struct progress *progress;
	_Atomic uint64_t checked; /* bytes */

	/* Where the rounds stand. */
	enum format_table_no table;
	uint64_t block;                 /* of it */
	uint64_t segment, segment_off;  /* within the segment */
	struct format_segment expected; /* where the next segment has to begin */
	unsigned volume;
	uint32_t page;

	pthread_mutex_t turn;  /* for what follows */
	struct ranges suspect; /* addresses that could not be read */
	bool index_lost;       /* a block of the index */
	bool gap;              /* a block of the table of segments is lost just now */
	bool segments_lost;    /* so contents are checked by pages too */
	int worst;             /* of the index: a status */

	/* The result. */
	uint64_t files_lost;
	unsigned bad_roots, bad_headers, unchecked_headers;
	uint64_t pages, repaired, lost, parity, appended, missing;
};

static bool take_option(void *context, int code, const char *argument)
{
	(void)code;
	(void)argument;
	((struct verify *)context)->json = true;
	return true;
}

/* --- the index ---------------------------------------------------------------- */

struct block_unit {
	enum format_table_no table;
	uint64_t block;
};

static bool next_block(void *context, void *out)
{
	struct verify *v = context;

	for (; v->table < TABLE_COUNT; v->table++, v->block = 0) {
		if (v->block == format_block_count(v->table, v->content->table[v->table].records))
			continue;
		*(struct block_unit *)out = (struct block_unit){v->table, v->block++};
		return true;
	}
	return false;
}

static void lose_index(struct verify *v, int status)
{
	pthread_mutex_lock(&v->turn);
	v->index_lost = true;
	if (v->worst == STATUS_OK || v->worst == STATUS_DAMAGED)
		v->worst = status;
	pthread_mutex_unlock(&v->turn);
}

static void check_block(void *context, unsigned worker, const void *in)
{
	struct verify *v = context;
	const struct block_unit *unit = in;
	int status = bundle_check_block(v->session->worker[worker], unit->table, unit->block);

	if (status)
		lose_index(v, status);
}

/* --- contents ------------------------------------------------------------------- */

struct piece_unit {
	struct format_segment segment;
	uint64_t off;
	uint32_t len;
};

static_assert(sizeof(struct piece_unit) <= POOL_UNIT, "a unit is too large");

/* A rule of the table of segments is broken. */
static void break_segments(struct verify *v, const char *what)
{
	if (!v->segments_lost)
		diag_error(v->session->options->bundle, "invalid: %s", what);
	session_note(v->session, 4);
	v->segments_lost = true;
}

/* Each segment begins where the one before ends. */
static void check_order(struct verify *v, const struct format_segment *s)
{
	struct format_segment *e = &v->expected;

	if (s->addr != e->addr || s->off != e->off || (v->content->is_signed && s->leaf != e->leaf))
		break_segments(v, "segments do not follow each other");
	e->addr = s->addr + s->plain_len;
	e->off = s->off + s->stored_len;
	e->leaf = s->leaf + format_segment_leaves(s);
}

/* What blocks that are lost described, up to addr, must be read to be known. */
static void close_gap(struct verify *v, uint64_t addr)
{
	v->gap = false;
	if (addr <= v->expected.addr)
		return;
	pthread_mutex_lock(&v->turn);
	ranges_add(&v->suspect, v->expected.addr, addr);
	pthread_mutex_unlock(&v->turn);
}

static void check_ends(struct verify *v)
{
	const struct format_segment *e = &v->expected;

	if (v->gap)
		close_gap(v, v->content->plain_len);
	if (v->segments_lost)
		return;
	if (e->addr != v->content->plain_len || e->off != v->content->content_len ||
	    (v->content->is_signed && e->leaf != v->content->leaf_count))
		break_segments(v, "segments do not reach the end");
}

/* Segment number v->segment.  False: its block is lost, and passed over. */
static bool load_segment(struct verify *v, struct format_segment *s)
{
	if (bundle_segment(v->cursor, v->segment, s) == STATUS_OK) {
		if (v->gap) {
			close_gap(v, s->addr);
			v->expected = *s;
		}
		if (v->segment_off == 0)
			check_order(v, s);
		return true;
	}
	v->segments_lost = v->gap = true;
	v->segment -= v->segment % FORMAT_SEGMENTS_PER_BLOCK;
	v->segment += FORMAT_SEGMENTS_PER_BLOCK;
	return false;
}

/* How much of a segment, from off on, to take at once: not over the end of a
 * volume, for which it must be cut where it may be. */
static uint64_t piece_len(struct verify *v, const struct format_segment *s, uint64_t off)
{
	uint64_t len = s->frame ? s->stored_len : min_u64(s->stored_len - off, CHUNK);
	unsigned volume = bundle_volume_of(v->bundle, s->off + off);
	uint64_t left = bundle_range_start(v->bundle, volume + 1) - (s->off + off);

	if (len <= left)
		return len;
	if (!s->frame && (off + left) % FORMAT_LEAF == 0)
		return left;
	break_segments(v, "volumes are cut where they may not be");
	return len;
}

/* What lies in a volume that is not here cannot be checked. */
static bool is_here(const struct verify *v, const struct format_segment *s, uint64_t off)
{
	return bundle_volume(v->bundle, bundle_volume_of(v->bundle, s->off + off))->pages != NULL;
}

static bool next_piece(void *context, void *out)
{
	struct verify *v = context;
	struct piece_unit *unit = out;

	progress_update(v->progress, atomic_load(&v->checked));
	while (v->segment < v->content->table[TABLE_SEGMENTS].records) {
		struct format_segment *s = &unit->segment;
		uint64_t off = v->segment_off;

		if (!load_segment(v, s))
			continue;
		unit->off = off;
		unit->len = (uint32_t)piece_len(v, s, off);
		v->segment_off += unit->len;
		if (v->segment_off == s->stored_len) {
			v->segment_off = 0;
			v->segment++;
		}
		if (is_here(v, s, off))
			return true;
	}
	return false;
}

/* All pages of a piece that failed, so that each that is lost is counted. */
static void check_pages_of(struct verify *v, struct cursor *cursor, const struct piece_unit *unit)
{
	uint64_t begin = unit->segment.off + unit->off;
	unsigned volume = bundle_volume_of(v->bundle, begin);
	const struct pages *pages = bundle_volume(v->bundle, volume)->pages;

	begin -= bundle_range_start(v->bundle, volume);
	for (uint64_t i = begin / FORMAT_PAYLOAD; i <= (begin + unit->len - 1) / FORMAT_PAYLOAD;
	     i++)
		if (i < pages->parity.data_pages)
			bundle_check_page(cursor, volume,
			                  format_data_page(&pages->parity, (uint32_t)i));
}

static void check_piece(void *context, unsigned worker, const void *in)
{
	struct verify *v = context;
	const struct piece_unit *unit = in;
	const struct format_segment *s = &unit->segment;
	struct cursor *cursor = v->session->worker[worker];

	if (bundle_check_segment(cursor, s, unit->off, unit->len)) {
		pthread_mutex_lock(&v->turn);
		if (s->frame)
			ranges_add(&v->suspect, s->addr, s->addr + s->plain_len);
		else
			ranges_add(&v->suspect, s->addr + unit->off,
			           s->addr + unit->off + unit->len);
		pthread_mutex_unlock(&v->turn);
		check_pages_of(v, cursor, unit);
	}
	atomic_fetch_add(&v->checked, unit->len);
}

/* --- the other pages --------------------------------------------------------------- */

struct pages_unit {
	unsigned volume;
	uint32_t first, count;
};

/* The first data page that is not all contents, which have been checked. */
static uint32_t first_unchecked(const struct verify *v, unsigned volume)
{
	uint64_t len =
		bundle_range_start(v->bundle, volume + 1) - bundle_range_start(v->bundle, volume);

	return v->segments_lost ? 0 : (uint32_t)(len / FORMAT_PAYLOAD);
}

static uint32_t page_count(const struct format_parity *parity)
{
	return parity->data_pages + parity->parity_pages;
}

/* The first logical page from t on that is parity, or data from page first on. */
static uint32_t skip_checked(const struct format_parity *parity, uint32_t first, uint32_t t)
{
	uint32_t columns = parity->columns, data, all, band, place, i;

	if (parity->m == 0)
		return t < first ? first : t;
	data = FORMAT_ROWS * columns;
	all = data + parity->m * columns;
	band = t / all;
	place = t % all;
	i = band * data + place;
	if (place >= format_band_pages(parity, band) || i >= first)
		return t;
	return t + (uint32_t)min_u64(first - i, format_band_pages(parity, band) - place);
}

static bool next_pages(void *context, void *out)
{
	struct verify *v = context;
	struct pages_unit *unit = out;

	progress_update(v->progress, atomic_load(&v->checked));
	for (; v->volume < bundle_volume_count(v->bundle); v->volume++, v->page = 0) {
		const struct bundle_volume *volume = bundle_volume(v->bundle, v->volume);
		uint32_t first, end;

		if (!volume->pages)
			continue;
		first = first_unchecked(v, v->volume);
		end = page_count(&volume->pages->parity);
		v->page = skip_checked(&volume->pages->parity, first, v->page);
		if (v->page >= end)
			continue;
		*unit = (struct pages_unit){v->volume, v->page, 0};
		while (unit->count < PAGES_AT_ONCE && v->page < end &&
		       skip_checked(&volume->pages->parity, first, v->page) == v->page) {
			unit->count++;
			v->page++;
		}
		return true;
	}
	return false;
}

static void check_pages(void *context, unsigned worker, const void *in)
{
	struct verify *v = context;
	const struct pages_unit *unit = in;

	/* What is damaged is counted in the volume's health. */
	for (uint32_t t = unit->first; t < unit->first + unit->count; t++)
		if (bundle_check_page(v->session->worker[worker], unit->volume, t) ==
		    STATUS_INVALID)
			lose_index(v, STATUS_INVALID);
	atomic_fetch_add(&v->checked, (uint64_t)unit->count * FORMAT_PAGE);
}

/* --- headers and roots ----------------------------------------------------------------- */

static void check_header(struct verify *v, unsigned volume, enum header_copy copy)
{
	int status = bundle_check_header(v->bundle, volume, copy, session_keys(v->session));

	if (status == STATUS_KDFMEM)
		v->unchecked_headers++;
	else if (status)
		v->bad_headers++;
}

static void check_ends_of_volumes(struct verify *v)
{
	for (unsigned i = 0; i < bundle_volume_count(v->bundle); i++) {
		const struct bundle_volume *volume = bundle_volume(v->bundle, i);

		if (!volume->pages)
			continue;
		for (unsigned c = 0; c < FORMAT_ROOTS; c++)
			v->bad_roots += bundle_check_root(v->cursor, i, c) != STATUS_OK;
		check_header(v, i, HEADER_A);
		check_header(v, i, HEADER_B);
		v->pages += page_count(&volume->pages->parity);
		v->repaired += atomic_load(&volume->pages->health.repaired);
		v->lost += atomic_load(&volume->pages->health.lost);
		v->parity += atomic_load(&volume->pages->health.parity);
		v->appended += volume->appended;
		v->missing += volume->missing;
	}
}

/* --- names of what is lost -------------------------------------------------------------- */

static const char *loss_word(int status)
{
	return status == STATUS_ALTERED   ? "altered"
	       : status == STATUS_INVALID ? "invalid"
	                                  : "damaged";
}

static void name_loss(struct verify *v, int status)
{
	const struct walk *w = &v->walk;

	v->files_lost++;
	session_note(v->session, 4);
	if (!v->json) {
		walk_report(w, v->session, status);
		return;
	}
	out_format(&v->out, "{\"type\": \"loss\", \"what\": \"%s%s\", ", loss_word(status),
	           w->names_lost ? " names" : "");
	out_json_name(&v->out, "path", w->path_len ? w->path : ".", w->path_len ? w->path_len : 1);
	out_text(&v->out, "}\n");
	out_flush(&v->out);
}

/* Read bytes off to end of a file once more.  What lies in a volume that is not
 * here is no loss. */
static int read_again(struct verify *v, const struct format_entry *e, uint64_t off, uint64_t end)
{
	int status = STATUS_OK;

	while (off < end && (status == STATUS_OK || status == STATUS_VOLUME)) {
		size_t len = (size_t)min_u64(end - off, CHUNK), got;

		status = bundle_read(v->walk.cursor, e, off, len, v->chunk, &got);
		off += len;
	}
	return status == STATUS_VOLUME ? STATUS_OK : status;
}

/* All data of a sparse file, whose addresses are its runs', and no holes. */
static int read_runs_again(struct verify *v, const struct format_entry *e)
{
	uint64_t begin, end = 0;
	int status = STATUS_OK;

	while (status == STATUS_OK && end < e->size) {
		status = bundle_data_range(v->walk.cursor, e, end, &begin, &end);
		if (status == STATUS_OK && begin < e->size)
			status = read_again(v, e, begin, end);
	}
	return status;
}

/* Only those parts of a file that could not be read. */
static int check_again(struct verify *v, const struct format_entry *e)
{
	uint64_t at = e->place, end = e->place + e->size;
	const struct range *bad;
	int status = STATUS_OK;

	if (e->sparse)
		return v->suspect.count ? read_runs_again(v, e) : STATUS_OK;
	while (status == STATUS_OK && (bad = ranges_find(&v->suspect, at, end)) != NULL) {
		uint64_t from = max_u64(bad->begin, at), to = min_u64(bad->end, end);

		status = read_again(v, e, from - e->place, to - e->place);
		at = to;
	}
	return status;
}

/* What the walk stands on. */
static int check_entry(struct verify *v)
{
	const struct format_entry *e = &v->walk.entry->e;

	if (e->kind == KIND_FILE && e->size)
		return check_again(v, e);
	if (e->kind == KIND_SYMLINK && v->index_lost)
		return bundle_readlink(v->walk.cursor, e, (char *)v->chunk);
	return STATUS_OK;
}

static void name_losses(struct verify *v)
{
	struct walk *w = &v->walk;
	int next = walk_start(w, 0);

	if (next)
		name_loss(v, next);
	while (!next && (next = walk_next(w)) != 0) {
		int status = next < 0 ? next : check_entry(v);

		if (status)
			name_loss(v, status);
		next = 0;
	}
}

/* --- the report ---------------------------------------------------------------------------- */

static bool is_damaged(const struct verify *v)
{
	return v->repaired || v->lost || v->parity || v->bad_roots || v->bad_headers || v->missing;
}

/* Something is gone for good, or was never right. */
static bool is_lost(const struct verify *v)
{
	return v->files_lost || v->index_lost || v->segments_lost || v->worst || v->lost;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_absent_volumes(struct verify *v)
{
	unsigned count = bundle_volume_count(v->bundle);

	for (unsigned i = 0; i < count; i++)
		if (!bundle_volume(v->bundle, i)->pages)
			out_format(
				&v->out,
				"not here: volume %u of %u; what is only in it was not checked\n",
				i + 1, count);
}

/* What was found beside the files. */
static void print_findings(struct verify *v)
{
	struct out *out = &v->out;

	if (v->bad_headers)
		out_format(out, "damaged: %u header%s\n", v->bad_headers, plural(v->bad_headers));
	if (v->unchecked_headers)
		out_format(out, "not checked: %u header%s, for want of memory\n",
		           v->unchecked_headers, plural(v->unchecked_headers));
	if (v->bad_roots)
		out_format(out, "damaged: %u root page%s\n", v->bad_roots, plural(v->bad_roots));
	if (v->parity)
		out_format(out, "damaged: %" PRIu64 " parity page%s\n", v->parity,
		           plural(v->parity));
	if (v->missing)
		out_format(out, "cut off: %" PRIu64 " byte%s at the end\n", v->missing,
		           plural(v->missing));
	if (v->appended)
		out_format(out, "appended: %" PRIu64 " byte%s at the end, which do no harm\n",
		           v->appended, plural(v->appended));
	print_absent_volumes(v);
}

static void print_result(struct verify *v)
{
	struct out *out = &v->out;

	print_findings(v);
	if (v->repaired)
		out_format(out, "repaired: %" PRIu64 " of %" PRIu64 " pages, from parity\n",
		           v->repaired, v->pages);
	if (v->lost)
		out_format(out, "beyond repair: %" PRIu64 " of %" PRIu64 " pages\n", v->lost,
		           v->pages);
	if (v->index_lost)
		out_format(out, "%s: a part of the index\n",
		           v->worst == STATUS_DAMAGED ? "beyond repair" : loss_word(v->worst));
	if (v->files_lost)
		out_format(out, "lost: %" PRIu64 " file%s, named above; all others can be read\n",
		           v->files_lost, plural(v->files_lost));
	else if (is_lost(v))
		out_text(out, "no file is lost\n");
	else if (is_damaged(v))
		out_text(out,
		         "all files are whole, but this copy is wearing out: get a fresh one\n");
	else
		out_text(out, "healthy\n");
}

static void print_json_result(struct verify *v)
{
	struct out *out = &v->out;
	const char *between = "";

	out_format(out,
	           "{\"type\": \"summary\", \"result\": \"%s\", \"files_lost\": %" PRIu64
	           ", \"pages\": %" PRIu64 ", \"repaired\": %" PRIu64 ", \"lost\": %" PRIu64
	           ", \"parity_damaged\": %" PRIu64,
	           is_lost(v)      ? "lost"
	           : is_damaged(v) ? "repaired"
	                           : "healthy",
	           v->files_lost, v->pages, v->repaired, v->lost, v->parity);
	out_format(out,
	           ", \"roots_damaged\": %u, \"headers_damaged\": %u, \"index_damaged\": %s"
	           ", \"appended\": %" PRIu64 ", \"missing\": %" PRIu64 ", \"missing_volumes\": [",
	           v->bad_roots, v->bad_headers, v->index_lost ? "true" : "false", v->appended,
	           v->missing);
	for (unsigned i = 0; i < bundle_volume_count(v->bundle); i++)
		if (!bundle_volume(v->bundle, i)->pages) {
			out_format(out, "%s%u", between, i + 1);
			between = ", ";
		}
	out_text(out, "]}\n");
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Bytes that the two rounds over the medium will count. */
static uint64_t total_bytes(const struct verify *v)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < bundle_volume_count(v->bundle); i++) {
		const struct pages *pages = bundle_volume(v->bundle, i)->pages;

		if (pages)
			total += bundle_range_start(v->bundle, i + 1) -
			         bundle_range_start(v->bundle, i) +
			         (uint64_t)(page_count(&pages->parity) - first_unchecked(v, i)) *
			                 FORMAT_PAGE;
	}
	return total;
}

static void run_round(struct verify *v, bool (*next)(void *, void *),
                      void (*work)(void *, unsigned, const void *))
{
	const struct pool_job job = {.next = next, .work = work, .context = v};

	pool_run(v->session, &job);
}

static void check_structure(struct verify *v)
{
	const char *what;
	int status = check_tree(v->session->arena, v->cursor, v->content, &what);

	if (status == STATUS_OK)
		return;
	if (status == STATUS_INVALID)
		diag_error(v->session->options->bundle, "invalid: %s", what);
	else if (status != STATUS_DAMAGED)
		diag_status(v->session->options->bundle, status);
	lose_index(v, status);
}

static void verify_all(struct verify *v)
{
	run_round(v, next_block, check_block);
	if (!v->index_lost)
		check_structure(v);
	progress_start(v->progress, "verifying", total_bytes(v));
	run_round(v, next_piece, check_piece);
	check_ends(v);
	run_round(v, next_pages, check_pages);
	progress_finish(v->progress);
	check_ends_of_volumes(v);
	if (v->suspect.count || v->index_lost || v->segments_lost || v->lost)
		name_losses(v);
	if (is_lost(v))
		session_note(v->session, 4);
	else if (is_damaged(v))
		session_note(v->session, 5);
	if (v->json)
		print_json_result(v);
	else
		print_result(v);
	session_note(v->session, out_finish(&v->out));
}

static int prepare(struct verify *v)
{
	struct session *s = v->session;
	enum progress_mode mode = v->json ? PROGRESS_JSON : PROGRESS_TEXT;

	v->bundle = s->bundle;
	v->content = bundle_content(s->bundle);
	v->cursor = s->cursor;
	v->chunk = arena_alloc(s->arena, CHUNK);
	if (!v->chunk || out_init(&v->out, s->arena, OUT_ROOM) ||
	    walk_init(&v->walk, s->arena, s->cursor) ||
	    progress_new(&v->progress, s->options->quiet ? PROGRESS_SILENT : mode))
		return diag_status(NULL, STATUS_NOMEM);
	return 0;
}

static int run(int argc, char **argv)
{
	const struct session_needs needs = {
		.room = walk_size() + OUT_ROOM + CHUNK + check_size(),
		.workers = true,
	};
	struct verify *v = calloc(1, sizeof *v);
	struct options options;
	struct session session;
	int code;

	if (!v)
		return diag_status(NULL, STATUS_NOMEM);
	pthread_mutex_init(&v->turn, NULL);
	code = options_parse(&options, &verify_verb, argc, argv, take_option, v);
	if (code < 0) {
		code = session_open(&session, &options, &needs);
		v->session = &session;
		if (code == 0)
			code = prepare(v);
		if (code == 0)
			verify_all(v);
		session_note(&session, code);
		code = session_close(&session);
	}
	progress_free(v->progress);
	walk_fini(&v->walk);
	free(v);
	return code;
}

const struct verb verify_verb = {
	.name = "verify",
	.operands = "BUNDLE",
	.summary = "read all of it and name what is damaged",
	.rows = rows,
	.run = run,
};
