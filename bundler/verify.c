#include <sodium.h>
#include <stdlib.h>

#include "bundler/cancel.h"
#include "bundler/writing.h"
#include "common/outfile.h"
#include "common/progress.h"
#include "common/status.h"

/* Piece number no of the volume, len bytes at off. */
static int verify_piece(struct write *w, struct check_piece *check, uint64_t no, uint8_t *piece,
                        size_t len, uint64_t off)
{
	struct outfile *out = w->volume[w->no].out;
	uint8_t tag[CHECK_TAG];
	int status = cancel_asked() ? STATUS_CANCELLED : outfile_read_back(out, piece, len, off);

	if (status)
		return status;
	check_piece_tag(check, &w->secrets->check, write_first_piece(w) + no, piece, len, tag);
	check_add(&w->secrets->check, tag);
	progress_update(w->progress, w->no * w->geometry.file_len + off + len);
	return STATUS_OK;
}

/* In the pieces in which it was written. */
int verify_run(struct write *w)
{
	uint64_t len = w->geometry.file_len, off = 0;
	uint64_t last = w->geometry.page_count / WRITE_PAGES;
	struct check_piece *check = NULL;
	uint8_t *piece = malloc(WRITE_PIECE_MAX), sum[CHECK_TAG];
	int status = piece ? check_piece_new(&check) : STATUS_NOMEM;

	check_begin(&w->secrets->check, w->no);
	for (uint64_t no = 0; no <= last && status == STATUS_OK; no++) {
		size_t part = no == last ? (size_t)(len - off) : WRITE_PIECE;

		status = verify_piece(w, check, no, piece, part, off);
		off += part;
	}
	check_end(&w->secrets->check, sum);
	check_piece_free(check);
	free(piece);
	if (status == STATUS_OK && sodium_memcmp(sum, w->volume[w->no].sum, sizeof(sum)))
		status = STATUS_DAMAGED;
	return status;
}
