/* Write a volume anew, as it was when it was packed: what the key opens is checked
 * and restored, all else is copied as it is.  Where the medium gave nothing, and
 * in place of a header that does not open, there are random bytes: a copy looks
 * as random as any bundle. */
#ifndef READER_RENEW_H
#define READER_RENEW_H

#include <stdbool.h>

#include "reader/ranges.h"

struct progress;
struct renew;
struct session;
struct verdict;

/* v: the volume.  verdict: what is found is added to it.  All borrowed.
 * STATUS_NOMEM. */
int renew_new(struct renew **renew, struct session *session, unsigned v, struct progress *progress,
              struct verdict *verdict);
void renew_free(struct renew *renew);

/* Write it to path: complete, synced, read back, and only then under that name.
 * replace: what is there already.  Reports what is wrong; returns 0, or the exit
 * code: 13 where the drive is unfit. */
int renew_write(struct renew *renew, const char *path, bool replace);

/* Bytes of the volume's stream that are beyond repair. */
const struct ranges *renew_lost(const struct renew *renew);

#endif
