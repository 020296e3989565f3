#include "reader/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/bundle.h"
#include "common/bytes.h"
#include "common/pages.h"
#include "common/publisher.h"
#include "common/status.h"
#include "reader/out.h"
#include "reader/session.h"

void verdict_add_volume(struct verdict *verdict, const struct bundle_volume *volume)
{
	const struct format_parity *parity = &volume->pages->parity;
	const struct pages_health *health = &volume->pages->health;
	uint64_t in_a_row = (uint64_t)parity->m * parity->columns;

	verdict->in_a_row = verdict->pages ? min_u64(verdict->in_a_row, in_a_row) : in_a_row;
	verdict->pages += parity->data_pages + (uint64_t)parity->parity_pages;
	verdict->repairable += parity->parity_pages;
	verdict->repaired += atomic_load(&health->repaired);
	verdict->lost += atomic_load(&health->lost);
	verdict->parity += atomic_load(&health->parity);
	verdict->appended += volume->appended;
	verdict->missing += volume->missing;
}

bool verdict_is_damaged(const struct verdict *v)
{
	return v->repaired || v->lost || v->parity || v->bad_roots || v->bad_headers ||
	       v->missing || v->unreadable;
}

bool verdict_is_lost(const struct verdict *v)
{
	return v->files_lost || v->rootless || v->index_lost || v->segments_lost || v->worst ||
	       v->lost || v->unrestored;
}

bool verdict_is_same(const struct verdict *v)
{
	return !verdict_is_lost(v) && !v->bad_headers && !v->unchecked_headers && !v->unreadable;
}

bool verdict_is_partial(const struct verdict *v)
{
	return v->unchecked_headers || v->index_unchecked || v->unused;
}

int verdict_exit_code(const struct verdict *v)
{
	return verdict_is_lost(v)                           ? EXIT_LOST
	       : v->unchecked_headers || v->index_unchecked ? EXIT_FAILED
	       : v->unused                                  ? EXIT_ABSENT
	       : verdict_is_damaged(v)                      ? EXIT_REPAIRED
	                                                    : EXIT_DONE;
}

/* "unchecked": what was looked at is healthy. */
static const char *word(const struct verdict *v)
{
	return verdict_is_lost(v)      ? "lost"
	       : verdict_is_damaged(v) ? "repaired"
	       : verdict_is_partial(v) ? "unchecked"
	                               : "healthy";
}

const char *verdict_loss_word(int status)
{
	return status == STATUS_ALTERED   ? "altered"
	       : status == STATUS_INVALID ? "invalid"
	                                  : "damaged";
}

const char *verdict_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* --- text ---------------------------------------------------------------------- */

static void print_publisher(const struct session *session, struct out *out)
{
	char words[PUBLISHER_WORDS];

	publisher_describe(words, session->pins, bundle_content(session->bundle));
	out_escaped(out, words, strlen(words));
	out_text(out, "\n");
}

static void print_absent_volumes(const struct session *session, struct out *out)
{
	unsigned count = bundle_volume_count(session->bundle);

	for (unsigned i = 0; i < count; i++) {
		const struct bundle_volume *volume = bundle_volume(session->bundle, i);

		if (volume->rootless)
			out_format(out, "beyond repair: volume %u of %u, all copies of its root\n",
			           i + 1, count);
		else if (!volume->pages)
			out_format(
				out,
				"not here: volume %u of %u; what is only in it was not checked\n",
				i + 1, count);
	}
}

/* "damaged: 3 root pages" */
static void print_count(struct out *out, const char *what, uint64_t n, const char *of)
{
	if (n)
		out_format(out, "%s: %" PRIu64 " %s%s\n", what, n, of, verdict_plural(n));
}

static void print_ends(const struct verdict *v, struct out *out)
{
	if (v->missing)
		out_format(out, "cut off: %" PRIu64 " byte%s at the end\n", v->missing,
		           verdict_plural(v->missing));
	if (v->appended)
		out_format(out, "appended: %" PRIu64 " byte%s at the end, which do no harm\n",
		           v->appended, verdict_plural(v->appended));
	if (v->unreadable)
		out_format(out, "unreadable: %" PRIu64 " byte%s outside of what this key opens\n",
		           v->unreadable, verdict_plural(v->unreadable));
}

static void print_pages(const struct verdict *v, struct out *out)
{
	if (v->repaired)
		out_format(out, "repaired: %" PRIu64 " of %" PRIu64 " pages, from parity\n",
		           v->repaired, v->pages);
	if (v->lost)
		out_format(out, "beyond repair: %" PRIu64 " of %" PRIu64 " pages\n", v->lost,
		           v->pages);
	if (!v->repaired && !v->lost && !v->parity)
		return;
	if (v->repairable)
		out_format(out,
		           "can be repaired: any %" PRIu64 " pages in a row, at best %" PRIu64 "\n",
		           v->in_a_row, v->repairable);
	else
		out_text(out, "can be repaired: nothing, it was packed without parity\n");
}

