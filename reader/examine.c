#include "reader/examine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/pages.h"
#include "common/progress.h"
#include "common/status.h"
#include "reader/check.h"
#include "reader/pool.h"
#include "reader/session.h"
#include "reader/verdict.h"

enum { CHUNK = FORMAT_FRAME, PAGES_AT_ONCE = 64 };

struct examine {
	struct session *session;
	struct bundle *bundle;
	const struct format_content *content;
	struct cursor *cursor; /* for who hands out work, and for what one thread does */
	struct progress *progress;
	struct verdict *verdict;
	const struct ranges *only; /* of the content; NULL: all of it */
	_Atomic uint64_t checked;  /* bytes */

	/* Where the rounds stand. */
	enum format_table_no table;
	uint64_t block;                 /* of it */
	uint64_t segment, segment_off;  /* within the segment */
	struct format_segment current;  /* this segment */
	struct format_segment expected; /* where the next segment has to begin */
	bool gap;                       /* a block of the table of segments is lost just now */
	unsigned volume;
	uint32_t page;

	pthread_mutex_t turn;  /* for what follows, and for the verdict */
	struct ranges suspect; /* addresses that could not be read */
};

size_t examine_size(void)
{
	return check_size();
}

int examine_new(struct examine **examine, struct session *session, struct progress *progress,
                struct verdict *verdict)
{
	struct examine *x = calloc(1, sizeof *x);

	if (!x)
		return STATUS_NOMEM;
	x->session = session;
	x->bundle = session->bundle;
	x->content = bundle_content(session->bundle);
	x->cursor = session->cursor;
	x->progress = progress;
	x->verdict = verdict;
	pthread_mutex_init(&x->turn, NULL);
	for (unsigned v = 0; v < bundle_volume_count(x->bundle); v++) {
		struct pages *pages = bundle_volume(x->bundle, v)->pages;

		if (!pages)
			continue;
		pages->give_up = true;
		pages_note_cut(pages);
	}
	*examine = x;
	return STATUS_OK;
}

void examine_free(struct examine *examine)
{
	free(examine);
}

const struct ranges *examine_suspect(const struct examine *examine)
{
	return &examine->suspect;
}

bool examine_found_losses(const struct examine *x)
{
	return x->suspect.count || x->verdict->index_lost || x->verdict->segments_lost ||
	       x->verdict->lost;
}

/* --- the index ---------------------------------------------------------------- */

struct block_unit {
	enum format_table_no table;
	uint64_t block;
};

static bool next_block(void *context, void *out)
{
	struct examine *x = context;

	for (; x->table < TABLE_COUNT; x->table++, x->block = 0) {
		if (x->block == format_block_count(x->table, x->content->table[x->table].records))
			continue;
		*(struct block_unit *)out = (struct block_unit){x->table, x->block};
		x->block = bundle_next_block(x->cursor, x->table, x->block);
		return true;
	}
	return false;
}

static void lose_index(struct examine *x, int status)
{
	pthread_mutex_lock(&x->turn);
	x->verdict->index_lost = true;
	if (x->verdict->worst == STATUS_OK || x->verdict->worst == STATUS_DAMAGED)
		x->verdict->worst = status;
	pthread_mutex_unlock(&x->turn);
}

static void check_block(void *context, unsigned worker, const void *in)
{
	struct examine *x = context;
	const struct block_unit *unit = in;
	int status = bundle_check_block(x->session->worker[worker], unit->table, unit->block);

	if (status)
		lose_index(x, status);
}

/* --- contents ------------------------------------------------------------------- */

struct piece_unit {
	struct format_segment segment;
	uint64_t off;
	uint32_t len;
};

static_assert(sizeof(struct piece_unit) <= POOL_UNIT, "a unit is too large");

/* A rule of the table of segments is broken. */
static void break_segments(struct examine *x, const char *what)
{
	if (!x->verdict->segments_lost)
		diag_error(x->session->options->opening.bundle, "invalid: %s", what);
	session_note(x->session, EXIT_LOST);
	x->verdict->segments_lost = true;
}

/* Each segment begins where the one before ends.  If not, there is no telling
 * where the others do. */
static bool check_order(struct examine *x, const struct format_segment *s)
{
	struct format_segment *e = &x->expected;

	if (s->addr != e->addr || s->off != e->off ||
	    (x->content->is_signed && s->leaf != e->leaf)) {
		break_segments(x, "segments do not follow each other");
		return false;
	}
	e->addr = s->addr + s->plain_len;
	e->off = s->off + s->stored_len;
	e->leaf = s->leaf + format_segment_leaves(s);
	return true;
}

