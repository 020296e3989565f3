#include "bundler/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundler/recipe.h"
#include "bundler/volumes.h"
#include "bundler/write.h"
#include "common/cores.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { HELP_COLUMN = 27 };

#define MEMORY_DEFAULT (UINT64_C(256) << 20)

/* --- the table ------------------------------------------------------------ */

/* What a row is for. */
enum {
	RUN = 0,         /* this run: command line only */
	BUNDLE = 1,      /* both; the command line wins */
	COMPARTMENT = 2, /* both, but a recipe has all of them or none */
	IN_RECIPE = 4,   /* no option at all */
	PATH = 8,
	MANY = 16,
};

struct row {
	const char *name;
	char letter;          /* 0 for none */
	const char *argument; /* NULL for none */
	const char *help;
	unsigned what;
	size_t field; /* of struct options, or of struct compartment_options */
	const char *(*take)(void *field, const char *argument);
};

#define FIELD(name) offsetof(struct options, name)
#define INNER(name) offsetof(struct compartment_options, name)

/* clang-format off */
static const struct row row[] = {
	{"output", 'o', "FILE", "write the bundle to FILE; several times for\n"
	 "several drives, each encrypted on its own", RUN, FIELD(output), argument_list},
	{"force", 'f', NULL, "replace FILE if it exists", RUN, FIELD(force), argument_set},
	{"dry-run", 'n', NULL, "say what would be packed and how long it would\n"
	 "be; write nothing", RUN, FIELD(dry_run), argument_set},
	{"recipe", 0, "FILE", "what is to be packed, and for whom, stands in FILE\n"
	 "(\"-\": standard input); see satchel-recipe(5)", RUN, FIELD(recipe), argument_text},
	{"source", 0, "PATH", "", COMPARTMENT | IN_RECIPE | PATH | MANY, INNER(source),
	 argument_list},
	{"archive", 0, "FILE", "pack what is in this archive (tar, zip, 7z, iso ...;\n"
	 "\"-\": standard input), without unpacking it", COMPARTMENT | PATH | MANY,
	 INNER(archive), argument_list},
	{"passphrase-file", 0, "FILE", "the passphrase is what FILE has (\"-\": standard\n"
	 "input); several times: each opens the bundle", COMPARTMENT | PATH | MANY,
	 INNER(passphrase), argument_passphrase_file},
	{"passphrase-fd", 0, "N", "the same from file descriptor N", COMPARTMENT | MANY,
	 INNER(passphrase), argument_passphrase_fd},
	{"generate-passphrase", 0, NULL, "make one of seven words, shown once, on the\n"
	 "terminal", COMPARTMENT, INNER(generate), argument_set},
	{"key-file", 0, "FILE", "FILE alone opens the bundle, too", COMPARTMENT | PATH | MANY,
	 INNER(key_file), argument_list},
	{"recipient", 0, "AGE1...", "whoever has the identity of this public key opens\n"
	 "the bundle; several times", COMPARTMENT | MANY, INNER(recipient), argument_recipient},
	{"recipients-file", 0, "FILE", "the same for those in FILE, one a line",
	 COMPARTMENT | PATH | MANY, INNER(recipients_file), argument_list},
	{"second-factor", 0, "FILE", "every passphrase and recipient needs FILE as well",
	 COMPARTMENT | PATH, INNER(second_factor), argument_text},
	{"sign", 0, "FILE", "sign it as its publisher, with the secret key in\n"
	 "FILE that minisign -G has made", COMPARTMENT | PATH, INNER(sign), argument_text},
	{"kdf", 0, "PROFILE", "standard (256 MiB to open), or low (64 MiB) for\n"
	 "recipients with old machines", BUNDLE, FIELD(profile), argument_profile},
	{"size", 0, "SIZE", "length of the bundle in bytes (K M G T, KB MB GB\n"
	 "TB), or fill:DIRECTORY for what is free there;\n"
	 "otherwise as long as needed, and something more", BUNDLE, FIELD(size), argument_size},
	{"volume-size", 0, "SIZE", "several files of up to SIZE bytes, fat32, dvd or cd,\n"
	 "where one would be longer", BUNDLE, FIELD(volume_size), argument_volume_size},
	{"parity", 0, "N", "0, 2, 4, 8 or 16 spare pages for every 64; 4 if\n"
	 "not given, 6 % more bytes", BUNDLE, FIELD(parity), argument_parity},
	{"metadata", 0, "WHICH", "private (names, sizes, days), or full (owners,\n"
	 "exact times, attributes)", COMPARTMENT, INNER(full_metadata), argument_metadata},
	{"exclude", 0, "GLOB", "leave out what has such a name or path", COMPARTMENT | MANY,
	 INNER(exclude), argument_exclude},
	{"one-file-system", 0, NULL, "do not enter other file systems (the default)",
	 COMPARTMENT, INNER(cross_file_systems), argument_clear},
	{"cross-file-systems", 0, NULL, "do enter them", COMPARTMENT, INNER(cross_file_systems),
	 argument_set},
	{"label", 0, "TEXT", "a title, seen by who can open the bundle", COMPARTMENT,
	 INNER(label), argument_label},
	{"series", 0, "TEXT", "the series that it is an edition of", COMPARTMENT, INNER(series),
	 argument_series},
	{"edition", 0, "N", "which one", COMPARTMENT, INNER(edition), argument_edition},
	{"level", 0, "N", "compress from 1 (fast) to 19 (small); 3 if not\n"
	 "given; films and the like are never compressed", BUNDLE, FIELD(level), argument_level},
	{"no-verify", 0, NULL, "do not read the written bundle back", RUN, FIELD(no_verify),
	 argument_set},
	{"jobs", 0, "N", "threads; as many as cores if not given", RUN, FIELD(jobs),
	 argument_jobs},
	{"memory", 0, "SIZE", "the most memory to use; 256M if not given", RUN, FIELD(memory),
	 argument_memory},
	{"spill", 0, "DIR", "where an encrypted temporary file may go; TMPDIR\n"
	 "or /var/tmp if not given", RUN, FIELD(spill), argument_text},
	{"allow-unlocked", 0, NULL, "go on if memory for keys cannot be locked", RUN,
	 FIELD(allow_unlocked), argument_set},
	{"quiet", 'q', NULL, "errors only", RUN, FIELD(quiet), argument_set},
	{"verbose", 'v', NULL, "name what is packed", RUN, FIELD(verbose), argument_set},
	{"json", 0, NULL, "progress and result as JSON lines", RUN, FIELD(json), argument_set},
	{"help", 'h', NULL, "this", RUN, FIELD(help), argument_set},
	{"version", 0, NULL, "which version this is", RUN, FIELD(version), argument_set},
};
/* clang-format on */

