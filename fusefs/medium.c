#include "fusefs/medium.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/source.h"
#include "common/status.h"

enum {
	SIZES_MAX = 64, /* devices, of all volumes */
	DEPTH_MAX = 6,  /* of devices upon devices */
	LOCATIONS = 64, /* that volumes lie on */
	PLACES = 8,     /* of a volume, all of which must fail */
	PROBE_LEN = 4096,
	PROBE_MS = 250,
};

/* A volume that is on no block device, or on one that stays when the medium is taken out, and
 * where of it was read last. */
struct bare {
	const struct source *source;
	uint64_t place; /* in units of PROBE_LEN */
	_Atomic bool is_lost;
};

struct medium {
	unsigned size_count, bare_count, location_count;
	int size_fd[SIZES_MAX];
	struct bare bare[LOCATIONS];
	dev_t location[LOCATIONS]; /* file systems, and devices that are volumes themselves */
};

/* Bytes of a sysfs file, as a number; -1: it cannot be read. */
static long long read_number(int fd)
{
	char text[32];
	ssize_t got;

	do
		got = pread(fd, text, sizeof text - 1, 0);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -1;
	text[got] = '\0';
	return atoll(text);
}

/* Of the devices under a file: there are some; and one of them may stay when the medium goes,
 * as the reader of a card does, or what shows a file of a network. */
enum { FOUND = 1, STAYS = 2 };

static unsigned add_device(struct medium *m, const char *directory, int depth);

/* What a device mapper or RAID device is made of. */
static unsigned add_slaves(struct medium *m, const char *directory, int depth)
{
	unsigned found = 0;
	char path[512];
	struct dirent *entry;
	DIR *slaves;

	snprintf(path, sizeof path, "%s/slaves", directory);
	slaves = opendir(path);
	while (slaves && (entry = readdir(slaves))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/slaves/%s", directory, entry->d_name);
		found |= add_device(m, path, depth + 1);
	}
	if (slaves)
		closedir(slaves);
	return found;
}

static unsigned add_by_number(struct medium *m, dev_t device, int depth)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device), minor(device));
	return add_device(m, path, depth);
}

/* What the file system of fd is mounted from.  One that spans several devices
 * (btrfs) has a number that no device has. */
static unsigned add_mounted_from(struct medium *m, int fd, int depth)
{
	char *line = NULL, *rest, device[256];
	unsigned long long id;
	unsigned found = 0;
	struct statx file;
	struct stat st;
	size_t room = 0;
	FILE *mounts = NULL;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &file))
		mounts = fopen("/proc/self/mountinfo", "re");
	while (mounts && getline(&line, &room, mounts) > 0)
		if (sscanf(line, "%llu", &id) == 1 && id == file.stx_mnt_id &&
		    (rest = strstr(line, " - ")) && sscanf(rest, " - %*s %255s", device) == 1 &&
		    device[0] == '/' && !stat(device, &st) && S_ISBLK(st.st_mode))
			found |= add_by_number(m, st.st_rdev, depth);
	free(line);
	if (mounts)
		fclose(mounts);
	return found;
}

static unsigned add_file(struct medium *m, int fd, const struct stat *st, int depth)
{
	unsigned found = add_by_number(m, S_ISBLK(st->st_mode) ? st->st_rdev : st->st_dev, depth);

	return found ? found : add_mounted_from(m, fd, depth);
}

/* The file that a loop device shows. */
static unsigned add_backing(struct medium *m, const char *directory, int depth)
{
	unsigned found = 0;
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
		return 0;
	path[got - 1] = '\0';
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!fstat(fd, &st))
		found = add_file(m, fd, &st, depth + 1);
	close(fd);
	return found;
}

/* The number that an attribute of a device is; -1: it has no such attribute. */
static long long read_attribute(const char *directory, const char *name)
{
	long long number = -1;
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		number = read_number(fd);
		close(fd);
	}
	return number;
}

/* The disk that a partition is of, in whose directory its own is. */
static unsigned add_whole(struct medium *m, const char *directory, int depth)
{
	char path[512];

	if (read_attribute(directory, "partition") < 0 ||
	    (size_t)snprintf(path, sizeof path, "%s/..", directory) >= sizeof path)
		return 0;
	return add_device(m, path, depth + 1);
}

/* Made by the kernel of something else: a loop device, nbd, a mapper's.  (What NVMe shows is
 * virtual, too, and a drive.) */
static bool is_virtual(const char *directory)
{
	char *path = realpath(directory, NULL);
	bool is = !path || strstr(path, "/devices/virtual/block/");

	free(path);
	return is;
}

static unsigned add_device(struct medium *m, const char *directory, int depth)
{
	unsigned below;
	char path[512];
	int fd;

	if (depth > DEPTH_MAX || m->size_count == SIZES_MAX)
		return 0;
	snprintf(path, sizeof path, "%s/size", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read_number(fd) <= 0) {
		close(fd);
		return 0;
	}
	m->size_fd[m->size_count++] = fd;
	below = add_slaves(m, directory, depth) | add_backing(m, directory, depth) |
	        add_whole(m, directory, depth);
	if (read_attribute(directory, "removable") == 1 || (!below && is_virtual(directory)))
		below |= STAYS;
	return below | FOUND;
}

/* One volume of each file system tells of all that lie there.  True: this is the first. */
static bool add_location(struct medium *m, const struct stat *st)
{
	dev_t location = S_ISBLK(st->st_mode) ? st->st_rdev : st->st_dev;

	for (unsigned i = 0; i < m->location_count; i++)
		if (m->location[i] == location)
			return false;
	if (m->location_count == LOCATIONS)
		return false;
	m->location[m->location_count++] = location;
	return true;
}

int medium_new(struct medium **medium, struct source *const *sources, unsigned count)
{
	struct medium *m = calloc(1, sizeof *m);

	if (!m)
		return STATUS_NOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct stat st;
		unsigned found;

		if (fstat(source_fd(sources[i]), &st) || !add_location(m, &st))
			continue;
		found = add_file(m, source_fd(sources[i]), &st, 0);
		if (!(found & FOUND) || found & STAYS)
			m->bare[m->bare_count++].source = sources[i];
	}
	*medium = m;
	return STATUS_OK;
}

/* Does any of a few places of the volume still read?  They are others each time,
 * and what the page cache has of them is dropped, so that the medium is asked. */
static bool can_be_read(struct bare *b)
{
	uint64_t count = source_len(b->source) / PROBE_LEN;

	for (unsigned i = 0; i < PLACES && count; i++) {
		b->place = (b->place + (count * 618 / 1000 | 1)) % count;
		if (source_reads_again(b->source, b->place * PROBE_LEN))
			return true;
	}
	return !count;
}

static void *probe(void *argument)
{
	struct bare *b = argument;

	for (;;) {
		if (!can_be_read(b))
			atomic_store(&b->is_lost, true);
		clock_pause(PROBE_MS);
	}
	return NULL;
}

/* A thread for each: one that is silent does not hide that another is gone. */
int medium_start(struct medium *medium)
{
	for (unsigned i = 0; i < medium->bare_count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, probe, &medium->bare[i]))
			return STATUS_NOMEM;
		pthread_detach(thread);
	}
	return STATUS_OK;
}

bool medium_is_there(const struct medium *medium)
{
	for (unsigned i = 0; i < medium->size_count; i++)
		if (read_number(medium->size_fd[i]) <= 0)
			return false;
	for (unsigned i = 0; i < medium->bare_count; i++)
		if (atomic_load(&medium->bare[i].is_lost))
			return false;
	return true;
}
