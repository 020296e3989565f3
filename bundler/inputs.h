/* The files that a run reads: none of them may become its output. */
#ifndef BUNDLER_INPUTS_H
#define BUNDLER_INPUTS_H

#include <stdbool.h>

struct options;
struct stat;

/* Is it one of the sources or archives? */
bool inputs_has_source(const struct options *options, const struct stat *file);

/* Is it a key file, a passphrase, a signing key, a list of recipients, the recipe? */
bool inputs_has_other(const struct options *options, const struct stat *file);

#endif
