#include "bundler/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/options.h"
#include "common/landlock.h"
#include "common/outfile.h"
#include "common/status.h"

/* libarchive and the C library may want what no list of ours has, so what is taken
 * away is listed, not what is left: ways to another program, process or machine. */
static const int denied[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(personality),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(memfd_create),
};

static int filter_calls(void)
{
#ifdef __SANITIZE_ADDRESS__
	return STATUS_OK; /* at the end it traces its own process, for leaks */
#endif
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = 0;

	if (!filter)
		return STATUS_NOMEM;
	for (size_t i = 0; i < sizeof denied / sizeof *denied && !failed; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	/* Threads, but no processes; what clone3 wants cannot be seen, and the C library
	 * knows the older way. */
	failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
	                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!failed)
		seccomp_load(filter); /* an old kernel may not know of it */
	seccomp_release(filter);
	return failed ? STATUS_NOMEM : STATUS_OK;
}

int sandbox_enter(const struct options *o)
{
	struct landlock_place *place = calloc(o->output.count + (size_t)2, sizeof *place);
	char **directory = calloc(o->output.count + (size_t)1, sizeof *directory);
	unsigned count = 0;
	int status = STATUS_NOMEM;

	if (place && directory) {
		place[count++] = (struct landlock_place){"/", false};
		place[count++] = (struct landlock_place){o->spill, true};
		for (unsigned i = 0; i < o->output.count; i++) {
			directory[i] = outfile_directory(o->output.text[i]);
			if (directory[i])
				place[count++] = (struct landlock_place){directory[i], true};
		}
		landlock_restrict(place, count);
		status = filter_calls();
	}
	for (unsigned i = 0; directory && i < o->output.count; i++)
		free(directory[i]);
	free(directory);
	free(place);
	return status;
}