/* These addresses cannot be read. */
static void suspect(struct examine *x, uint64_t begin, uint64_t end)
{
	pthread_mutex_lock(&x->turn);
	ranges_add(&x->suspect, begin, end);
	pthread_mutex_unlock(&x->turn);
}

/* What blocks that are lost described, up to where s begins; unless that is before
 * where it may. */
static void close_gap(struct examine *x, const struct format_segment *s)
{
	struct format_segment *e = &x->expected;

	x->gap = false;
	if (s->addr < e->addr || s->off < e->off || s->leaf < e->leaf)
		return;
	if (s->addr > e->addr)
		suspect(x, e->addr, s->addr);
	*e = *s;
}

static void check_ends(struct examine *x)
{
	const struct format_segment *e = &x->expected;

	if (x->gap && e->addr < x->content->plain_len)
		suspect(x, e->addr, x->content->plain_len);
	if (x->verdict->segments_lost)
		return;
	if (e->addr != x->content->plain_len || e->off != x->content->content_len ||
	    (x->content->is_signed && e->leaf != x->content->leaf_count))
		break_segments(x, "segments do not reach the end");
}

/* Segment number x->segment.  False: its block is lost, and passed over, or all
 * that follow are. */
static bool load_segment(struct examine *x)
{
	if (x->segment_off)
		return true;
	if (bundle_segment(x->cursor, x->segment, &x->current) == STATUS_OK) {
		if (x->gap)
			close_gap(x, &x->current);
		if (check_order(x, &x->current))
			return true;
		x->segment = x->content->table[TABLE_SEGMENTS].records;
	} else {
		x->segment = bundle_next_block(x->cursor, TABLE_SEGMENTS,
		                               x->segment / FORMAT_SEGMENTS_PER_BLOCK) *
		             FORMAT_SEGMENTS_PER_BLOCK;
	}
	x->verdict->segments_lost = x->gap = true;
	return false;
}

/* At most CHUNK bytes of an extent.  Where leaves do not say where to end it is with a page:
 * another one would begin in the midst of it, and open it once more. */
static uint64_t chunk_len(struct examine *x, const struct format_segment *s, uint64_t off)
{
	uint64_t begin = s->off + off, over;
	unsigned volume = bundle_volume_of(x->bundle, begin);

	if (s->stored_len - off <= CHUNK || x->content->is_signed)
		return min_u64(s->stored_len - off, CHUNK);
	over = (bundle_stream_off(x->bundle, volume, begin) + CHUNK) % FORMAT_PAYLOAD;
	return CHUNK - over;
}

/* How much of a segment, from off on, to take at once: not over the end of a
 * volume, for which it must be cut where it may be. */
static uint64_t piece_len(struct examine *x, const struct format_segment *s, uint64_t off)
{
	uint64_t len = s->frame ? s->stored_len : chunk_len(x, s, off);
	unsigned volume = bundle_volume_of(x->bundle, s->off + off);
	uint64_t left = bundle_range_start(x->bundle, volume + 1) - (s->off + off);

	if (len <= left)
		return len;
	if (!s->frame && (off + left) % FORMAT_LEAF == 0)
		return left;
	break_segments(x, "volumes are cut where they may not be");
	return len;
}

static void move_on(struct examine *x, const struct format_segment *s, uint64_t len)
{
	x->segment_off += len;
	if (x->segment_off == s->stored_len) {
		x->segment_off = 0;
		x->segment++;
	}
}

/* These bytes of the content. */
static bool is_wanted(const struct examine *x, uint64_t begin, uint64_t len)
{
	return !x->only || ranges_find(x->only, begin, begin + len);
}

/* How many bytes of the segment from off on are in a volume that is not here, and
 * cannot be checked, or where a medium is too short for all of them.  Those are
 * gone, in one go: a forged length may promise terabytes. */
static uint64_t skip_absent(struct examine *x, const struct format_segment *s, uint64_t off)
{
	uint64_t begin = s->off + off, len;
	unsigned v = bundle_volume_of(x->bundle, begin);

	if (begin < bundle_content_end(x->bundle, v))
		return 0;
	len = min_u64(s->stored_len - off, bundle_range_start(x->bundle, v + 1) - begin);
	if (s->frame)
		len = s->stored_len;
	if (!is_wanted(x, begin, len) ||
	    (!bundle_volume(x->bundle, v)->pages && !bundle_volume(x->bundle, v)->rootless))
		return len;
	if (s->frame)
		suspect(x, s->addr, s->addr + s->plain_len);
	else
		suspect(x, s->addr + off, s->addr + off + len);
	return len;
}

