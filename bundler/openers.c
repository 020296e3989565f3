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
	const struct compartment_options *options;
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

static int add(const struct collection *c, const char *where, struct opener opener)
{
	struct openers *o = c->openers;

	if (o->count == FORMAT_SLOTS)
		return failure_say(c->failure, EXIT_USAGE, where,
		                   "more than %d passphrases, key files and recipients",
		                   FORMAT_SLOTS);
	o->opener[o->count++] = opener;
	return EXIT_DONE;
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
	return add(c, where,
	           (struct opener){.passphrase = passphrase, .key_file = c->second_factor});
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

/* Is that an opener already, alone or beside something else? */
static bool has_key_file(const struct openers *o, const uint8_t *digest, bool alone)
{
	for (unsigned i = 0; i < o->count; i++) {
		const struct opener *other = &o->opener[i];

		if (other->key_file && alone == (!other->passphrase && !other->recipient) &&
		    !sodium_memcmp(digest, other->key_file, KDF_KEYBYTES))
			return true;
	}
	return false;
}

static int refuse_both(const struct collection *c, const char *path)
{
	return failure_say(c->failure, EXIT_USAGE, path,
	                   "this key file opens the bundle alone, and cannot be the second "
	                   "factor");
}

static int add_second_factor(struct collection *c, const char *path)
{
	int code = read_key_file(c, path, &c->second_factor);

	return !code && has_key_file(c->openers, c->second_factor, true) ? refuse_both(c, path)
	                                                                 : code;
}

static int add_key_file(struct collection *c, const char *path)
{
	struct openers *o = c->openers;
	const uint8_t *digest = NULL;
	int code = read_key_file(c, path, &digest);

	if (code)
		return code;
	if ((c->second_factor && !sodium_memcmp(digest, c->second_factor, KDF_KEYBYTES)) ||
	    has_key_file(o, digest, false))
		return refuse_both(c, path);
	if (has_key_file(o, digest, true))
		return failure_say(c->failure, EXIT_USAGE, path, "this key file was given before");
	return add(c, path, (struct opener){.key_file = digest});
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
	return add(c, where, (struct opener){.recipient = key, .key_file = c->second_factor});
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

static bool show(int tty, const char *name, const struct passphrase *passphrase)
{
	char before[128];
	int len = snprintf(before, sizeof before, "\nThe passphrase%s%s, shown only now:\n\n    ",
	                   name[0] ? " of " : "", name);

	return write_all(tty, before, (size_t)len) &&
	       write_all(tty, passphrase->text, passphrase->len) && write_all(tty, "\n\n", 2);
}

static int add_generated(struct collection *c)
{
	struct passphrase *passphrase = arena_alloc(c->arena, sizeof *passphrase);
	int tty = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY), code = EXIT_DONE;

	if (tty < 0)
		return failure_say(c->failure, EXIT_USAGE, NULL,
		                   "--generate-passphrase: there is no terminal to show it on");
	if (!passphrase) {
		code = out_of_memory(c);
	} else {
		generate_passphrase(passphrase);
		if (!show(tty, c->options->name, passphrase))
			code = failure_say(c->failure, EXIT_FAILED, "/dev/tty", "%s",
			                   strerror(errno));
	}
	close(tty);
	return code ? code : add_passphrase(c, passphrase, "--generate-passphrase");
}

static int add_asked(struct collection *c)
{
	struct passphrase *passphrase = arena_alloc(c->arena, sizeof *passphrase);
	const char *name = c->options->name, *where = name[0] ? name : NULL;
	char prompt[96];
	int status;

	if (!passphrase)
		return out_of_memory(c);
	snprintf(prompt, sizeof prompt, "passphrase%s%s: ", where ? " for " : "", name);
	status = passphrase_ask(passphrase, prompt, true);
	switch (status) {
	case STATUS_OK: break;
	case STATUS_IO:
		return failure_say(c->failure, EXIT_USAGE, where,
		                   "there is no terminal to ask for a passphrase on; use "
		                   "--passphrase-file, --passphrase-fd, --key-file or "
		                   "--recipient");
	case STATUS_PASSPHRASE:
		return failure_say(c->failure, EXIT_FAILED, where,
		                   "no usable passphrase: empty, unknown characters, or not twice "
		                   "the same");
	default: return refuse_passphrase(c, where, status);
	}
	warn_if_weak(where, passphrase);
	return add_passphrase(c, passphrase, where);
}

/* What is still to come when the recipients have been read. */
static unsigned secret_count(const struct compartment_options *o)
{
	return o->passphrase.count + o->generate + options_ask(o);
}

/* What needs nobody's attention comes first. */
int openers_collect(struct openers *openers, struct arena *arena,
                    const struct compartment_options *o, struct failure *failure)
{
	struct collection c = {openers, arena, o, failure, NULL};
	int code = o->second_factor ? add_second_factor(&c, o->second_factor) : EXIT_DONE;

	for (unsigned i = 0; i < o->key_file.count && !code; i++)
		code = add_key_file(&c, o->key_file.text[i]);
	if (!code)
		code = add_recipients(&c);
	for (unsigned i = 0; i < o->recipients_file.count && !code; i++)
		code = add_recipients_file(&c, o->recipients_file.text[i], secret_count(o));
	for (unsigned i = 0; i < o->passphrase.count && !code; i++)
		code = add_from_place(&c, &o->passphrase.place[i]);
	if (o->generate && !code)
		code = add_generated(&c);
	if (options_ask(o) && !code)
		code = add_asked(&c);
	return code;
}
