/* From paths on disk, and from archives, to a tree: of what is on disk what there is,
 * and nothing of what is in it; of archives, which are read but once, all. */
#ifndef BUNDLER_SCAN_H
#define BUNDLER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct progress;
struct spill;
struct tree;

/* A file that is to be replaced: it can be no source. */
struct scan_output {
	dev_t dev;
	ino_t ino;
};

struct scan_options {
	bool full_metadata;
	bool one_file_system;       /* do not descend into other mounts */
	const char *const *exclude; /* fnmatch(3), of names and of paths below the root */
	unsigned exclude_count;
	const struct scan_output *output;
	unsigned output_count;
	int64_t newest;          /* the latest time (SOURCE_DATE_EPOCH); INT64_MAX for none */
	bool (*cancelled)(void); /* asked to stop? NULL: never */

	const char *const *archive; /* files; "-" for standard input, once */
	unsigned archive_count;
	struct arena *arena; /* where what they have is kept: as spill_new */
	size_t memory;       /* half of it for the file of one that must be spilled first */
	const char *spill_dir;
	struct progress *progress; /* of reading them */
};

/* What was left out, each one named on standard error. */
struct scan_report {
	uint64_t files, directories, links; /* taken in; links: symbolic and hard ones */
	uint64_t bytes;                     /* of the files */
	uint64_t skipped;                   /* sockets, devices, pipes, other mounts */
	uint64_t unreadable;                /* files, directories, sets of attributes */
	char refusal[512];                  /* why nothing is packed, "" for no reason */
};

/* Take in each path: a directory or file under its own last component; a path
 * that ends in "/.", is "." or "/", stands for what is in it.  Two things of the
 * same name at the root are an error (STATUS_EXISTS, named).  Members of archives go
 * to the root as well.
 * Symbolic links given as a path are followed, others stored.
 * heap: where targets of links and sets of attributes go.
 * On failure a line on standard error has said why, but for STATUS_CANCELLED; it is
 * in the report, too.
 * STATUS_IO, STATUS_INVALID: a given path does not exist or cannot be read; is neither
 * file nor directory.  STATUS_EXISTS: two have one name; an output is
 * among them.  STATUS_IO: the heap.
 * STATUS_NOMEM, STATUS_TOOBIG (more entries than the format holds). */
int scan_paths(struct tree *tree, struct spill *heap, const char *const *paths, unsigned count,
               const struct scan_options *options, struct scan_report *report);

/* For archive.c and members.c. */

/* Does a pattern fit the name, or the path in the bundle? */
bool scan_excludes(const struct scan_options *options, const char *name, const char *path);

/* Say why nothing is packed; path may be NULL.  Returns status. */
int scan_refuse(struct scan_report *report, int status, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
