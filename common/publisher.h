/* Whose bundles the user takes, and how old they may be.  One judge, with the
 * same words and exit code, for every program that opens bundles.
 *
 * A publisher is a minisign public key.  The user names one on the command line,
 * or pins those that count in files: a key on each line and a name behind it;
 * blank lines, lines that begin with '#' and minisign's "untrusted comment:" are
 * passed over.  Who has pinned any takes nothing else, and nothing unsigned. */
#ifndef COMMON_PUBLISHER_H
#define COMMON_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/format.h"

enum { PUBLISHER_TEXT = 57, PUBLISHER_NAME = 64, PUBLISHER_WORDS = 128 };

/* What the command line says; text is borrowed. */
struct publisher_options {
	const char *only;     /* --publisher: a key in base64, or a file; NULL: not given */
	bool any;             /* --any-publisher: what is pinned does not count */
	uint64_t min_edition; /* --min-edition; 0: not given */
};

struct publisher_pins;

/* The key of --publisher, or else what is pinned in $XDG_CONFIG_HOME/satchel,
 * by default ~/.config/satchel, and in /etc/satchel, in a file "publishers".  Where HOME is not
 * set ~ is what /etc/passwd says, and without that nobody is taken.
 * Reports a key or a line that cannot be used.  Returns 0 or the exit code. */
int publisher_load(struct publisher_pins **pins, const struct publisher_options *options);

/* NULL is fine. */
void publisher_free(struct publisher_pins *pins);

/* May what content describes be shown?  Its signature has been checked.
 * bundle: the file, for messages.  Reports why not; tells who sits at a terminal
 * whose bundle it is, if nothing is pinned.  Returns 0 or the exit code. */
int publisher_judge(const struct publisher_pins *pins, const struct format_content *content,
                    const char *bundle);

/* Is content's publisher the one wanted, or pinned?  name: as pinned, cut where
 * it is too long; empty where it has none. */
bool publisher_is_known(const struct publisher_pins *pins, const struct format_content *content,
                        char name[static PUBLISHER_NAME]);

/* Does what is pinned count?  Not with --any-publisher. */
bool publisher_is_asked(const struct publisher_pins *pins);

/* The key of who signed content: in base64, terminated; as minisign(1) numbers it.  The number is
 * chosen by whoever makes a key: alone it says nothing, unless publisher_is_known. */
void publisher_print(char text[static PUBLISHER_TEXT], const struct format_content *content);
uint64_t publisher_number(const struct format_content *content);

/* Who signed it, for people, terminated: the number of a key that is known, and its name, which
 * is to be escaped; the whole of one that is not. */
void publisher_describe(char text[static PUBLISHER_WORDS], const struct publisher_pins *pins,
                        const struct format_content *content);

#endif
