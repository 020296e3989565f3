#include "reader/absent.h"

#include <stdio.h>

#include "common/bundle.h"
#include "common/diag.h"
#include "common/status.h"
#include "reader/session.h"

enum { LIST = 256 };

static void note(void *context, unsigned v)
{
	struct absent *absent = context;
	uint8_t bit = (uint8_t)(1u << v % 8);

	if (bundle_volume(absent->bundle, v)->pages || absent->volume[v / 8] & bit)
		return;
	absent->volume[v / 8] |= bit;
	absent->count++;
}

void absent_find(struct absent *absent, const struct session *session, struct cursor *cursor,
                 const struct format_entry *file)
{
	*absent = (struct absent){.bundle = session->bundle};
	if (file->kind != KIND_FILE || bundle_file_volumes(cursor, file, note, absent))
		absent->count = 0;
}

bool absent_has(const struct absent *absent, unsigned v)
{
	return absent->volume[v / 8] >> v % 8 & 1;
}

/* "2, 5, 6", as far as there is room. */
static void list(const struct absent *absent, char text[static LIST])
{
	size_t at = 0;

	text[0] = '\0';
	for (unsigned v = 0; v < bundle_volume_count(absent->bundle); v++) {
		if (!absent_has(absent, v))
			continue;
		if (at > LIST - 16) {
			snprintf(text + at, LIST - at, ", ...");
			return;
		}
		at += (size_t)snprintf(text + at, LIST - at, at ? ", %u" : "%u", v + 1);
	}
}

void absent_report(struct session *session, struct cursor *cursor, const struct format_entry *file,
                   const char *path)
{
	struct absent absent;
	char text[LIST];

	absent_find(&absent, session, cursor, file);
	if (!absent.count) {
		session_report(session, path, STATUS_VOLUME);
		return;
	}
	list(&absent, text);
	diag_error(path, "lies in volume%s %s of %u, which %s not here",
	           absent.count == 1 ? "" : "s", text, bundle_volume_count(absent.bundle),
	           absent.count == 1 ? "is" : "are");
	session_note(session, status_exit_code(STATUS_VOLUME));
}
