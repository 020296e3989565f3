/* What the kernel was given is overwritten there: all of it, and no more.  The kernel is
 * played by the two functions that libfuse has for it. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "common/status.h"
#include "fusefs/fuse.h"
#include "fusefs/notes.h"

enum { PAGE = 4096, MIB = 1024 * 1024, NODES = 1 << 17, MANY = 120000, LONG_MS = 60000 };

static struct kernel {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t stored[NODES], dropped[NODES]; /* bytes of each node, told to the kernel */
	uint64_t end[NODES];                    /* behind the last of them */
	uint64_t last_node;
	bool is_stuck;                /* who drops bytes of node 0 has to wait, the first time */
	bool is_tried;                /* somebody did */
	struct fuse_session *session; /* others are of a test that is over */
} kernel = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int fuse_lowlevel_notify_store(struct fuse_session *session, fuse_ino_t node, off_t off,
                               struct fuse_bufvec *data, enum fuse_buf_copy_flags flags)
{
	size_t len = data->buf[0].size;
	const uint8_t *bytes = data->buf[0].mem;

	(void)flags;
	for (size_t i = 0; i < len; i += PAGE)
		assert_int_equal(bytes[i], 0);
	if (session != kernel.session)
		return 0;
	pthread_mutex_lock(&kernel.lock);
	kernel.stored[node] += len;
	kernel.end[node] =
		(uint64_t)off + len > kernel.end[node] ? (uint64_t)off + len : kernel.end[node];
	kernel.last_node = node;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

int fuse_lowlevel_notify_inval_inode(struct fuse_session *session, fuse_ino_t node, off_t off,
                                     off_t len)
{
	bool is_held = false;

	(void)off;
	if (session != kernel.session)
		return 0;
	pthread_mutex_lock(&kernel.lock);
	if (node == 0 && !kernel.is_tried) {
		kernel.is_tried = is_held = true;
		pthread_cond_broadcast(&kernel.changed);
	}
	while (is_held && kernel.is_stuck)
		pthread_cond_wait(&kernel.changed, &kernel.lock);
	kernel.dropped[node] += (uint64_t)len;
	pthread_cond_broadcast(&kernel.changed);
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static struct notes *made(void)
{
	struct notes *n = NULL;

	assert_int_equal(notes_new(&n), STATUS_OK);
	memset(kernel.stored, 0, sizeof kernel.stored);
	memset(kernel.dropped, 0, sizeof kernel.dropped);
	memset(kernel.end, 0, sizeof kernel.end);
	kernel.is_tried = false;
	kernel.session = NULL;
	return n;
}

static void what_was_served_is_overwritten_once_and_no_byte_behind_it(void **state)
{
	struct notes *n = made();
	uint64_t end = 5 * MIB + 1234;

	(void)state;
	for (uint64_t off = 0; off < end; off += MIB)
		notes_add(n, 7, off, off + MIB < end ? MIB : end - off);
	notes_add(n, 7, 2 * (uint64_t)MIB, MIB); /* again: still one row */
	notes_add(n, 9, 10000, 1);
	notes_add(n, 11, 0, 0); /* nothing */
	notes_overwrite(n, LONG_MS);
	assert_int_equal(kernel.stored[7], end);
	assert_int_equal(kernel.end[7], end);
	assert_int_equal(kernel.dropped[7], 5 * MIB + PAGE);
	assert_int_equal(kernel.stored[9], 10001 - 8192); /* from the page's beginning */
	assert_int_equal(kernel.end[9], 10001);
	assert_int_equal(kernel.stored[11] + kernel.dropped[11], 0);
	assert_int_equal(kernel.last_node, 7); /* the newest comes first */
	free(n);
}

static void where_there_is_no_time_all_is_dropped(void **state)
{
	struct notes *n = made();

	(void)state;
	notes_add(n, 7, 0, MIB);
	notes_add(n, 8, 0, MIB);
	notes_overwrite(n, 0);
	assert_int_equal(kernel.stored[7] + kernel.stored[8], 0);
	assert_int_equal(kernel.dropped[7], MIB);
	assert_int_equal(kernel.dropped[8], MIB);
	free(n);
}

/* Files of one page, until there are so many that room is made; how many.  (The thread that
 * makes it uses the notes for ever, so they are not freed.) */
static uint64_t fill(struct notes *n, struct fuse_session *session)
{
	uint64_t added = 0;

	kernel.session = session;
	assert_int_equal(notes_start(n, session), STATUS_OK);
	pthread_mutex_lock(&kernel.lock);
	while (!kernel.is_tried && added < MANY) {
		pthread_mutex_unlock(&kernel.lock);
		notes_add(n, added++, 0, PAGE);
		if (added % 64 == 0)
			sched_yield(); /* to the thread, if there is no core to spare */
		pthread_mutex_lock(&kernel.lock);
	}
	while (!kernel.is_tried)
		pthread_cond_wait(&kernel.changed, &kernel.lock);
	pthread_mutex_unlock(&kernel.lock);
	return added;
}

/* Zeros would be read as the file's by who reads it meanwhile. */
static void where_there_is_no_room_the_oldest_is_dropped_and_not_overwritten(void **state)
{
	static char session;
	struct notes *n = made();

	(void)state;
	kernel.is_stuck = false;
	assert_true(fill(n, (struct fuse_session *)&session) > MANY / 2);
	/* Then the first is no longer noted. */
	pthread_mutex_lock(&kernel.lock);
	while (!kernel.dropped[1])
		pthread_cond_wait(&kernel.changed, &kernel.lock);
	pthread_mutex_unlock(&kernel.lock);
	assert_int_equal(kernel.stored[0], 0);
	notes_overwrite(n, LONG_MS);
	assert_int_equal(kernel.stored[0], 0);
}

/* The thread that makes room is stuck over the oldest row when the end comes: that row is
 * overwritten by the end. */
static void what_is_being_dropped_at_the_end_is_not_forgotten(void **state)
{
	static char session;
	struct notes *n = made();
	uint64_t added;

	(void)state;
	kernel.is_stuck = true;
	added = fill(n, (struct fuse_session *)&session);
	notes_overwrite(n, LONG_MS);
	for (uint64_t node = 0; node < added; node++) {
		assert_int_equal(kernel.stored[node], PAGE);
		assert_int_equal(kernel.dropped[node], PAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_served_is_overwritten_once_and_no_byte_behind_it),
		cmocka_unit_test(where_there_is_no_time_all_is_dropped),
		cmocka_unit_test(where_there_is_no_room_the_oldest_is_dropped_and_not_overwritten),
		cmocka_unit_test(what_is_being_dropped_at_the_end_is_not_forgotten),
	};

	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
