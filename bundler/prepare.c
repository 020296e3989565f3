#include "bundler/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bundler/outputs.h"
#include "bundler/scan.h"
#include "bundler/write.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/drive.h"
#include "common/seal_heap.h"
#include "common/status.h"
#include "common/swap.h"

enum { ARENA_BYTES = 1 << 20 };

static int check_directory(struct pack *p, const char *option, const char *path)
{
	struct stat st;
	bool there = !stat(path, &st);

	if (there && S_ISDIR(st.st_mode))
		return EXIT_DONE;
	return failure_say(&p->failure, EXIT_FAILED, path, "%s: %s", option,
	                   strerror(there ? ENOTDIR : errno));
}

/* Is there room, if it is known already how much that takes? */
static int check_size(const struct options *o, const char *path, struct failure *own)
{
	const struct volumes_wish wish = {o->size.bytes, o->volume_size, 0};
	uint64_t len = o->size.bytes;
	unsigned count = 1;

	if (o->size.kind != SIZE_EXACT)
		return EXIT_DONE;
	if (o->volume_size)
		(void)volumes_divide(&wish, &count, &len); /* the options were checked */
	return outputs_check_room(path, count, len, 0, own);
}

/* Fails for what is wrong with the command line, or if no output is left. */
static int check_outputs(struct pack *p)
{
	const struct options *o = &p->options;
	unsigned left = o->output.count;

	p->existing = calloc((o->output.count + (size_t)1) * OUTPUTS_FILES, sizeof *p->existing);
	p->refused = calloc(o->output.count + (size_t)1, sizeof *p->refused);
	if (!p->existing || !p->refused)
		return failure_status(&p->failure, NULL, STATUS_NOMEM);
	for (unsigned i = 0; i < o->output.count; i++) {
		struct failure own = {0};
		int code = outputs_check(o, i, p->existing, &p->existing_count, &own);

		if (!code)
			code = check_size(o, o->output.text[i], &own);
		if (code == EXIT_USAGE)
			return failure_note(&p->failure, code, own.message);
		if (code)
			pack_refuse(p, i, o->size.bytes, &own);
		left -= code != EXIT_DONE;
	}
	return left || !o->output.count ? EXIT_DONE : p->refusal.code;
}

/* Better known before all is read. */
static int check_fill(struct pack *p)
{
	const char *directory = p->options.size.directory;
	struct drive drive;
	int code = check_directory(p, "--size=fill", directory);

	if (!code && !drive_look_at(&drive, directory) && drive.free == UINT64_MAX)
		code = failure_say(&p->failure, EXIT_FAILED, directory,
		                   "--size=fill: what is free there is not known; say how long, in "
		                   "bytes");
	return code;
}

static int check_places(struct pack *p)
{
	const struct options *o = &p->options;
	int code = check_outputs(p);

	if (!code && o->size.kind == SIZE_FILL)
		code = check_fill(p);
	if (!code)
		code = outputs_check_spill(o, &p->failure);
	return code;
}

/* Room for the keys, and for libcrypto, which has them while pages are sealed: a
 * worker, a spill (a stage has eight, its heap one or two, archives two) or a feed at a
 * time. */
static int make_arena(struct pack *p)
{
	const struct options *o = &p->options;
	size_t heap = seal_heap_bytes(p->budget.workers + 11 * o->compartment_count + 8);
	int status = arena_new(&p->arena, ARENA_BYTES + heap, o->allow_unlocked);

	if (status == STATUS_UNLOCKED)
		return failure_say(&p->failure, EXIT_FAILED, NULL,
		                   "memory for keys cannot be locked; raise its limit (ulimit -l), "
		                   "or use --allow-unlocked");
	if (status == STATUS_OK)
		status = seal_heap_move_in(p->arena, heap);
	return status ? failure_status(&p->failure, NULL, status) : EXIT_DONE;
}

static int make_budget(struct pack *p)
{
	const struct options *o = &p->options;
	uint64_t least = budget_least(o->compartment_count, o->parity);

	if (o->memory < least)
		return failure_say(&p->failure, EXIT_USAGE, NULL,
		                   "--memory: this takes at least %uM",
		                   (unsigned)(least >> 20) + 1);
	p->budget = budget_divide(o);
	return EXIT_DONE;
}

/* A file of recipients may have had more than the options tell. */
static int check_openers(struct pack *p)
{
	const struct options *o = &p->options;
	unsigned most = write_max_openers(o->compartment_count, options_several_volumes(o));

	if (p->openers.count > most)
		return failure_say(&p->failure, EXIT_USAGE, NULL,
		                   "more than %u passphrases, key files and recipients", most);
	return EXIT_DONE;
}

int pack_prepare(struct pack *p)
{
	const struct options *o = &p->options;
	int code = make_budget(p);

	if (!code)
		code = check_places(p);
	if (!code)
		code = make_arena(p);
	if (code)
		return code;
	if (swap_is_exposed())
		diag_warn(NULL, "warning: swap is on, and what is packed may reach it; swapoff -a "
		                "turns it off");
	for (unsigned i = 0; i < o->compartment_count && !code; i++) {
		p->compartment[i].run = o;
		p->compartment[i].options = &o->compartment[i];
		p->compartment[i].budget = &p->budget;
		code = compartment_prepare(&p->compartment[i], &p->openers, p->arena, &p->failure);
	}
	return code ? code : check_openers(p);
}
