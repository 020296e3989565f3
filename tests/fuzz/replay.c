/* A fuzzer's target without the fuzzer: each file that is named, once. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

/* For mutators, which nobody calls here. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room)
{
	(void)data, (void)room;
	return len;
}

static int replay(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file)
		return perror(path), 1;
	len = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	/* Exactly as long as it is, for whoever watches the heap. */
	uint8_t *copy = malloc(len + !len);

	if (!copy)
		return 1;
	for (size_t i = 0; i < len; i++)
		copy[i] = bytes[i];
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	fprintf(stderr, "%d files, %u good\n", argc - 1, fuzz_good);
	return failed;
}
