#include "bundler/openers.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bundler/failure.h"
#include "bundler/generate.h"
#include "bundler/options.h"
#include "bundler/recipient.h"
#include "bundler/strength.h"
#include "common/arena.h"
#include "common/diag.h"
#include "common/passphrase.h"
#include "common/status.h"

struct collection {
	struct openers *openers;
	struct arena *arena;
	const struct options *options;
	struct failure *failure;
	const uint8_t *second_factor;
};

static int out_of_memory(const struct collection *c)
{
	return failure_status(c->failure, NULL, STATUS_NOMEM);
}

static int refuse_passphrase(const struct collection *c, const char *where, int status)
{
	switch (status) {
	case STATUS_PASSPHRASE:
		return failure_say(c->failure, EXIT_FAILED, where,
		                   "not a usable passphrase: empty, several lines, not UTF-8, or "
		                   "unknown characters");
	case STATUS_TOOBIG:
		return failure_say(c->failure, EXIT_FAILED, where,
		                   "a passphrase has at most %d bytes", KDF_PASSPHRASE_MAX);
	default: return failure_status(c->failure, where, status);
	}
}

static void warn_if_weak(const char *where, const struct passphrase *passphrase)
{
	char why[STRENGTH_WHY];

	if (strength_bits(passphrase, why) < STRENGTH_ENOUGH)
		diag_warn(where,
		          "warning: this passphrase can be guessed: %s; try "
		          "--generate-passphrase",
		          why);
}

static bool same(const struct opener *opener, const struct passphrase *passphrase)
{
	const struct passphrase *other = opener->passphrase;

	return other && other->len == passphrase->len &&
	       !sodium_memcmp(other->text, passphrase->text, passphrase->len);
}

static int add_passphrase(struct collection *c, const struct passphrase *passphrase,
                          const char *where)
{
	struct openers *o = c->openers;

	for (unsigned i = 0; i < o->count; i++)
		if (same(&o->opener[i], passphrase))
			return failure_say(c->failure, EXIT_USAGE, where,
			                   "this passphrase was given before");
	o->opener[o->count++] =
		(struct opener){.passphrase = passphrase, .key_file = c->second_factor};
	return EXIT_DONE;
}

/* --- from files ----------------------------------------------------------- */

static int read_key_file(struct collection *c, const char *path, const uint8_t **digest)
{
	uint8_t *out = arena_alloc(c->arena, KDF_KEYBYTES);
	int status;

	if (!out)
		return out_of_memory(c);
	status = kdf_key_file(path, out);
	if (status == STATUS_KEYFILE)
		return failure_say(c->failure, EXIT_FAILED, path,
		                   "a key file is a file of 16 bytes to 1 MiB");
	if (status)
		return failure_status(c->failure, path, status);
	*digest = out;
	return EXIT_DONE;
}

static int add_key_file(struct collection *c, const char *path)
{
	struct openers *o = c->openers;
	const uint8_t *digest = NULL;
	int code = read_key_file(c, path, &digest);

	if (code)
		return code;
	if (c->second_factor && !sodium_memcmp(digest, c->second_factor, KDF_KEYBYTES))
		return failure_say(c->failure, EXIT_USAGE, path,
		                   "this key file opens the bundle alone, and cannot be the "
		                   "second factor");
	for (unsigned i = 0; i < o->count; i++)
		if (!o->opener[i].passphrase && !o->opener[i].recipient &&
		    !sodium_memcmp(digest, o->opener[i].key_file, KDF_KEYBYTES))
			return failure_say(c->failure, EXIT_USAGE, path,
			                   "this key file was given before");
	o->opener[o->count++] = (struct opener){.key_file = digest};
	return EXIT_DONE;
}

static int add_from_place(struct collection *c, const struct passphrase_place *place)
{
	struct passphrase *passphrase = arena_alloc(c->arena, sizeof *passphrase);
	char fd_name[32];
	const char *where = place->file ? place->file : fd_name;
	int status;

	if (!passphrase)
		return out_of_memory(c);
	snprintf(fd_name, sizeof fd_name, "--passphrase-fd %d", place->fd);
	if (place->file && !strcmp(place->file, "-"))
		where = "standard input";
	status = place->file ? passphrase_read_file(passphrase, place->file)
	                     : passphrase_read_fd(passphrase, place->fd);
	if (status)
		return refuse_passphrase(c, where, status);
	warn_if_weak(where, passphrase);
	return add_passphrase(c, passphrase, where);
}

/* --- recipients -----------------------------------------------------------  */

/* Not secret, but they must live as long. */
static void *room_for_recipients(const struct collection *c)
{
	return arena_alloc(c->arena, (size_t)FORMAT_SLOTS * RECIPIENT_BYTES);
}

static int add_recipient(struct collection *c, const uint8_t *key, const char *where)
{
	struct openers *o = c->openers;

	for (unsigned i = 0; i < o->count; i++)
		if (o->opener[i].recipient && !memcmp(key, o->opener[i].recipient, RECIPIENT_BYTES))
			return failure_say(c->failure, EXIT_USAGE, where,
			                   "this recipient was given before");
	o->opener[o->count++] = (struct opener){.recipient = key, .key_file = c->second_factor};
	return EXIT_DONE;
}

