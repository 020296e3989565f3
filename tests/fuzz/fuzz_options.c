/* The packer's command line, and its recipe: the first byte says which; words of a
 * command line are separated by NUL. */
#include "bundler/options.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS = 64 };

static void read_them(int argc, char **argv)
{
	static struct options options;

	if (options_read(&options, argc, argv)) {
		MUST(!options.error[0]);
		if (!options.help && !options.version) {
			MUST(options.compartment_count >= 1 &&
			     options.compartment_count <= FORMAT_SLOTS);
			for (unsigned i = 0; i < options.compartment_count; i++)
				MUST(options.compartment[i].source.count +
				     options.compartment[i].archive.count);
		}
	} else {
		MUST(options.error[0]);
	}
	options_fini(&options);
}

static void words(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1), *argv[WORDS + 1] = {(char *)"satchel-pack"};
	int argc = 1;

	MUST(text);
	if (len)
		memcpy(text, data, len);
	for (char *word = text; argc < WORDS && word < text + len; word += strlen(word) + 1)
		if (strncmp(word, "--rec", 5)) /* no files of this machine */
			argv[argc++] = word;
	read_them(argc, argv);
	free(text);
}

static void recipe(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	char *argv[] = {(char *)"satchel-pack", (char *)"-n", (char *)"--recipe", file.path, NULL};

	read_them(4, argv);
	fuzz_file_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (fuzz_pick(&data, &len, 2))
		words(data, len);
	else
		recipe(data, len);
	return 0;
}
