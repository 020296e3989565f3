#include "fusefs/tell.h"

#include "common/clock.h"
#include "common/diag.h"
#include "common/status.h"
#include "fusefs/reports.h"
#include "fusefs/view.h"

/* What find -inum takes. */
static void tell_number(const struct view *v, const struct report *r)
{
	diag_error(NULL, "inode %lu: %s", (unsigned long)view_node(v, r->entry),
	           status_text(r->status));
}

/* The worker's buffer is no longer needed. */
static void tell_name(struct worker *w, const struct report *r)
{
	char *path = (char *)w->buffer;

	if (bundle_path(w->cursor, r->entry, path) == STATUS_OK)
		diag_error(*path ? path : ".", "%s", status_text(r->status));
	else
		tell_number(w->view, r);
}

static void tell_due(struct worker *w, const struct errand *errand)
{
	struct view *v = w->view;
	struct report r;

	(void)errand;
	while (!loop_is_refusing(w) && v->medium_is_there(v->context) && diag_can_tell(0) &&
	       reports_take(v->reports, false, &r))
		if (v->names)
			tell_name(w, &r);
		else
			tell_number(v, &r);
}

const struct errand tell_errand = {.run = tell_due};

void tell_held(const struct view *view, unsigned milliseconds)
{
	int64_t deadline = clock_ms() + milliseconds, left;
	struct report r;

	while ((left = deadline - clock_ms()) > 0 && diag_can_tell((int)left) &&
	       reports_take(view->reports, true, &r))
		tell_number(view, &r);
}
