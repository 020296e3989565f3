/* For handlers, behind loop_begin: the entry that a node stands for, and what is
 * answered. */
#ifndef FUSEFS_ANSWER_H
#define FUSEFS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "fusefs/fuse.h"

struct worker;

/* The entry of a node, in worker->entry.  As bundle_entry. */
int answer_load(struct worker *worker, fuse_ino_t node);

void answer_error(struct worker *worker, fuse_req_t request, int error);
void answer_bytes(struct worker *worker, fuse_req_t request, const void *bytes, size_t len);

/* What a status of common/ comes to.  Of damage the user is told, by the entry that was to be
 * read; unless it ends, when whoever is late has the keys wiped under him. */
void answer_failure(struct worker *worker, fuse_req_t request, uint32_t entry, int status);

#endif
