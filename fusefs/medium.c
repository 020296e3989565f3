#include "fusefs/medium.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/source.h"
#include "common/status.h"

enum {
	SIZES_MAX = 64, /* devices, of all volumes */
	DEPTH_MAX = 4,  /* of devices upon devices */
	PROBES = 3,     /* places of a volume that are read */
	PROBE_LEN = 512,
};

struct medium {
	unsigned size_count;
	int size_fd[SIZES_MAX];
	const struct source *bare; /* a volume on no block device; NULL: none */
};

/* Bytes of a sysfs file, as a number; -1: it cannot be read. */
static long long read_number(int fd)
{
	char text[32];
	ssize_t got = pread(fd, text, sizeof text - 1, 0);

	if (got <= 0)
		return -1;
	text[got] = '\0';
	return atoll(text);
}

static void add_device(struct medium *m, const char *directory, int depth);

/* What a device mapper or RAID device is made of. */
static void add_slaves(struct medium *m, const char *directory, int depth)
{
	char path[512];
	struct dirent *entry;
	DIR *slaves;

	snprintf(path, sizeof path, "%s/slaves", directory);
	slaves = opendir(path);
	while (slaves && (entry = readdir(slaves))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/slaves/%s", directory, entry->d_name);
		add_device(m, path, depth + 1);
	}
	if (slaves)
		closedir(slaves);
}

static void add_by_number(struct medium *m, dev_t device, int depth)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device), minor(device));
	add_device(m, path, depth);
}

/* The file that a loop device shows. */
static void add_backing(struct medium *m, const char *directory, int depth)
{
	char path[4096];
	struct stat st;
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof path, "%s/loop/backing_file", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, path, sizeof path - 1);
		close(fd);
	}
	if (got <= 1)
		return;
	path[got - 1] = '\0';
	if (!stat(path, &st))
		add_by_number(m, st.st_dev, depth + 1);
}

static void add_device(struct medium *m, const char *directory, int depth)
{
	char path[512];
	int fd;

	if (depth > DEPTH_MAX || m->size_count == SIZES_MAX)
		return;
	snprintf(path, sizeof path, "%s/size", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read_number(fd) <= 0) {
		close(fd);
		return;
	}
	m->size_fd[m->size_count++] = fd;
	add_slaves(m, directory, depth);
	add_backing(m, directory, depth);
}

int medium_new(struct medium **medium, struct source *const *sources, unsigned count)
{
	struct medium *m = calloc(1, sizeof *m);

	if (!m)
		return STATUS_NOMEM;
	for (unsigned i = 0; i < count; i++) {
		unsigned before = m->size_count;
		struct stat st;

		if (fstat(source_fd(sources[i]), &st))
			continue;
		add_by_number(m, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, 0);
		if (m->size_count == before)
			m->bare = sources[i];
	}
	*medium = m;
	return STATUS_OK;
}

/* Does any of a few places of the volume still read? */
static bool can_be_read(const struct source *source)
{
	uint64_t len = source_len(source);
	uint8_t bytes[PROBE_LEN];

	if (len < PROBE_LEN)
		return true;
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t off = (len - PROBE_LEN) / (PROBES - 1) * i;

		posix_fadvise(source_fd(source), (off_t)off, PROBE_LEN, POSIX_FADV_DONTNEED);
		if (source_read_at(source, bytes, sizeof bytes, off) == STATUS_OK)
			return true;
	}
	return false;
}

bool medium_is_there(const struct medium *medium)
{
	for (unsigned i = 0; i < medium->size_count; i++)
		if (read_number(medium->size_fd[i]) <= 0)
			return false;
	return !medium->bare || can_be_read(medium->bare);
}
