/* Where bundles go: what can be known about the places before anything is read
 * or written. */
#ifndef BUNDLER_OUTPUTS_H
#define BUNDLER_OUTPUTS_H

#include <stdint.h>

#include "bundler/scan.h"

struct failure;
struct options;

/* Can output number i be made?  Also: is it none of the given sources, and not
 * named before?  existing: if --force will replace it, it is appended to these.
 * Returns an exit code; on failure a line has said why. */
int outputs_check(const struct options *options, unsigned i, struct scan_output *existing,
                  unsigned *count, struct failure *failure);

/* Is there room for len bytes beside path? */
int outputs_check_room(const char *path, uint64_t len, struct failure *failure);

/* The exit code for a write_bundle that failed with this status and errno: is it
 * the drive? */
int outputs_exit_code(int status, int error);

#endif
