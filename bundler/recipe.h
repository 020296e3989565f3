/* What is to be packed, from a file: the door to libinih.  satchel-recipe(5). */
#ifndef BUNDLER_RECIPE_H
#define BUNDLER_RECIPE_H

#include <stdbool.h>

struct options;

/* Read the recipe at path, "-" for standard input, into options.  false: error
 * there says "path:line: what is wrong". */
bool recipe_read(struct options *options, const char *path);

#endif
