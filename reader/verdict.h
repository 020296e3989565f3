/* What was found, in the words that a courier can act on. */
#ifndef READER_VERDICT_H
#define READER_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

struct bundle_volume;
struct out;
struct session;

struct verdict {
	uint64_t files_lost;
	uint64_t unrestored; /* pages of any sort that a copy has not got back */
	unsigned bad_headers, unchecked_headers, bad_roots;
	unsigned rootless;                      /* volumes without a root */
	uint64_t pages, repaired, lost, parity; /* pages: all; parity: damaged ones */
	uint64_t repairable;                    /* pages that parity can give back at best */
	uint64_t in_a_row;          /* and of any that follow each other; volumes: the least */
	uint64_t appended, missing; /* bytes at the end */
	uint64_t unreadable;        /* bytes outside of what the key opens */
	unsigned unused;      /* files that were named, or may be volumes, and were not looked at */
	bool index_lost;      /* a block of the index */
	bool index_unchecked; /* its blocks are well, and whether they are a tree is not known */
	bool segments_lost;   /* one of the table of segments */
	bool tree_lost;       /* of what there is nothing can be listed */
	bool not_all_named;   /* more files may be lost */
	int worst;            /* of the index: a status */
};

/* Add the pages of a volume and what is damaged of them. */
void verdict_add_volume(struct verdict *verdict, const struct bundle_volume *volume);

bool verdict_is_damaged(const struct verdict *verdict);

/* Something is gone for good, or was never right. */
bool verdict_is_lost(const struct verdict *verdict);

/* Is a copy what was packed, byte by byte, as far as anybody can tell? */
bool verdict_is_same(const struct verdict *verdict);

/* Something that was asked for could not be looked at. */
bool verdict_is_partial(const struct verdict *verdict);

/* EXIT_DONE, EXIT_REPAIRED, EXIT_ABSENT, EXIT_FAILED or EXIT_LOST. */
int verdict_exit_code(const struct verdict *verdict);

/* "altered", "invalid" or "damaged". */
const char *verdict_loss_word(int status);

/* Whose bundle it is, and what was found, a line for each; without the last line,
 * which says what it comes to. */
void verdict_print(const struct verdict *verdict, const struct session *session, struct out *out);

/* The same as members of an object, each with a comma in front. */
void verdict_print_json(const struct verdict *verdict, const struct session *session,
                        struct out *out);

/* What it comes to where not all that is lost has been named, and where the tree is lost. */
#define VERDICT_MORE_LOST "lost: %" PRIu64 " file%s, named above, and perhaps more\n"
#define VERDICT_LIST_LOST "lost: the list of files, and so all of them: get a fresh copy\n"

/* "s" unless n is 1. */
const char *verdict_plural(uint64_t n);

/* The last JSON line of who came to no verdict, and ends with that code. */
void verdict_print_json_failure(int code);

#endif
