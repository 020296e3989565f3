#include "common/arguments.h"

#include <stdlib.h>
#include <string.h>

static struct {
	char *text;
	size_t len;
} kept;

char **arguments_hide(int argc, char **argv)
{
	char **copy = calloc((size_t)argc + 1, sizeof(*copy)), *text;

	for (int i = 0; i < argc; i++)
		kept.len += strlen(argv[i]) + 1;
	text = kept.text = malloc(kept.len + 1);
	if (!copy || !text) {
		arguments_free(copy);
		return NULL;
	}
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		copy[i] = memcpy(text, argv[i], len);
		text += len;
		if (i)
			memset(argv[i], 0, len);
	}
	return copy;
}

void arguments_forget(void)
{
	if (kept.text)
		explicit_bzero(kept.text, kept.len);
}

void arguments_free(char **copy)
{
	arguments_forget();
	free(kept.text);
	kept.text = NULL;
	free(copy);
}
