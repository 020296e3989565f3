/* What the packer may still do when it begins to read sources, archives of
 * strangers among them: read files, and write where the outputs and the spill are.
 * No program, no other process, no network. */
#ifndef BUNDLER_SANDBOX_H
#define BUNDLER_SANDBOX_H

struct options;

/* For all threads to come.  Where the kernel lacks a part, that part is left out, with
 * a warning.  STATUS_NOMEM: not, or not all of it. */
int sandbox_enter(const struct options *options);

#endif
