/* One compartment in one volume: its stream of payloads, wherever its slices
 * lie, repaired on the way where parity allows.  bundle(5), "Compartments" and
 * "Pages".  Immutable once opened, but for the counters of damage: threads
 * share it, each with a pages_io of its own. */
#ifndef COMMON_PAGES_H
#define COMMON_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"

struct arena;
struct repair;
struct seal;
struct source;

/* Pages met so far that the medium no longer has, each counted once. */
struct pages_health {
	_Atomic uint64_t repaired; /* data pages that parity gave back */
	_Atomic uint64_t lost;     /* data pages that are gone */
	_Atomic uint64_t parity;   /* parity pages; only who looks at every page meets them */
	_Atomic uint64_t *seen;    /* one bit for each logical page */
	_Atomic uint64_t *gone;    /* the same, for those that are lost, */
	_Atomic int64_t gone_till; /* which is believed until then: clock_ms() */
};

struct pages {
	const struct source *source;
	const uint8_t *key; /* of its pages; in the arena */
	struct format_geometry geometry;
	struct format_parity parity;
	uint32_t owned;
	uint16_t *slice;  /* owned numbers, ascending */
	uint32_t present; /* logical pages that begin before the medium ends */
	bool give_up;     /* what was found lost is not read again: set it before reading */
	uint32_t counted; /* damage to pages from here on has been counted as a whole */
	struct pages_health health;
};

/* What a thread needs to read pages. */
struct pages_io {
	struct seal *seal;
	uint8_t *cipher;          /* PAGES_BATCH pages of ciphertext, ordinary memory */
	uint8_t *bounce;          /* one payload, arena */
	const struct pages *held; /* whose page the bounce holds, NULL: none */
	uint32_t held_page;       /* data page */
	struct repair *repair;    /* shared */
};

/* Pages that are read with one system call at most. */
enum { PAGES_BATCH = 32 };

/* repair: borrowed. STATUS_NOMEM. */
int pages_io_init(struct pages_io *io, struct arena *arena, struct repair *repair);
void pages_io_fini(struct pages_io *io);

/* Read root copies in order until one authenticates.
 * payload: FORMAT_PAYLOAD bytes, arena. *bad_copies: bit c set for each that
 * was found bad. STATUS_DAMAGED: none is left. */
int pages_read_root(struct pages_io *io, const struct source *source,
                    const struct format_slot *slot, const uint8_t key[static FORMAT_KEY],
                    uint8_t *payload, unsigned *bad_copies);

/* Does copy c of the root, at that page, authenticate?  payload as above. */
int pages_check_root(struct pages_io *io, const struct source *source, uint32_t page,
                     const uint8_t key[static FORMAT_KEY], unsigned c, uint8_t *payload);

/* key, source: borrowed.  slot, layout: as format.h decoded them.
 * STATUS_NOMEM. */
int pages_open(struct pages **pages, const struct source *source, const uint8_t *key,
               const struct format_slot *slot, const struct format_layout *layout);
void pages_close(struct pages *pages);

/* The page that holds copy c of the root. */
uint32_t pages_root_page(const struct pages *pages, unsigned c);

/* What page p of the area is to this compartment; *number: the copy of a root,
 * or the logical page. */
enum pages_role { PAGES_OTHER, PAGES_ROOT, PAGES_SEALED };
enum pages_role pages_role(const struct pages *pages, uint32_t page, uint32_t *number);

/* The data page that logical page t is, or -1 for a parity page. */
int64_t pages_data_at(const struct pages *pages, uint32_t t);

/* Where logical page t lies in the file: bytes. */
uint64_t pages_offset(const struct pages *pages, uint32_t t);

/* Read one logical page, data or parity, without repair.
 * STATUS_DAMAGED: cannot be read or does not authenticate. */
int pages_read_logical(const struct pages *pages, struct pages_io *io, uint32_t t,
                       uint8_t payload[static FORMAT_PAYLOAD]);

/* Does logical page t authenticate?  It is not decrypted for that.  Where it does
 * not it is counted, after a try at repair if it is a data page.  STATUS_DAMAGED:
 * a data page beyond repair, or a parity page.  For verification, which looks at
 * every page. */
int pages_check_logical(struct pages *pages, struct pages_io *io, uint32_t t);

/* Was logical page t found damaged before? */
bool pages_was_damaged(const struct pages *pages, uint32_t t);

/* Data pages from the returned one on are lost, all of them: whole bands, behind
 * the end of a medium that is too short.  The number of them all if none are. */
uint32_t pages_cut(const struct pages *pages);

/* Count those, and the parity pages that belong to them. */
void pages_note_cut(struct pages *pages);

/* Make logical page t what was written there.  page: as the medium has it;
 * readable: does it have it?  Returns 1 if page had to be made anew, 0 if it was
 * right; STATUS_DAMAGED: beyond repair, page is untouched.  Counted as by
 * pages_check_logical. */
int pages_restore(struct pages *pages, struct pages_io *io, uint32_t t,
                  uint8_t page[static FORMAT_PAGE], bool readable);

/* The same for copy c of the root, from another copy. */
int pages_restore_root(const struct pages *pages, struct pages_io *io, unsigned c,
                       uint8_t page[static FORMAT_PAGE], bool readable);

/* Read len bytes of the stream at off (within the data pages) to out, which
 * should lie in the arena; NULL: see that they could be, for which nothing is
 * decrypted but to repair it.  STATUS_DAMAGED: a page of it is beyond repair; no
 * unauthenticated byte is in out then either. */
int pages_read(struct pages *pages, struct pages_io *io, uint64_t off, size_t len, uint8_t *out);

/* Tell the kernel that these bytes will be wanted.  Advice only. */
void pages_will_need(const struct pages *pages, uint64_t off, uint64_t len);

#endif
