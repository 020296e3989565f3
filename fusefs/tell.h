/* Lines about files that cannot be read. */
#ifndef FUSEFS_TELL_H
#define FUSEFS_TELL_H

#include "fusefs/loop.h"

/* For a worker that has nothing else to do: what is due, as long as somebody takes it. */
extern const struct errand tell_errand;

/* Once no worker answers any more: the lines that are still held, without names, as far as
 * somebody takes them in so long. */
void tell_held(const struct view *view, unsigned milliseconds);

#endif
