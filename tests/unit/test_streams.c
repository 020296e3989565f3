#include "tests/unit/unit.h"

#include "common/format.h"
#include "fusefs/streams.h"

enum { PIECE = 128 * 1024, MIB = 1024 * 1024 };

static struct streams *streams;

static int setup(void **state)
{
	(void)state;
	return streams_new(&streams);
}

static int teardown(void **state)
{
	(void)state;
	free(streams);
	return 0;
}

static void in_order_asks_ahead_and_never_twice(void **state)
{
	uint64_t asked = 0, from, len;

	(void)state;
	for (uint64_t off = 0; off < 64 * MIB; off += PIECE) {
		struct stream_ref ref = streams_note(streams, 7, off, PIECE);

		if (!streams_ask(streams, ref, &from, &len))
			continue;
		assert_true(from >= asked);
		assert_true(from >= off + PIECE);
		assert_true(from + len - (off + PIECE) <= 8 * MIB);
		asked = from + len;
		/* Once it runs, it is always well ahead. */
		if (off > 4 * MIB)
			assert_true(asked >= off + PIECE + 4 * MIB);
	}
	assert_true(asked > 64 * MIB);
}

static void slightly_out_of_order_is_in_order(void **state)
{
	uint64_t from, len;
	unsigned asked = 0;

	(void)state;
	for (uint64_t off = 0; off < 16 * MIB; off += 2 * PIECE) {
		struct stream_ref late = streams_note(streams, 7, off + PIECE, PIECE);

		asked += streams_ask(streams, late, &from, &len);
		streams_note(streams, 7, off, PIECE);
	}
	assert_true(asked > 2);
}

static void random_reads_ask_for_nothing(void **state)
{
	uint64_t from, len, x = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct stream_ref ref;

		x = x * 6364136223846793005u + 1442695040888963407u;
		ref = streams_note(streams, 7, (x >> 20) % ((uint64_t)4 << 30), 4096);
		assert_false(streams_ask(streams, ref, &from, &len));
		assert_false(streams_decode(streams, ref, 2 * MIB, &from));
	}
}

static void files_do_not_disturb_each_other(void **state)
{
	uint64_t from, len;
	unsigned asked[8] = {0};

	(void)state;
	for (uint64_t off = 0; off < 16 * MIB; off += PIECE)
		for (unsigned node = 0; node < 8; node++)
			asked[node] += streams_ask(
				streams, streams_note(streams, node + 2, off, PIECE), &from, &len);
	for (unsigned node = 0; node < 8; node++)
		assert_true(asked[node] > 2);
}

static void each_place_is_decoded_ahead_once(void **state)
{
	uint64_t off, next = 0, expected = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct stream_ref ref = streams_note(streams, 7, next, MIB);

		next += MIB;
		while (streams_decode(streams, ref, 2 * MIB, &off)) {
			assert_true(off >= next);
			assert_true(off < next + 2 * MIB);
			assert_true(expected == 0 || off == expected);
			expected = off + FORMAT_FRAME;
		}
	}
	assert_true(expected >= 40 * MIB);
}

static void what_could_not_be_decoded_is_given_out_again(void **state)
{
	struct stream_ref ref = {0};
	uint64_t off, again;

	(void)state;
	for (uint64_t next = 0; next < 3 * MIB; next += MIB)
		ref = streams_note(streams, 7, next, MIB);
	assert_true(streams_is_short(streams, ref, 1));
	assert_true(streams_decode(streams, ref, 2 * MIB, &off));
	streams_put_back(streams, ref, off);
	assert_true(streams_decode(streams, ref, 2 * MIB, &again));
	assert_int_equal(again, off);
	assert_true(streams_decode(streams, ref, 2 * MIB, &again));
	assert_int_equal(again, off + FORMAT_FRAME);
}

static void what_made_room_is_forgotten(void **state)
{
	struct stream_ref ref = {0};
	uint64_t from, len;

	(void)state;
	for (uint64_t off = 0; off < 4 * PIECE; off += PIECE)
		ref = streams_note(streams, 7, off, PIECE);
	for (uint64_t node = 100; node < 300; node++)
		streams_note(streams, node, 0, PIECE);
	assert_false(streams_ask(streams, ref, &from, &len));
}

static void who_reads_in_order_is_alone_until_another_reads(void **state)
{
	struct stream_ref ref = {0};

	(void)state;
	for (uint64_t off = 0; off < 8 * PIECE; off += PIECE)
		ref = streams_note(streams, 7, off, PIECE);
	assert_true(ref.is_alone);
	assert_false(streams_note(streams, 7, 100 * MIB, PIECE).is_alone); /* not in order */
	assert_false(streams_note(streams, 7, 8 * PIECE, PIECE).is_alone);
	assert_true(streams_note(streams, 7, 9 * PIECE, PIECE).is_alone);
	assert_false(streams_note(streams, 8, 10 * PIECE, PIECE).is_alone); /* another file */
	assert_false(streams_note(streams, 7, 10 * PIECE, PIECE).is_alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order_asks_ahead_and_never_twice, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(slightly_out_of_order_is_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(random_reads_ask_for_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(files_do_not_disturb_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(each_place_is_decoded_ahead_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_decoded_is_given_out_again, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(who_reads_in_order_is_alone_until_another_reads,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(what_made_room_is_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
