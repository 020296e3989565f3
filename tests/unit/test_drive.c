#include "tests/unit/unit.h"

#include <sys/statvfs.h>

#include "bundler/layout.h"
#include "common/bytes.h"
#include "common/drive.h"
#include "common/format.h"
#include "common/status.h"

static uint64_t free_bytes(void)
{
	struct statvfs room;

	assert_int_equal(statvfs(".", &room), 0);
	return min_u64((uint64_t)room.f_bavail * room.f_frsize, FORMAT_MAX_FILE);
}

static void filling_leaves_a_little(void **state)
{
	uint64_t len, low, high, before, after, most = 0, least = UINT64_MAX;
	struct drive drive;
	bool longest;

	(void)state;
	before = free_bytes();
	for (int i = 0; i < 200; i++) {
		assert_int_equal(drive_look_at(&drive, "."), STATUS_OK);
		longest = layout_fill(&drive, 0, &low, &high);
		len = layout_draw(low, high);
		assert_false(longest);
		most = max_u64(most, len);
		least = min_u64(least, len);
	}
	/* Others fill the disk as well, or make room: a little slack, on either side. */
	after = free_bytes();
	assert_true(most < max_u64(before, after) / 1200 * 1199);
	assert_true(least > min_u64(before, after) / 80 * 79);
	assert_true(most - least > after / 200);
	assert_int_equal(drive_look_at(&drive, "/nowhere"), STATUS_IO);
}

static void room_is_counted_in_clusters(void **state)
{
	const struct drive drive = {.free = 100 * 4096, .cluster = 4096};
	const struct drive unknown = {.free = UINT64_MAX, .cluster = 4096};

	(void)state;
	assert_true(drive_has_room(&drive, 1, 100 * 4096));
	assert_false(drive_has_room(&drive, 1, 100 * 4096 + 1));
	assert_true(drive_has_room(&drive, 50, 4097));
	assert_false(drive_has_room(&drive, 51, 4097));
	assert_true(drive_has_room(&drive, 100, 1));
	assert_false(drive_has_room(&drive, 101, 1));
	assert_true(drive_has_room(&unknown, FORMAT_MAX_VOLUMES, FORMAT_MAX_FILE));
}

static void what_the_kernel_says(void **state)
{
	int fd = open("/proc", O_PATH);
	struct drive drive;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(drive_look(&drive, fd), STATUS_OK);
	assert_true(drive.free == UINT64_MAX); /* it has no blocks */
	assert_false(drive.remote);
	close(fd);
	assert_int_equal(drive_look(&drive, -1), STATUS_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filling_leaves_a_little),
		cmocka_unit_test(room_is_counted_in_clusters),
		cmocka_unit_test(what_the_kernel_says),
	};

	return cmocka_run_group_tests_name("drive", tests, NULL, NULL);
}
