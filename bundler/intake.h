/* Goes through the files of a tree in path order and decides for each where its
 * bytes go: a frame of its own or with others, its place on disk, or where a file
 * before it has them already. */
#ifndef BUNDLER_INTAKE_H
#define BUNDLER_INTAKE_H

struct progress;
struct stage;
struct stage_options;
struct stage_report;

/* Fill the stage's segments, bytes, origins and runs, and the places, sizes and
 * times of the tree's files.  Files that cannot be read are named and dropped.
 * STATUS_IO (a spill), STATUS_NOMEM, STATUS_CANCELLED. */
int intake_run(struct stage *stage, const struct stage_options *options, struct progress *progress,
               struct stage_report *report);

#endif