static void print_unused(const struct session *session, struct out *out)
{
	const struct fileset *files = &session->files;
	const char *barred = fileset_barred(files, session->bundle);

	for (unsigned i = 0; i < files->named; i++) {
		if (fileset_is_used(session->bundle, i))
			continue;
		out_name(out, files->file[i], strlen(files->file[i]));
		out_text(out, ": " FILESET_UNUSED "\n");
	}
	if (!barred)
		return;
	out_name(out, barred, strlen(barred));
	out_format(out, ": %s; " FILESET_BARRED "\n", fileset_why_barred(files));
}

void verdict_print(const struct verdict *v, const struct session *session, struct out *out)
{
	print_publisher(session, out);
	print_count(out, "damaged", v->bad_headers, "header");
	if (v->unchecked_headers)
		out_format(out, "not checked: %u header%s, for want of memory\n",
		           v->unchecked_headers, verdict_plural(v->unchecked_headers));
	if (v->index_unchecked)
		out_text(out, "not checked: the list of files, for want of memory\n");
	print_count(out, "damaged", v->bad_roots, "root page");
	print_count(out, "damaged", v->parity, "parity page");
	print_ends(v, out);
	print_absent_volumes(session, out);
	if (v->unused)
		print_unused(session, out);
	print_pages(v, out);
	if (v->index_lost)
		out_format(out, "%s: a part of the index\n",
		           v->worst == STATUS_DAMAGED ? "beyond repair"
		                                      : verdict_loss_word(v->worst));
}

/* --- JSON ---------------------------------------------------------------------- */

static void print_json_publisher(const struct session *session, struct out *out)
{
	const struct format_content *content = bundle_content(session->bundle);
	char key[PUBLISHER_TEXT], name[PUBLISHER_NAME];
	bool known = publisher_is_known(session->pins, content, name);

	out_format(out, ", \"signed\": %s", content->is_signed ? "true" : "false");
	if (!content->is_signed)
		return;
	publisher_print(key, content);
	out_format(out, ", \"publisher\": \"%s\", \"pinned\": %s", key, known ? "true" : "false");
}

static void print_json_absent(const struct session *session, struct out *out, const char *name,
                              bool rootless)
{
	const char *between = "";

	out_format(out, ", \"%s\": [", name);
	for (unsigned i = 0; i < bundle_volume_count(session->bundle); i++) {
		const struct bundle_volume *volume = bundle_volume(session->bundle, i);

		if (volume->pages || volume->rootless != rootless)
			continue;
		out_format(out, "%s%u", between, i + 1);
		between = ", ";
	}
	out_text(out, "]");
}

static void print_json_unused(const struct session *session, struct out *out)
{
	const struct fileset *files = &session->files;
	const char *between = "", *barred = fileset_barred(files, session->bundle);

	out_text(out, ", \"unused\": [");
	for (unsigned i = 0; i < files->named; i++) {
		if (fileset_is_used(session->bundle, i))
			continue;
		out_text(out, between);
		out_json(out, files->file[i], strlen(files->file[i]));
		between = ", ";
	}
	if (barred) {
		out_text(out, between);
		out_json(out, barred, strlen(barred));
	}
	out_text(out, "]");
}

void verdict_print_json(const struct verdict *v, const struct session *session, struct out *out)
{
	out_format(out,
	           ", \"result\": \"%s\", \"files_lost\": %" PRIu64 ", \"pages\": %" PRIu64
	           ", \"repaired\": %" PRIu64 ", \"lost\": %" PRIu64
	           ", \"parity_damaged\": %" PRIu64 ", \"repairable\": %" PRIu64
	           ", \"repairable_in_a_row\": %" PRIu64,
	           word(v), v->files_lost, v->pages, v->repaired, v->lost, v->parity, v->repairable,
	           v->in_a_row);
	out_format(out,
	           ", \"roots_damaged\": %u, \"headers_damaged\": %u, \"headers_unchecked\": %u"
	           ", \"index_damaged\": %s, \"index_unchecked\": %s"
	           ", \"list_lost\": %s, \"appended\": %" PRIu64 ", \"missing\": %" PRIu64
	           ", \"unreadable\": %" PRIu64,
	           v->bad_roots, v->bad_headers, v->unchecked_headers,
	           v->index_lost ? "true" : "false", v->index_unchecked ? "true" : "false",
	           v->tree_lost ? "true" : "false", v->appended, v->missing, v->unreadable);
	print_json_absent(session, out, "missing_volumes", false);
	print_json_absent(session, out, "volumes_lost", true);
	print_json_unused(session, out);
	print_json_publisher(session, out);
}

/* Not through stdio, which makes calls that are forbidden by now. */
void verdict_print_json_failure(int code)
{
	dprintf(STDOUT_FILENO, "{\"type\": \"error\", \"code\": %d}\n", code);
}
