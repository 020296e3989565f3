#include "reader/session.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/identity.h"
#include "common/outfile.h"
#include "common/pages.h"
#include "common/passphrase.h"
#include "common/publisher.h"
#include "common/samefile.h"
#include "common/source.h"
#include "common/status.h"
#include "reader/sandbox.h"

enum {
	SIBLINGS_MAX = 4096, /* files of the directory that are tried */
	DIAG_ROOM = 16384,
};

static const char program[] = "satchel-read";

struct session_keys {
	struct header_keys keys;
	struct passphrase passphrase;
	uint8_t key_file[KDF_KEYBYTES];
	uint8_t identity[HEADER_MAX_IDENTITIES][KDF_KEYBYTES];
};

/* --- the end, however it comes --------------------------------------------- */

static struct arena *to_wipe;

/* What is wiped must not be gone on with, whatever becomes of the signal. */
static void on_signal(int no)
{
	sigset_t own;

	outfile_discard_all();
	if (to_wipe)
		arena_wipe(to_wipe);
	sigemptyset(&own);
	sigaddset(&own, no);
	signal(no, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &own, NULL);
	/* raise(3), which in some C libraries does what the sandbox refuses. */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), no);
	_exit(128 + no);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	struct sigaction action = {.sa_handler = on_signal}, before;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaction(signals[i], &action, &before);
		if (before.sa_handler == SIG_IGN)
			sigaction(signals[i], &before, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* --- the arena -------------------------------------------------------------- */

static unsigned core_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return count < 1 ? 1 : count > SESSION_WORKERS ? SESSION_WORKERS : (unsigned)count;
}

/* As many workers as there are cores and room for; a single one is the verb's
 * own thread. */
static size_t plan_arena(struct session *s, const struct session_needs *needs)
{
	size_t each = cursor_size() + needs->worker_room + 64;
	size_t fixed = DIAG_ROOM + sizeof(struct session_keys) + bundle_size() + needs->room +
	               cursor_size() + 4096;

	s->worker_count = needs->workers ? core_count() : 0;
	while (s->worker_count > 1 && fixed + s->worker_count * each > ARENA_MAX_BYTES)
		s->worker_count--;
	return fixed + s->worker_count * each;
}

static int make_arena(struct session *s, const struct session_needs *needs)
{
	int status = arena_new(&s->arena, plan_arena(s, needs), s->options->allow_unlocked);

	if (status == STATUS_UNLOCKED) {
		diag_error(NULL,
		           "memory cannot be locked, so plaintext might reach the disk; raise the "
		           "limit (ulimit -l) or give --allow-unlocked");
		return 1;
	}
	if (status)
		return diag_status(NULL, status);
	to_wipe = s->arena;
	diag_init(program, s->arena);
	if (!arena_locked(s->arena))
		diag_warn(NULL, "memory is not locked: plaintext might reach the disk");
	if (arena_swap_is_on())
		diag_warn(NULL, "swap is on: what other programs show might reach the disk");
	return 0;
}

/* --- sources ----------------------------------------------------------------- */

