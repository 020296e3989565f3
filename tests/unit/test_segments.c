/* Segments are found by their bytes, and leaves are numbered as bundle(5) has it. */
#include "tests/unit/unit.h"

#include "bundler/segments.h"
#include "common/arena.h"
#include "common/status.h"

static struct arena *arena;

static struct segments *make(const struct piece *piece, size_t count)
{
	struct segments *s;

	assert_int_equal(arena_new(&arena, 65536, true), STATUS_OK);
	assert_int_equal(segments_new(&s, arena, 65536, "."), STATUS_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(segments_add(s, &piece[i]), STATUS_OK);
	assert_int_equal(segments_close(s), STATUS_OK);
	return s;
}

static void forget(struct segments *s)
{
	segments_free(s);
	arena_free(arena);
}

static uint64_t leaf_at(const struct segments *s, uint64_t off)
{
	uint64_t leaf;

	assert_int_equal(segments_find_leaf(s, off, &leaf), STATUS_OK);
	return leaf;
}

/* That of bundle(5), "A block of segments", and the lengths around a leaf's. */
static void leaves_are_those_of_the_manual(void **state)
{
	static const struct piece piece[] = {
		{.plain_len = 100000, .source = 0},
		{.plain_len = 300, .stored_len = 40, .source = PIECE_SPILLED},
		{.plain_len = 65536, .source = 1},
		{.plain_len = 65537, .source = 2},
		{.plain_len = 262144, .stored_len = 200000, .source = PIECE_SPILLED},
		{.plain_len = 1, .source = 3},
	};
	static const struct {
		uint64_t off, n, begin, first, leaf;
	} row[] = {
		{0, 0, 0, 0, 0},           {65535, 0, 0, 0, 0},       {65536, 0, 0, 0, 1},
		{99999, 0, 0, 0, 1},       {100000, 1, 100000, 2, 2}, {100039, 1, 100000, 2, 2},
		{100040, 2, 100040, 3, 3}, {165575, 2, 100040, 3, 3}, {165576, 3, 165576, 4, 4},
		{231111, 3, 165576, 4, 4}, {231112, 3, 165576, 4, 5}, {231113, 4, 231113, 6, 6},
		{431112, 4, 231113, 6, 6}, {431113, 5, 431113, 7, 7},
	};
	struct segments *s = make(piece, sizeof piece / sizeof piece[0]);

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct segments_place place;

		assert_int_equal(segments_find(s, row[i].off, &place), STATUS_OK);
		assert_int_equal(place.n, row[i].n);
		assert_int_equal(place.begin, row[i].begin);
		assert_int_equal(place.leaf, row[i].first);
		assert_int_equal(leaf_at(s, row[i].off), row[i].leaf);
	}
	forget(s);
}

/* What goes on in its file is one extent, and its leaves are counted from its start. */
static void extents_that_join_have_joint_leaves(void **state)
{
	static const struct piece piece[] = {
		{.where = 0, .plain_len = 65000, .source = 0},
		{.where = 65000, .plain_len = 1000, .source = 0},
		{.where = 0, .plain_len = 10, .source = 1},
	};
	struct segments *s = make(piece, 3);

	(void)state;
	assert_int_equal(segments_count(s), 2);
	assert_int_equal(leaf_at(s, 65535), 0);
	assert_int_equal(leaf_at(s, 65536), 1);
	assert_int_equal(leaf_at(s, 66000), 2);
	forget(s);
}

/* More than are looked through at a time. */
static void many_are_found(void **state)
{
	enum { MANY = 3000 };
	struct piece *piece = calloc(MANY, sizeof *piece);
	struct segments *s;
	uint64_t begin = 0, leaf = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		piece[i] = (struct piece){.plain_len = 1 + i * 7919u % 200000u, .source = i};
	s = make(piece, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t len = piece[i].plain_len;

		assert_int_equal(leaf_at(s, begin), leaf);
		assert_int_equal(leaf_at(s, begin + len - 1), leaf + (len - 1) / 65536);
		begin += len;
		leaf += (len + 65535) / 65536;
	}
	assert_int_equal(segments_content_len(s), begin);
	forget(s);
	free(piece);
}

/* A file's segments are found from any byte of it, frames and extents alike; what
 * several files share stands for itself. */
