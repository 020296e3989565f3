#include "tests/unit/unit.h"

#include "bundler/check.h"
#include "common/status.h"

enum { PIECES = 5, LEN = 1000 };

static struct check_piece *piece;

static int setup(void **state)
{
	(void)state;
	return sodium_init() < 0 || check_piece_new(&piece);
}

static int teardown(void **state)
{
	(void)state;
	check_piece_free(piece);
	return 0;
}

static void add(struct check *check, uint64_t no, const uint8_t *bytes, size_t len)
{
	uint8_t tag[CHECK_TAG];

	check_piece_tag(piece, check, no, bytes, len, tag);
	check_add(check, tag);
}

/* What was written against the same, but for what edit does to piece 2. */
static bool compare(void (*edit)(uint8_t (*read)[LEN], size_t *len, int *pieces))
{
	uint8_t written[PIECES][LEN], read[PIECES][LEN];
	size_t len = LEN;
	int pieces = PIECES;
	struct check check;
	uint8_t sum[2][CHECK_TAG];

	randombytes_buf(written, sizeof written);
	memcpy(read, written, sizeof read);
	edit(read, &len, &pieces);
	check_init(&check);
	check_begin(&check, 7);
	for (int i = 0; i < PIECES; i++)
		add(&check, (uint64_t)i, written[i], LEN);
	check_end(&check, sum[0]);
	check_begin(&check, 7);
	for (int i = 0; i < pieces; i++)
		add(&check, (uint64_t)i, read[i], i == 2 ? len : LEN);
	check_end(&check, sum[1]);
	return !memcmp(sum[0], sum[1], CHECK_TAG);
}

static void nothing(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	(void)read, (void)len, (void)pieces;
}

static void flip(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	(void)len, (void)pieces;
	read[2][LEN - 1] ^= 0x80;
}

/* A drive smaller than it says gives back what was written later, or earlier. */
static void wrap(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	(void)len, (void)pieces;
	memcpy(read[2], read[4], LEN);
}

static void swap(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	uint8_t other[LEN];

	(void)len, (void)pieces;
	memcpy(other, read[1], LEN);
	memcpy(read[1], read[2], LEN);
	memcpy(read[2], other, LEN);
}

static void shorten(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	(void)read, (void)pieces;
	(*len)--;
}

static void end_early(uint8_t (*read)[LEN], size_t *len, int *pieces)
{
	(void)read, (void)len;
	(*pieces)--;
}

static void the_same_is_the_same(void **state)
{
	(void)state;
	assert_true(compare(nothing));
}

static void every_difference_shows(void **state)
{
	(void)state;
	assert_false(compare(flip));
	assert_false(compare(wrap));
	assert_false(compare(swap));
	assert_false(compare(shorten));
	assert_false(compare(end_early));
}

static void tags_depend_on_key_and_place(void **state)
{
	static const uint8_t bytes[100] = {1};
	uint8_t tag[4][CHECK_TAG];
	struct check one, two;

	(void)state;
	check_init(&one);
	check_init(&two);
	check_piece_tag(piece, &one, 7, bytes, sizeof bytes, tag[0]);
	check_piece_tag(piece, &one, 7, bytes, sizeof bytes, tag[1]);
	check_piece_tag(piece, &one, 8, bytes, sizeof bytes, tag[2]);
	check_piece_tag(piece, &two, 7, bytes, sizeof bytes, tag[3]);
	assert_memory_equal(tag[0], tag[1], CHECK_TAG);
	assert_memory_not_equal(tag[0], tag[2], CHECK_TAG);
	assert_memory_not_equal(tag[0], tag[3], CHECK_TAG);
}

/* Files of the same pieces do not stand for each other. */
static void sums_depend_on_the_file(void **state)
{
	static const uint8_t tag[CHECK_TAG] = {1};
	uint8_t sum[3][CHECK_TAG];
	struct check check;

	(void)state;
	check_init(&check);
	for (unsigned i = 0; i < 3; i++) {
		check_begin(&check, i / 2);
		check_add(&check, tag);
		check_end(&check, sum[i]);
	}
	assert_memory_equal(sum[0], sum[1], CHECK_TAG);
	assert_memory_not_equal(sum[0], sum[2], CHECK_TAG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_the_same),
		cmocka_unit_test(every_difference_shows),
		cmocka_unit_test(tags_depend_on_key_and_place),
		cmocka_unit_test(sums_depend_on_the_file),
	};

	return cmocka_run_group_tests_name("check", tests, setup, teardown);
}
