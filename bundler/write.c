#include "bundler/write.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bundler/volumes.h"
#include "bundler/writing.h"
#include "common/arena.h"
#include "common/outfile.h"
#include "common/passphrase.h"
#include "common/progress.h"
#include "common/status.h"

enum { OTHER_FILES = 192 }; /* sources for the most part: LATER_FILES for each job */

unsigned write_max_openers(unsigned compartments, bool several_volumes)
{
	return FORMAT_SLOTS - (several_volumes ? compartments : 0);
}

/* All volumes stay open until the last is verified: two descriptors each. */
static void allow_open_files(unsigned volumes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= 2 * volumes + OTHER_FILES)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* if not, opening will tell */
}

/* So that every name is known to be free before the first byte is written. */
static int open_files(struct write *w, const char *path)
{
	char name[PATH_MAX];
	int status = STATUS_OK;

	allow_open_files(w->volumes->count);
	for (w->no = 0; w->no < w->volumes->count; w->no++) {
		if (volumes_name(name, sizeof(name), path, w->no, w->volumes->count)) {
			errno = ENAMETOOLONG;
			return STATUS_IO;
		}
		status = outfile_open(&w->volume[w->no].out, name, w->options->replace);
		if (status)
			return status;
	}
	return STATUS_OK;
}

/* --- the steps, each over all volumes ---------------------------------------- */

static uint64_t count_passphrases(const struct write *w)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < w->count; i++)
		for (unsigned j = 0; j < w->compartment[i].opener_count; j++)
			count += w->compartment[i].opener[j].passphrase != NULL;
	return count;
}

/* Do that to every volume. */
static int for_all(struct write *w, int (*step)(struct write *))
{
	int status = STATUS_OK;

	for (w->no = 0; w->no < w->volumes->count; w->no++) {
		status = step(w);
		if (status)
			break;
	}
	progress_finish(w->progress);
	return status;
}

static int prepare(struct write *w)
{
	uint64_t keys = 2 * count_passphrases(w) * w->volumes->count;

	randombytes_buf(w->secrets->fill, sizeof(w->secrets->fill));
	check_init(&w->secrets->check);
	for (unsigned i = 0; i < w->count; i++)
		randombytes_buf(w->secrets->keys[i].slot.ck, FORMAT_KEY);
	if (keys)
		progress_start_steps(w->progress, "making keys", keys);
	return for_all(w, volume_prepare);
}

static int write_one(struct write *w)
{
	int status = volume_open(w);

	if (status == STATUS_OK)
		status = press_run(w);
	volume_close(w);
	return status;
}

static int write_all(struct write *w)
{
	progress_start(w->progress, "writing", w->geometry.file_len * w->volumes->count);
	return for_all(w, write_one);
}

/* Only when all are written: on a drive that is smaller than it says, the later ones
 * overwrite the earlier ones. */
static int verify_all(struct write *w)
{
	if (!w->options->verify)
		return STATUS_OK;
	progress_start(w->progress, "verifying", w->geometry.file_len * w->volumes->count);
	return for_all(w, verify_run);
}

/* Take back what has its name already, from volume no on. */
static void withdraw(const struct write *w, const char *path, unsigned no)
{
	char name[PATH_MAX];
	int saved = errno;

	for (; no < w->volumes->count; no++)
		if (!volumes_name(name, sizeof(name), path, no, w->volumes->count))
			unlink(name);
	errno = saved;
}

/* The first volume last: where it is, the others are.  A signal has to wait: from the
 * first to the last it is only names that change. */
static int publish(struct write *w, const char *path)
{
	sigset_t all, before;
	int status = STATUS_OK;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (w->no = w->volumes->count; w->no > 0 && status == STATUS_OK;) {
		struct outfile *out = w->volume[--w->no].out;

		w->volume[w->no].out = NULL;
		status = outfile_commit(out, w->no == 0);
	}
	/* When the name of the first cannot be kept, what all of them replaced is gone
	 * already: better the new ones than none. */
	if (status && (w->no > 0 || !w->options->replace))
		withdraw(w, path, w->no + 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

/* --- all of it ---------------------------------------------------------------- */

static int run(struct write *w, const char *path)
{
	int status = open_files(w, path);

	if (status == STATUS_OK)
		status = prepare(w);
	if (status == STATUS_OK)
		status = write_all(w);
	if (status == STATUS_OK)
		status = verify_all(w);
	if (status == STATUS_OK)
		status = publish(w, path);
	w->fault->volume = w->no;
	return status;
}

static void release(struct write *w)
{
	size_t volumes_len = w->volumes->count * sizeof(*w->volume);

	for (unsigned v = 0; v < w->volumes->count; v++)
		outfile_discard(w->volume[v].out);
	sodium_memzero(w->volume, volumes_len); /* they say whose the slices are */
	free(w->volume);
	sodium_memzero(w->secrets, sizeof(*w->secrets) + w->count * sizeof(*w->secrets->keys));
}

int write_bundle(const char *path, const struct volumes *volumes, uint64_t len,
                 const struct write_compartment *compartment, unsigned count,
                 const struct write_options *options, struct arena *arena,
                 struct progress *progress, struct write_fault *fault)
{
	struct write w = {.compartment = compartment,
	                  .count = count,
	                  .volumes = volumes,
	                  .options = options,
	                  .progress = progress,
	                  .fault = fault};
	int status, saved;

	memset(fault, 0, sizeof(*fault));
	if (count < 1 || count > FORMAT_SLOTS || format_geometry_make(&w.geometry, len))
		return STATUS_TOOBIG;
	w.secrets = arena_alloc(arena, sizeof(*w.secrets) + count * sizeof(*w.secrets->keys));
	if (!w.secrets)
		return STATUS_NOMEM;
	w.volume = calloc(volumes->count, sizeof(*w.volume));
	if (!w.volume)
		return STATUS_NOMEM;
	status = run(&w, path);
	saved = errno;
	release(&w);
	errno = saved;
	return status;
}
