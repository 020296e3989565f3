/* How content is spread over volumes, over stages that are made up here. */
#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/stage.h"
#include "bundler/volumes.h"
#include "common/bytes.h"
#include "common/status.h"

enum { FILES = 400, KIB = 1024 };

/* --- a stage of nothing but files ---------------------------------------------- */

struct stage {
	struct format_content content;
	unsigned files;
	uint64_t end[FILES];
};

const struct format_content *stage_content(const struct stage *stage)
{
	return &stage->content;
}

static uint64_t front_len(const struct stage *stage, uint64_t begin, uint64_t end)
{
	return stage->content.index_len <= (end - begin) / 32 ? stage->content.index_len : 0;
}

int stage_stream_len(const struct stage *stage, uint64_t begin, uint64_t end, uint64_t *len)
{
	*len = front_len(stage, begin, end) + end - begin + stage->content.index_len;
	return STATUS_OK;
}

int stage_cut(const struct stage *stage, uint64_t low, uint64_t wish, uint64_t high, uint64_t *cut)
{
	uint64_t begin = 0, end = 0;

	assert_true(low <= wish && wish <= high);
	for (unsigned i = 0; i < stage->files && end <= wish; i++) {
		begin = end;
		end = stage->end[i];
	}
	if (wish >= end)
		*cut = end;
	else if (begin >= low && (end > high || wish - begin <= end - wish))
		*cut = begin;
	else if (end <= high)
		*cut = end;
	else
		*cut = wish - (wish - begin) % FORMAT_LEAF;
	return STATUS_OK;
}

static void add_file(struct stage *stage, uint64_t len)
{
	stage->content.content_len += len;
	stage->end[stage->files++] = stage->content.content_len;
}

/* Files of up to longest bytes, about total in all. */
static struct stage made(uint64_t total, uint32_t longest, uint64_t index_len)
{
	struct stage stage = {.content = {.index_len = index_len}};

	while (stage.content.content_len < total && stage.files < FILES)
		add_file(&stage, 1 + randombytes_uniform(longest));
	return stage;
}

static bool is_cut(const struct stage *stage, uint64_t cut)
{
	for (unsigned i = 0; i < stage->files; i++)
		if (stage->end[i] == cut)
			return false;
	return cut > 0;
}

static unsigned count_cut(const struct stage *stage, const struct volumes *v)
{
	unsigned count = 0;

	for (unsigned i = 1; i < v->count; i++)
		count += is_cut(stage, v->spread[0].cut[i]);
	return count;
}

/* The ranges are in order and add up, and the longest is what was said. */
static void adds_up(const struct stage *stage, const struct spread *s, unsigned count)
{
	uint64_t most = 0, len;

	assert_true(s->cut[0] == 0);
	assert_true(s->cut[count] == stage->content.content_len);
	for (unsigned i = 0; i < count; i++) {
		assert_true(s->cut[i] <= s->cut[i + 1]);
		stage_stream_len(stage, s->cut[i], s->cut[i + 1], &len);
		most = max_u64(most, len);
	}
	assert_true(s->most.stream_len == most);
}

static struct volumes plan(struct stage *stage, unsigned parity, uint64_t size, uint64_t limit)
{
	const struct volumes_wish wish = {size, limit, 0};
	struct volumes v;

	assert_int_equal(volumes_plan(&v, &stage, 1, parity, &wish), STATUS_OK);
	adds_up(stage, &v.spread[0], v.count);
	return v;
}

static bool fits(const struct spread *s, uint64_t len)
{
	uint64_t least;

	return layout_min_len(&s->most, 1, &least) == STATUS_OK && least <= len;
}

/* --- tests ------------------------------------------------------------------------ */

/* From nothing to many volumes, page by page and beyond: whatever length is drawn,
 * everything fits, and there is no volume too many. */
