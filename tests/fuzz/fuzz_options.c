/* The packer's command line, and its recipe: the first byte says which; words of a
 * command line are separated by NUL. */
#include "bundler/options.h"
#include "tests/fuzz/words.h"

static void read_them(int argc, char **argv)
{
	static struct options options;

	if (options_read(&options, argc, argv)) {
		fuzz_good++;
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
	struct words words = words_take("satchel-pack", data, len);
	int kept = 1;

	for (int i = 1; i < words.count; i++)
		if (strncmp(words.word[i], "--rec", 5)) /* no files of this machine */
			words.word[kept++] = words.word[i];
	words.word[kept] = NULL;
	read_them(kept, words.word);
	words_free(&words);
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
