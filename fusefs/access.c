#include "fusefs/access.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/pages.h"
#include "common/passphrase.h"
#include "common/publisher.h"
#include "common/samefile.h"
#include "common/seal_heap.h"
#include "common/source.h"
#include "common/status.h"
#include "fusefs/options.h"
#include "fusefs/swap.h"

enum {
	SIBLINGS_MAX = 4096, /* files of the directory that are tried */
	DIAG_ROOM = 16384,
	FRAMES_MAX = 16,
};

static const char program[] = "satchel-mount";

struct keys {
	struct header_keys keys;
	struct passphrase passphrase;
	uint8_t key_file[KDF_KEYBYTES];
	uint8_t identity[HEADER_MAX_IDENTITIES][KDF_KEYBYTES];
};

/* --- the arena --------------------------------------------------------------- */

static unsigned core_count(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

/* One more than there are cores: while all of those decode, it waits for
 * requests. */
static void plan_workers(struct access *a, const struct options *o)
{
	unsigned cores = core_count();

	a->workers = cores < ACCESS_WORKERS ? cores + 1 : ACCESS_WORKERS;
	a->read_max = a->workers > 3 ? ACCESS_READ_SMALL : ACCESS_READ;
	if (o->cache)
		a->read_max = ACCESS_READ_CACHED;
}

static int make_arena(struct access *a, const struct options *o)
{
	int status;

	if (swap_is_exposed()) {
		if (o->require_no_swap) {
			diag_error(NULL, "swap is on: switch it off (swapoff -a) or encrypt it");
			return 1;
		}
		diag_warn(NULL, "swap is on: what other programs show might reach the disk");
	}
	status = arena_new(&a->arena, ARENA_MAX_BYTES, o->allow_unlocked);
	if (status == STATUS_UNLOCKED) {
		diag_error(NULL,
		           "memory cannot be locked, so plaintext might reach the disk; raise the "
		           "limit (ulimit -l) or give --allow-unlocked");
		return 1;
	}
	if (status)
		return diag_status(NULL, status);
	diag_init(program, a->arena);
	if (!arena_locked(a->arena))
		diag_warn(NULL, "memory is not locked: plaintext might reach the disk");
	status = seal_heap_move_in(a->arena, seal_heap_bytes(ACCESS_WORKERS));
	return status ? diag_status(NULL, status) : 0;
}

static size_t buffer_size(const struct access *a)
{
	return a->read_max + ACCESS_HEAD;
}

/* All that workers need, and the rest for frames. */
static int share_arena(struct access *a)
{
	size_t each = cursor_size() - bundle_frames_size(1) + buffer_size(a) + ARENA_PAGE +
	              sizeof(struct bundle_entry) + 4 * 64;
	size_t room = arena_room(a->arena), frames = 0;
	int status;

	if (room > a->workers * each)
		frames = (room - a->workers * each) / bundle_frames_size(1);
	if (frames > FRAMES_MAX)
		frames = FRAMES_MAX;
	if (frames < a->workers)
		return STATUS_NOMEM;
	status = bundle_share_frames(a->bundle, (unsigned)frames);
	for (unsigned i = 0; i < a->workers && status == STATUS_OK; i++) {
		struct access_share *share = &a->share[i];

		status = cursor_new(&share->cursor, a->bundle);
		share->entry = arena_alloc(a->arena, sizeof *share->entry);
		share->buffer = arena_alloc_page(a->arena, buffer_size(a));
		if (status == STATUS_OK && (!share->entry || !share->buffer))
			status = STATUS_NOMEM;
	}
	return status;
}

/* --- volumes ------------------------------------------------------------------ */

/* A set may have more volumes than there are descriptors by default. */
static void raise_file_limit(unsigned wanted)
{
	struct rlimit limit;

	if (wanted < 512 || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_sources(struct access *a, const struct options *o)
{
	unsigned room = 1 + o->volume_count + FORMAT_MAX_VOLUMES;

	a->source = calloc(room, sizeof *a->source);
	a->file = calloc(room, sizeof *a->file);
	if (!a->source || !a->file)
		return diag_status(NULL, STATUS_NOMEM);
	raise_file_limit(o->volume_count);
	for (unsigned i = 0; i <= o->volume_count; i++) {
		const char *path = i ? o->volume[i - 1] : o->bundle;
		int status = source_open_file(&a->source[i], path);

		if (status) {
			diag_status(path, status);
			return status == STATUS_IO ? 10 : status_exit_code(status);
		}
		a->file[i] = path;
		a->source_count++;
	}
	return 0;
}

/* Is file one of those that are open already? */
static bool is_open(const struct access *a, const struct source *source)
{
	struct stat st;

	if (fstat(source_fd(source), &st))
		return true;
	for (unsigned i = 0; i < a->source_count; i++)
		if (samefile_descriptor(source_fd(a->source[i]), &st))
			return true;
	return false;
}

static bool volumes_missing(const struct access *a)
{
	for (unsigned v = 0; v < bundle_volume_count(a->bundle); v++)
		if (!bundle_volume(a->bundle, v)->pages)
			return true;
	return false;
}

/* Try one file of the bundle's directory.  What is wrong with it is no matter. */
static int try_sibling(struct access *a, const char *path)
{
	struct source *source = NULL;
	struct stat st;
	int taken = 0;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || source_open_file(&source, path))
		return STATUS_OK;
	if (!is_open(a, source))
		taken = bundle_add(a->bundle, source, a->source_count);
	if (taken == 1)
		a->source[a->source_count++] = source;
	else
		source_close(source);
	return taken < 0 ? taken : STATUS_OK;
}

/* The rest of a set lies beside it, whatever the files are called. */
static int find_siblings(struct access *a, const struct options *o)
{
	const char *slash = strrchr(o->bundle, '/');
	size_t front = slash ? (size_t)(slash - o->bundle) + 1 : 0;
	char path[PATH_MAX];
	struct dirent *entry;
	int status = STATUS_OK;
	DIR *directory;

	if (front + NAME_MAX + 1 > sizeof path)
		return STATUS_OK;
	memcpy(path, o->bundle, front);
	strcpy(path + front, front ? "" : ".");
	directory = opendir(path);
	for (int tried = 0; directory && tried < SIBLINGS_MAX && volumes_missing(a); tried++) {
		entry = readdir(directory);
		if (!entry || status)
			break;
		strcpy(path + front, entry->d_name);
		status = try_sibling(a, path);
	}
	if (directory)
		closedir(directory);
	return status;
}

/* --- keys ---------------------------------------------------------------------- */

static int read_passphrase(struct keys *k, const struct options *o)
{
	int status;

	if (o->passphrase_file)
		status = passphrase_read_file(&k->passphrase, o->passphrase_file);
	else if (o->passphrase_fd >= 0)
		status = passphrase_read_fd(&k->passphrase, o->passphrase_fd);
	else if (!o->key_file && !o->identity_count)
		status = passphrase_ask(&k->passphrase, "passphrase: ", false);
	else
		return 0;
	if (status == STATUS_IO && errno == ENXIO) {
		diag_error(NULL, "no terminal to ask for the passphrase: give --passphrase-file, "
		                 "--key-file or --identity");
		return 2;
	}
	if (status)
		return diag_status(o->passphrase_file ? o->passphrase_file : "passphrase", status);
	k->keys.passphrase = &k->passphrase;
	return 0;
}

static int read_identities(struct keys *k, const struct options *o)
{
	for (unsigned i = 0; i < o->identity_count; i++) {
		unsigned have = k->keys.identity_count, count = 0;
		int status = identity_read_file(k->identity + have, HEADER_MAX_IDENTITIES - have,
		                                &count, o->identity[i]);

		if (status)
			return diag_status(o->identity[i], status);
		k->keys.identity_count += count;
	}
	k->keys.identity = (const uint8_t(*)[KDF_KEYBYTES])k->identity;
	return 0;
}

static int read_keys(struct keys *k, const struct options *o)
{
	int status, code;

	if (o->key_file) {
		status = kdf_key_file(o->key_file, k->key_file);
		if (status)
			return diag_status(o->key_file, status);
		k->keys.key_file = k->key_file;
	}
	code = read_identities(k, o);
	return code ? code : read_passphrase(k, o);
}

/* --- opening --------------------------------------------------------------------- */

static int open_bundle(struct access *a, const struct options *o, const struct keys *k)
{
	int status =
		bundle_begin(&a->bundle, a->arena, a->source, a->source_count, o->length, &k->keys);

	if (status == STATUS_OK)
		status = find_siblings(a, o);
	if (status == STATUS_OK)
		status = bundle_ready(a->bundle);
	if (status == STATUS_OK)
		return 0;
	diag_status(o->bundle, status);
	/* Of one volume alone this would say which file; here nothing can be read. */
	return status == STATUS_DAMAGED || status == STATUS_INVALID || status == STATUS_IO
	               ? 10
	               : status_exit_code(status);
}

/* Files that were named and are not part of the set. */
static void name_strangers(const struct access *a, const struct options *o)
{
	for (unsigned i = 0; i <= o->volume_count; i++) {
		bool used = false;

		for (unsigned v = 0; v < bundle_volume_count(a->bundle); v++) {
			const struct bundle_volume *volume = bundle_volume(a->bundle, v);

			used |= (volume->pages || volume->rootless) && volume->source_no == i;
		}
		if (!used)
			diag_warn(a->file[i],
			          "is not used: no volume of this set, or one that is there twice");
	}
	if (volumes_missing(a))
		diag_warn(NULL,
		          "volumes of the set are missing: files that lie there cannot be read");
}

int access_open(struct access *access, const struct options *options)
{
	struct publisher_pins *pins = NULL;
	struct keys *keys = NULL;
	int code, status;

	*access = (struct access){0};
	plan_workers(access, options);
	code = make_arena(access, options);
	if (code == 0)
		code = open_sources(access, options);
	if (code == 0)
		code = publisher_load(&pins, &options->publisher);
	if (code)
		return code;
	keys = arena_alloc(access->arena, sizeof *keys);
	if (!keys)
		return diag_status(NULL, STATUS_NOMEM);
	code = read_keys(keys, options);
	if (code == 0)
		code = open_bundle(access, options, keys);
	explicit_bzero(keys, sizeof *keys);
	if (code == 0)
		code = publisher_judge(pins, bundle_content(access->bundle), options->bundle);
	publisher_free(pins);
	if (code)
		return code;
	status = share_arena(access);
	if (status)
		return diag_status(NULL, status);
	name_strangers(access, options);
	return 0;
}
