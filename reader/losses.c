#include "reader/losses.h"

#include <inttypes.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/session.h"
#include "reader/verdict.h"

/* What is lost is told apart in steps of so many bytes. */
enum { CHUNK = FORMAT_FRAME, STEP = 16384 };

/* What is known of a content: where it begins, and its length (0: none). */
enum { KNOWN = 256 };
struct known {
	uint64_t place, size, runs;
	bool sparse;
	int status;
	uint64_t unread;
};

struct search {
	struct losses *losses;
	const struct ranges *suspect;
	struct verdict *verdict;
	uint64_t runs_left; /* to look at */
	struct known known[KNOWN];
	/* of one file */
	int status;
	uint64_t unread; /* bytes */
};

size_t losses_size(void)
{
	return walk_size() + OUT_ROOM + CHUNK + 2 * 64;
}

int losses_init(struct losses *losses, struct session *session, bool json)
{
	struct arena *arena = session->arena;

	*losses = (struct losses){.session = session, .json = json};
	losses->chunk = arena_alloc(arena, CHUNK);
	if (!losses->chunk || out_init(&losses->out, arena, OUT_ROOM))
		return STATUS_NOMEM;
	return walk_init(&losses->walk, arena, session->cursor);
}

void losses_fini(struct losses *losses)
{
	walk_fini(&losses->walk);
}

/* --- one file ---------------------------------------------------------------------- */

static void lose(struct search *s, int status, uint64_t len)
{
	s->unread += len;
	if (status != STATUS_VOLUME && (s->status == STATUS_OK || s->status == STATUS_DAMAGED))
		s->status = status;
}

/* Bytes off to end of a file, in pieces of at most step; what of them cannot be
 * read, in smaller ones. */
static void read_again(struct search *s, const struct format_entry *e, uint64_t off, uint64_t end,
                       size_t step)
{
	while (off < end) {
		size_t len = (size_t)min_u64(end - off, step), got;
		int status =
			bundle_read(s->losses->walk.cursor, e, off, len, s->losses->chunk, &got);

		if (status && step > STEP)
			read_again(s, e, off, off + len, STEP);
		else if (status)
			lose(s, status, len);
		off += len;
	}
}

/* How many of len bytes at addr are lost for certain: no block of the table of segments
 * tells of them, or a medium is too short for them.  They are not tried one by one, as a
 * forged length may promise terabytes. */
static uint64_t certainly_lost(const struct search *s, uint64_t addr, uint64_t len)
{
	const struct bundle *bundle = s->losses->session->bundle;
	struct format_segment seg;
	uint64_t end, last, from;
	unsigned v;

	if (bundle_segment_at(s->losses->walk.cursor, addr, &seg, &end))
		return min_u64(len, end - addr);
	from = addr - seg.addr;
	last = seg.off + (seg.frame ? seg.stored_len - 1 : from);
	v = bundle_volume_of(bundle, last);
	if (last < bundle_content_end(bundle, v) ||
	    (!bundle_volume(bundle, v)->pages && !bundle_volume(bundle, v)->rootless))
		return 0;
	len = min_u64(len, seg.plain_len - from);
	return seg.frame ? len : min_u64(len, bundle_range_start(bundle, v + 1) - last);
}

/* The suspect bytes from begin to end of a file, which are at addr. */
static void read_suspect(struct search *s, const struct format_entry *e, uint64_t begin,
                         uint64_t end, uint64_t addr)
{
	while (begin < end) {
		uint64_t len = certainly_lost(s, addr, end - begin);

		if (len) {
			lose(s, s->verdict->worst ? s->verdict->worst : STATUS_DAMAGED, len);
		} else {
			len = min_u64(end - begin, CHUNK);
			read_again(s, e, begin, begin + len, CHUNK);
		}
		begin += len;
		addr += len;
	}
}

/* Only those parts of an extent of a file that could not be read. */
static void check_extent(struct search *s, const struct format_entry *e,
                         const struct bundle_extent *x)
{
	uint64_t at = x->addr, end = x->addr + x->len;
	const struct range *bad;

	while ((bad = ranges_find(s->suspect, at, end)) != NULL) {
		uint64_t from = max_u64(bad->begin, at), to = min_u64(bad->end, end);

		read_suspect(s, e, x->off + (from - x->addr), x->off + (to - x->addr), from);
		at = to;
	}
}

