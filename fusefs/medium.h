/* Is the medium still there?  Asked again and again, also when nobody reads.
 *
 * What sysfs says about the block device that a volume lies on, and about those
 * under it (LUKS, LVM, loop), is kept open: reading it fails once the device has
 * gone, and a card reader without a card says 0.  Where there is no block device
 * (network, FUSE), or nothing to be seen under one that is made of something else (a loop
 * device over the network), the volume itself is read, by a thread of its own for each: a
 * server that is silent holds nothing up, and is not absent.  One unreadable page is damage,
 * not absence. */
#ifndef FUSEFS_MEDIUM_H
#define FUSEFS_MEDIUM_H

#include <stdbool.h>

struct medium;
struct source;

/* sources: count of them, borrowed.  It lasts as long as the process.  STATUS_NOMEM. */
int medium_new(struct medium **medium, struct source *const *sources, unsigned count);

/* Begin to read what must be read.  Between the two halves of the sandbox.
 * STATUS_NOMEM. */
int medium_start(struct medium *medium);

bool medium_is_there(const struct medium *medium);

#endif
