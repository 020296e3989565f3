#include "bundler/signer.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "bundler/failure.h"
#include "bundler/minisign.h"
#include "common/arena.h"
#include "common/passphrase.h"
#include "common/status.h"

struct question {
	struct passphrase *answer;
	int status; /* of asking */
};

static int ask(void *context, char password[static MINISIGN_PASSWORD_MAX], size_t *len)
{
	struct question *q = context;

	_Static_assert(sizeof q->answer->text <= MINISIGN_PASSWORD_MAX, "an answer fits");
	q->status = passphrase_ask_raw(q->answer, "password of the signing key: ");
	if (q->status == STATUS_OK) {
		memcpy(password, q->answer->text, q->answer->len);
		*len = q->answer->len;
	}
	sodium_memzero(q->answer, sizeof *q->answer);
	return q->status;
}

static int refuse(struct failure *failure, const char *path, int status, bool asking)
{
	if (asking && status == STATUS_IO)
		return failure_say(
			failure, EXIT_FAILED, path,
			"there is no terminal to ask for its password on; minisign -C -W "
			"makes a key without one");
	switch (status) {
	case STATUS_KEYFILE:
		return failure_say(failure, EXIT_FAILED, path,
		                   "not a secret key as minisign -G makes it");
	case STATUS_NOKEY:
		return failure_say(failure, EXIT_FAILED, path,
		                   "wrong password, or the key is damaged");
	case STATUS_KDFMEM:
		return failure_say(failure, EXIT_FAILED, path,
		                   "there is not the memory that its password takes, up to 1 GiB");
	default: return failure_status(failure, path, status);
	}
}

int signer_read(struct minisign_secret **secret, struct arena *arena, const char *path,
                struct failure *failure)
{
	struct minisign_secret *s = arena_alloc(arena, sizeof *s);
	struct question question = {arena_alloc(arena, sizeof *question.answer), STATUS_OK};
	int status;

	if (!s || !question.answer)
		return failure_status(failure, NULL, STATUS_NOMEM);
	status = minisign_secret_read(s, path, ask, &question);
	if (status)
		return refuse(failure, path, status, question.status != STATUS_OK);
	*secret = s;
	return EXIT_DONE;
}
