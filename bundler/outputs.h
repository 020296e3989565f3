/* Where bundles go: what can be known about the places before anything is read
 * or written. */
#ifndef BUNDLER_OUTPUTS_H
#define BUNDLER_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bundler/scan.h"

struct failure;
struct options;

/* Files that one output may replace. */
#define OUTPUTS_FILES (FORMAT_MAX_VOLUMES + 1)

/* Can output number i be made?  Also: is it nothing that this run reads, and not
 * named before?  Where it may become several volumes, its own name and that of the
 * first one must be free.  existing: what --force will replace is appended to these,
 * OUTPUTS_FILES at most.
 * Returns an exit code; on failure a line has said why. */
int outputs_check(const struct options *options, unsigned i, struct scan_output *existing,
                  unsigned *count, struct failure *failure);

/* May what does not fit into memory be spilled where it is to go?  Not on a drive
 * that a bundle goes to: what is deleted there stays readable, as random bytes that
 * no bundle accounts for. */
int outputs_check_spill(const struct options *options, struct failure *failure);

/* Is there room beside path for volumes files of up to most bytes?  least: all together,
 * as short as they could be; 0 where their length was asked for. */
int outputs_check_room(const char *path, unsigned volumes, uint64_t most, uint64_t least,
                       struct failure *failure);

/* Say so where what is read back may not come from the medium itself. */
void outputs_warn_of_cache(const char *path);

/* The exit code for a write_bundle that failed with this status and errno: is it
 * the drive? */
int outputs_exit_code(int status, int error);

#endif
