/* A publisher whom the user trusts: a minisign public key. */
#ifndef FUSEFS_PUBLISHER_H
#define FUSEFS_PUBLISHER_H

#include <stdint.h>

#include "common/format.h"

enum { PUBLISHER_BYTES = 42, PUBLISHER_TEXT = 57 };

/* "Ed", key id, Ed25519 key: what minisign -G writes in base64. */
struct publisher {
	uint8_t bytes[PUBLISHER_BYTES];
};

/* text: the key in base64, or the name of a file that has it in its only or its
 * second line.  STATUS_KEYFILE, STATUS_IO. */
int publisher_parse(struct publisher *publisher, const char *text);

/* STATUS_UNSIGNED, STATUS_PUBLISHER. */
int publisher_check(const struct publisher *publisher, const struct format_content *content);

/* The key of who signed content, in base64, terminated. */
void publisher_print(char text[static PUBLISHER_TEXT], const struct format_content *content);

#endif