enum {
	ROWS = COUNT(row),
	SECRET = 'p', /* -p and --passphrase, which do not exist */
	FIRST_ROW = 256,
};

_Static_assert(ROWS < 64, "a bit for each row");

static const char secret_help[] =
	"a passphrase on the command line is seen by everybody on this machine; "
	"use --passphrase-file, --passphrase-fd or --generate-passphrase, or be asked";

/* The help text of a row, its further lines in the same column. */
static void print_help_text(const char *text)
{
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		printf("%.*s\n%*s", (int)(end - text), text, HELP_COLUMN, "");
	printf("%s\n", text);
}

void options_print_help(void)
{
	printf("usage: satchel-pack -o BUNDLE [option...] PATH...\n"
	       "       satchel-pack -o BUNDLE [option...] --recipe FILE\n"
	       "\n"
	       "Packs files and directories into an encrypted bundle.  Without an option that\n"
	       "says where a passphrase or key is, a passphrase is asked for.\n"
	       "\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &row[i];
		char letter[] = "-x,";
		int len;

		if (r->what & IN_RECIPE)
			continue;
		letter[1] = r->letter;
		len = printf("  %3s --%s%s%s", r->letter ? letter : "", r->name,
		             r->argument ? " " : "", r->argument ? r->argument : "");
		if (len >= HELP_COLUMN)
			len = printf("\n") - 1;
		printf("%*s", HELP_COLUMN - len, "");
		print_help_text(r->help);
	}
	printf("\nExit status: 0 done, 1 failed, 2 usage, 3 done but sources were left out,\n"
	       "13 the drive is unfit, 128+n stopped by signal n.  See satchel-pack(1).\n");
}

