/* satchel-read info.  Never how many slots, compartments or spare slices there
 * are: who has some keys shall learn nothing of others. */
#include <inttypes.h>
#include <string.h>

#include "common/amount.h"
#include "common/arena.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/pages.h"
#include "common/publisher.h"
#include "common/status.h"
#include "reader/out.h"
#include "reader/session.h"
#include "reader/verbs.h"

enum { JSON = OPTION_VERB };

static const struct option_row rows[] = {
	{JSON, "json", NULL, "as one JSON object"},
	{0, NULL, NULL, NULL},
};

struct info {
	bool json;
	struct session *session;
	const struct format_content *content;
	struct out out;
};

static bool take_option(void *context, int code, const char *argument)
{
	(void)code;
	(void)argument;
	((struct info *)context)->json = true;
	return true;
}

static const char *file_of(const struct info *info, const struct bundle_volume *volume)
{
	return info->session->files.file[volume->source_no];
}

/* The same for all volumes, so of any that is here. */
static unsigned parity_of(const struct info *info)
{
	for (unsigned v = 0; v < bundle_volume_count(info->session->bundle); v++) {
		const struct bundle_volume *volume = bundle_volume(info->session->bundle, v);

		if (volume->pages)
			return volume->pages->parity.m;
	}
	return 0;
}

static unsigned bad_roots(const struct bundle_volume *volume)
{
	unsigned bad = 0;

	for (unsigned c = 0; c < FORMAT_ROOTS; c++)
		bad += volume->bad_roots >> c & 1;
	return bad;
}

/* --- text --------------------------------------------------------------------- */

static void print_size(struct out *out, uint64_t bytes)
{
	char amount[AMOUNT_ROOM];

	amount_of_bytes(amount, bytes);
	out_format(out, "%s", amount);
	if (bytes >= 1000)
		out_format(out, " (%" PRIu64 " bytes)", bytes);
	out_format(out, "\n");
}

static void print_text(struct out *out, const char *key, const char *text)
{
	if (!*text)
		return;
	out_format(out, "%-12s", key);
	out_escaped(out, text, strlen(text));
	out_text(out, "\n");
}

static void print_publisher(struct info *info)
{
	char key[PUBLISHER_TEXT], name[PUBLISHER_NAME];

	if (!info->content->is_signed) {
		out_text(&info->out, "publisher   not signed\n");
		return;
	}
	publisher_print(key, info->content);
	out_format(&info->out, "publisher   signed by the key\n            %s\n", key);
	if (!publisher_is_known(info->session->pins, info->content, name)) {
		if (publisher_is_asked(info->session->pins))
			out_text(&info->out, "            which you have not pinned\n");
	} else if (*name) {
		out_text(&info->out, "            pinned as ");
		out_escaped(&info->out, name, strlen(name));
		out_text(&info->out, "\n");
	}
}

static void print_volume(struct info *info, unsigned v)
{
	const struct bundle_volume *volume = bundle_volume(info->session->bundle, v);
	unsigned count = bundle_volume_count(info->session->bundle);
	struct out *out = &info->out;

	if (count > 1)
		out_format(out, "volume %-5u", v + 1);
	else
		out_text(out, "volume      ");
	if (!volume->pages) {
		out_text(out, volume->rootless ? "damaged: all copies of its root are lost\n"
		                               : "not here\n");
		return;
	}
	out_escaped(out, file_of(info, volume), strlen(file_of(info, volume)));
	out_format(out, ", %" PRIu64 " bytes, opened by header %c\n",
	           volume->pages->geometry.file_len, volume->header == HEADER_A ? 'A' : 'B');
	if (volume->header == HEADER_B)
		out_text(out, "            damaged: header A, at its beginning\n");
	if (bad_roots(volume))
		out_format(out,
		           "            damaged: %u of 3 copies of the root were tried in vain\n",
		           bad_roots(volume));
	if (volume->appended)
		out_format(out, "            %" PRIu64 " bytes were appended; they are ignored\n",
		           volume->appended);
	if (volume->missing)
		out_format(out,
		           "            %" PRIu64 " bytes are missing at its end; run verify\n",
		           volume->missing);
}