static void every_length_fits(void **state)
{
	static const unsigned m[] = {0, 4, 16};

	(void)state;
	for (unsigned total = 0; total < 6000 * KIB; total += 16 * KIB + 7) {
		struct stage stage = made(total, 300 * KIB, 1 + total / 1000);
		unsigned parity = m[total % 3]; /* 16 takes some room for itself */
		uint64_t limit =
			VOLUMES_SHORTEST * (1 + parity / 4) + randombytes_uniform(2000 * KIB);
		struct volumes v = plan(&stage, parity, 0, limit);
		struct layout_demand even = {.parity = parity};
		uint64_t least;

		assert_true(v.high <= limit && v.low <= v.high);
		assert_true(fits(&v.spread[0], v.low));
		if (v.count > 1) {
			/* One less would not do: cuts through files are at leaves, and what
			 * is missed at each adds up to a few. */
			uint64_t share =
				stage.content.content_len / (v.count - 1) + 5 * FORMAT_LEAF;

			even.stream_len =
				front_len(&stage, 0, share) + share + stage.content.index_len;
			assert_true(v.high == limit && v.low == limit - limit / 100);
			assert_true(layout_min_len(&even, 1, &least) == STATUS_OK && least > v.low);
		}
		volumes_fini(&v);
	}
}

static void large_ones(void **state)
{
	struct stage stage = {.content = {.index_len = 5000000}};
	struct volumes v;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		add_file(&stage, 640000000);
	v = plan(&stage, 4, 0, UINT32_MAX);
	assert_int_equal(v.count, 4); /* five films each */
	assert_int_equal(count_cut(&stage, &v), 0);
	assert_true(v.high == UINT32_MAX && v.low == UINT32_MAX - UINT32_MAX / 100);
	volumes_fini(&v);
	add_file(&stage, UINT64_C(1) << 41);
	v = plan(&stage, 4, 0, UINT32_MAX);
	assert_in_range(v.count, 545, 565);
	assert_true(fits(&v.spread[0], v.low));
	volumes_fini(&v);
	add_file(&stage, UINT64_C(1) << 42);
	{
		struct stage *too_long = &stage;
		const struct volumes_wish wish = {0, UINT32_MAX, 0};

		assert_int_equal(volumes_plan(&v, &too_long, 1, 4, &wish), STATUS_TOOBIG);
		assert_true(v.least == 0);
	}
}

/* Films of 10 MB, three to a volume; and one that is longer than a volume. */
static void files_stay_whole(void **state)
{
	struct stage stage = {.content = {.index_len = 1000}};
	struct volumes v;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		add_file(&stage, 10000000);
	v = plan(&stage, 4, 0, 35000000);
	assert_int_equal(v.count, 7);
	assert_int_equal(count_cut(&stage, &v), 0);
	volumes_fini(&v);
	add_file(&stage, 90000000);
	add_file(&stage, 5000000);
	v = plan(&stage, 4, 0, 35000000);
	assert_in_range(count_cut(&stage, &v), 2, 3);
	volumes_fini(&v);
	/* With room, files up to the even share never are. */
	for (int i = 0; i < 200; i++) {
		unsigned share = 100 * KIB + randombytes_uniform(1000 * KIB);

		stage = made((uint64_t)share * 12, share / 2, 1000);
		v = plan(&stage, 2, UINT64_C(4) * 12 * share, UINT64_C(4) * share);
		assert_int_equal(v.count, 12);
		assert_int_equal(count_cut(&stage, &v), 0);
		volumes_fini(&v);
	}
}

/* What others there are decides nothing about where a compartment is cut, nor how
 * much it gets. */
static void spread_does_not_depend_on_others(void **state)
{
	struct stage one = made(9000 * KIB, 500 * KIB, 900), other[3], *stage[4] = {&one};
	struct volumes alone, together;

	(void)state;
	for (unsigned n = 2; n <= 6; n++) {
		const struct volumes_wish wish = {UINT64_C(60) << 20, (UINT64_C(60) << 20) / n, 0};

		alone = plan(&one, 4, wish.size, wish.limit);
		assert_int_equal(alone.count, n);
		for (unsigned i = 0; i < 3; i++) {
			other[i] = made(1 + randombytes_uniform(9000 * KIB), 800 * KIB, 777);
			stage[i + 1] = &other[i];
		}
		assert_int_equal(volumes_plan(&together, stage, 4, 4, &wish), STATUS_OK);
		assert_int_equal(together.count, n);
		assert_true(together.low == alone.low && together.high == alone.high);
		assert_memory_equal(&together.spread[0], &alone.spread[0], sizeof(struct spread));
		for (unsigned i = 0; i < 3; i++)
			adds_up(&other[i], &together.spread[i + 1], n);
		volumes_fini(&alone);
		volumes_fini(&together);
	}
}