/* A set may have more volumes than there are descriptors by default. */
static void raise_file_limit(unsigned wanted)
{
	struct rlimit limit;

	if (wanted < 512 || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_sources(struct session *s)
{
	const struct options *o = s->options;
	unsigned room = 1 + o->volume_count + FORMAT_MAX_VOLUMES;

	s->source = calloc(room, sizeof *s->source);
	s->file = calloc(room, sizeof *s->file);
	if (!s->source || !s->file)
		return diag_status(NULL, STATUS_NOMEM);
	raise_file_limit(o->volume_count);
	for (unsigned i = 0; i <= o->volume_count; i++) {
		const char *path = i ? o->volume[i - 1] : o->bundle;
		int status = source_open_file(&s->source[i], path);

		if (status == STATUS_IO) {
			diag_status(path, status);
			return 10;
		}
		if (status)
			return diag_status(path, status);
		s->file[i] = path;
		s->source_count++;
	}
	return 0;
}

/* Is file one of those that are open already? */
static bool is_open(const struct session *s, const struct source *source)
{
	struct stat st;

	if (fstat(source_fd(source), &st))
		return true;
	for (unsigned i = 0; i < s->source_count; i++)
		if (samefile_descriptor(source_fd(s->source[i]), &st))
			return true;
	return false;
}

/* Try one file of the bundle's directory.  What is wrong with it is no matter. */
static int try_sibling(struct session *s, const char *path)
{
	struct source *source = NULL;
	struct stat st;
	int taken = 0;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || source_open_file(&source, path))
		return STATUS_OK;
	if (!is_open(s, source))
		taken = bundle_add(s->bundle, source, s->source_count);
	if (taken == 1) {
		s->file[s->source_count] = strdup(path);
		s->source[s->source_count++] = source;
	} else {
		source_close(source);
	}
	return taken < 0 ? taken : STATUS_OK;
}

/* The rest of a set lies beside it, whatever the files are called. */
static int find_siblings(struct session *s)
{
	const char *bundle = s->options->bundle, *slash = strrchr(bundle, '/');
	size_t front = slash ? (size_t)(slash - bundle) + 1 : 2;
	struct dirent *entry;
	int status = STATUS_OK;
	DIR *directory;
	char *path;

	if (session_missing(s) == 0)
		return STATUS_OK;
	path = malloc(front + NAME_MAX + 1);
	if (!path)
		return STATUS_NOMEM;
	memcpy(path, slash ? bundle : "./", front);
	path[front] = '\0';
	directory = opendir(path);
	for (int tried = 0; directory && tried < SIBLINGS_MAX && session_missing(s); tried++) {
		entry = readdir(directory);
		if (!entry || status)
			break;
		memcpy(path + front, entry->d_name, strlen(entry->d_name) + 1);
		status = try_sibling(s, path);
	}
	if (directory)
		closedir(directory);
	free(path);
	return status;
}

/* --- keys -------------------------------------------------------------------- */

static int read_passphrase(struct session *s, struct session_keys *k)
{
	const struct options *o = s->options;
	int status;

	if (o->passphrase_file)
		status = passphrase_read_file(&k->passphrase, o->passphrase_file);
	else if (o->passphrase_fd >= 0)
		status = passphrase_read_fd(&k->passphrase, o->passphrase_fd);
	else if (!o->key_file && !o->identity_count)
		status = passphrase_ask(&k->passphrase, "passphrase: ", false);
	else
		return 0;
	if (status == STATUS_IO && errno == ENXIO)
		return options_usage(NULL, "no terminal to ask for the passphrase",
		                     "give --passphrase-file, --key-file or --identity");
	if (status)
		return diag_status(o->passphrase_file ? o->passphrase_file : "passphrase", status);
	k->keys.passphrase = &k->passphrase;
	return 0;
}

static int read_identities(struct session *s, struct session_keys *k)
{
	for (unsigned i = 0; i < s->options->identity_count; i++) {
		const char *path = s->options->identity[i];
		unsigned have = k->keys.identity_count, count = 0;
		int status = identity_read_file(k->identity + have, HEADER_MAX_IDENTITIES - have,
		                                &count, path);

		if (status)
			return diag_status(path, status);
		k->keys.identity_count += count;
	}
	k->keys.identity = (const uint8_t(*)[KDF_KEYBYTES])k->identity;
	return 0;
}

static int read_keys(struct session *s)
{
	struct session_keys *k = arena_alloc(s->arena, sizeof *k);
	int status, code;

	if (!k)
		return diag_status(NULL, STATUS_NOMEM);
	s->keys = k;
	if (s->options->key_file) {
		status = kdf_key_file(s->options->key_file, k->key_file);
		if (status)
			return diag_status(s->options->key_file, status);
		k->keys.key_file = k->key_file;
	}
	code = read_identities(s, k);
	return code ? code : read_passphrase(s, k);
}

const struct header_keys *session_keys(const struct session *s)
{
	return &s->keys->keys;
}

/* --- opening ------------------------------------------------------------------ */

/* Files that were named and are not part of the set. */
static void name_strangers(const struct session *s)
{
	for (unsigned i = 0; i <= s->options->volume_count; i++) {
		bool used = false;

		for (unsigned v = 0; v < bundle_volume_count(s->bundle); v++) {
			const struct bundle_volume *volume = bundle_volume(s->bundle, v);

			used |= (volume->pages || volume->rootless) && volume->source_no == i;
		}
		if (!used)
			diag_warn(s->file[i],
			          "is not used: no volume of this set, or one that is there twice");
	}
}

static int open_bundle(struct session *s)
{
	int status = bundle_begin(&s->bundle, s->arena, s->source, s->source_count,
	                          s->options->length, &s->keys->keys);

	if (status == STATUS_OK)
		status = find_siblings(s);
	if (status == STATUS_OK)
		status = bundle_ready(s->bundle);
	if (status == STATUS_OK)
		return 0;
	/* Of one volume alone this would say which file; here nothing can be read. */
	diag_status(s->options->bundle, status);
	return status == STATUS_DAMAGED || status == STATUS_INVALID || status == STATUS_IO
	               ? 10
	               : status_exit_code(status);
}

/* Volumes that are there, and of no use. */
static void name_rootless(const struct session *s)
{
	unsigned count = bundle_volume_count(s->bundle);

	for (unsigned v = 0; v < count; v++)
		if (bundle_volume(s->bundle, v)->rootless)
			diag_warn(NULL, "volume %u of %u has lost all copies of its root", v + 1,
			          count);
}

static int make_cursors(struct session *s)
{
	int status = cursor_new(&s->cursor, s->bundle);

	for (unsigned i = 0; i < s->worker_count && status == STATUS_OK; i++)
		status = cursor_new(&s->worker[i], s->bundle);
	return status ? diag_status(NULL, status) : 0;
}

static int open_session(struct session *s, const struct options *options,
                        const struct session_needs *needs)
{
	int code;

	*s = (struct session){.options = options, .one_volume = needs->one_volume};
	catch_signals();
	code = make_arena(s, needs);
	if (code == 0)
		code = open_sources(s);
	if (code == 0)
		code = publisher_load(&s->pins, &options->publisher);
	if (code == 0)
		code = read_keys(s);
	if (code == 0) {
		sandbox_begin(needs->place);
		code = open_bundle(s);
	}
	if (code == 0)
		sandbox_close(needs->place);
	if (code == 0)
		code = publisher_judge(s->pins, bundle_content(s->bundle), options->bundle);
	if (code == 0)
		code = make_cursors(s);
	if (code == 0)
		name_strangers(s);
	if (code == 0)
		name_rootless(s);
	return code;
}

/* --- the exit code -------------------------------------------------------------- */

static int rank(int exit_code)
{
	static const uint8_t worse[] = {0, 5, 3, 10, 4, 1};

	for (int i = 0; i < (int)sizeof worse; i++)
		if (worse[i] == exit_code)
			return i;
	return sizeof worse;
}

void session_note(struct session *s, int exit_code)
{
	int before = atomic_load(&s->exit_code);

	while (rank(exit_code) > rank(before) &&
	       !atomic_compare_exchange_weak(&s->exit_code, &before, exit_code))
		;
}

void session_report(struct session *s, const char *path, int status)
{
	session_note(s, diag_status(*path ? path : ".", status));
}

unsigned session_missing(const struct session *s)
{
	unsigned missing = 0;

	for (unsigned v = 0; v < bundle_volume_count(s->bundle); v++)
		missing += !bundle_volume(s->bundle, v)->pages;
	return missing;
}

bool session_damage_seen(const struct session *s)
{
	for (unsigned v = 0; v < bundle_volume_count(s->bundle); v++) {
		const struct bundle_volume *volume = bundle_volume(s->bundle, v);

		if (s->one_volume && volume->source_no != 0)
			continue;
		if (volume->pages &&
		    (volume->header != HEADER_A || volume->bad_roots || volume->missing ||
		     atomic_load(&volume->pages->health.repaired) ||
		     atomic_load(&volume->pages->health.lost)))
			return true;
	}
	return false;
}

static int close_session(struct session *s)
{
	if (s->bundle && bundle_ready(s->bundle) == STATUS_OK && session_damage_seen(s))
		session_note(s, 5);
	for (unsigned i = 0; i < s->worker_count; i++)
		cursor_free(s->worker[i]);
	cursor_free(s->cursor);
	bundle_close(s->bundle);
	for (unsigned i = 0; i < s->source_count; i++) {
		source_close(s->source[i]);
		if (i > s->options->volume_count)
			free((char *)s->file[i]); /* found, not given */
	}
	free(s->source);
	free(s->file);
	publisher_free(s->pins);
	diag_init(program, NULL);
	to_wipe = NULL;
	arena_free(s->arena);
	return atomic_load(&s->exit_code);
}

int session_run(const struct options *options, const struct session_needs *needs,
                int (*act)(void *context, struct session *session), void *context)
{
	struct session s;
	int code = open_session(&s, options, needs);

	if (code == 0)
		code = act(context, &s);
	session_note(&s, code);
	return close_session(&s);
}