/* --- the command line ----------------------------------------------------- */

static void complain(struct options *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct options *o, const char *format, ...)
{
	va_list args;

	if (o->error[0])
		return;
	va_start(args, format);
	vsnprintf(o->error, sizeof o->error, format, args);
	va_end(args);
}

void options_note_wrong(struct options *o, const char *wrong)
{
	if (!o->error[0])
		o->no_memory = wrong == argument_no_memory;
}

static void complain_of(struct options *o, const char *dashes, const char *what, const char *wrong)
{
	options_note_wrong(o, wrong);
	complain(o, "%s%s: %s", dashes, what, wrong);
}

/* Never with what follows "=": it might have been meant as a secret. */
static void complain_of_unknown(struct options *o, const char *word)
{
	if (optopt >= FIRST_ROW)
		complain(o, "--%s: takes no argument; see --help", row[optopt - FIRST_ROW].name);
	else if (optopt)
		complain(o, "-%c: no such option; see --help", optopt);
	else if (!strncmp(word, "--pass", strlen("--pass")))
		complain(o, "%s", secret_help);
	else
		complain(o, "%.*s: no such option, or not enough of its name; see --help",
		         (int)strcspn(word, "="), word);
}

/* Where the row's value goes. */
static void *field_of(struct options *o, struct compartment_options *c, const struct row *r)
{
	return (char *)(r->what & COMPARTMENT ? (void *)c : o) + r->field;
}

static void take_option(struct options *o, int found, const char *word)
{
	const char *wrong;
	size_t i = found >= FIRST_ROW ? (size_t)(found - FIRST_ROW) : 0;

	if (found == SECRET) {
		complain(o, "%s", secret_help);
		return;
	}
	if (found == '?' || found == ':') {
		if (found == '?')
			complain_of_unknown(o, word);
		else
			complain(o, "%s: needs an argument; see --help", word);
		return;
	}
	while (found < FIRST_ROW && row[i].letter != found)
		i++;
	o->given |= UINT64_C(1) << i;
	wrong = row[i].take(field_of(o, &o->compartment[0], &row[i]), optarg);
	if (wrong)
		complain_of(o, "--", row[i].name, wrong);
}

/* What getopt_long wants to know: longs has room for all rows and the secret ones. */
static void make_tables(struct option longs[ROWS + 3], char shorts[2 * ROWS + 8])
{
	char *end = stpcpy(shorts, ":p::");

	for (size_t i = 0; i < ROWS; i++) {
		if (row[i].what & IN_RECIPE)
			continue;
		*longs++ = (struct option){row[i].name, row[i].argument ? 1 : 0, NULL,
		                           FIRST_ROW + (int)i};
		if (row[i].letter)
			*end++ = row[i].letter;
		if (row[i].letter && row[i].argument)
			*end++ = ':';
	}
	*end = '\0';
	*longs++ = (struct option){"passphrase", optional_argument, NULL, SECRET};
	*longs++ = (struct option){"password", optional_argument, NULL, SECRET};
	*longs = (struct option){0};
}

static void read_words(struct options *o, int argc, char **argv)
{
	struct option longs[ROWS + 3];
	char shorts[2 * ROWS + 8];
	const char *wrong = NULL;
	int found;

	make_tables(longs, shorts);
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		take_option(o, found, argv[optind > 0 ? optind - 1 : 0]);
	for (int i = optind; i < argc && !wrong; i++)
		wrong = argument_list(&o->compartment[0].source, argv[i]);
	if (wrong)
		complain_of(o, "", "a path to pack", wrong);
}

static void read_environment(struct options *o)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH"), *tmpdir = getenv("TMPDIR");
	uint64_t seconds;

	o->spill = tmpdir && tmpdir[0] ? tmpdir : "/var/tmp";
	o->newest = INT64_MAX;
	if (!epoch || !epoch[0])
		return;
	if (argument_number(epoch, 0, INT64_MAX, &seconds))
		o->newest = (int64_t)seconds;
	else
		complain(o, "SOURCE_DATE_EPOCH: not a number of seconds");
}

