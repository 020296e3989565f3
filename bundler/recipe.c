#include "bundler/recipe.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bundler/options.h"

enum { SECTION_MAX = 49 }; /* the library cuts what is longer */

#define BLANKS " \t\r\v\f"

struct recipe {
	struct options *options;
	const char *path; /* as it is said */
	FILE *file;
	const char *folder;
	unsigned line;
	bool has_section, has_bundle;
	struct compartment_options *compartment; /* of the section; NULL: [bundle] */
};

/* The first complaint is the one. */
static void complain(struct recipe *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct recipe *r, const char *format, ...)
{
	char text[256];
	va_list args;

	if (r->options->error[0])
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	snprintf(r->options->error, sizeof r->options->error, "%s:%u: %s", r->path, r->line, text);
}

/* key: whose value it is, "" for none. */
static void complain_of(struct recipe *r, const char *key, const char *wrong)
{
	options_note_wrong(r->options, wrong);
	complain(r, "%s%s%s", key, key[0] ? ": " : "", wrong);
}

/* --- sections ------------------------------------------------------------- */

static void enter_bundle(struct recipe *r)
{
	if (r->has_bundle)
		complain(r, "[bundle] is there twice");
	r->has_bundle = true;
	r->compartment = NULL;
}

static void enter_compartment(struct recipe *r, const char *name)
{
	const char *wrong;

	r->compartment = options_add_compartment(r->options, name, &wrong);
	if (wrong)
		complain_of(r, "", wrong);
}

/* The library joins sections of one name, and says nothing of one with no keys:
 * so they are looked at here.  text: behind "[". */
static void enter_section(struct recipe *r, const char *text)
{
	static const char word[] = "compartment";
	char name[SECTION_MAX + 1];
	size_t len = strcspn(text, "]"), blanks;

	r->has_section = true;
	if (text[len] != ']' || text[len + 1 + strspn(text + len + 1, BLANKS)]) {
		complain(r, "a section is a line such as [compartment]");
		return;
	}
	if (len > SECTION_MAX) {
		complain(r, "the name is too long: at most %d bytes between [ and ]", SECTION_MAX);
		return;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	blanks = strspn(name + strcspn(name, BLANKS), BLANKS);
	if (!strcmp(name, "bundle"))
		enter_bundle(r);
	else if (!strncmp(name, word, strlen(word)) && strlen(word) + blanks <= len &&
	         (blanks || !name[strlen(word)]))
		enter_compartment(r, name + strlen(word) + blanks);
	else
		complain(r, "no such section: there are [bundle] and [compartment NAME]");
}

/* --- lines ------------------------------------------------------------------ */

/* One line without its end; false: nothing more, or an error.  What the library
 * would cut is an error. */
static bool read_line(struct recipe *r, char *line, size_t size)
{
	size_t len = 0;
	int c;

	r->line++;
	while ((c = getc(r->file)) != EOF && c != '\n') {
		/* It wants room for an end of line. */
		if (len + 3 > size || !c) {
			complain(r, !c ? "not a text" : "longer than %zu bytes", size - 3);
			return false;
		}
		line[len++] = (char)c;
	}
	line[len] = '\0';
	if (ferror(r->file))
		complain(r, "%s", strerror(errno));
	return !ferror(r->file) && (c != EOF || len);
}

/* A ";" behind a blank begins a comment for the library: half a name would be
 * taken for the whole. */
static bool has_comment_behind(const char *line)
{
	const char *mark = line;

	while ((mark = strchr(mark + 1, ';')))
		if (strchr(BLANKS, mark[-1]))
			return true;
	return false;
}

/* The library's way to the lines.  Blanks in front go, or it would take the line
 * for more of the value above. */
static char *next_line(char *out, int size, void *context)
{
	struct recipe *r = context;
	char *line = out;

	if (size < 8 || r->options->error[0] || !read_line(r, out, (size_t)size))
		return NULL;
	if (r->line == 1 && !strncmp(line, "\xEF\xBB\xBF", 3))
		line += 3;
	line += strspn(line, BLANKS);
	memmove(out, line, strlen(line) + 1);
	if (out[0] == '[')
		enter_section(r, out + 1);
	else if (out[0] && !strchr(";#", out[0]) && has_comment_behind(out))
		complain(r, "a ';' behind a blank would begin a comment; comments have lines of "
		            "their own");
	return r->options->error[0] ? NULL : out;
}

/* The library's way back.  0: stop. */
static int take_pair(void *context, const char *section, const char *key, const char *value)
{
	struct recipe *r = context;
	const char *wrong;

	(void)section;
	if (!r->has_section)
		wrong = "belongs in a section, [bundle] or [compartment]";
	else
		wrong = options_set(r->options, r->compartment, key, value, r->folder);
	if (wrong)
		complain_of(r, key, wrong);
	return !wrong;
}

/* --- all of it ---------------------------------------------------------------- */

static bool parse(struct recipe *r)
{
	int line = ini_parse_stream(next_line, r, take_pair, r);

	/* What it has not understood, and nobody here has named. */
	if (line > 0 && !r->options->error[0]) {
		r->line = (unsigned)line;
		complain(r, "not a line such as: label = Summer programme");
	} else if (line < 0) {
		complain_of(r, "", argument_no_memory);
	}
	return !r->options->error[0];
}

bool recipe_read(struct options *options, const char *path)
{
	const char *slash = strrchr(path, '/');
	bool is_stdin = !strcmp(path, "-");
	struct recipe r = {.options = options, .path = is_stdin ? "standard input" : path};
	char folder[4096] = "";
	bool right;

	if (slash && (size_t)(slash - path) + 2 <= sizeof folder)
		memcpy(folder, path, (size_t)(slash - path) + 1);
	r.folder = folder;
	r.file = is_stdin ? stdin : fopen(path, "re");
	if (!r.file) {
		snprintf(options->error, sizeof options->error, "%s: %s", path, strerror(errno));
		return false;
	}
	right = parse(&r);
	if (!is_stdin)
		fclose(r.file);
	return right;
}
