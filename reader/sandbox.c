#include "reader/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/denied.h"
#include "common/diag.h"
#include "common/landlock.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#endif

/* AddressSanitizer traces its own process at the end, for leaks. */
#ifdef __SANITIZE_ADDRESS__

static bool filter_calls(bool placing)
{
	(void)placing;
	return true;
}

#elif defined(ARCH)

#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (off))
#define MASK(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits))
#define IF_IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_FROM(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (yes), (no))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define REFUSE ANSWER(SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN ANSWER(SECCOMP_RET_ERRNO | ENOSYS)
#define ALLOW ANSWER(SECCOMP_RET_ALLOW)

#define LOAD_CALL LOAD(offsetof(struct seccomp_data, nr))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOAD_ARGUMENT(no) LOAD(offsetof(struct seccomp_data, args) + 8 * (no))
#else
#define LOAD_ARGUMENT(no) LOAD(offsetof(struct seccomp_data, args) + 8 * (no) + 4)
#endif

enum {
	CALLS = sizeof denied_calls / sizeof *denied_calls,
	ARGUMENTS = sizeof denied_arguments / sizeof *denied_arguments,
	LINES = 10 + 2 * CALLS + 6 * ARGUMENTS + 2 * 5 + 1,
};

struct filter {
	struct sock_filter line[LINES];
	unsigned short count;
};

static void add(struct filter *f, const struct sock_filter *line, size_t count)
{
	memcpy(f->line + f->count, line, count * sizeof *line);
	f->count += (unsigned short)count;
}

#define ADD(filter, ...)                                         \
	add((filter), (const struct sock_filter[]){__VA_ARGS__}, \
	    sizeof(const struct sock_filter[]){__VA_ARGS__} / sizeof(struct sock_filter))

/* Another architecture's calls have other numbers: none of them.  (x32 is this one,
 * with bit 30: newer than all.) */
static void add_head(struct filter *f)
{
	ADD(f, LOAD(offsetof(struct seccomp_data, arch)), IF_IS(ARCH, 1, 0), REFUSE, LOAD_CALL,
	    IF_FROM(DENIED_FROM, 0, 4), IF_FROM(__NR_landlock_create_ruleset, 0, 2),
	    IF_FROM(__NR_landlock_restrict_self + 1, 1, 0), ALLOW, UNKNOWN);
}

static void add_argument(struct filter *f, const struct denied_argument *d)
{
	ADD(f, IF_IS((uint32_t)d->call, 0, 5), LOAD_ARGUMENT(d->no), MASK(d->mask),
	    IF_IS(d->value, 0, 1), REFUSE, LOAD_CALL);
}

/* What one may do to oneself and nobody else: the first argument says to whom. */
static void add_own(struct filter *f, int call, uint32_t self)
{
	ADD(f, IF_IS((uint32_t)call, 0, 4), LOAD_ARGUMENT(0), IF_IS(self, 1, 0), REFUSE, LOAD_CALL);
}

static bool filter_calls(bool placing)
{
	enum denied_unless who = DENIED_ALWAYS;
	struct filter f = {.count = 0};
	struct sock_fprog program = {.filter = f.line};

	if (placing)
		who = geteuid() ? DENIED_UNLESS_PLACING : DENIED_UNLESS_OWNER;
	add_head(&f);
	for (size_t i = 0; i < CALLS; i++)
		if (!denied_calls[i].unless || denied_calls[i].unless > who)
			ADD(&f, IF_IS((uint32_t)denied_calls[i].call, 0, 1), REFUSE);
	for (size_t i = 0; i < ARGUMENTS; i++)
		add_argument(&f, &denied_arguments[i]);
	add_own(&f, __NR_tgkill, (uint32_t)getpid());
	add_own(&f, __NR_prlimit64, 0);
	ADD(&f, ALLOW);
	program.len = f.count;
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

/* Nobody has written down how this processor's calls are told apart. */
static bool filter_calls(bool placing)
{
	(void)placing;
	return false;
}

#endif

/* The directory that place is, or that it is or will be in. */
static const char *directory_of(const char *place, char *room, size_t size)
{
	size_t len = strlen(place);
	struct stat st;

	if (!stat(place, &st) && S_ISDIR(st.st_mode))
		return place;
	while (len > 1 && place[len - 1] == '/')
		len--;
	while (len && place[len - 1] != '/')
		len--;
	snprintf(room, size, "%.*s", (int)len, place);
	return len ? room : ".";
}

/* Old kernels are what many recipients have, and nothing is wrong with the bundle: it
 * is said once, and calmly. */
static void say_what_is_missing(bool files, bool calls)
{
	if (!files || !calls)
		diag_note("this kernel has no %s: less is held back from this program; see "
		          "CONFINEMENT in satchel-read(1)",
		          files   ? "seccomp"
		          : calls ? "Landlock"
		                  : "Landlock and no seccomp");
}

void sandbox_begin(const char *place)
{
	char room[PATH_MAX];
	const struct landlock_place places[] = {
		{"/", false},
		{place ? directory_of(place, room, sizeof room) : "", true},
	};
	bool files = landlock_restrict(places, place ? 2 : 1, false);

	say_what_is_missing(files, filter_calls(place));
}

void sandbox_close(const char *place)
{
#ifndef __SANITIZE_ADDRESS__ /* which opens files of /proc, too */
	char room[PATH_MAX];
	const struct landlock_place left = {
		place ? directory_of(place, room, sizeof room) : "",
		true,
	};

	landlock_restrict(&left, place ? 1 : 0, false);
#else
	(void)place;
#endif
}
