/* How far a long job has come: a bar for who sits at a terminal, a line now and
 * then for a log, JSON lines for a program.  Phases, bytes, rate and time left;
 * never a name.
 *
 * On a terminal (standard error) the bar is drawn four times a second and gives
 * way to messages (diag_set_hook); elsewhere diag_note gets a line every five
 * seconds.  With PROGRESS_JSON standard output gets an object every second and
 * at the end of each phase, on a line of its own:
 *   {"type":"progress","phase":"writing","bytes":1048576,"total":8388608,"seconds_left":7}
 * total and seconds_left are null while nobody knows them.  The rate is that of
 * the last four seconds. */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdint.h>

enum progress_mode { PROGRESS_SILENT, PROGRESS_TEXT, PROGRESS_JSON };

struct progress;

/* One at a time: the hook is the process's.  After diag_init. STATUS_NOMEM. */
int progress_new(struct progress **progress, enum progress_mode mode);

/* Begin a phase of total bytes, 0 if nobody knows.  phase: a plain word,
 * "writing"; static storage. */
void progress_start(struct progress *progress, const char *phase, uint64_t total);

/* The same for a phase of total steps that are no bytes, such as keys; each is told
 * by progress_step.  JSON then has "steps" in place of "bytes". */
void progress_start_steps(struct progress *progress, const char *phase, uint64_t total);
void progress_step(struct progress *progress);

/* bytes_done of the phase so far.  From any thread, as often as one likes: it
 * mostly looks at the clock only. */
void progress_update(struct progress *progress, uint64_t bytes_done);

/* End the phase as far as it came: the last state stays, if any was shown. */
void progress_finish(struct progress *progress);

/* NULL is fine. */
void progress_free(struct progress *progress);

#endif
