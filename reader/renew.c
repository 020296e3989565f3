#include "reader/renew.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/amount.h"
#include "common/bundle.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/drive.h"
#include "common/outfile.h"
#include "common/pages.h"
#include "common/progress.h"
#include "common/source.h"
#include "common/status.h"
#include "reader/session.h"
#include "reader/verdict.h"

enum {
	PAGES = 64, /* at a time */
	CHUNK = PAGES * FORMAT_PAGE,
	BLANK = 16,   /* equal bytes, which cannot be chance */
	SECTOR = 512, /* what another program overwrites at least */
	CROWD = 32,   /* of one byte in a sector, which cannot be chance: 2 are expected */
	SUM = 32,
};

struct renew {
	struct session *session;
	unsigned v;
	const struct bundle_volume *volume;
	struct progress *progress;
	struct verdict *verdict;
	struct outfile *file;
	crypto_generichash_state sum; /* of what was written */
	uint8_t *chunk;               /* as it is on a drive: no plaintext */
	struct ranges lost;
};

int renew_new(struct renew **renew, struct session *session, unsigned v, struct progress *progress,
              struct verdict *verdict)
{
	struct renew *r = calloc(1, sizeof *r);

	if (!r)
		return STATUS_NOMEM;
	r->session = session;
	r->v = v;
	r->volume = bundle_volume(session->bundle, v);
	r->progress = progress;
	r->verdict = verdict;
	r->chunk = malloc(CHUNK);
	if (!r->chunk) {
		free(r);
		return STATUS_NOMEM;
	}
	r->volume->pages->give_up = true;
	pages_note_cut(r->volume->pages);
	*renew = r;
	return STATUS_OK;
}

void renew_free(struct renew *renew)
{
	if (!renew)
		return;
	outfile_discard(renew->file);
	free(renew->chunk);
	free(renew);
}

const struct ranges *renew_lost(const struct renew *renew)
{
	return &renew->lost;
}

/* --- what the medium has --------------------------------------------------------- */

static void fill_random(uint8_t *out, size_t len)
{
	uint8_t seed[randombytes_SEEDBYTES];

	randombytes_buf(seed, sizeof seed);
	randombytes_buf_deterministic(out, len, seed);
}

static bool can_read(const struct renew *r, uint8_t *out, uint64_t off, size_t len)
{
	const struct source *source = r->volume->source;

	return range_within(off, len, source_len(source)) &&
	       source_read_at(source, out, len, off) == STATUS_OK;
}

/* How many bytes from the first on are the same. */
static size_t run_length(const uint8_t *bytes, size_t len)
{
	size_t n = 1;

	while (n < len && bytes[n] == bytes[0])
		n++;
	return n;
}

/* A medium that forgets gives zeros, or ones: no bundle has such runs. */
static void fill_blanks(struct renew *r, uint8_t *bytes, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = run_length(bytes + at, len - at);
		if (n < BLANK)
			continue;
		fill_random(bytes + at, n);
		r->verdict->unreadable += n;
	}
}

static bool is_foreign(const uint8_t sector[static SECTOR])
{
	unsigned seen[256] = {0}, most = 0;

	for (size_t i = 0; i < SECTOR; i++)
		most = (unsigned)max_u64(most, ++seen[sector[i]]);
	return most >= CROWD;
}

/* What formatting, or a file that was copied over it, left there would show for
 * ever where the damage was. */
static void fill_foreign(struct renew *r, uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at + SECTOR <= len; at += SECTOR)
		if (is_foreign(bytes + at)) {
			fill_random(bytes + at, SECTOR);
			r->verdict->unreadable += SECTOR;
		}
}

/* What nobody here can check: as it is, as far as the medium gives it. */
static void salvage(struct renew *r, uint8_t *out, uint64_t off, size_t len, bool readable)
{
	if (!readable)
		source_salvage(r->volume->source, out, len, off);
	fill_blanks(r, out, len);
	fill_foreign(r, out, len);
}

