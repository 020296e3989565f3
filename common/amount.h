/* Bytes, as people are told of them. */
#ifndef COMMON_AMOUNT_H
#define COMMON_AMOUNT_H

#include <stdint.h>

enum { AMOUNT_ROOM = 32 };

/* "13.2 GB", "1 byte": powers of a thousand, as on the label of a stick.  Rounded down: what is
 * there, or fits. */
void amount_of_bytes(char out[static AMOUNT_ROOM], uint64_t bytes);

/* Rounded up: what is needed, and does not fit.  Never the same as what is there. */
void amount_needed(char out[static AMOUNT_ROOM], uint64_t bytes);

#endif
