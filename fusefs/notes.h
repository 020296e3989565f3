/* Which parts of which files the kernel was given for its page cache: numbers
 * only, in a table of fixed size.  At the end they are overwritten there, which
 * needs no key.  Where the table is full, the oldest are dropped there, and no more. */
#ifndef FUSEFS_NOTES_H
#define FUSEFS_NOTES_H

#include <stdint.h>

struct fuse_session;
struct notes;

/* STATUS_NOMEM. */
int notes_new(struct notes **notes);

/* Start the thread that makes room.  Not one that answers requests: the kernel
 * may let it wait until some are answered.  STATUS_NOMEM. */
int notes_start(struct notes *notes, struct fuse_session *session);

/* len bytes at off of a node's file are about to be answered.  From any thread. */
void notes_add(struct notes *notes, uint64_t node, uint64_t off, uint64_t len);

/* Overwrite what is noted, the newest first, for at most so long; then let the kernel drop
 * it, for as long as that can take at an end.  Nothing may be added any more, and requests
 * must be answered meanwhile. */
void notes_overwrite(struct notes *notes, unsigned milliseconds);

#endif
