/* The digests of leaves side by side are those of one after the other. */
#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/digests.h"
#include "common/format.h"
#include "common/seal.h"

enum { MOST = 21 }; /* with 8 and 4 side by side, all that can be left over */

struct world {
	struct seal *seal;
	uint8_t *leaves; /* MOST of them, at no round address */
	uint8_t *room;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	w->room = malloc(MOST * FORMAT_LEAF + 1);
	w->leaves = w->room + 1;
	randombytes_buf(w->leaves, MOST * FORMAT_LEAF);
	*state = w;
	return seal_new(&w->seal);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	seal_free(w->seal);
	free(w->room);
	free(w);
	return 0;
}

static void any_number_of_leaves(void **state)
{
	struct world *w = *state;
	uint8_t expected[MOST][FORMAT_DIGEST], got[MOST + 1][FORMAT_DIGEST], guard[FORMAT_DIGEST];

	for (size_t i = 0; i < MOST; i++)
		seal_digest(w->seal, expected[i], w->leaves + i * FORMAT_LEAF, FORMAT_LEAF);
	memset(guard, 0xa5, sizeof guard);
	for (size_t count = 0; count <= MOST; count++) {
		memset(got, 0xa5, sizeof got);
		digests_make(w->seal, got[0], w->leaves, count);
		assert_memory_equal(got, expected, count * FORMAT_DIGEST);
		assert_memory_equal(got[count], guard, sizeof guard);
	}
}

/* All bits, and carries through all of a counter's words, count. */
static void leaves_of_all_kinds(void **state)
{
	struct world *w = *state;
	uint8_t expected[FORMAT_DIGEST], got[8][FORMAT_DIGEST];

	for (size_t i = 0; i < 8; i++)
		memset(w->leaves + i * FORMAT_LEAF, i ? 0xff << i & 0xff : 0xff, FORMAT_LEAF);
	w->leaves[7 * FORMAT_LEAF - 1] ^= 1;
	for (size_t count = 4; count <= 8; count += 4) {
		digests_make(w->seal, got[0], w->leaves, count);
		for (size_t i = 0; i < count; i++) {
			seal_digest(w->seal, expected, w->leaves + i * FORMAT_LEAF, FORMAT_LEAF);
			assert_memory_equal(got[i], expected, FORMAT_DIGEST);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_number_of_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_of_all_kinds, set_up, tear_down),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
