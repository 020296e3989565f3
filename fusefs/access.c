#include "fusefs/access.h"

#include <unistd.h>

#include "common/arena.h"
#include "common/cores.h"
#include "common/diag.h"
#include "common/keyring.h"
#include "common/publisher.h"
#include "common/seal_heap.h"
#include "common/status.h"
#include "common/swap.h"
#include "fusefs/options.h"

enum { FRAMES_MAX = 16 };

/* --- the arena --------------------------------------------------------------- */

/* One more than there are cores: while all of those decode, it waits for
 * requests. */
static void plan_workers(struct access *a, const struct options *o)
{
	unsigned cores = cores_count(ACCESS_WORKERS);

	a->workers = cores < ACCESS_WORKERS ? cores + 1 : ACCESS_WORKERS;
	a->read_max = a->workers > 3 ? ACCESS_READ_SMALL : ACCESS_READ;
	if (o->cache)
		a->read_max = ACCESS_READ_CACHED;
}

static int make_arena(struct access *a, const struct options *o)
{
	int code, status;

	if (swap_is_exposed()) {
		if (o->require_no_swap) {
			diag_error(NULL, "swap is on: switch it off (swapoff -a) or encrypt it");
			return EXIT_FAILED;
		}
		diag_warn(NULL, "swap is on: what other programs show might reach the disk");
	}
	code = opening_arena(&a->arena, &o->opening, ARENA_MAX_BYTES);
	if (code)
		return code;
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

/* --- opening --------------------------------------------------------------------- */

/* The keys are needed for no longer than it takes. */
static int open_bundle(struct access *a, const struct opening *o)
{
	struct keyring *keys = NULL;
	int code = keyring_read(&keys, a->arena, o);

	if (code == 0)
		code = fileset_open_bundle(&a->files, &a->bundle, a->arena, o, keyring_keys(keys));
	if (keys)
		keyring_wipe(keys);
	return code;
}

static int open_judged(struct access *a, const struct opening *o)
{
	struct publisher_pins *pins = NULL;
	int code = publisher_load(&pins, &o->publisher);

	if (code == 0)
		code = open_bundle(a, o);
	if (code == 0)
		code = publisher_judge(pins, bundle_content(a->bundle), diag_name(o->bundle));
	publisher_free(pins);
	return code;
}

int access_open(struct access *access, const struct options *options)
{
	int code, status;

	*access = (struct access){0};
	plan_workers(access, options);
	code = make_arena(access, options);
	if (code == 0)
		code = fileset_open(&access->files, &options->opening);
	if (code == 0)
		code = open_judged(access, &options->opening);
	if (code)
		return code;
	status = share_arena(access);
	if (status)
		return diag_status(NULL, status);
	fileset_warn(&access->files, access->bundle);
	if (bundle_missing(access->bundle))
		diag_warn(NULL,
		          "volumes of the set are not here: files that lie there cannot be read");
	return 0;
}
