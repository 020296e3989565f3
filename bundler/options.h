/* What is asked for: the command line of satchel-pack, and a recipe if it names
 * one.  satchel-pack(1), "Options"; satchel-recipe(5). */
#ifndef BUNDLER_OPTIONS_H
#define BUNDLER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundler/argument.h"
#include "common/format.h"
#include "common/kdf.h"

/* What goes into one compartment, and who opens it. */
struct compartment_options {
	const char *name; /* in the recipe; "" for the only one */
	struct text_list source;
	struct text_list archive; /* files, "-" for standard input */
	struct text_list exclude;
	bool cross_file_systems;
	bool full_metadata;
	const char *label, *series; /* "" for none */
	uint64_t edition;
	struct place_list passphrase;
	bool generate;
	struct text_list key_file;
	struct text_list recipient, recipients_file;
	const char *second_factor;
	const char *sign; /* NULL for none */
	uint64_t given;   /* for options.c: a bit for each row that was set */
};

/* Text is borrowed from argv, or from the recipe, which is kept. */
struct options {
	struct compartment_options compartment[FORMAT_SLOTS];
	unsigned compartment_count;
	struct text_list output;
	bool force, quiet, verbose, json, dry_run, no_verify, help, version;
	const char *recipe; /* NULL for none */
	enum kdf_profile profile;
	unsigned parity;
	struct size_wish size;
	uint64_t volume_size; /* 0: one file */
	unsigned level;
	uint64_t memory;
	const char *spill;
	unsigned jobs;
	bool allow_unlocked;
	int64_t newest;               /* SOURCE_DATE_EPOCH, INT64_MAX for none */
	uint64_t given, recipe_given; /* for options.c: rows that the two set of the bundle */
	struct text_list kept;        /* for options.c: copies that others point into */
	char error[512];              /* "--level: not a number from 1 to 19", "" for none */
	bool no_memory;               /* that is the error, and nobody's wrong use */
};

/* Read the command line, the environment and the recipe.  false: something is
 * wrong with them, and error says what; the rest is filled in all the same, so
 * that it is known how to report it. */
bool options_read(struct options *options, int argc, char **argv);

/* Will a passphrase for this compartment be asked for on the terminal? */
bool options_ask(const struct compartment_options *compartment);

/* May this become several volumes? */
bool options_several_volumes(const struct options *options);

void options_fini(struct options *options);

void options_print_help(void);

/* --- for the recipe ---------------------------------------------------------- */

/* A compartment of that name, which is copied.  *wrong: why there is none. */
struct compartment_options *options_add_compartment(struct options *options, const char *name,
                                                    const char **wrong);

/* wrong, as these return it, is about to be the error, unless there is one. */
void options_note_wrong(struct options *options, const char *wrong);

/* Set what key says: of the compartment, or, if that is NULL, of the bundle, unless
 * the command line has set it.  A path is meant from folder ("" or with a slash at
 * its end).  Returns what is wrong, or NULL. */
const char *options_set(struct options *options, struct compartment_options *compartment,
                        const char *key, const char *value, const char *folder);

#endif