/* --- the recipe ------------------------------------------------------------- */

static const struct row *find_row(const char *key)
{
	for (size_t i = 0; i < ROWS; i++)
		if (row[i].what & (BUNDLE | COMPARTMENT) && !strcmp(row[i].name, key))
			return &row[i];
	return NULL;
}

/* Folder and text as one, to live as long as the options.  NULL: no memory. */
static const char *keep(struct options *o, const char *folder, const char *text)
{
	char *copy;

	if (!text[0])
		return "";
	if (asprintf(&copy, "%s%s", folder, text) < 0)
		return NULL;
	if (!argument_list(&o->kept, copy))
		return copy;
	free(copy);
	return NULL;
}

/* A value as a recipe has it: a switch is yes or no, a path begins at the folder. */
static const char *take_value(struct options *o, void *field, const struct row *r,
                              const char *value, const char *folder)
{
	bool is_relative = r->what & PATH && value[0] != '/' && strcmp(value, "-");
	const char *kept;

	if (!r->argument && !strcmp(value, "no"))
		return (r->take == argument_clear ? argument_set : argument_clear)(field, NULL);
	if (!r->argument)
		return strcmp(value, "yes") ? "yes or no" : r->take(field, NULL);
	if (!value[0])
		return "empty";
	if (r->take == argument_size && !strncmp(value, "fill:", strlen("fill:")) &&
	    value[strlen("fill:")] != '/')
		return "in a recipe, fill: needs a path that begins with a slash";
	kept = keep(o, is_relative ? folder : "", value);
	return kept ? r->take(field, kept) : argument_no_memory;
}

const char *options_set(struct options *o, struct compartment_options *c, const char *key,
                        const char *value, const char *folder)
{
	const struct row *r = find_row(key);
	uint64_t bit = r ? UINT64_C(1) << (r - row) : 0;
	uint64_t *given = c ? &c->given : &o->recipe_given;

	if (!r)
		return "no such key; see satchel-recipe(5)";
	if (!c && r->what & COMPARTMENT)
		return "belongs in [compartment]";
	if (c && r->what & BUNDLE)
		return "belongs in [bundle]";
	if (*given & bit && !(r->what & MANY))
		return "is there twice";
	*given |= bit;
	if (!c && o->given & bit)
		return NULL;
	return take_value(o, field_of(o, c, r), r, value, folder);
}

static const struct compartment_options empty = {.name = "", .label = "", .series = ""};

struct compartment_options *options_add_compartment(struct options *o, const char *name,
                                                    const char **wrong)
{
	const char *kept = keep(o, "", name);

	*wrong = NULL;
	if (!kept)
		*wrong = argument_no_memory;
	else if (o->compartment_count == FORMAT_SLOTS)
		*wrong = "a bundle has no room for more compartments";
	for (unsigned i = 0; i < o->compartment_count && !*wrong; i++)
		if (!strcmp(name, o->compartment[i].name))
			*wrong = "there are two compartments of this name";
	if (*wrong)
		return NULL;
	o->compartment[o->compartment_count] = empty;
	o->compartment[o->compartment_count].name = kept;
	return &o->compartment[o->compartment_count++];
}

/* The words of a recipe are not mixed with those of the command line: who packs
 * ten compartments must not wonder which of them a --label is for. */
static void check_no_mixture(struct options *o)
{
	for (size_t i = 0; i < ROWS; i++)
		if (row[i].what & COMPARTMENT && o->given & UINT64_C(1) << i)
			complain(o, "--%s: with --recipe this belongs in the recipe", row[i].name);
	if (o->compartment[0].source.count)
		complain(o, "with --recipe, what is packed stands in the recipe, not here: %s",
		         o->compartment[0].source.text[0]);
}

static void read_recipe(struct options *o)
{
	check_no_mixture(o);
	if (o->error[0])
		return;
	o->compartment_count = 0;
	if (recipe_read(o, o->recipe) && !o->compartment_count)
		complain(o, "%s: it has no [compartment]", o->recipe);
}

