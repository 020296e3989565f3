#include "bundler/options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bundler/recipient.h"
#include "common/format.h"
#include "common/path.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
	JOBS_MAX = 256,
	LEVEL_MAX = 19,
	HELP_COLUMN = 27,
};

#define MEMORY_MIN (UINT64_C(64) << 20)
#define MEMORY_DEFAULT (UINT64_C(256) << 20)

static const char out_of_memory[] = "not enough memory";

/* --- one argument --------------------------------------------------------- */

/* Each takes an argument into its field; the result is what is wrong, or NULL. */

static const char *take_set(void *field, const char *argument)
{
	(void)argument;
	*(bool *)field = true;
	return NULL;
}

/* The default, said aloud. */
static const char *take_clear(void *field, const char *argument)
{
	(void)argument;
	*(bool *)field = false;
	return NULL;
}

static const char *take_text(void *field, const char *argument)
{
	*(const char **)field = argument;
	return argument[0] ? NULL : "empty";
}

static const char *take_list(void *field, const char *argument)
{
	struct text_list *list = field;
	const char **text = realloc(list->text, (list->count + (size_t)1) * sizeof *text);

	if (!text)
		return out_of_memory;
	list->text = text;
	list->text[list->count++] = argument;
	return argument[0] ? NULL : "empty";
}

static const char *take_place(struct place_list *list, const char *file, int fd)
{
	struct passphrase_place *place =
		realloc(list->place, (list->count + (size_t)1) * sizeof *place);

	if (!place)
		return out_of_memory;
	list->place = place;
	list->place[list->count++] = (struct passphrase_place){file, fd};
	return NULL;
}

static const char *take_passphrase_file(void *field, const char *argument)
{
	return argument[0] ? take_place(field, argument, -1) : "empty";
}

static const char *take_recipient(void *field, const char *argument)
{
	uint8_t key[RECIPIENT_BYTES];
	const char *wrong = take_list(field, argument);

	if (wrong)
		return wrong;
	return recipient_parse(key, argument) ? "not a recipient such as age1..., or mistyped"
	                                      : NULL;
}

/* Digits and nothing else before *end. */
static bool read_number(const char *text, const char **end, uint64_t *number)
{
	char *stop;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

static bool read_whole_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	const char *end;

	return read_number(text, &end, number) && !*end && *number >= least && *number <= most;
}

static const char *take_passphrase_fd(void *field, const char *argument)
{
	uint64_t fd;

	if (!read_whole_number(argument, 0, INT32_MAX, &fd))
		return "not the number of a descriptor";
	return take_place(field, NULL, (int)fd);
}

static bool read_bytes(const char *text, uint64_t *bytes)
{
	static const struct {
		const char *suffix;
		uint64_t unit;
	} row[] = {
		{"", 1},
		{"K", UINT64_C(1) << 10},
		{"M", UINT64_C(1) << 20},
		{"G", UINT64_C(1) << 30},
		{"T", UINT64_C(1) << 40},
		{"KB", UINT64_C(1000)},
		{"MB", UINT64_C(1000000)},
		{"GB", UINT64_C(1000000000)},
		{"TB", UINT64_C(1000000000000)},
	};
	const char *suffix;
	uint64_t number;

	if (!read_number(text, &suffix, &number))
		return false;
	for (size_t i = 0; i < COUNT(row); i++)
		if (!strcasecmp(suffix, row[i].suffix)) {
			*bytes = number * row[i].unit;
			return number <= UINT64_MAX / row[i].unit;
		}
	return false;
}

static const char *take_size(void *field, const char *argument)
{
	struct size_wish *size = field;
	struct format_geometry geometry;

	if (!strncmp(argument, "fill:", strlen("fill:"))) {
		size->kind = SIZE_FILL;
		size->directory = argument + strlen("fill:");
		return size->directory[0] ? NULL : "fill: needs a directory";
	}
	size->kind = SIZE_EXACT;
	if (!read_bytes(argument, &size->bytes))
		return "not a size such as 3900M, 4GB or fill:DIRECTORY";
	return format_geometry_make(&geometry, size->bytes)
	               ? "a bundle has from 80K (81,920 bytes) to 32T"
	               : NULL;
}

static const char *take_memory(void *field, const char *argument)
{
	uint64_t bytes;

	if (!read_bytes(argument, &bytes))
		return "not a number of bytes such as 512M";
	*(uint64_t *)field = bytes;
	return bytes < MEMORY_MIN || bytes > SIZE_MAX / 2 ? "at least 64M" : NULL;
}

static const char *take_profile(void *field, const char *argument)
{
	*(enum kdf_profile *)field = strcmp(argument, "low") ? KDF_STANDARD : KDF_LOW;
	return strcmp(argument, "low") && strcmp(argument, "standard") ? "standard or low" : NULL;
}

static const char *take_metadata(void *field, const char *argument)
{
	*(bool *)field = !strcmp(argument, "full");
	return strcmp(argument, "full") && strcmp(argument, "private") ? "private or full" : NULL;
}

