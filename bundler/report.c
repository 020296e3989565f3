#include "bundler/report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bundler/failure.h"
#include "bundler/volumes.h"
#include "common/amount.h"
#include "common/diag.h"

/* --- JSON ----------------------------------------------------------------- */

/* A name may be any bytes: what is not UTF-8, or a control character, is \xNN, as
 * in messages. */
static void put_string(const char *text)
{
	char shown[4 * 4096 + 1];

	diag_escape(shown, sizeof shown, text, strlen(text));
	putchar('"');
	for (const char *c = shown; *c; c++) {
		if (*c == '"' || *c == '\\')
			putchar('\\');
		putchar(*c);
	}
	putchar('"');
	memset(shown, 0, sizeof shown);
}

void report_json_output(const char *path, uint64_t bytes, const char *failed)
{
	printf("{\"type\":\"output\",\"file\":");
	put_string(path);
	printf(",\"bytes\":%" PRIu64 ",\"written\":%s", bytes, failed ? "false" : "true");
	if (failed) {
		printf(",\"message\":");
		put_string(failed);
	}
	printf("}\n");
	fflush(stdout);
}

static void put_summary(const struct report *r, int code, bool dry_run)
{
	printf("{\"type\":\"summary\",\"code\":%d,\"dry_run\":%s,\"files\":%" PRIu64
	       ",\"directories\":%" PRIu64 ",\"links\":%" PRIu64 ",\"bytes\":%" PRIu64
	       ",\"left_out\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"content\":%" PRIu64
	       ",\"parity\":%u,\"burst\":%" PRIu64,
	       code, dry_run ? "true" : "false", r->files, r->directories, r->links, r->bytes,
	       r->left_out, r->skipped, r->content, r->parity, r->burst);
	if (dry_run)
		printf(",\"length\":[%" PRIu64 ",%" PRIu64 "]", r->low, r->high);
	else
		printf(",\"bundles\":%u", r->written);
	printf(",\"volumes\":%u}\n", r->volumes);
}

void report_json_end(const struct report *report, const struct failure *failure, int code,
                     bool dry_run)
{
	if (failure->code) {
		printf("{\"type\":\"error\",\"code\":%d,\"message\":", code);
		put_string(failure->message);
		printf("}\n");
	} else {
		put_summary(report, code, dry_run);
	}
	fflush(stdout);
}

/* --- text ----------------------------------------------------------------- */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void say_budget(char *out, size_t size, const struct report *r)
{
	char burst[AMOUNT_ROOM];

	amount_of_bytes(burst, r->burst);
	if (r->parity)
		snprintf(out, size, "up to %s lost in one place can be repaired", burst);
	else
		snprintf(out, size, "nothing that is lost can be repaired");
}

/* "a bundle of 3 volumes of 4.2 GB, summer-1.bin to summer-3.bin". */
static void say_bundles(char *out, size_t size, const struct report *r)
{
	char length[AMOUNT_ROOM], volumes[32] = "", name[PATH_MAX];
	size_t used;

	amount_of_bytes(length, r->longest);
	if (r->volumes > 1)
		snprintf(volumes, sizeof volumes, "%u volumes of ", r->volumes);
	if (r->written > 1) {
		snprintf(out, size, "each of %u bundles of %sup to %s", r->written, volumes,
		         length);
		return;
	}
	used = (size_t)snprintf(out, size, "a bundle of %s%s", volumes, length);
	for (unsigned no = 0; r->volumes > 1 && no < r->volumes; no += r->volumes - 1)
		if (used < size && !volumes_name(name, sizeof name, r->path, no, r->volumes))
			used += (size_t)snprintf(out + used, size - used, "%s%s",
			                         no ? " to " : ", ", name);
}

/* " (2 left out, 1 skipped)". */
static void say_missing(char *out, size_t size, const struct report *r)
{
	char left_out[32] = "", skipped[32] = "";

	*out = '\0';
	if (!r->left_out && !r->skipped)
		return;
	if (r->left_out)
		snprintf(left_out, sizeof left_out, "%" PRIu64 " left out", r->left_out);
	if (r->skipped)
		snprintf(skipped, sizeof skipped, "%" PRIu64 " skipped", r->skipped);
	snprintf(out, size, " (%s%s%s)", left_out, *left_out && *skipped ? ", " : "", skipped);
}

void report_text_end(const struct report *r)
{
	char bytes[AMOUNT_ROOM], bundles[2 * PATH_MAX + 96], budget[96], missing[96];

	amount_of_bytes(bytes, r->bytes);
	say_bundles(bundles, sizeof bundles, r);
	say_budget(budget, sizeof budget, r);
	say_missing(missing, sizeof missing, r);
	diag_note("%" PRIu64 " file%s%s, %s, in %s; %s", r->files, plural(r->files), missing, bytes,
	          bundles, budget);
}

void report_text_dry_run(const struct report *r)
{
	char bytes[AMOUNT_ROOM], budget[96];

	amount_of_bytes(bytes, r->bytes);
	say_budget(budget, sizeof budget, r);
	printf("packs      %" PRIu64 " file%s, %" PRIu64 " director%s, %" PRIu64 " link%s\n"
	       "bytes      %" PRIu64 " (%s)\n",
	       r->files, plural(r->files), r->directories, r->directories == 1 ? "y" : "ies",
	       r->links, plural(r->links), r->bytes, bytes);
	if (r->left_out)
		printf("left out   %" PRIu64 "\n", r->left_out);
	if (r->skipped)
		printf("skipped    %" PRIu64 "\n", r->skipped);
	printf("content    %" PRIu64 " bytes, compressed and with its index\n", r->content);
	if (r->volumes > 1)
		printf("volumes    %u, each of the length\n", r->volumes);
	if (r->low == r->high)
		printf("length     %" PRIu64 " bytes\n", r->low);
	else
		printf("length     %" PRIu64 " to %" PRIu64 " bytes, drawn at random\n", r->low,
		       r->high);
	printf("damage     %s\n", budget);
}
