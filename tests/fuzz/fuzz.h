/* What every target has, and what they share. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* libFuzzer's, for mutators that know more than it does. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);

/* How much memory there is to stretch a passphrase with: see door.c. */
extern size_t door_memory;

/* Inputs that were what they are taken for: a corpus of nothing else is worth nothing. */
extern unsigned fuzz_good;

/* What must hold whatever the input is. */
#define MUST(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* The bytes as a file, for what takes a path. */
struct fuzz_file {
	int fd;
	char path[32];
};

static inline struct fuzz_file fuzz_file_open(const uint8_t *data, size_t len)
{
	struct fuzz_file file = {.fd = memfd_create("input", MFD_CLOEXEC)};

	MUST(file.fd >= 0 && write(file.fd, data, len) == (ssize_t)len);
	MUST(lseek(file.fd, 0, SEEK_SET) == 0);
	snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
	return file;
}

static inline void fuzz_file_close(struct fuzz_file *file)
{
	close(file->fd);
}

/* The first byte, which picks what the rest is for. */
static inline unsigned fuzz_pick(const uint8_t **data, size_t *len, unsigned count)
{
	unsigned first = *len ? **data : 0;

	if (*len) {
		++*data;
		--*len;
	}
	return first % count;
}

#endif