/* --- pages ------------------------------------------------------------------------- */

/* The data pages of the volume come in order, and so do the ranges. */
static void lose_page(struct renew *r, uint32_t t)
{
	int64_t i = pages_data_at(r->volume->pages, t);

	if (i >= 0)
		ranges_add(&r->lost, (uint64_t)i * FORMAT_PAYLOAD,
		           (uint64_t)(i + 1) * FORMAT_PAYLOAD);
}

static void restore_page(struct renew *r, uint32_t page, uint8_t *bytes, bool readable)
{
	uint32_t number = 0;
	enum pages_role role = pages_role(r->volume->pages, page, &number);
	int status;

	if (role == PAGES_OTHER) {
		salvage(r, bytes, format_page_offset(page), FORMAT_PAGE, readable);
		return;
	}
	status = bundle_restore(r->session->cursor, r->v, role, number, bytes, readable);
	if (role == PAGES_ROOT && status)
		r->verdict->bad_roots++;
	if (status >= 0)
		return;
	r->verdict->unrestored++;
	fill_random(bytes, FORMAT_PAGE);
	if (role == PAGES_SEALED)
		lose_page(r, number);
}

static void restore_pages(struct renew *r, uint32_t first, uint32_t count)
{
	bool together =
		can_read(r, r->chunk, format_page_offset(first), (size_t)count * FORMAT_PAGE);

	for (uint32_t k = 0; k < count; k++) {
		uint8_t *bytes = r->chunk + (size_t)k * FORMAT_PAGE;
		bool readable =
			together || can_read(r, bytes, format_page_offset(first + k), FORMAT_PAGE);

		restore_page(r, first + k, bytes, readable);
	}
}

/* --- headers ------------------------------------------------------------------------ */

/* One that could not be tried, for want of memory, is counted by itself; one with
 * bytes that cannot be read still opens. */
static bool header_opens(const struct renew *r, enum header_copy copy)
{
	int status;

	if (r->volume->header == copy && bundle_volume_count(r->session->bundle) == 1)
		return true;
	status =
		bundle_check_header(r->session->bundle, r->v, copy, keyring_keys(r->session->keys));
	if (status == STATUS_KDFMEM)
		r->verdict->unchecked_headers++;
	return status == STATUS_OK || status == STATUS_KDFMEM || status == STATUS_DAMAGED;
}

/* What this key does not open may still open to another: a header is copied as
 * it is, and only what of it is certainly lost is random. */
static void restore_header(struct renew *r, enum header_copy copy, uint64_t off)
{
	r->verdict->bad_headers += !header_opens(r, copy);
	salvage(r, r->chunk, off, FORMAT_HEADER, can_read(r, r->chunk, off, FORMAT_HEADER));
}

/* --- writing -------------------------------------------------------------------------- */

static int report(const char *path, int status)
{
	int unfit = status == STATUS_IO && outfile_is_unfit(errno);

	if (status == STATUS_EXISTS) {
		diag_error(path, OUTFILE_EXISTS);
		return EXIT_FAILED;
	}
	diag_status(path, status);
	return unfit ? EXIT_UNFIT : EXIT_FAILED;
}

static int write_chunk(struct renew *r, size_t len)
{
	int status = outfile_write(r->file, r->chunk, len);

	crypto_generichash_update(&r->sum, r->chunk, len);
	progress_update(r->progress, outfile_synced_len(r->file));
	return status;
}

static int write_pages(struct renew *r, uint32_t page_count)
{
	int status = STATUS_OK;

	for (uint32_t first = 0; first < page_count && status == STATUS_OK; first += PAGES) {
		uint32_t count = (uint32_t)min_u64(PAGES, page_count - first);

		restore_pages(r, first, count);
		status = write_chunk(r, (size_t)count * FORMAT_PAGE);
	}
	return status;
}

/* The bytes behind the last whole page. */
static int write_rest(struct renew *r, uint64_t off, size_t len)
{
	salvage(r, r->chunk, off, len, can_read(r, r->chunk, off, len));
	return write_chunk(r, len);
}

