/* Descriptors that this process was started with, standard streams aside: a lock that a script
 * holds, a pipe that somebody waits at.  Passphrases and keys may come through them, by number
 * or as /dev/fd/N; once those are read, none of them is kept for as long as the mount lasts. */
#ifndef FUSEFS_INHERITED_H
#define FUSEFS_INHERITED_H

/* Before anything is opened. */
void inherited_note(void);

/* Close what was noted, once in each process. */
void inherited_close(void);

#endif
