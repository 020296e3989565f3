#include "bundler/segments.h"

#include <stdlib.h>

#include "bundler/spill.h"
#include "common/status.h"

enum { EVERY = 512, FIRST_ROOM = 64 };

struct segments {
	struct spill *spill;
	struct piece last; /* plain_len 0: none; not yet in the spill, for it may grow */
	uint64_t count;    /* in the spill */
	uint64_t content_len, plain_len;
	uint64_t leaves;              /* of those in the spill */
	struct segments_place *noted; /* every EVERYth segment */
	size_t room;
};

int segments_new(struct segments **segments, struct arena *arena, size_t memory,
                 const char *directory)
{
	struct segments *s = calloc(1, sizeof(*s));
	int status = STATUS_NOMEM;

	if (s)
		status = spill_new(&s->spill, arena, memory, directory);
	if (status == STATUS_OK)
		*segments = s;
	else
		segments_free(s);
	return status;
}

void segments_free(struct segments *s)
{
	if (!s)
		return;
	spill_free(s->spill);
	free(s->noted);
	free(s);
}

static int note_begin(struct segments *s)
{
	size_t at = (size_t)(s->count / EVERY);

	if (at == s->room) {
		size_t room = s->room ? 2 * s->room : FIRST_ROOM;
		struct segments_place *noted = realloc(s->noted, room * sizeof(*noted));

		if (!noted)
			return STATUS_NOMEM;
		s->noted = noted;
		s->room = room;
	}
	s->noted[at] = (struct segments_place){
		s->count, s->content_len - piece_stored_len(&s->last), s->leaves};
	return STATUS_OK;
}

int segments_close(struct segments *s)
{
	int status = STATUS_OK;

	if (s->last.plain_len == 0)
		return STATUS_OK;
	if (s->count % EVERY == 0)
		status = note_begin(s);
	if (status == STATUS_OK)
		status = spill_append(s->spill, &s->last, sizeof(s->last));
	if (status)
		return status;
	s->count++;
	s->leaves += piece_leaves(&s->last);
	s->last.plain_len = 0;
	return STATUS_OK;
}

static bool goes_on(const struct piece *last, const struct piece *piece)
{
	return last->plain_len && !last->stored_len && !piece->stored_len &&
	       piece->source != PIECE_SPILLED && last->source == piece->source &&
	       last->where + last->plain_len == piece->where;
}

int segments_add(struct segments *s, const struct piece *piece)
{
	int status;

	if (goes_on(&s->last, piece)) {
		s->last.plain_len += piece->plain_len;
	} else {
		status = segments_close(s);
		if (status)
			return status;
		s->last = *piece;
	}
	s->content_len += piece_stored_len(piece);
	s->plain_len += piece->plain_len;
	return STATUS_OK;
}

/* The last piece, which is given up. */
static int take_back(struct segments *s, struct piece *piece)
{
	int status = STATUS_OK;

	if (s->last.plain_len == 0) {
		status = segments_get(s, s->count - 1, &s->last);
		if (status)
			return status;
		s->count--;
		s->leaves -= piece_leaves(&s->last);
	}
	*piece = s->last;
	s->last.plain_len = 0;
	s->content_len -= piece_stored_len(piece);
	s->plain_len -= piece->plain_len;
	return STATUS_OK;
}

int segments_rewind(struct segments *s, uint64_t plain_len, uint64_t *stored, uint64_t *compressed,
                    uint64_t *spilled)
{
	*stored = *compressed = 0;
	while (s->plain_len > plain_len) {
		struct piece piece;
		int status = take_back(s, &piece);

		if (status)
			return status;
		*(piece.stored_len ? compressed : stored) += piece.plain_len;
		if (piece_spilled(&piece))
			*spilled = piece.where;
	}
	return spill_cut(s->spill, s->count * sizeof(struct piece));
}

uint64_t segments_count(const struct segments *s)
{
	return s->count;
}

uint64_t segments_content_len(const struct segments *s)
{
	return s->content_len;
}

uint64_t segments_plain_len(const struct segments *s)
{
	return s->plain_len;
}

int segments_get(const struct segments *s, uint64_t n, struct piece *piece)
{
	return spill_read(s->spill, n * sizeof(*piece), sizeof(*piece), piece);
}

/* The last noted segment that begins at or before off. */
static const struct segments_place *find_noted(const struct segments *s, uint64_t off)
{
	uint64_t low = 0, high = (s->count - 1) / EVERY;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (s->noted[middle].begin <= off)
			low = middle;
		else
			high = middle - 1;
	}
	return &s->noted[low];
}

static int find(const struct segments *s, uint64_t off, struct segments_place *place,
                struct piece *piece)
{
	struct segments_place at = *find_noted(s, off);

	for (;; at.n++) {
		int status = segments_get(s, at.n, piece);

		if (status)
			return status;
		if (off - at.begin < piece_stored_len(piece))
			break;
		at.begin += piece_stored_len(piece);
		at.leaf += piece_leaves(piece);
	}
	*place = at;
	return STATUS_OK;
}

int segments_find(const struct segments *s, uint64_t off, struct segments_place *place)
{
	struct piece piece;

	return find(s, off, place, &piece);
}

/* Where segment number n begins, which may be the one behind the last. */
static int find_begin(const struct segments *s, uint64_t n, uint64_t *begin)
{
	struct segments_place at;

	if (n == s->count) {
		*begin = s->content_len;
		return STATUS_OK;
	}
	at = s->noted[n / EVERY];
	for (; at.n < n; at.n++) {
		struct piece piece;
		int status = segments_get(s, at.n, &piece);

		if (status)
			return status;
		at.begin += piece_stored_len(&piece);
	}
	*begin = at.begin;
	return STATUS_OK;
}

/* How many segments before or behind number n are from the same file?  They lie
 * together: halving finds it. */
static int count_same(const struct segments *s, uint64_t n, bool before, uint32_t source,
                      uint64_t *same)
{
	uint64_t low = 0, high = before ? n : s->count - 1 - n;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;
		struct piece piece;
		int status = segments_get(s, before ? n - middle : n + middle, &piece);

		if (status)
			return status;
		if (piece.source == source)
			low = middle;
		else
			high = middle - 1;
	}
	*same = low;
	return STATUS_OK;
}

int segments_find_file(const struct segments *s, uint64_t off, uint64_t *begin, uint64_t *end)
{
	struct segments_place place;
	struct piece piece;
	uint64_t before = 0, behind = 0;
	int status = find(s, off, &place, &piece);

	if (status == STATUS_OK && piece.source != PIECE_SPILLED) {
		status = count_same(s, place.n, true, piece.source, &before);
		if (status == STATUS_OK)
			status = count_same(s, place.n, false, piece.source, &behind);
	}
	if (status == STATUS_OK)
		status = find_begin(s, place.n - before, begin);
	if (status == STATUS_OK)
		status = find_begin(s, place.n + behind + 1, end);
	return status;
}

int segments_find_leaf(const struct segments *s, uint64_t off, uint64_t *leaf)
{
	struct segments_place place;
	struct piece piece;
	int status = find(s, off, &place, &piece);

	if (status == STATUS_OK)
		*leaf = place.leaf + (piece.stored_len ? 0 : (off - place.begin) / FORMAT_LEAF);
	return status;
}