static const char *take_parity(void *field, const char *argument)
{
	uint64_t number;

	if (!read_whole_number(argument, 0, FORMAT_MAX_PARITY, &number) || number == 1 ||
	    (number & (number - 1)))
		return "0, 2, 4, 8 or 16";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

static const char *take_level(void *field, const char *argument)
{
	uint64_t number = 0;

	if (!read_whole_number(argument, 1, LEVEL_MAX, &number))
		return "not a number from 1 to 19";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

static const char *take_jobs(void *field, const char *argument)
{
	uint64_t number = 0;

	if (!read_whole_number(argument, 1, JOBS_MAX, &number))
		return "not a number from 1 to 256";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

static const char *take_edition(void *field, const char *argument)
{
	return read_whole_number(argument, 1, UINT64_MAX, field) ? NULL : "not a number from 1 on";
}

static const char *take_words(void *field, const char *argument, size_t most)
{
	*(const char **)field = argument;
	if (!path_is_utf8(argument, strlen(argument)))
		return "not UTF-8";
	return strlen(argument) > most ? "too long" : NULL;
}

static const char *take_label(void *field, const char *argument)
{
	return take_words(field, argument, FORMAT_LABEL);
}

static const char *take_series(void *field, const char *argument)
{
	return take_words(field, argument, FORMAT_SERIES);
}

/* --- the table ------------------------------------------------------------ */

struct row {
	const char *name;
	char letter;          /* 0 for none */
	const char *argument; /* NULL for none */
	const char *help;
	size_t field;
	const char *(*take)(void *field, const char *argument);
};

#define FIELD(name) offsetof(struct options, name)

/* clang-format off */
static const struct row row[] = {
	{"output", 'o', "FILE", "write the bundle to FILE; several times for\n"
	 "several drives, each encrypted on its own", FIELD(output), take_list},
	{"force", 'f', NULL, "replace FILE if it exists", FIELD(force), take_set},
	{"dry-run", 'n', NULL, "say what would be packed and how long it would\n"
	 "be; write nothing", FIELD(dry_run), take_set},
	{"passphrase-file", 0, "FILE", "the passphrase is what FILE has (\"-\": standard\n"
	 "input); several times: each opens the bundle", FIELD(passphrase), take_passphrase_file},
	{"passphrase-fd", 0, "N", "the same from file descriptor N", FIELD(passphrase),
	 take_passphrase_fd},
	{"generate-passphrase", 0, NULL, "make one of seven words, shown once, on the\n"
	 "terminal", FIELD(generate), take_set},
	{"key-file", 0, "FILE", "FILE alone opens the bundle, too", FIELD(key_file), take_list},
	{"recipient", 0, "AGE1...", "whoever has the identity of this public key opens\n"
	 "the bundle; several times", FIELD(recipient), take_recipient},
	{"recipients-file", 0, "FILE", "the same for those in FILE, one a line",
	 FIELD(recipients_file), take_list},
	{"second-factor", 0, "FILE", "every passphrase and recipient needs FILE as well",
	 FIELD(second_factor), take_text},
	{"sign", 0, "FILE", "sign it as its publisher, with the secret key in\n"
	 "FILE that minisign -G has made", FIELD(sign), take_text},
	{"kdf", 0, "PROFILE", "standard (256 MiB to open), or low (64 MiB) for\n"
	 "recipients with old machines", FIELD(profile), take_profile},
	{"size", 0, "SIZE", "length of the bundle in bytes (K M G T, KB MB GB\n"
	 "TB), or fill:DIRECTORY for what is free there;\n"
	 "otherwise as long as needed, and something more", FIELD(size), take_size},
	{"parity", 0, "N", "0, 2, 4, 8 or 16 spare pages for every 64; 4 if\n"
	 "not given, 6 % more bytes", FIELD(parity), take_parity},
	{"metadata", 0, "WHICH", "private (names, sizes, days), or full (owners,\n"
	 "exact times, attributes)", FIELD(full_metadata), take_metadata},
	{"exclude", 0, "GLOB", "leave out what has such a name or path", FIELD(exclude), take_list},
	{"one-file-system", 0, NULL, "do not enter other file systems (the default)",
	 FIELD(cross_file_systems), take_clear},
	{"cross-file-systems", 0, NULL, "do enter them", FIELD(cross_file_systems), take_set},
	{"label", 0, "TEXT", "a title, seen by who can open the bundle", FIELD(label), take_label},
	{"series", 0, "TEXT", "the series that it is an edition of", FIELD(series), take_series},
	{"edition", 0, "N", "which one", FIELD(edition), take_edition},
	{"level", 0, "N", "compress from 1 (fast) to 19 (small); 3 if not\n"
	 "given; films and the like are never compressed", FIELD(level), take_level},
	{"no-verify", 0, NULL, "do not read the written bundle back", FIELD(no_verify), take_set},
	{"jobs", 0, "N", "threads; as many as cores if not given", FIELD(jobs), take_jobs},
	{"memory", 0, "SIZE", "memory for buffers; 256M if not given", FIELD(memory), take_memory},
	{"spill", 0, "DIR", "where an encrypted temporary file may go; TMPDIR\n"
	 "or /var/tmp if not given", FIELD(spill), take_text},
	{"allow-unlocked", 0, NULL, "go on if memory for keys cannot be locked",
	 FIELD(allow_unlocked), take_set},
	{"quiet", 'q', NULL, "errors only", FIELD(quiet), take_set},
	{"verbose", 'v', NULL, "name what is packed", FIELD(verbose), take_set},
	{"json", 0, NULL, "progress and result as JSON lines", FIELD(json), take_set},
	{"help", 'h', NULL, "this", FIELD(help), take_set},
	{"version", 0, NULL, "which version this is", FIELD(version), take_set},
};
/* clang-format on */

enum {
	ROWS = COUNT(row),
	SECRET = 'p', /* -p and --passphrase, which do not exist */
	FIRST_ROW = 256,
};

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
	       "\n"
	       "Packs files and directories into an encrypted bundle.  Without an option that\n"
	       "says where a passphrase or key is, a passphrase is asked for.\n"
	       "\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &row[i];
		char letter[] = "-x,";
		int len;

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
	wrong = row[i].take((char *)o + row[i].field, optarg);
	if (wrong)
		complain(o, "--%s: %s", row[i].name, wrong);
}

static void read_words(struct options *o, int argc, char **argv)
{
	struct option longs[ROWS + 3] = {{0}};
	char shorts[2 * ROWS + 8] = ":p::", *end = shorts + strlen(shorts);
	int found;

	for (size_t i = 0; i < ROWS; i++) {
		longs[i] = (struct option){row[i].name, row[i].argument ? 1 : 0, NULL,
		                           FIRST_ROW + (int)i};
		if (row[i].letter)
			*end++ = row[i].letter;
		if (row[i].letter && row[i].argument)
			*end++ = ':';
	}
	longs[ROWS] = (struct option){"passphrase", optional_argument, NULL, SECRET};
	longs[ROWS + 1] = (struct option){"password", optional_argument, NULL, SECRET};
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		take_option(o, found, argv[optind > 0 ? optind - 1 : 0]);
	o->path = (const char *const *)argv + optind;
	o->path_count = (unsigned)(argc - optind);
}

static void read_environment(struct options *o)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH"), *tmpdir = getenv("TMPDIR");
	uint64_t seconds;

	o->spill = tmpdir && tmpdir[0] ? tmpdir : "/var/tmp";
	o->newest = INT64_MAX;
	if (!epoch || !epoch[0])
		return;
	if (read_whole_number(epoch, 0, INT64_MAX, &seconds))
		o->newest = (int64_t)seconds;
	else
		complain(o, "SOURCE_DATE_EPOCH: not a number of seconds");
}

static unsigned core_count(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return count < JOBS_MAX ? (unsigned)count : JOBS_MAX;
}

bool options_ask(const struct options *o)
{
	return !o->passphrase.count && !o->generate && !o->recipient.count &&
	       !o->recipients_file.count && (o->second_factor || !o->key_file.count);
}

static unsigned opener_count(const struct options *o)
{
	return o->passphrase.count + o->generate + options_ask(o) + o->key_file.count +
	       o->recipient.count + o->recipients_file.count;
}

static bool ends_with_slash(const char *text)
{
	size_t len = strlen(text);

	return len && text[len - 1] == '/';
}

/* What no single option shows. */
static void check(struct options *o)
{
	if (!o->output.count && !o->dry_run)
		complain(o, "no output: name one with -o; see --help");
	if (!o->path_count)
		complain(o, "nothing to pack: name files or directories; see --help");
	for (unsigned i = 0; i < o->output.count; i++)
		if (!strcmp(o->output.text[i], "-"))
			complain(o, "--output: a bundle cannot go to standard output");
	if (opener_count(o) > FORMAT_SLOTS)
		complain(o, "more than %d passphrases, key files and recipients", FORMAT_SLOTS);
	for (unsigned i = 0; i < o->exclude.count; i++)
		if (o->exclude.text[i][0] == '/' || ends_with_slash(o->exclude.text[i]))
			complain(o, "--exclude: no path in a bundle has a slash at either end");
}

bool options_read(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.profile = KDF_STANDARD,
		.parity = 4,
		.level = 3,
		.label = "",
		.series = "",
		.memory = MEMORY_DEFAULT,
		.jobs = core_count(),
	};
	read_environment(o);
	read_words(o, argc, argv);
	if (!o->help && !o->version)
		check(o);
	return !o->error[0];
}

void options_fini(struct options *o)
{
	free(o->output.text);
	free(o->passphrase.place);
	free(o->key_file.text);
	free(o->recipient.text);
	free(o->recipients_file.text);
	free(o->exclude.text);
}
