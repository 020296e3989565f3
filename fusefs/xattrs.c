#include "fusefs/xattrs.h"

#include <errno.h>
#include <string.h>

#include "common/status.h"
#include "fusefs/access.h"
#include "fusefs/answer.h"
#include "fusefs/loop.h"
#include "fusefs/view.h"

/* Where the pieces of an answer about attributes lie in a worker's buffer,
 * behind the request, whose names are still wanted. */
enum {
	SET_AT = ACCESS_HEAD,
	LIST_AT = SET_AT + FORMAT_XATTRS,
	LIST_ROOM = 65536,
};
_Static_assert(LIST_AT + LIST_ROOM <= ACCESS_READ_CACHED, "attributes fit the smallest buffer");

/* As loop_begin.  Of a bundle that has no attributes the kernel then asks no more. */
static struct worker *begin(fuse_req_t req)
{
	struct worker *w = loop_begin(req);

	if (!w || w->view->content->full_metadata)
		return w;
	answer_error(w, req, ENOSYS);
	return NULL;
}

/* The set of a node that has one, in the worker's buffer.  *len: 0 for none. */
static int load_set(struct worker *w, fuse_ino_t node, size_t *len)
{
	int status = answer_load(w, node);

	*len = 0;
	if (status || !w->entry->e.xattr_len)
		return status;
	status = bundle_xattrs(w->cursor, &w->entry->e, w->buffer + SET_AT);
	if (status == STATUS_OK)
		*len = w->entry->e.xattr_len;
	return status;
}

/* As format_xattr_next; most nodes have no set at all. */
static int next_attribute(struct worker *w, size_t len, size_t *at, struct format_xattr *attribute)
{
	return len ? format_xattr_next(w->buffer + SET_AT, len, at, attribute) : 0;
}

/* What both calls want to know first is how much there is. */
static void reply_attribute(struct worker *w, fuse_req_t req, const void *bytes, size_t len,
                            size_t room)
{
	if (room && len > room)
		answer_error(w, req, ERANGE);
	else if (room)
		answer_bytes(w, req, bytes, len);
	else if (loop_claim(w))
		fuse_reply_xattr(req, len);
}

void xattrs_get(fuse_req_t req, fuse_ino_t node, const char *name, size_t room)
{
	struct worker *w = begin(req);
	struct format_xattr attribute;
	size_t len, at = 0;
	int status;

	if (!w)
		return;
	status = load_set(w, node, &len);
	while (status == STATUS_OK && (status = next_attribute(w, len, &at, &attribute)) == 1) {
		if (strlen(name) == attribute.name_len &&
		    !memcmp(name, attribute.name, attribute.name_len)) {
			reply_attribute(w, req, attribute.value, attribute.value_len, room);
			return;
		}
		status = STATUS_OK;
	}
	if (status)
		answer_failure(w, req, view_entry(w->view, node), status);
	else
		answer_error(w, req, ENODATA);
}

void xattrs_list(fuse_req_t req, fuse_ino_t node, size_t room)
{
	struct worker *w = begin(req);
	struct format_xattr attribute;
	size_t len, at = 0, used = 0;
	int status, more;

	if (!w)
		return;
	status = load_set(w, node, &len);
	while (status == STATUS_OK && (more = next_attribute(w, len, &at, &attribute)) != 0) {
		if (more < 0 || used + attribute.name_len + 1 > LIST_ROOM) {
			status = STATUS_INVALID;
			break;
		}
		memcpy(w->buffer + LIST_AT + used, attribute.name, attribute.name_len);
		used += attribute.name_len;
		w->buffer[LIST_AT + used++] = '\0';
	}
	if (status)
		answer_failure(w, req, view_entry(w->view, node), status);
	else
		reply_attribute(w, req, w->buffer + LIST_AT, used, room);
}