static bool next_piece(void *context, void *out)
{
	struct examine *x = context;
	struct piece_unit *unit = out;

	progress_update(x->progress, atomic_load(&x->checked));
	while (x->segment < x->content->table[TABLE_SEGMENTS].records) {
		uint64_t absent;

		if (!load_segment(x))
			continue;
		unit->segment = x->current;
		absent = skip_absent(x, &unit->segment, x->segment_off);
		unit->off = x->segment_off;
		unit->len = absent ? 0 : (uint32_t)piece_len(x, &unit->segment, unit->off);
		move_on(x, &unit->segment, absent ? absent : unit->len);
		if (!absent && is_wanted(x, unit->segment.off + unit->off, unit->len))
			return true;
	}
	return false;
}

/* All pages of a piece that failed, so that each that is lost is counted. */
static void check_pages_of(struct examine *x, struct cursor *cursor, const struct piece_unit *unit)
{
	uint64_t begin = unit->segment.off + unit->off;
	unsigned volume = bundle_volume_of(x->bundle, begin);
	const struct pages *pages = bundle_volume(x->bundle, volume)->pages;

	begin = bundle_stream_off(x->bundle, volume, begin);
	for (uint64_t i = begin / FORMAT_PAYLOAD; i <= (begin + unit->len - 1) / FORMAT_PAYLOAD;
	     i++)
		if (i < pages_cut(pages))
			bundle_check_page(cursor, volume,
			                  format_data_page(&pages->parity, (uint32_t)i));
}

static void check_piece(void *context, unsigned worker, const void *in)
{
	struct examine *x = context;
	const struct piece_unit *unit = in;
	const struct format_segment *s = &unit->segment;
	struct cursor *cursor = x->session->worker[worker];

	if (bundle_check_segment(cursor, s, unit->off, unit->len)) {
		if (s->frame)
			suspect(x, s->addr, s->addr + s->plain_len);
		else
			suspect(x, s->addr + unit->off, s->addr + unit->off + unit->len);
		check_pages_of(x, cursor, unit);
	}
	atomic_fetch_add(&x->checked, unit->len);
}

/* --- the other pages --------------------------------------------------------------- */

struct pages_unit {
	unsigned volume;
	uint32_t first, count;
};

/* The data pages from begin on, before end. */
struct span {
	uint32_t begin, end;
};

/* The data pages that are all contents, which have been checked. */
static struct span checked_pages(const struct examine *x, unsigned volume)
{
	uint64_t begin = bundle_volume(x->bundle, volume)->front;
	uint64_t end =
		bundle_stream_off(x->bundle, volume, bundle_range_start(x->bundle, volume + 1));
	struct span span = {(uint32_t)div_ceil(begin, FORMAT_PAYLOAD),
	                    (uint32_t)(end / FORMAT_PAYLOAD)};

	return x->verdict->segments_lost || span.end < span.begin ? (struct span){0, 0} : span;
}

/* Logical pages to look at: not those that a medium is too short for by whole
 * bands, which are counted. */
static uint32_t page_count(const struct pages *pages)
{
	const struct format_parity *parity = &pages->parity;
	uint32_t cut = pages_cut(pages);

	return cut < parity->data_pages ? format_data_page(parity, cut)
	                                : parity->data_pages + parity->parity_pages;
}

/* The first logical page from t on that is parity, or data outside of what was checked. */
static uint32_t skip_checked(const struct format_parity *parity, struct span checked, uint32_t t)
{
	uint32_t columns = parity->columns, data, all, band, place, i;

	if (parity->m == 0)
		return t >= checked.begin && t < checked.end ? checked.end : t;
	data = FORMAT_ROWS * columns;
	all = data + parity->m * columns;
	band = t / all;
	place = t % all;
	i = band * data + place;
	if (place >= format_band_pages(parity, band) || i < checked.begin || i >= checked.end)
		return t;
	return t + (uint32_t)min_u64(checked.end - i, format_band_pages(parity, band) - place);
}