/* Front to back, each byte once. */
static int write_all(struct renew *r)
{
	const struct format_geometry *g = &r->volume->pages->geometry;
	uint64_t rest = format_page_offset(g->page_count), end = g->file_len - FORMAT_HEADER;
	int status;

	restore_header(r, HEADER_A, 0);
	status = write_chunk(r, FORMAT_HEADER);
	if (status == STATUS_OK)
		status = write_pages(r, g->page_count);
	if (status == STATUS_OK)
		status = write_rest(r, rest, (size_t)(end - rest));
	if (status)
		return status;
	restore_header(r, HEADER_B, end);
	return write_chunk(r, FORMAT_HEADER);
}

/* Sticks that are smaller than they claim take everything, and give back nothing. */
static int read_back(struct renew *r, bool *same)
{
	uint8_t wanted[SUM], got[SUM];
	uint64_t len = outfile_len(r->file), off = 0;
	int status = STATUS_OK;

	crypto_generichash_final(&r->sum, wanted, sizeof wanted);
	crypto_generichash_init(&r->sum, NULL, 0, SUM);
	progress_start(r->progress, "verifying", len);
	while (off < len && status == STATUS_OK) {
		size_t n = (size_t)min_u64(CHUNK, len - off);

		status = outfile_read_back(r->file, r->chunk, n, off);
		crypto_generichash_update(&r->sum, r->chunk, n);
		off += n;
		progress_update(r->progress, off);
	}
	progress_finish(r->progress);
	crypto_generichash_final(&r->sum, got, sizeof got);
	*same = !memcmp(wanted, got, sizeof got);
	return status;
}

/* Drives that do not say what they have are tried. */
static int check_room(const struct renew *r, const char *path)
{
	uint64_t wanted = r->volume->pages->geometry.file_len;
	char needed[AMOUNT_ROOM], there[AMOUNT_ROOM];
	struct drive drive;

	if (drive_look(&drive, outfile_fd(r->file)))
		return 0;
	amount_needed(needed, wanted);
	amount_of_bytes(there, drive.free);
	if (drive.free < wanted)
		diag_error(path, "the drive has room for %s, and %s are needed", there, needed);
	else if (drive.longest < wanted)
		diag_error(path, "the copy has " DRIVE_TOO_LONG, needed);
	else
		return 0;
	return EXIT_UNFIT;
}

/* A copy that lacks something takes nobody's place: what is there may be whole.  Nor is it thrown
 * away: it may be the last that the drive gave. */
static int publish(struct renew *r, const char *path)
{
	struct outfile *file = r->file;
	char beside[NAME_MAX + 1] = "";
	int status;

	r->file = NULL;
	if (verdict_is_same(r->verdict))
		status = outfile_commit(file, true);
	else
		status = outfile_commit_beside(file, beside);
	if (*beside)
		diag_error(path,
		           "exists, and stays as it is, as the copy lacks something: that is %s, "
		           "beside it",
		           beside);
	return status ? report(path, status) : 0;
}

int renew_write(struct renew *r, const char *path, bool replace)
{
	int status = outfile_open(&r->file, path, replace), code;
	bool same = true;

	if (status)
		return report(path, status);
	code = check_room(r, path);
	if (code)
		return code;
	crypto_generichash_init(&r->sum, NULL, 0, SUM);
	progress_start(r->progress, "copying", r->volume->pages->geometry.file_len);
	status = write_all(r);
	if (status == STATUS_OK)
		status = outfile_sync(r->file);
	progress_finish(r->progress);
	if (status == STATUS_OK)
		status = read_back(r, &same);
	if (status == STATUS_OK && !same) {
		diag_error(path, "the drive does not give back what was written to it");
		return EXIT_UNFIT;
	}
	code = status ? report(path, status) : publish(r, path);
	if (code == 0)
		verdict_add_volume(r->verdict, r->volume);
	return code;
}