/* The options have been checked already. */
static int add_recipients(struct collection *c)
{
	const struct text_list *list = &c->options->recipient;
	uint8_t(*key)[RECIPIENT_BYTES] = list->count ? room_for_recipients(c) : NULL;
	int code = EXIT_DONE;

	if (list->count && !key)
		return out_of_memory(c);
	for (unsigned i = 0; i < list->count && !code; i++)
		code = recipient_parse(key[i], list->text[i])
		               ? failure_status(c->failure, list->text[i], STATUS_KEYFILE)
		               : add_recipient(c, key[i], list->text[i]);
	return code;
}

static int refuse_recipients(const struct collection *c, const char *path, unsigned line,
                             int status)
{
	switch (status) {
	case STATUS_KEYFILE:
		if (!line)
			return failure_say(c->failure, EXIT_FAILED, path, "no recipient in it");
		return failure_say(c->failure, EXIT_FAILED, path,
		                   "line %u: not a recipient such as age1..., or mistyped", line);
	case STATUS_TOOBIG:
		return failure_say(c->failure, EXIT_FAILED, path,
		                   "line %u: more than %d passphrases, key files and recipients",
		                   line, FORMAT_SLOTS);
	default: return failure_status(c->failure, path, status);
	}
}

/* others: how many more openers there will be. */
static int add_recipients_file(struct collection *c, const char *path, unsigned others)
{
	uint8_t(*key)[RECIPIENT_BYTES] = room_for_recipients(c);
	unsigned room = FORMAT_SLOTS - c->openers->count, count = 0, line;
	int status, code = EXIT_DONE;

	if (!key)
		return out_of_memory(c);
	status = recipient_read_file(key, room > others ? room - others : 0, &count, &line, path);
	if (status)
		return refuse_recipients(c, path, line, status);
	for (unsigned i = 0; i < count && !code; i++)
		code = add_recipient(c, key[i], path);
	return code;
}

/* --- at the terminal ------------------------------------------------------ */

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno != EINTR)
			return false;
		text += put > 0 ? put : 0;
		len -= put > 0 ? (size_t)put : 0;
	}
	return true;
}

static bool show(int tty, const struct passphrase *passphrase)
{
	static const char before[] = "\nThe passphrase, shown only now:\n\n    ";

	return write_all(tty, before, strlen(before)) &&
	       write_all(tty, passphrase->text, passphrase->len) && write_all(tty, "\n\n", 2);
}

static int add_generated(struct collection *c)
{
	struct passphrase *passphrase = arena_alloc(c->arena, sizeof *passphrase);
	int tty = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY), code = EXIT_DONE;

	if (tty < 0)
		return failure_say(c->failure, EXIT_FAILED, NULL,
		                   "--generate-passphrase: there is no terminal to show it on");
	if (!passphrase) {
		code = out_of_memory(c);
	} else {
		generate_passphrase(passphrase);
		if (!show(tty, passphrase))
			code = failure_say(c->failure, EXIT_FAILED, "/dev/tty", "%s",
			                   strerror(errno));
	}
	close(tty);
	return code ? code : add_passphrase(c, passphrase, "--generate-passphrase");
}

static int add_asked(struct collection *c)
{
	struct passphrase *passphrase = arena_alloc(c->arena, sizeof *passphrase);
	int status;

	if (!passphrase)
		return out_of_memory(c);
	status = passphrase_ask(passphrase, "passphrase: ", true);
	switch (status) {
	case STATUS_OK: break;
	case STATUS_IO:
		return failure_say(c->failure, EXIT_FAILED, NULL,
		                   "there is no terminal to ask for a passphrase on; use "
		                   "--passphrase-file, --passphrase-fd, --key-file or "
		                   "--recipient");
	case STATUS_PASSPHRASE:
		return failure_say(c->failure, EXIT_FAILED, NULL,
		                   "no usable passphrase: empty, unknown characters, or not twice "
		                   "the same");
	default: return refuse_passphrase(c, NULL, status);
	}
	warn_if_weak(NULL, passphrase);
	return add_passphrase(c, passphrase, NULL);
}

/* What is still to come when the recipients have been read. */
static unsigned secret_count(const struct options *o)
{
	return o->passphrase.count + o->generate + options_ask(o);
}

/* What needs nobody's attention comes first. */
int openers_collect(struct openers *openers, struct arena *arena, const struct options *options,
                    struct failure *failure)
{
	struct collection c = {openers, arena, options, failure, NULL};
	int code = EXIT_DONE;

	openers->count = 0;
	if (options->second_factor)
		code = read_key_file(&c, options->second_factor, &c.second_factor);
	for (unsigned i = 0; i < options->key_file.count && !code; i++)
		code = add_key_file(&c, options->key_file.text[i]);
	if (!code)
		code = add_recipients(&c);
	for (unsigned i = 0; i < options->recipients_file.count && !code; i++)
		code = add_recipients_file(&c, options->recipients_file.text[i],
		                           secret_count(options));
	for (unsigned i = 0; i < options->passphrase.count && !code; i++)
		code = add_from_place(&c, &options->passphrase.place[i]);
	if (options->generate && !code)
		code = add_generated(&c);
	if (options_ask(options) && !code)
		code = add_asked(&c);
	return code;
}
