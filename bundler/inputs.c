#include "bundler/inputs.h"

#include <string.h>
#include <unistd.h>

#include "bundler/options.h"
#include "common/samefile.h"

/* path: "-" for standard input, NULL for none.  A link that leads to it would be
 * replaced itself. */
static bool is_path(const char *path, const struct stat *file)
{
	if (path && !strcmp(path, "-"))
		return samefile_descriptor(STDIN_FILENO, file);
	return samefile_path(path, file);
}

static bool is_listed(const struct text_list *list, const struct stat *file)
{
	for (unsigned i = 0; i < list->count; i++)
		if (is_path(list->text[i], file))
			return true;
	return false;
}

static bool is_passphrase(const struct place_list *list, const struct stat *file)
{
	for (unsigned i = 0; i < list->count; i++) {
		const struct passphrase_place *at = &list->place[i];

		if (at->file ? is_path(at->file, file) : samefile_descriptor(at->fd, file))
			return true;
	}
	return false;
}

bool inputs_has_source(const struct options *o, const struct stat *file)
{
	for (unsigned i = 0; i < o->compartment_count; i++)
		if (is_listed(&o->compartment[i].source, file) ||
		    is_listed(&o->compartment[i].archive, file))
			return true;
	return false;
}

bool inputs_has_other(const struct options *o, const struct stat *file)
{
	bool found = is_path(o->recipe, file);

	for (unsigned i = 0; i < o->compartment_count && !found; i++) {
		const struct compartment_options *c = &o->compartment[i];

		found = is_passphrase(&c->passphrase, file) || is_listed(&c->key_file, file) ||
		        is_listed(&c->recipients_file, file) || is_path(c->second_factor, file) ||
		        is_path(c->sign, file);
	}
	return found;
}
