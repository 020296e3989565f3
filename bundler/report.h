/* What was packed: a line for people, or JSON lines for programs. */
#ifndef BUNDLER_REPORT_H
#define BUNDLER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct failure;

struct report {
	uint64_t files, directories, links, bytes; /* taken in */
	uint64_t left_out;                         /* of what should have been */
	uint64_t skipped;   /* other file systems, and what is neither file nor directory */
	uint64_t content;   /* bytes that a bundle holds: content and index */
	uint64_t low, high; /* between these the length of a bundle, or volume, is drawn */
	unsigned volumes;   /* of each bundle */
	uint64_t burst;     /* bytes that may be lost in one place */
	unsigned parity;
	unsigned written; /* bundles */
	uint64_t longest; /* of them, or of their volumes */
	const char *path; /* of the last one */
};

/* One file of a bundle: "written", or why not.  JSON only. */
void report_json_output(const char *path, uint64_t bytes, const char *failed);

/* The last record.  failure: as it was said, code 0 for none; code: of the
 * process. */
void report_json_end(const struct report *report, const struct failure *failure, int code,
                     bool dry_run);

/* The same for people: on standard error, a dry run on standard output. */
void report_text_end(const struct report *report);
void report_text_dry_run(const struct report *report);

#endif
