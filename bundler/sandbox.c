#include "bundler/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "bundler/options.h"
#include "common/denied.h"
#include "common/diag.h"
#include "common/landlock.h"
#include "common/outfile.h"
#include "common/status.h"

/* What no kernel has yet has no number below this. */
enum { NUMBERS = DENIED_BASE + 512 };

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static int refuse_calls(scmp_filter_ctx filter)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT_OF(denied_calls) && !failed; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied_calls[i].call, 0);
	for (int call = DENIED_FROM; call < NUMBERS && !failed; call++)
		if (call < __NR_landlock_create_ruleset || call > __NR_landlock_restrict_self)
			failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
	return failed;
}

static int refuse_arguments(scmp_filter_ctx filter)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT_OF(denied_arguments) && !failed; i++) {
		const struct denied_argument *d = &denied_arguments[i];
		const struct scmp_arg_cmp is =
			SCMP_CMP(d->no, SCMP_CMP_MASKED_EQ, d->mask, d->value);

		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), d->call, 1, is);
	}
	return failed;
}

/* What one may do to oneself and nobody else: the first argument says to whom. */
static int refuse_to_others(scmp_filter_ctx filter)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();

	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
	                        SCMP_A0(SCMP_CMP_NE, self)) |
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
	                        SCMP_A0(SCMP_CMP_NE, 0));
}

static int filter_calls(bool *done)
{
#ifdef __SANITIZE_ADDRESS__
	*done = true; /* as good as: at the end it traces its own process, for leaks */
	return STATUS_OK;
#endif
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed;

	if (!filter)
		return STATUS_NOMEM;
	failed = refuse_calls(filter) | refuse_arguments(filter) | refuse_to_others(filter);
	*done = !failed && !seccomp_load(filter);
	seccomp_release(filter);
	return failed ? STATUS_NOMEM : STATUS_OK;
}

/* The drive comes out the same; but who packs what strangers sent should know. */
static void warn_of_what_is_missing(bool files, bool calls)
{
	if (!files || !calls)
		diag_warn(NULL,
		          "this kernel has no %s: a source that takes the program over is held "
		          "back less; see CONFINEMENT in satchel-pack(1)",
		          files   ? "seccomp"
		          : calls ? "Landlock"
		                  : "Landlock and no seccomp");
}

int sandbox_enter(const struct options *o)
{
	struct landlock_place *place = calloc(o->output.count + (size_t)2, sizeof *place);
	char **directory = calloc(o->output.count + (size_t)1, sizeof *directory);
	unsigned count = 0;
	int status = STATUS_NOMEM;
	bool files, calls;

	if (place && directory) {
		place[count++] = (struct landlock_place){"/", false};
		place[count++] = (struct landlock_place){o->spill, true};
		for (unsigned i = 0; i < o->output.count; i++) {
			directory[i] = outfile_directory(o->output.text[i]);
			if (directory[i])
				place[count++] = (struct landlock_place){directory[i], true};
		}
		files = landlock_restrict(place, count, false);
		status = filter_calls(&calls);
		if (status == STATUS_OK)
			warn_of_what_is_missing(files, calls);
	}
	for (unsigned i = 0; directory && i < o->output.count; i++)
		free(directory[i]);
	free(directory);
	free(place);
	return status;
}
