#include "bundler/write.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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

static int commit(struct write *w, unsigned no)
{
	struct outfile *out = w->volume[no].out;

	w->volume[no].out = NULL;
	return outfile_commit(out, no == 0);
}

/* The first volume last: where it is, the others are. */
static int give_names(struct write *w)
{
	int status = STATUS_OK;

	for (w->no = w->volumes->count; w->no > 0 && status == STATUS_OK;) {
		w->no--;
		status = outfile_publish(w->volume[w->no].out, w->no == 0);
	}
	return status;
}

/* As long as that can be undone. */
static void take_names_back(struct write *w)
{
	for (unsigned no = 0; no < w->volumes->count; no++)
		if (w->volume[no].out)
			outfile_withdraw(w->volume[no].out);
}

/* The directory is synced before anything that was replaced is removed.  Where that fails
 * nobody knows which names will be there tomorrow: better the new ones than none. */
static int give_and_keep_names(struct write *w)
{
	int status = give_names(w);

	if (status) {
		take_names_back(w);
		return status;
	}
	status = commit(w, 0);
	if (status && !w->options->replace)
		take_names_back(w);
	else
		for (unsigned no = 1; no < w->volumes->count; no++)
			commit(w, no);
	return status;
}

/* A signal has to wait: from the first to the last it is only names that change. */
static int publish(struct write *w)
{
	sigset_t all, before;
	int status;

	w->no = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = w->volumes->count > 1 ? give_and_keep_names(w) : commit(w, 0);
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
		status = publish(w);
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