static void files_are_found(void **state)
{
	enum { FILES = 300 };
	uint64_t first[FILES + 1], at = 0, begin, end;
	struct segments *s;

	(void)state;
	assert_int_equal(arena_new(&arena, 65536, true), STATUS_OK);
	assert_int_equal(segments_new(&s, arena, 65536, "."), STATUS_OK);
	for (uint32_t i = 0; i < FILES; i++) {
		bool shared = i % 7 == 0;

		first[i] = at;
		for (uint32_t j = 0; j <= (shared ? 0 : i * 31 % 23); j++) {
			struct piece piece = {.where = 2 * at,
			                      .plain_len = 1000 + j,
			                      .source = shared ? PIECE_SPILLED : i,
			                      .stored_len = j % 3 ? 10 + j : 0};

			assert_int_equal(segments_add(s, &piece), STATUS_OK);
			at += piece_stored_len(&piece);
		}
	}
	first[FILES] = at;
	assert_int_equal(segments_close(s), STATUS_OK);
	for (uint32_t i = 0; i < FILES; i++)
		for (uint64_t off = first[i]; off < first[i + 1]; off += 97) {
			assert_int_equal(segments_find_file(s, off, &begin, &end), STATUS_OK);
			assert_true(begin == first[i] && end == first[i + 1]);
		}
	forget(s);
}

/* What is given up leaves no trace: not in what is counted, nor in what is found. */
static void what_is_given_up_was_never_there(void **state)
{
	enum { PIECES = 3000 };
	uint64_t begin[PIECES + 1] = {0}, stored, compressed, spilled;
	struct segments *s, *straight;

	(void)state;
	assert_int_equal(arena_new(&arena, 65536, true), STATUS_OK);
	assert_int_equal(segments_new(&s, arena, 65536, "."), STATUS_OK);
	assert_int_equal(segments_new(&straight, arena, 65536, "."), STATUS_OK);
	for (uint32_t i = 0; i < PIECES; i++) {
		struct piece piece = {.where = 5 * i, .plain_len = 70000 + i, .source = i};

		if (i % 3 == 0)
			piece = (struct piece){.where = 5 * i,
			                       .plain_len = 1000,
			                       .stored_len = 9,
			                       .source = PIECE_SPILLED};
		begin[i + 1] = begin[i] + piece.plain_len;
		assert_int_equal(segments_add(s, &piece), STATUS_OK);
		assert_int_equal(segments_add(straight, &piece), STATUS_OK);
		/* Something long or short behind it, which does not stay. */
		for (uint32_t j = 0; i % 100 == 7 && j < i; j++) {
			piece.where = 1000000 + 7 * j;
			piece.source = j % 2 ? PIECE_SPILLED : PIECES;
			piece.stored_len = j % 2 ? 10 : 0;
			assert_int_equal(segments_add(s, &piece), STATUS_OK);
		}
		spilled = UINT64_MAX;
		assert_int_equal(segments_rewind(s, begin[i + 1], &stored, &compressed, &spilled),
		                 STATUS_OK);
		if (i % 100 == 7) {
			assert_int_equal(stored, (i + 1) / 2 * piece.plain_len);
			assert_int_equal(compressed, i / 2 * piece.plain_len);
			assert_int_equal(spilled, i > 1 ? 1000007 : UINT64_MAX);
		}
	}
	assert_int_equal(segments_close(s), STATUS_OK);
	assert_int_equal(segments_close(straight), STATUS_OK);
	assert_int_equal(segments_count(s), segments_count(straight));
	assert_int_equal(segments_plain_len(s), segments_plain_len(straight));
	assert_int_equal(segments_content_len(s), segments_content_len(straight));
	for (uint64_t off = 0; off < segments_content_len(s); off += 9973) {
		struct segments_place a, b;

		assert_int_equal(segments_find(s, off, &a), STATUS_OK);
		assert_int_equal(segments_find(straight, off, &b), STATUS_OK);
		assert_memory_equal(&a, &b, sizeof a);
	}
	segments_free(straight);
	forget(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_are_those_of_the_manual),
		cmocka_unit_test(extents_that_join_have_joint_leaves),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(files_are_found),
		cmocka_unit_test(what_is_given_up_was_never_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
