/* Which files are being read in order: so that the medium can be asked ahead
 * (ciphertext, into the kernel's cache), and some pieces be decoded ahead. */
#ifndef FUSEFS_STREAMS_H
#define FUSEFS_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

struct streams;

/* Which stream a read belongs to; it may meanwhile have made room for another. */
struct stream_ref {
	unsigned place;
	uint64_t serial;
	bool is_alone; /* in order, and so was the read before this one */
};

/* STATUS_NOMEM. */
int streams_new(struct streams **streams);

/* All below from any thread. */

/* len bytes at off of a node's file are about to be read. */
struct stream_ref streams_note(struct streams *streams, uint64_t node, uint64_t off, uint64_t len);

/* If the stream is read in order, and it is time: *len bytes from *from on should
 * be asked of the medium. */
bool streams_ask(struct streams *streams, struct stream_ref ref, uint64_t *from, uint64_t *len);

/* If it is read in order: the next place to decode ahead, at most ahead bytes
 * before the place where it will be read next.  Each is given out once. */
bool streams_decode(struct streams *streams, struct stream_ref ref, uint64_t ahead, uint64_t *off);

/* If it is read in order: are less than least bytes decoded ahead? */
bool streams_is_short(struct streams *streams, struct stream_ref ref, uint64_t least);

/* It could not be done yet: give out off again, and what is behind it. */
void streams_put_back(struct streams *streams, struct stream_ref ref, uint64_t off);

#endif
