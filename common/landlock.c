#include "common/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What later kernels add to linux/landlock.h of Debian 12 (version 2). */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define ACCESS_NET UINT64_C(3)                  /* 4: bind and connect */
#define SCOPE_SOCKETS UINT64_C(1)               /* 6: abstract ones */
#define SCOPE_SIGNALS UINT64_C(2)               /* 6 */

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                                            \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                       \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                          \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | \
	 ACCESS_FS_TRUNCATE)

/* The whole of what the kernel may know by version 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static size_t plan(struct ruleset *rules, long version, bool signals)
{
	rules->fs = (UINT64_C(1) << 13) - 1; /* LANDLOCK_ACCESS_FS_EXECUTE to _MAKE_SYM */
	if (version >= 2)
		rules->fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rules->fs |= ACCESS_FS_TRUNCATE;
	if (version >= 5)
		rules->fs |= ACCESS_FS_IOCTL_DEV;
	rules->net = version >= 4 ? ACCESS_NET : 0;
	rules->scoped = version >= 6 ? SCOPE_SOCKETS | (signals ? 0 : SCOPE_SIGNALS) : 0;
	if (version >= 6)
		return sizeof *rules;
	return version >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

static void add_place(int fd, const struct ruleset *rules, const struct landlock_place *place)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = rules->fs & (ACCESS_READ | (place->write ? ACCESS_WRITE : 0)),
		.parent_fd = open(place->path, O_PATH | O_CLOEXEC),
	};

	if (beneath.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(beneath.parent_fd);
}

bool landlock_restrict(const struct landlock_place *place, unsigned count, bool signals)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules;
	bool done;
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (version < 1)
		return false;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, plan(&rules, version, signals), 0);
	if (fd < 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		add_place(fd, &rules, &place[i]);
	done = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return done;
}