static bool next_pages(void *context, void *out)
{
	struct examine *x = context;
	struct pages_unit *unit = out;

	progress_update(x->progress, atomic_load(&x->checked));
	for (; x->volume < bundle_volume_count(x->bundle); x->volume++, x->page = 0) {
		const struct bundle_volume *volume = bundle_volume(x->bundle, x->volume);
		struct span checked;
		uint32_t end;

		if (!volume->pages)
			continue;
		checked = checked_pages(x, x->volume);
		end = page_count(volume->pages);
		x->page = skip_checked(&volume->pages->parity, checked, x->page);
		if (x->page >= end)
			continue;
		*unit = (struct pages_unit){x->volume, x->page, 0};
		while (unit->count < PAGES_AT_ONCE && x->page < end &&
		       skip_checked(&volume->pages->parity, checked, x->page) == x->page) {
			unit->count++;
			x->page++;
		}
		return true;
	}
	return false;
}

static void check_pages(void *context, unsigned worker, const void *in)
{
	struct examine *x = context;
	const struct pages_unit *unit = in;

	/* What is damaged is counted in the volume's health. */
	for (uint32_t t = unit->first; t < unit->first + unit->count; t++)
		if (bundle_check_page(x->session->worker[worker], unit->volume, t) ==
		    STATUS_INVALID)
			lose_index(x, STATUS_INVALID);
	atomic_fetch_add(&x->checked, (uint64_t)unit->count * FORMAT_PAGE);
}

/* --- headers and roots ----------------------------------------------------------------- */

static void check_header(struct examine *x, unsigned volume, enum header_copy copy)
{
	int status = bundle_check_header(x->bundle, volume, copy, keyring_keys(x->session->keys));

	if (status == STATUS_KDFMEM)
		x->verdict->unchecked_headers++;
	else if (status)
		x->verdict->bad_headers++;
}

static void check_ends_of_volumes(struct examine *x)
{
	for (unsigned i = 0; i < bundle_volume_count(x->bundle); i++) {
		const struct bundle_volume *volume = bundle_volume(x->bundle, i);

		x->verdict->rootless += volume->rootless;
		if (!volume->pages)
			continue;
		for (unsigned c = 0; c < FORMAT_ROOTS; c++)
			x->verdict->bad_roots += bundle_check_root(x->cursor, i, c) != STATUS_OK;
		check_header(x, i, HEADER_A);
		check_header(x, i, HEADER_B);
		verdict_add_volume(x->verdict, volume);
	}
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Bytes that the two rounds over the medium will count. */
static uint64_t total_bytes(const struct examine *x)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < bundle_volume_count(x->bundle); i++) {
		const struct pages *pages = bundle_volume(x->bundle, i)->pages;
		struct span checked = checked_pages(x, i);
		uint32_t skipped = checked.end - checked.begin;

		if (!pages)
			continue;
		total += bundle_content_end(x->bundle, i) - bundle_range_start(x->bundle, i);
		if (skipped < page_count(pages))
			total += (uint64_t)(page_count(pages) - skipped) * FORMAT_PAGE;
	}
	return total;
}

static void run_round(struct examine *x, bool (*next)(void *, void *),
                      void (*work)(void *, unsigned, const void *))
{
	const struct pool_job job = {.next = next, .work = work, .context = x};

	pool_run(x->session, &job);
}

static void check_structure(struct examine *x)
{
	const char *what;
	int status = check_tree(x->session->arena, x->cursor, x->content, &what);

	x->verdict->index_unchecked = status == STATUS_NOMEM;
	if (status == STATUS_OK || status == STATUS_NOMEM)
		return;
	if (status == STATUS_INVALID)
		diag_error(x->session->options->opening.bundle, "invalid: %s", what);
	else if (status != STATUS_DAMAGED)
		diag_status(x->session->options->opening.bundle, status);
	lose_index(x, status);
}

void examine_index(struct examine *x)
{
	run_round(x, next_block, check_block);
	if (!x->verdict->index_lost)
		check_structure(x);
}

void examine_all(struct examine *x)
{
	examine_index(x);
	progress_start(x->progress, "verifying", total_bytes(x));
	run_round(x, next_piece, check_piece);
	check_ends(x);
	run_round(x, next_pages, check_pages);
	progress_finish(x->progress);
	check_ends_of_volumes(x);
}

void examine_part(struct examine *x, const struct ranges *lost)
{
	x->only = lost;
	run_round(x, next_piece, check_piece);
	check_ends(x);
}
