#include "fusefs/device.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/status.h"

static _Atomic bool has_failed;

static ssize_t receive(int fd, void *buf, size_t len, void *context)
{
	ssize_t got = read(fd, buf, len);

	(void)context;
	/* The kernel ends a mount with ENODEV, and takes questions back with ENOENT. */
	if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ENODEV && errno != ENOENT)
		atomic_store(&has_failed, true);
	return got;
}

/* True: there is somebody who waits for it, and nobody took the question back. */
static bool is_waited_for(const struct fuse_out_header *answer)
{
	return answer->unique && errno != ENOENT && errno != ENODEV;
}

static ssize_t send_answer(int fd, struct iovec *piece, int count, void *context)
{
	const struct fuse_out_header *answer = piece[0].iov_base;
	ssize_t put, rc;

	(void)context;
	do
		put = writev(fd, piece, count);
	while (put < 0 && errno == EINTR);
	if (put < 0 && is_waited_for(answer)) {
		const struct fuse_out_header failed = {
			.len = sizeof failed, .error = -EIO, .unique = answer->unique};
		int saved = errno;

		atomic_store(&has_failed, true);
		rc = write(fd, &failed, sizeof failed);
		(void)rc;
		errno = saved;
	}
	return put;
}

int device_take(struct fuse_session *session)
{
	const struct fuse_custom_io io = {.writev = send_answer, .read = receive};

	return fuse_session_custom_io(session, &io, fuse_session_fd(session)) ? STATUS_NOMEM
	                                                                      : STATUS_OK;
}

bool device_has_failed(void)
{
	return atomic_load(&has_failed);
}
