#include "common/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/format.h"
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

/* FAT has no numbers; others pass on what they are told, or make them up. */
static bool renumbers(uint32_t kind)
{
	return kind == MSDOS_SUPER_MAGIC || kind == EXFAT_SUPER_MAGIC || kind == FUSE_SUPER_MAGIC ||
	       kind == SMB_SUPER_MAGIC || kind == CIFS_SUPER_MAGIC || kind == SMB2_SUPER_MAGIC ||
	       kind == V9FS_MAGIC;
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
	drive->longest = kind == MSDOS_SUPER_MAGIC ? DRIVE_FAT_LONGEST : FORMAT_MAX_FILE;
	drive->fat = kind == MSDOS_SUPER_MAGIC || kind == EXFAT_SUPER_MAGIC;
	drive->memory = kind == TMPFS_MAGIC;
	drive->renumbers = renumbers(kind);
	drive->remote = is_remote(kind);
	return STATUS_OK;
}

int drive_look_at(struct drive *drive, const char *directory)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), saved, status;

	if (fd < 0)
		return STATUS_IO;
	status = drive_look(drive, fd);
	saved = errno;
	close(fd);
	errno = saved;
	return status;
}

bool drive_has_room(const struct drive *drive, unsigned count, uint64_t len)
{
	uint64_t clusters = drive->cluster ? div_ceil(len, drive->cluster) : 0;

	return clusters == 0 || clusters <= drive->free / drive->cluster / count;
}
