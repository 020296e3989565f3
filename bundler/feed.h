/* The stream of one volume, front to back: a copy of the index and of its leaf blocks, if
 * it has one, content, its leaf blocks, the index. */
#ifndef BUNDLER_FEED_H
#define BUNDLER_FEED_H

#include <stddef.h>
#include <stdint.h>

struct feed;
struct later;
struct stage;

/* Content [begin, end) of a stage, which is borrowed.  STATUS_NOMEM, STATUS_IO,
 * STATUS_DAMAGED (a spill). */
int feed_open(struct feed **feed, struct stage *stage, uint64_t begin, uint64_t end);

/* The next len bytes; zeros behind the end.  Those of large files may be put off: they
 * are there after later_run.  later: NULL if none may be.  Signed media is checked
 * to be what its leaves were made of.
 * STATUS_CHANGED, STATUS_IO: a source is not what it was when it was staged;
 * STATUS_IO, STATUS_DAMAGED: a spill.  feed_culprit then names the source, or the
 * spill's directory. */
int feed_read(struct feed *feed, uint8_t *out, size_t len, struct later *later);
const char *feed_culprit(const struct feed *feed);
void feed_close(struct feed *feed);

#endif
