#include "fusefs/answer.h"

#include <errno.h>

#include "common/status.h"
#include "fusefs/loop.h"
#include "fusefs/reports.h"
#include "fusefs/view.h"

int answer_load(struct worker *w, fuse_ino_t node)
{
	return bundle_entry(w->cursor, view_entry(w->view, node), w->entry);
}

void answer_error(struct worker *w, fuse_req_t req, int error)
{
	if (loop_claim(w))
		fuse_reply_err(req, error);
}

void answer_bytes(struct worker *w, fuse_req_t req, const void *bytes, size_t len)
{
	if (loop_claim(w))
		fuse_reply_buf(req, bytes, len);
}

static int error_of(int status)
{
	switch (status) {
	case STATUS_OK: return 0;
	case STATUS_NOENT: return ENOENT;
	case STATUS_NOTDIR: return ENOTDIR;
	case STATUS_ISDIR: return EISDIR;
	case STATUS_NOMEM: return ENOMEM;
	default: return EIO;
	}
}

void answer_failure(struct worker *w, fuse_req_t req, uint32_t entry, int status)
{
	int error = error_of(status);

	if (error == EIO && !loop_is_refusing(w)) {
		atomic_store(&w->view->damaged, true);
		reports_add(w->view->reports, entry, status);
	}
	answer_error(w, req, error);
}
