#include "bundler/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "bundler/layout.h"
#include "common/bytes.h"
#include "common/status.h"

#define ZFS_MAGIC 0x2fc12fc1 /* what it caches, posix_fadvise(2) does not reach */

static bool is_remote(uint32_t kind)
{
	static const uint32_t row[] = {FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,
	                               CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, V9FS_MAGIC,
	                               CEPH_SUPER_MAGIC, ZFS_MAGIC};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (row[i] == kind)
			return true;
	return false;
}

int drive_look(struct drive *drive, int fd)
{
	struct statfs fs;
	uint32_t kind;

	if (fstatfs(fd, &fs))
		return STATUS_IO;
	kind = (uint32_t)fs.f_type;
	drive->cluster = (uint64_t)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
	drive->free = fs.f_blocks ? (uint64_t)fs.f_bavail * drive->cluster : UINT64_MAX;
	drive->longest = kind == MSDOS_SUPER_MAGIC ? UINT32_MAX : FORMAT_MAX_FILE;
	drive->fat = kind == MSDOS_SUPER_MAGIC || kind == EXFAT_SUPER_MAGIC;
	drive->memory = kind == TMPFS_MAGIC;
	drive->remote = is_remote(kind);
	return STATUS_OK;
}

bool drive_has_room(const struct drive *drive, unsigned count, uint64_t len)
{
	uint64_t clusters = drive->cluster ? div_ceil(len, drive->cluster) : 0;

	return clusters == 0 || clusters <= drive->free / drive->cluster / count;
}

/* Every volume but one may waste most of a cluster. */
static uint64_t usable(const struct drive *drive, uint64_t volume)
{
	uint64_t wasted = volume ? drive->free / volume * drive->cluster : 0;

	return min_u64(drive->free - min_u64(wasted, drive->free),
	               volume ? FORMAT_MAX_FILE : drive->longest);
}

int drive_fill(const char *directory, uint64_t volume, uint64_t *len, bool *longest)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), status = STATUS_IO, saved;
	struct drive drive;
	uint64_t bytes;

	if (fd >= 0)
		status = drive_look(&drive, fd);
	saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	if (status)
		return status;
	bytes = usable(&drive, volume);
	*longest = !volume && drive.longest < FORMAT_MAX_FILE && bytes == drive.longest;
	*len = bytes - layout_draw(bytes / 1000, bytes / 100);
	return STATUS_OK;
}
