/* The only writer to standard error, and the only place that knows how a
 * message looks: "program: file: what is wrong", one line, lower case.
 *
 * A message is put together in one buffer, written by one write(2) and wiped:
 * names of a bundle's files are plaintext.  Control characters and invalid
 * UTF-8 in names come out as \xNN, so that a hostile name cannot drive a
 * terminal. */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* Before any file is opened: who started the program may have closed standard input, output
 * or error, and then a bundle would become the file that messages are written into.  Those
 * are /dev/null from here on. */
void diag_open_standard_streams(void);

/* program: its name in messages; static storage. */
void diag_init(const char *program);

/* Lines are put together in the arena from now on; NULL, before that is freed: in a static
 * buffer again. */
void diag_use(struct arena *arena);

/* -q: only errors. */
void diag_set_quiet(bool quiet);

/* Where messages go into a log the names of bundles, and of what is in them, do not: from now
 * on diag_name is "(-v names it)", whatever name is; before, name itself. */
void diag_hide_names(void);
bool diag_gives_names(void);
const char *diag_name(const char *name);

/* A hook called before and after each line is written, so that a progress bar
 * can step aside. NULL for none. */
void diag_set_hook(void (*hook)(bool before));

/* "program: file: text\n"; file may be NULL.  The text is made as printf would.
 * Thread-safe. */
void diag_error(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_warn(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The last line of who ends at once, in any thread: as diag_error, and nothing comes behind it,
 * neither a line nor what the hook would do. */
void diag_last_error(const char *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "program: text\n", not when quiet. */
void diag_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The words of a status (strerror for STATUS_IO) as an error about file.
 * Returns status_exit_code(status). */
int diag_status(const char *file, int status);

/* Would a line be taken, at the latest after so many milliseconds?  A terminal that was
 * stopped, or a pipe that nobody reads, would keep who writes one. */
bool diag_can_tell(int milliseconds);

/* From now on nothing is written: what it would speak of is being wiped.  Safe in a signal
 * handler. */
void diag_fall_silent(void);

/* Copy text (len bytes) to out (size bytes, always terminated), escaping as
 * above; returns the length written. A buffer of 4 * len + 1 always suffices. */
size_t diag_escape(char *out, size_t size, const char *text, size_t len);

#endif
