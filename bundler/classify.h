/* Is it worth trying to compress this? */
#ifndef BUNDLER_CLASSIFY_H
#define BUNDLER_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum class_verdict { CLASS_STORE, CLASS_COMPRESS, CLASS_UNSURE };

/* By name and by the file's first len bytes (4,096, or all of a shorter file):
 * media known to be compressed already, by magic or extension, is CLASS_STORE. */
enum class_verdict classify_name_and_head(const char *name, size_t name_len, const uint8_t *head,
                                          size_t len);

/* Could an order-0 coder save no more of the sample than of random bytes, give
 * or take (8 - entropy per byte; at 4,096 bytes random ones have 7.955, and the
 * line is at 7.919)?  false for less than 1,024 bytes. */
bool classify_looks_random(const uint8_t *sample, size_t len);

#endif