/* --- what no single option shows ----------------------------------------------- */

bool options_ask(const struct compartment_options *c)
{
	return !c->passphrase.count && !c->generate && !c->recipient.count &&
	       !c->recipients_file.count && (c->second_factor || !c->key_file.count);
}

bool options_several_volumes(const struct options *o)
{
	return o->volume_size && (o->size.kind != SIZE_EXACT || o->size.bytes > o->volume_size);
}

static unsigned opener_count(const struct compartment_options *c)
{
	return c->passphrase.count + c->generate + options_ask(c) + c->key_file.count +
	       c->recipient.count + c->recipients_file.count;
}

static bool is_stdin(const char *path)
{
	return path && !strcmp(path, "-");
}

static unsigned stdin_count(const struct options *o)
{
	unsigned count = is_stdin(o->recipe);

	for (unsigned i = 0; i < o->compartment_count; i++) {
		const struct compartment_options *c = &o->compartment[i];

		for (unsigned j = 0; j < c->passphrase.count; j++)
			count += is_stdin(c->passphrase.place[j].file) ||
			         c->passphrase.place[j].fd == 0;
		for (unsigned j = 0; j < c->archive.count; j++)
			count += is_stdin(c->archive.text[j]);
	}
	return count;
}

static void check_compartments(struct options *o)
{
	unsigned openers = 0, most;

	for (unsigned i = 0; i < o->compartment_count; i++) {
		const struct compartment_options *c = &o->compartment[i];

		openers += opener_count(c);
		if (c->source.count || c->archive.count)
			continue;
		if (o->recipe)
			complain(o, "%s: [compartment %s] has no source and no archive", o->recipe,
			         c->name);
		else
			complain(
				o,
				"nothing to pack: name files, directories or archives; see --help");
	}
	most = write_max_openers(o->compartment_count, options_several_volumes(o));
	if (openers > most)
		complain(o, "more than %u passphrases, key files and recipients", most);
}

static void check_volumes(struct options *o)
{
	const struct volumes_wish wish = {o->size.bytes, o->volume_size, 0};
	uint64_t len;
	unsigned count;

	if (o->size.kind == SIZE_EXACT && o->volume_size && volumes_divide(&wish, &count, &len))
		complain(o, "--size: more than %d volumes of --volume-size", FORMAT_MAX_VOLUMES);
}

static void check(struct options *o)
{
	if (!o->output.count && !o->dry_run)
		complain(o, "no output: name one with -o; see --help");
	for (unsigned i = 0; i < o->output.count; i++)
		if (is_stdin(o->output.text[i]))
			complain(o, "--output: a bundle cannot go to standard output");
	check_compartments(o);
	check_volumes(o);
	if (stdin_count(o) > 1)
		complain(o, "standard input can be read only once");
	/* Padding is made for one: a length that grows with another tells of it. */
	if (o->compartment_count > 1 && o->size.kind == SIZE_PADDED)
		complain(o, "several compartments need --size, lest the length tells of them");
}

bool options_read(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.compartment = {empty},
		.compartment_count = 1,
		.profile = KDF_STANDARD,
		.parity = 4,
		.level = 3,
		.memory = MEMORY_DEFAULT,
		.jobs = cores_count(ARGUMENT_JOBS_MAX),
	};
	read_environment(o);
	read_words(o, argc, argv);
	if (o->help || o->version)
		return !o->error[0];
	if (o->recipe)
		read_recipe(o);
	if (!o->error[0])
		check(o);
	return !o->error[0];
}

static void free_compartment(struct compartment_options *c)
{
	free(c->source.text);
	free(c->archive.text);
	free(c->exclude.text);
	free(c->passphrase.place);
	free(c->key_file.text);
	free(c->recipient.text);
	free(c->recipients_file.text);
}

void options_fini(struct options *o)
{
	for (unsigned i = 0; i < FORMAT_SLOTS; i++)
		free_compartment(&o->compartment[i]);
	for (unsigned i = 0; i < o->kept.count; i++)
		free((char *)o->kept.text[i]);
	free(o->kept.text);
	free(o->output.text);
}
