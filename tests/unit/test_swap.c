/* Which devices keep no plaintext: as sysfs shows them, in a folder. */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "common/swap.h"

static void write_line(const char *path, const char *line)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "%s\n", line) > 0);
	assert_int_equal(fclose(f), 0);
}

/* A device of the device mapper, upon others. */
static void make_mapped(const char *name, const char *uuid)
{
	char path[100];

	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(path, sizeof path, "%s/dm", name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/dm/uuid", name);
	write_line(path, uuid);
	snprintf(path, sizeof path, "%s/slaves", name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void put_upon(const char *name, const char *slave)
{
	char path[100], to[100];

	snprintf(path, sizeof path, "%s/slaves/%s", name, slave);
	snprintf(to, sizeof to, "../../%s", slave);
	assert_int_equal(symlink(to, path), 0);
}

static void a_disk(void **state)
{
	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	assert_int_equal(mkdir("disk/slaves", 0700), 0);
	assert_false(swap_device_is_safe("disk"));
	assert_false(swap_device_is_safe("nothing"));
}

static void encrypted(void **state)
{
	static const char *const uuids[] = {
		"CRYPT-LUKS1-0123-swap", "CRYPT-LUKS2-0123-swap", "CRYPT-PLAIN-swap",
		"CRYPT-LOOPAES-0123-s",  "CRYPT-TCRYPT-0123-s",   "CRYPT-BITLK-0123-s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof uuids / sizeof *uuids; i++) {
		char name[] = {'e', (char)('0' + i), '\0'};

		make_mapped(name, uuids[i]);
		assert_true(swap_device_is_safe(name));
	}
	make_mapped("volume", "LVM-0123");
	put_upon("volume", "e0");
	assert_true(swap_device_is_safe("volume"));
	put_upon("volume", "disk");
	assert_false(swap_device_is_safe("volume"));
}

/* dm-verity and dm-integrity: cryptsetup(8) makes them, and nothing is secret. */
static void only_checked(void **state)
{
	static const char *const uuids[] = {"CRYPT-VERITY-0123-v", "CRYPT-INTEGRITY-0123-i"};
	static const char *const names[] = {"verity", "integrity"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		make_mapped(names[i], uuids[i]);
		assert_false(swap_device_is_safe(names[i]));
		put_upon(names[i], "e1");
		assert_true(swap_device_is_safe(names[i]));
		put_upon(names[i], "disk");
		assert_false(swap_device_is_safe(names[i]));
	}
}

static void compressed_ram(void **state)
{
	(void)state;
	assert_int_equal(mkdir("zram", 0700), 0);
	write_line("zram/mm_stat", "  4096  74  12288  0  12288  0  0  0");
	assert_true(swap_device_is_safe("zram"));
	write_line("zram/backing_dev", "none");
	assert_true(swap_device_is_safe("zram"));
	write_line("zram/backing_dev", "/dev/sda3");
	assert_false(swap_device_is_safe("zram"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk),
		cmocka_unit_test(encrypted),
		cmocka_unit_test(only_checked),
		cmocka_unit_test(compressed_ram),
	};

	return cmocka_run_group_tests(tests, unit_enter_folder, unit_leave_folder);
}
