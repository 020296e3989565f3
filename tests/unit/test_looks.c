#include "tests/unit/unit.h"

#include <fcntl.h>

#include "bundler/listing.h"
#include "bundler/looks.h"
#include "common/status.h"

static struct listing listing;
static struct looks *looks;
static int here;

static int setup(void **state)
{
	(void)state;
	here = open(".", O_RDONLY | O_DIRECTORY);
	return here < 0 || looks_new(&looks, NULL);
}

static int teardown(void **state)
{
	(void)state;
	looks_free(looks);
	listing_fini(&listing);
	listing = (struct listing){0};
	return close(here);
}

/* Files of as many bytes as their number; every tenth is not there. */
static void make(unsigned count)
{
	char name[16];

	listing_clear(&listing);
	for (unsigned i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof name, "%05u", i);
		assert_int_equal(listing_add(&listing, name, 5, 0, false), STATUS_OK);
		if (i % 10 == 9) {
			unlink(name);
			continue;
		}
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, i), 0);
		close(fd);
	}
}

static void take(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct look *look = looks_next(looks);

		assert_int_equal(look->error, i % 10 == 9 ? ENOENT : 0);
		if (!look->error)
			assert_int_equal(look->st.st_size, i);
	}
}

/* Small and large ones, one after another, and some not to their end. */
static void directories(void **state)
{
	static const unsigned count[] = {0, 1, 64, 65, 5000, 3, 128, 1000, 0};

	(void)state;
	for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
		make(count[i]);
		assert_int_equal(looks_begin(looks, &listing, here), STATUS_OK);
		take(count[i]);
		assert_null(looks_next(looks));
		looks_end(looks);
		assert_int_equal(looks_begin(looks, &listing, here), STATUS_OK);
		take(count[i] / 2);
		looks_end(looks);
	}
}

static void links_are_not_followed(void **state)
{
	(void)state;
	make(0);
	assert_int_equal(symlink("/", "link"), 0);
	assert_int_equal(listing_add(&listing, "link", 4, 0, false), STATUS_OK);
	assert_int_equal(looks_begin(looks, &listing, here), STATUS_OK);
	assert_true(S_ISLNK(looks_next(looks)->st.st_mode));
	looks_end(looks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directories, setup, teardown),
		cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
	};

	return cmocka_run_group_tests_name("looks", tests, unit_enter_folder, unit_leave_folder);
}
