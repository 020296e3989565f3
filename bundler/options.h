/* The command line of satchel-pack.  satchel-pack(1), "Options". */
#ifndef BUNDLER_OPTIONS_H
#define BUNDLER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kdf.h"

struct text_list {
	const char **text;
	unsigned count;
};

/* A passphrase is what a file or a descriptor has. */
struct passphrase_place {
	const char *file; /* NULL: fd */
	int fd;
};

struct place_list {
	struct passphrase_place *place;
	unsigned count;
};

/* How long the bundle is to be. */
struct size_wish {
	enum { SIZE_PADDED, SIZE_EXACT, SIZE_FILL } kind;
	uint64_t bytes;
	const char *directory;
};

/* All text is borrowed from argv. */
struct options {
	struct text_list output;
	bool force, quiet, verbose, json, dry_run, no_verify, help, version;
	struct place_list passphrase;
	bool generate;
	struct text_list key_file;
	struct text_list recipient, recipients_file;
	const char *second_factor;
	const char *sign; /* NULL for none */
	enum kdf_profile profile;
	unsigned parity;
	struct size_wish size;
	bool full_metadata;
	unsigned level;
	struct text_list exclude;
	bool cross_file_systems;
	const char *label, *series; /* "" for none */
	uint64_t edition;
	uint64_t memory;
	const char *spill;
	unsigned jobs;
	bool allow_unlocked;
	int64_t newest; /* SOURCE_DATE_EPOCH, INT64_MAX for none */
	const char *const *path;
	unsigned path_count;
	char error[256]; /* "--level: not a number from 1 to 19", "" for none */
};

/* Read the command line and the environment.  false: something is wrong with
 * them, and error says what; the rest is filled in all the same, so that it is
 * known how to report it. */
bool options_read(struct options *options, int argc, char **argv);

/* Will a passphrase be asked for on the terminal? */
bool options_ask(const struct options *options);

void options_fini(struct options *options);

void options_print_help(void);

#endif
