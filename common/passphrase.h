/* Where a passphrase comes from: the terminal without echo, a file, or a
 * descriptor.  Never the command line, never the environment.  The result is
 * already normalised (kdf.h) and lies in memory that the caller took from the
 * arena. */
#ifndef COMMON_PASSPHRASE_H
#define COMMON_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/kdf.h"

struct passphrase {
	char text[KDF_PASSPHRASE_MAX];
	size_t len;
};

/* Ask on /dev/tty, without echo; the terminal is restored whatever happens,
 * signals included.  prompt: "passphrase: ".  confirm: ask a second time with
 * "once more: " and start over, up to three times, while they differ.  After a
 * stop and a continue it asks again.  One thread at a time.
 * STATUS_IO (errno ENXIO: no terminal), STATUS_PASSPHRASE, STATUS_TOOBIG;
 * STATUS_CANCELLED: a signal came and the program survived it.  On failure out
 * is wiped, here and below. */
int passphrase_ask(struct passphrase *out, const char *prompt, bool confirm);

/* The same for a password of another program's: the bytes as they are typed, not
 * normalised, without the end of the line; it may be empty.  Asked once. */
int passphrase_ask_raw(struct passphrase *out, const char *prompt);

/* The whole content of path / of fd up to its end.  A line break within (not
 * at the ends, where it is trimmed) is STATUS_PASSPHRASE: one passphrase per
 * file.  path "-" is standard input.  STATUS_IO, STATUS_TOOBIG. */
int passphrase_read_file(struct passphrase *out, const char *path);
int passphrase_read_fd(struct passphrase *out, int fd);

#endif