/* What does not fit is told how much would, and that does. */
static void the_least_suffices(void **state)
{
	struct volumes v;

	(void)state;
	for (unsigned count = 1; count <= 3; count++) {
		for (int round = 0; round < 60; round++) {
			struct stage made_up[3], *stage[3];
			struct volumes_wish wish = {UINT64_C(4) << 20, 3000 * KIB, 0};
			uint64_t least;

			for (unsigned i = 0; i < count; i++) {
				made_up[i] = made(1500 * KIB + randombytes_uniform(900 * KIB),
				                  400 * KIB, 5000);
				stage[i] = &made_up[i];
			}
			wish.limit = round % 2 ? wish.limit : 0;
			wish.size = count == 1 ? 1500 * KIB : wish.size * (count - 1) / 2;
			assert_int_equal(volumes_plan(&v, stage, count, 4, &wish), STATUS_TOOBIG);
			least = v.least;
			if (!least && wish.limit)
				continue;
			assert_true(least > wish.size);
			wish.size = least;
			assert_int_equal(volumes_plan(&v, stage, count, 4, &wish), STATUS_OK);
			volumes_fini(&v);
		}
	}
}

static void a_size_is_divided(void **state)
{
	static const struct {
		uint64_t size, limit, len;
		unsigned count;
	} row[] = {{1000000, 1000000, 1000000, 1},
	           {1000001, 1000000, 500000, 2},
	           {3000000, 1000000, 1000000, 3},
	           {UINT64_C(1) << 40, UINT64_C(1) << 30, UINT64_C(1) << 30, 1024}};
	const struct volumes_wish wish = {(UINT64_C(1) << 40) + 1, UINT64_C(1) << 30, 0};
	unsigned count;
	uint64_t len;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const struct volumes_wish w = {row[i].size, row[i].limit, 0};

		assert_int_equal(volumes_divide(&w, &count, &len), STATUS_OK);
		assert_int_equal(count, row[i].count);
		assert_true(len == row[i].len);
	}
	assert_int_equal(volumes_divide(&wish, &count, &len), STATUS_TOOBIG);
}

static void names(void **state)
{
	static const struct {
		const char *path;
		unsigned no, count;
		const char *name;
	} row[] = {{"summer.bin", 0, 1, "summer.bin"},
	           {"summer.bin", 0, 2, "summer-1.bin"},
	           {"/a/b.c/summer.bin", 11, 12, "/a/b.c/summer-12.bin"},
	           {"/a/b.c/summer", 1, 2, "/a/b.c/summer-2"},
	           {".hidden", 1, 2, ".hidden-2"},
	           {"a.tar.gz", 1023, 1024, "a.tar-1024.gz"},
	           {"dot.", 1, 2, "dot-2."}};
	char name[32];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		assert_int_equal(
			volumes_name(name, sizeof name, row[i].path, row[i].no, row[i].count),
			STATUS_OK);
		assert_string_equal(name, row[i].name);
	}
	assert_int_equal(volumes_name(name, 12, "summer.bin", 0, 2), STATUS_TOOBIG);
	assert_int_equal(volumes_name(name, 13, "summer.bin", 0, 2), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_fits),
		cmocka_unit_test(large_ones),
		cmocka_unit_test(files_stay_whole),
		cmocka_unit_test(spread_does_not_depend_on_others),
		cmocka_unit_test(the_least_suffices),
		cmocka_unit_test(a_size_is_divided),
		cmocka_unit_test(names),
	};

	return sodium_init() < 0 || cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
