/* The command line of satchel-mount(1).  Nothing here is secret: a passphrase
 * never comes in this way. */
#ifndef FUSEFS_OPTIONS_H
#define FUSEFS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"
#include "common/header.h"
#include "common/publisher.h"

struct options {
	/* keys and volumes, as satchel-read has them; NULL, 0 or -1: not given */
	const char *passphrase_file;
	int passphrase_fd;
	const char *key_file;
	const char *identity[HEADER_MAX_IDENTITIES];
	unsigned identity_count;
	const char *volume[FORMAT_MAX_VOLUMES];
	unsigned volume_count;
	uint64_t length;
	struct publisher_options publisher;
	bool allow_unlocked;

	/* the mount */
	const char *subdir; /* NULL: the root */
	bool cache;
	bool exec;
	bool foreground;
	bool require_no_swap;
	unsigned idle_minutes; /* 0: never */
	bool end;              /* -u */
	bool names;            /* -v: of damaged files, into logs too */
	bool quiet;

	const char *bundle;    /* NULL with -u */
	const char *directory; /* NULL: --run chooses one */
	char **program;        /* --run: it and its arguments; NULL: a plain mount */
};

/* Returns -1 to go on, or the exit code (of --help and --version, or 2: what is
 * wrong has been said). */
int options_parse(struct options *options, int argc, char **argv);

#endif
