/* One compartment on its way from sources to a stage, as main.c drives it: opened,
 * scanned, staged.  What goes wrong is said here. */
#ifndef BUNDLER_COMPARTMENT_H
#define BUNDLER_COMPARTMENT_H

#include "bundler/openers.h"
#include "bundler/scan.h"

struct arena;
struct budget;
struct compartment_options;
struct failure;
struct minisign_secret;
struct options;
struct progress;
struct report;
struct spill;
struct stage;
struct tree;

/* run, options and budget are given, and borrowed; the rest begins as zeros. */
struct compartment {
	const struct options *run;
	const struct compartment_options *options;
	const struct budget *budget;
	const struct opener *opener; /* which of them are its own */
	unsigned opener_count;
	struct minisign_secret *signer; /* in the arena; NULL when it has signed */
	struct tree *tree;
	struct spill *heap;
	struct stage *stage;
};

/* Each of these returns an exit code; on failure a line has said why. */

/* What it is signed with and opened by, unless the run is a dry one: asked for,
 * read, made.  openers: of the compartments before, to which it adds. */
int compartment_prepare(struct compartment *compartment, struct openers *openers,
                        struct arena *arena, struct failure *failure);

/* Find what there is; where that is no file, it fails.  output: existing files that are no
 * sources. */
int compartment_scan(struct compartment *compartment, struct arena *arena,
                     const struct scan_output *output, unsigned output_count,
                     struct progress *progress, struct report *report, struct failure *failure);

/* Take it in.  Where no file of it can be read it fails, too, rather than make a bundle
 * of nothing that may replace a good one. */
int compartment_stage(struct compartment *compartment, struct arena *arena,
                      struct progress *progress, struct report *report, struct failure *failure);

/* Say on standard error what is in it, a path a line. */
void compartment_name_everything(const struct compartment *compartment);

void compartment_release(struct compartment *compartment);

#endif