static void print_all(struct info *info)
{
	const struct format_content *c = info->content;
	struct out *out = &info->out;

	print_text(out, "label", c->label);
	print_text(out, "series", c->series);
	if (c->edition)
		out_format(out, "edition     %" PRIu64 "\n", c->edition);
	print_publisher(info);
	out_format(out, "entries     %" PRIu64 "\n", c->table[TABLE_ENTRIES].records - 1);
	out_text(out, "content     ");
	print_size(out, c->plain_len);
	out_format(out, "metadata    %s\n", c->full_metadata ? "full" : "private");
	if (parity_of(info))
		out_format(out, "parity      %u pages for every 64\n", parity_of(info));
	else
		out_text(out, "parity      none: damage cannot be repaired\n");
	if (bundle_volume_count(info->session->bundle) > 1)
		out_format(out, "volumes     %u, of which %u here\n",
		           bundle_volume_count(info->session->bundle),
		           bundle_volume_count(info->session->bundle) -
		                   bundle_missing(info->session->bundle));
	for (unsigned v = 0; v < bundle_volume_count(info->session->bundle); v++)
		print_volume(info, v);
}

/* --- JSON --------------------------------------------------------------------- */

static void print_json_volume(struct info *info, unsigned v)
{
	const struct bundle_volume *volume = bundle_volume(info->session->bundle, v);
	struct out *out = &info->out;

	out_format(out, "%s{\"number\": %u, ", v ? ", " : "", v + 1);
	if (!volume->pages) {
		out_text(out, "\"here\": false}");
		return;
	}
	out_text(out, "\"here\": true, ");
	out_json_name(out, "file", file_of(info, volume), strlen(file_of(info, volume)));
	out_format(out,
	           ", \"length\": %" PRIu64
	           ", \"header\": \"%c\", \"bad_roots\": %u, \"appended\": %" PRIu64
	           ", \"missing\": %" PRIu64 "}",
	           volume->pages->geometry.file_len, volume->header == HEADER_A ? 'A' : 'B',
	           bad_roots(volume), volume->appended, volume->missing);
}

static void print_json(struct info *info)
{
	const struct format_content *c = info->content;
	struct out *out = &info->out;
	char key[PUBLISHER_TEXT], name[PUBLISHER_NAME];

	out_text(out, "{\"label\": ");
	out_json(out, c->label, strlen(c->label));
	out_text(out, ", \"series\": ");
	out_json(out, c->series, strlen(c->series));
	out_format(out, ", \"edition\": %" PRIu64 ", \"signed\": %s", c->edition,
	           c->is_signed ? "true" : "false");
	if (c->is_signed) {
		publisher_print(key, c);
		out_format(out,
		           ", \"publisher\": \"%s\", \"key_id\": \"%016" PRIX64
		           "\", \"pinned\": %s",
		           key, publisher_number(c),
		           publisher_is_known(info->session->pins, c, name) ? "true" : "false");
		out_text(out, *name ? ", " : "");
		if (*name)
			out_json_name(out, "name", name, strlen(name));
	}
	out_format(out,
	           ", \"entries\": %" PRIu64 ", \"content\": %" PRIu64
	           ", \"metadata\": \"%s\", \"parity\": %u, \"volumes\": [",
	           c->table[TABLE_ENTRIES].records - 1, c->plain_len,
	           c->full_metadata ? "full" : "private", parity_of(info));
	for (unsigned v = 0; v < bundle_volume_count(info->session->bundle); v++)
		print_json_volume(info, v);
	out_text(out, "]}\n");
}

static int act(void *context, struct session *session)
{
	struct info *info = context;

	info->session = session;
	info->content = bundle_content(session->bundle);
	if (out_init(&info->out, session->arena, OUT_ROOM))
		return diag_status(NULL, STATUS_NOMEM);
	if (info->json)
		print_json(info);
	else
		print_all(info);
	return out_finish(&info->out);
}

static int run(int argc, char **argv)
{
	const struct session_needs needs = {.room = OUT_ROOM};
	struct info info = {0};
	struct options options;
	int code = options_parse(&options, &info_verb, argc, argv, take_option, &info);

	return code >= 0 ? code : session_run(&options, &needs, act, &info);
}

const struct verb info_verb = {
	.name = "info",
	.operands = "BUNDLE",
	.summary = "say what it is and who signed it",
	.rows = rows,
	.run = run,
};
