/* Contents with holes, kept in a spill and read at any place. */
#include "tests/unit/unit.h"

#include "bundler/kept.h"
#include "bundler/origin.h"
#include "bundler/spill.h"
#include "common/arena.h"
#include "common/status.h"

enum { SIZE = 3 << 20 };

static struct arena *arena;
static struct spill *spill;
static struct kept_writer writer;
static uint8_t expected[SIZE];

static int setup(void **state)
{
	(void)state;
	return arena_new(&arena, 65536, true) || spill_new(&spill, arena, 65536, "/tmp");
}

static int teardown(void **state)
{
	(void)state;
	kept_fini(&writer);
	spill_free(spill);
	arena_free(arena);
	return 0;
}

static void add(uint64_t off, size_t len)
{
	for (size_t i = 0; i < len; i++)
		expected[off + i] = (uint8_t)(1 + (off + i) % 251);
	assert_int_equal(kept_add(&writer, off, expected + off, len), STATUS_OK);
}

static void begin(void)
{
	memset(expected, 0, sizeof expected);
	kept_begin(&writer, spill);
}

/* "begin-end ...": the data of a file of size bytes, which reads as expected. */
static const char *data_of(uint64_t at, uint64_t size)
{
	static char text[512];
	static uint8_t bytes[SIZE];
	struct kept_file file;
	uint64_t from, to;

	assert_int_equal(kept_open(&file, spill, at), STATUS_OK);
	for (size_t off = 0, len = 1; off < size; off += len, len = len * 7 % 200003) {
		len = len < size - off ? len : size - off;
		assert_int_equal(kept_read(&file, bytes + off, len, off), STATUS_OK);
	}
	assert_memory_equal(bytes, expected, size);
	text[0] = '\0';
	for (uint64_t off = 0;; off = to) {
		assert_int_equal(kept_next_data(&file, size, off, &from, &to), STATUS_OK);
		if (from == to)
			break;
		sprintf(text + strlen(text), "%s%u-%u", text[0] ? " " : "", (unsigned)from,
		        (unsigned)to);
	}
	assert_true(from == size);
	return text;
}

static uint64_t end(uint64_t size)
{
	uint64_t at;

	assert_int_equal(kept_end(&writer, size, &at), STATUS_OK);
	return at;
}

static void without_holes(void **state)
{
	(void)state;
	begin();
	add(0, 5);
	add(5, 100000);
	assert_string_equal(data_of(end(100005), 100005), "0-100005");
	begin();
	assert_string_equal(data_of(end(0), 0), "");
}

static void with_holes(void **state)
{
	uint64_t first, second;

	(void)state;
	begin();
	add(0, 10);
	add(10 + ORIGIN_HOLE, 10);
	add(1 << 20, 1 << 20);
	first = end(SIZE);
	assert_string_equal(data_of(first, SIZE), "0-10 65546-65556 1048576-2097152");

	/* A piece of nothing is none. */
	begin();
	add(0, 10);
	add(200000, 0);
	add(1 << 20, 5);
	add(SIZE, 0);
	assert_string_equal(data_of(end(SIZE), SIZE), "0-10 1048576-1048581");
	begin();
	add(0, 10);
	add(20, 0);
	assert_string_equal(data_of(end(30), 30), "0-30");

	/* What is less than a hole is zeros. */
	begin();
	add(ORIGIN_HOLE - 1, 1);
	add(2 * ORIGIN_HOLE - 1, 1);
	second = end(3 * ORIGIN_HOLE - 1);
	assert_string_equal(data_of(second, 3 * ORIGIN_HOLE - 1), "0-196607");
	begin();
	assert_string_equal(data_of(end(SIZE), SIZE), "");
	begin();
	add(SIZE - 1, 1);
	assert_string_equal(data_of(end(SIZE), SIZE), "3145727-3145728");
}

static void more_holes_than_are_kept(void **state)
{
	uint64_t off = 0;

	(void)state;
	begin();
	for (size_t i = 0; i < 1 << 18; i++, off += 2 * ORIGIN_HOLE)
		assert_int_equal(kept_add(&writer, off, "x", 1), STATUS_OK);
	assert_int_equal(kept_add(&writer, off, "x", 1), STATUS_TOOBIG);
}

static void nonsense_is_refused(void **state)
{
	uint64_t at;

	(void)state;
	begin();
	add(100, 10);
	assert_int_equal(kept_add(&writer, 109, "x", 1), STATUS_INVALID);
	assert_int_equal(kept_end(&writer, 109, &at), STATUS_INVALID);
	begin();
	add(0, 1);
	assert_int_equal(kept_add(&writer, UINT64_MAX, "x", 1), STATUS_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_holes),
		cmocka_unit_test(with_holes),
		cmocka_unit_test(more_holes_than_are_kept),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("kept", tests, setup, teardown);
}
