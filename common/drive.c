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

/* What is far away, and whether numbers of files are kept there, or passed on as they are
 * told, or made up. */
static const struct remote {
	uint32_t kind;
	bool renumbers;
} row[] = {
	{FUSE_SUPER_MAGIC, true},  {NFS_SUPER_MAGIC, false}, {SMB_SUPER_MAGIC, true},
	{CIFS_SUPER_MAGIC, true},  {SMB2_SUPER_MAGIC, true}, {V9FS_MAGIC, true},
	{CEPH_SUPER_MAGIC, false}, {ZFS_MAGIC, false},
};

static const struct remote *find_remote(uint32_t kind)
{
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (row[i].kind == kind)
			return &row[i];
	return NULL;
}

int drive_look(struct drive *drive, int fd)
{
	const struct remote *remote;
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
	remote = find_remote(kind);
	drive->remote = remote;
	drive->renumbers = drive->fat || (remote && remote->renumbers); /* FAT has none */
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
