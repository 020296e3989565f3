#include "common/publisher.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/diag.h"
#include "common/status.h"

enum {
	KEY_BYTES = 42, /* "Ed", key id, Ed25519 key */
	KEY_ID = 2,
	KEY = 10,
	LINE = 1024,
	FILE_LINES = 2, /* of minisign's own files, that are looked at */
	PINS_MAX = 4096,
};

struct pin {
	uint8_t key[KEY_BYTES];
	char name[PUBLISHER_NAME];
};

struct publisher_pins {
	struct publisher_options options;
	struct pin *pin;
	size_t count;
	char where[PATH_MAX]; /* the last file that had some */
};

/* --- keys ------------------------------------------------------------------------ */

static bool decode(uint8_t key[static KEY_BYTES], const char *text, size_t len)
{
	uint8_t bytes[KEY_BYTES];
	size_t got;

	if (sodium_base642bin(bytes, sizeof bytes, text, len, NULL, &got, NULL,
	                      sodium_base64_VARIANT_ORIGINAL) ||
	    got != sizeof bytes || memcmp(bytes, "Ed", 2))
		return false;
	memcpy(key, bytes, sizeof bytes);
	return true;
}

void publisher_print(char text[static PUBLISHER_TEXT], const struct format_content *content)
{
	uint8_t key[KEY_BYTES] = "Ed";

	memcpy(key + KEY_ID, content->key_id, sizeof content->key_id);
	memcpy(key + KEY, content->publisher, sizeof content->publisher);
	sodium_bin2base64(text, PUBLISHER_TEXT, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
}

uint64_t publisher_number(const struct format_content *content)
{
	return load_le64(content->key_id);
}

static bool is_key_of(const struct pin *pin, const struct format_content *content)
{
	return !memcmp(pin->key + KEY_ID, content->key_id, sizeof content->key_id) &&
	       !memcmp(pin->key + KEY, content->publisher, sizeof content->publisher);
}

/* --- lists ------------------------------------------------------------------------ */

static struct pin *add_pin(struct publisher_pins *pins)
{
	struct pin *more;

	if (pins->count == PINS_MAX)
		return NULL;
	more = realloc(pins->pin, (pins->count + 1) * sizeof *more);
	if (!more)
		return NULL;
	pins->pin = more;
	more[pins->count] = (struct pin){0};
	return &more[pins->count++];
}

static bool is_comment(const char *line)
{
	static const char minisign[] = "untrusted comment:";

	return !*line || *line == '#' || !strncmp(line, minisign, sizeof minisign - 1);
}

/* A key and, behind blanks, a name; without the line's end. */
static bool take_line(struct publisher_pins *pins, const char *line)
{
	size_t len = strcspn(line, " \t");
	const char *name = line + len + strspn(line + len, " \t");
	uint8_t key[KEY_BYTES];
	struct pin *pin;

	if (!decode(key, line, len))
		return false;
	pin = add_pin(pins);
	if (!pin)
		return false;
	memcpy(pin->key, key, sizeof key);
	snprintf(pin->name, sizeof pin->name, "%s", name);
	return true;
}

/* Without blanks and line breaks at its end; false: too long, or with a NUL. */
static bool read_line(FILE *file, char line[static LINE])
{
	size_t len = strlen(line);

	if (len == 0 || (line[len - 1] != '\n' && !feof(file)))
		return false;
	while (len && strchr(" \t\r\n", line[len - 1]))
		line[--len] = '\0';
	return true;
}

static int read_pins(struct publisher_pins *pins, FILE *file, const char *path)
{
	char line[LINE];

	for (unsigned no = 1; fgets(line, sizeof line, file); no++) {
		if (read_line(file, line) && (is_comment(line) || take_line(pins, line)))
			continue;
		diag_error(path, "line %u: not a minisign public key and a name", no);
		return EXIT_FAILED;
	}
	return ferror(file) ? diag_status(path, STATUS_IO) : 0;
}

/* A file that is not there pins nothing; one that cannot be read may pin a lot. */
static int load_pins(struct publisher_pins *pins, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t before = pins->count;
	int code;

	if (!file)
		return errno == ENOENT || errno == ENOTDIR ? 0 : diag_status(path, STATUS_IO);
	code = read_pins(pins, file, path);
	fclose(file);
	if (pins->count > before)
		snprintf(pins->where, sizeof pins->where, "%s", path);
	return code;
}

/* Not getpwuid(3), which a static program cannot have.  False: nobody says. */
static bool read_home(char home[static PATH_MAX])
{
	FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user = NULL;

	while (users && (user = fgetpwent(users)) && user->pw_uid != getuid())
		;
	*home = '\0';
	if (user)
		snprintf(home, PATH_MAX, "%s", user->pw_dir);
	if (users)
		fclose(users);
	return *home == '/';
}

/* What is not looked at, because nobody says where it is, may pin a lot. */
static int find_own(char path[static PATH_MAX])
{
	static const char below[] = "satchel/publishers";
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char other[PATH_MAX];
	int len;

	if (!home || *home != '/')
		home = read_home(other) ? other : NULL;
	if (config && *config == '/') {
		len = snprintf(path, PATH_MAX, "%s/%s", config, below);
	} else if (home) {
		len = snprintf(path, PATH_MAX, "%s/.config/%s", home, below);
	} else {
		diag_error(NULL, "where you have pinned publishers is not known, as HOME is not "
		                 "set: set it, or give --publisher or --any-publisher");
		return EXIT_FAILED;
	}
	if (len < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return diag_status(path, STATUS_IO);
}

static int load_pinned(struct publisher_pins *pins)
{
	char path[PATH_MAX];
	int code = load_pins(pins, "/etc/satchel/publishers");

	if (code == 0)
		code = find_own(path);
	return code ? code : load_pins(pins, path);
}

/* minisign's own file has the key in its only or its second line. */
static int load_only(struct publisher_pins *pins, const char *text)
{
	char line[LINE];
	FILE *file;
	bool found = false;

	if (take_line(pins, text))
		return 0;
	file = fopen(text, "re");
	if (!file && errno == ENOENT) {
		diag_error(text, "neither a minisign public key nor a file; was it copied whole?");
		return status_exit_code(STATUS_IO);
	}
	if (!file)
		return diag_status(text, STATUS_IO);
	for (int i = 0; i < FILE_LINES && !found && fgets(line, sizeof line, file); i++)
		found = read_line(file, line) && take_line(pins, line);
	fclose(file);
	if (!found)
		diag_error(text, "there is no minisign public key in it");
	return found ? 0 : status_exit_code(STATUS_KEYFILE);
}

int publisher_load(struct publisher_pins **pins, const struct publisher_options *options)
{
	struct publisher_pins *p = calloc(1, sizeof *p);
	int code = 0;

	if (!p)
		return diag_status(NULL, STATUS_NOMEM);
	p->options = *options;
	if (options->only)
		code = load_only(p, options->only);
	else if (!options->any)
		code = load_pinned(p);
	if (code)
		publisher_free(p);
	else
		*pins = p;
	return code;
}

void publisher_free(struct publisher_pins *pins)
{
	if (pins)
		free(pins->pin);
	free(pins);
}

/* --- judging ------------------------------------------------------------------------ */

static const struct pin *find(const struct publisher_pins *pins,
                              const struct format_content *content)
{
	for (size_t i = 0; content->is_signed && i < pins->count; i++)
		if (is_key_of(&pins->pin[i], content))
			return &pins->pin[i];
	return NULL;
}

bool publisher_is_known(const struct publisher_pins *pins, const struct format_content *content,
                        char name[static PUBLISHER_NAME])
{
	const struct pin *pin = find(pins, content);

	memcpy(name, pin ? pin->name : "", pin ? PUBLISHER_NAME : 1);
	return pin != NULL;
}

bool publisher_is_asked(const struct publisher_pins *pins)
{
	return !pins->options.any;
}

void publisher_describe(char text[static PUBLISHER_WORDS], const struct publisher_pins *pins,
                        const struct format_content *content)
{
	char key[PUBLISHER_TEXT], name[PUBLISHER_NAME];

	publisher_print(key, content);
	if (!content->is_signed)
		snprintf(text, PUBLISHER_WORDS, "not signed");
	else if (publisher_is_known(pins, content, name))
		snprintf(text, PUBLISHER_WORDS, "signed by key %016" PRIX64 "%s%s",
		         publisher_number(content), *name ? ", " : "", name);
	else
		snprintf(text, PUBLISHER_WORDS, "signed by %s%s", key,
		         publisher_is_asked(pins) ? ", which you have not pinned" : "");
}

/* Not into a log: only recipients are to know who published, and what. */
static bool may_tell(void)
{
	return isatty(STDERR_FILENO);
}

static int refuse_publisher(const struct publisher_pins *pins, const struct format_content *content,
                            const char *bundle)
{
	char words[PUBLISHER_WORDS];

	publisher_describe(words, pins, content);
	if (pins->options.only)
		return diag_status(bundle, content->is_signed ? STATUS_PUBLISHER : STATUS_UNSIGNED);
	if (!content->is_signed)
		diag_error(bundle,
		           "not signed, and you take signed bundles only (%s); --any-publisher "
		           "takes it all the same",
		           pins->where);
	else if (may_tell())
		diag_error(bundle, "%s (%s); --any-publisher takes it all the same", words,
		           pins->where);
	else
		diag_error(bundle,
		           "signed by a key that you have not pinned (%s); --any-publisher takes "
		           "it all the same",
		           pins->where);
	return EXIT_FAILED;
}

static int refuse_edition(uint64_t wanted, const struct format_content *content, const char *bundle)
{
	if (!content->edition)
		diag_error(bundle, "has no edition, and %" PRIu64 " or later was required", wanted);
	else if (!*content->series || !may_tell())
		diag_error(bundle, "edition %" PRIu64 " is older than the %" PRIu64 " required",
		           content->edition, wanted);
	else
		diag_error(bundle,
		           "edition %" PRIu64 " of \"%s\" is older than the %" PRIu64 " required",
		           content->edition, content->series, wanted);
	return EXIT_FAILED;
}

static void announce(const struct publisher_pins *pins, const struct format_content *content)
{
	char words[PUBLISHER_WORDS];

	publisher_describe(words, pins, content);
	if (content->is_signed && may_tell())
		diag_note("%s", words);
}

int publisher_judge(const struct publisher_pins *pins, const struct format_content *content,
                    const char *bundle)
{
	if (!find(pins, content)) {
		if (pins->count)
			return refuse_publisher(pins, content, bundle);
		announce(pins, content);
	}
	if (content->edition < pins->options.min_edition)
		return refuse_edition(pins->options.min_edition, content, bundle);
	return 0;
}
