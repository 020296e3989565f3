/* The command line.  Everybody on the machine can read it while the process runs, and it
 * names a bundle, and what of it is looked at. */
#ifndef COMMON_ARGUMENTS_H
#define COMMON_ARGUMENTS_H

/* Go on with a copy, which is returned, and leave nothing behind the program's name.
 * Once, before anybody has kept a pointer into argv.  NULL: no memory, nothing is changed. */
char **arguments_hide(int argc, char **argv);

/* Wipe the copy: whoever uses its words has ended. */
void arguments_forget(void);

/* And free it, at the end of the process. */
void arguments_free(char **copy);

#endif