static bool take_run(struct search *s)
{
	s->verdict->not_all_named = !s->runs_left;
	if (s->runs_left)
		s->runs_left--;
	return !s->verdict->not_all_named;
}

static void check_file(struct search *s, const struct format_entry *e)
{
	bool wanted = s->suspect->count || (e->sparse && s->verdict->index_lost);
	struct bundle_extent x = {0};

	while (wanted) {
		int status = bundle_next_extent(s->losses->walk.cursor, e, x.off + x.len, &x);

		if (status == STATUS_OK && e->sparse && x.len && !take_run(s))
			status = STATUS_INVALID;
		if (status)
			lose(s, status, e->size - s->unread);
		if (status || !x.len)
			return;
		check_extent(s, e, &x);
	}
}

/* The same, once for all that have the same content: names of one file, and twins. */
static void check_content(struct search *s, const struct format_entry *e)
{
	struct known *known = &s->known[e->place % KNOWN];

	if (known->size == e->size && known->place == e->place && known->runs == e->runs &&
	    known->sparse == e->sparse) {
		s->status = known->status;
		s->unread = known->unread;
		return;
	}
	check_file(s, e);
	*known = (struct known){e->place, e->size, e->runs, e->sparse, s->status, s->unread};
}

/* What the walk stands on. */
static int check_entry(struct search *s)
{
	const struct format_entry *e = &s->losses->walk.entry->e;

	s->status = STATUS_OK;
	s->unread = 0;
	if (e->kind == KIND_FILE && e->size)
		check_content(s, e);
	if (e->kind == KIND_SYMLINK && s->verdict->index_lost)
		return bundle_readlink(s->losses->walk.cursor, e, (char *)s->losses->chunk);
	return s->status;
}

/* --- naming -------------------------------------------------------------------------- */

static void name_json(struct search *s, int status, bool partly)
{
	const struct walk *w = &s->losses->walk;
	struct out *out = &s->losses->out;

	out_format(out, "{\"type\": \"loss\", \"what\": \"%s%s\", ", verdict_loss_word(status),
	           w->names_lost ? " names" : "");
	out_json_name(out, "path", w->path_len ? w->path : ".", w->path_len ? w->path_len : 1);
	if (partly)
		out_format(out, ", \"size\": %" PRIu64 ", \"readable\": %" PRIu64, w->entry->e.size,
		           w->entry->e.size - s->unread);
	out_text(out, "}\n");
	out_flush(out);
}

/* partly: the walk stands on a file, and how much of it is lost is known. */
static void name_loss(struct search *s, int status, bool partly)
{
	const struct walk *w = &s->losses->walk;

	s->verdict->files_lost++;
	session_note(s->losses->session, EXIT_LOST);
	if (s->losses->json)
		name_json(s, status, partly);
	else if (partly)
		diag_error(w->path, "%s; %" PRIu64 " of its %" PRIu64 " bytes can be read",
		           status_text(status), w->entry->e.size - s->unread, w->entry->e.size);
	else
		walk_report(w, s->losses->session, status);
}

void losses_name(struct losses *losses, const struct ranges *suspect, struct verdict *verdict)
{
	const struct format_content *content = bundle_content(losses->session->bundle);
	struct search s = {.losses = losses,
	                   .suspect = suspect,
	                   .verdict = verdict,
	                   /* Each is of one file, which may not be known any more at its
	                    * next name. */
	                   .runs_left = 4 * content->table[TABLE_RUNS].records};
	struct walk *w = &losses->walk;
	int next = walk_start(w, 0);

	if (next) {
		verdict->tree_lost = true;
		name_loss(&s, next, false);
	}
	while (!next && !verdict->not_all_named && (next = walk_next(w)) != 0) {
		int status = next < 0 ? next : check_entry(&s);

		if (status)
			name_loss(&s, status, next > 0 && w->entry->e.kind == KIND_FILE);
		next = 0;
	}
}
