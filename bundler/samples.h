/* A few bytes from three places of a file, by which it is classified and told from
 * others. */
#ifndef BUNDLER_SAMPLES_H
#define BUNDLER_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin_file;

enum {
	SAMPLES = 3, /* from the start, the middle, the end; a short file has one */
	SAMPLES_LEN = 4096,
	SAMPLES_SKETCH = 1024,
};

/* All zero to begin with. */
struct samples {
	const uint8_t *whole; /* the file, where somebody has read it already; else NULL */
	const uint8_t *bytes[SAMPLES];
	size_t len[SAMPLES]; /* 0: not read */
	uint8_t room[SAMPLES][SAMPLES_LEN];
};

/* Read the first count of them, as far as they are not read yet.  Statuses of
 * origin_read. */
int samples_read(struct samples *samples, int count, struct origin_file *file, uint64_t size);

/* Does each that was read? */
bool samples_look_random(const struct samples *samples);

/* The beginnings of all: how many bytes. */
size_t samples_sketch(const struct samples *samples, uint8_t out[static SAMPLES * SAMPLES_SKETCH]);

#endif
