#include "fusefs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/bytes.h"
#include "common/status.h"
#include "fusefs/answer.h"
#include "fusefs/attributes.h"
#include "fusefs/listing.h"
#include "fusefs/loop.h"
#include "fusefs/mountpoint.h"
#include "fusefs/reading.h"
#include "fusefs/view.h"
#include "fusefs/xattrs.h"

static void op_init(void *context, struct fuse_conn_info *conn)
{
	struct view *v = context;
	unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
	                FUSE_CAP_IOCTL_DIR;

	/* Before it reads from its page cache the kernel sees whether what it knows of the file
	 * still holds: it always does, but at the end, see notes.c. */
	want |= v->cached ? FUSE_CAP_AUTO_INVAL_DATA : FUSE_CAP_EXPLICIT_INVAL_DATA;

	conn->want = want & conn->capable;
	/* max_read must be what the mount option says, or libfuse gives up; the
	 * other one bounds the length of every request, reads too. */
	conn->max_read = conn->max_write = v->read_max;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
	v->knows_no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	v->knows_no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
	v->greeted = true;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct worker *w = loop_begin(req);
	struct fuse_entry_param found = {.entry_timeout = ATTRIBUTES_FOR_EVER};
	uint32_t directory, id, inode;
	int status;

	if (!w)
		return;
	directory = view_entry(w->view, parent);
	status = bundle_lookup(w->cursor, directory, name, strlen(name), &id);
	if (status == STATUS_OK)
		status = bundle_inode(w->cursor, id, w->entry, &inode);
	if (status && status != STATUS_NOENT) {
		answer_failure(w, req, directory, status);
		return;
	}
	/* Node 0: there is no such name, and there never will be. */
	if (status == STATUS_OK)
		attributes_entry(w->view, &w->entry->e, inode, &found);
	if (loop_claim(w))
		fuse_reply_entry(req, &found);
}

static void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);
	struct stat st;
	int status;

	(void)file;
	if (!w)
		return;
	status = answer_load(w, node);
	if (status) {
		answer_failure(w, req, view_entry(w->view, node), status);
		return;
	}
	attributes_fill(w->view, &w->entry->e, node, &st);
	if (loop_claim(w))
		fuse_reply_attr(req, &st, ATTRIBUTES_FOR_EVER);
}

static void op_readlink(fuse_req_t req, fuse_ino_t node)
{
	struct worker *w = loop_begin(req);
	char *target;
	int status;

	if (!w)
		return;
	target = (char *)w->buffer;
	status = answer_load(w, node);
	if (status == STATUS_OK)
		status = bundle_readlink(w->cursor, &w->entry->e, target);
	if (status)
		answer_failure(w, req, view_entry(w->view, node), status);
	else if (loop_claim(w))
		fuse_reply_readlink(req, target);
}

static void op_statfs(fuse_req_t req, fuse_ino_t node)
{
	struct worker *w = loop_begin(req);
	const struct format_content *content;
	struct statvfs st;

	(void)node;
	if (!w)
		return;
	content = w->view->content;
	st = (struct statvfs){
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_blocks = div_ceil(content->plain_len, 4096),
		.f_files = content->table[TABLE_ENTRIES].records,
		.f_namemax = FORMAT_NAME,
	};
	if (loop_claim(w))
		fuse_reply_statfs(req, &st);
}

static void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                       struct fuse_file_info *file)
{
	(void)file;
	listing_answer(req, node, size, off, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                           struct fuse_file_info *file)
{
	(void)file;
	listing_answer(req, node, size, off, true);
}

/* Without an answer to this the kernel stops asking, and keeps what it reads: it
 * cannot be overwritten there as files can, but the names stay in the kernel anyhow.
 * Where links lead does not, so that is never kept. */
static void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);

	(void)node;
	if (!w)
		return;
	if (w->view->cached && w->view->knows_no_opendir)
		answer_error(w, req, ENOSYS);
	else if (loop_claim(w))
		fuse_reply_open(req, file);
}

static void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);

	(void)node;
	if (!w)
		return;
	if ((file->flags & O_ACCMODE) != O_RDONLY) {
		answer_error(w, req, EROFS);
		return;
	}
	if (w->view->cached && w->view->knows_no_open) {
		answer_error(w, req, ENOSYS);
		return;
	}
	file->direct_io = !w->view->cached;
	/* What a program has mapped is overwritten at the end, and not before somebody opens it
	 * again: dropped pages keep what was in them. */
	file->keep_cache = true;
	if (loop_claim(w))
		fuse_reply_open(req, file);
}

static void op_ioctl(fuse_req_t req, fuse_ino_t node, unsigned command, void *argument,
                     struct fuse_file_info *file, unsigned flags, const void *in, size_t in_len,
                     size_t out_len)
{
	struct worker *w = loop_begin(req);

	(void)argument;
	(void)file;
	(void)flags;
	(void)in;
	(void)in_len;
	(void)out_len;
	if (!w)
		return;
	if (node != FUSE_ROOT_ID || command != MOUNTPOINT_END) {
		answer_error(w, req, ENOTTY);
		return;
	}
	if (fuse_req_ctx(req)->uid != w->view->uid) {
		answer_error(w, req, EPERM);
		return;
	}
	if (loop_claim(w))
		fuse_reply_ioctl(req, 0, NULL, 0);
	w->view->asked_to_end(w->view->context);
}

/* --- what is not done ------------------------------------------------------------------------- */

/* The kernel refuses all of these for a read-only mount; should somebody mount
 * it otherwise, so do we. */
static void refuse(fuse_req_t req)
{
	struct worker *w = loop_begin(req);

	if (w)
		answer_error(w, req, EROFS);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *st, int set,
                       struct fuse_file_info *file)
{
	refuse(req);
}

static void op_mknod(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode, dev_t device)
{
	refuse(req);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode)
{
	refuse(req);
}

static void op_remove(fuse_req_t req, fuse_ino_t node, const char *name)
{
	refuse(req);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t node, const char *name)
{
	refuse(req);
}

static void op_rename(fuse_req_t req, fuse_ino_t node, const char *name, fuse_ino_t to,
                      const char *new_name, unsigned flags)
{
	refuse(req);
}

static void op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t to, const char *name)
{
	refuse(req);
}

static void op_create(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode,
                      struct fuse_file_info *file)
{
	refuse(req);
}

static void op_write(fuse_req_t req, fuse_ino_t node, const char *bytes, size_t len, off_t off,
                     struct fuse_file_info *file)
{
	refuse(req);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value,
                        size_t len, int flags)
{
	refuse(req);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t off, off_t len,
                         struct fuse_file_info *file)
{
	refuse(req);
}

#pragma GCC diagnostic pop

const struct fuse_lowlevel_ops ops_table = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.statfs = op_statfs,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.open = op_open,
	.read = reading_read,
	.lseek = reading_lseek,
	.getxattr = xattrs_get,
	.listxattr = xattrs_list,
	.ioctl = op_ioctl,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_remove,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.create = op_create,
	.write = op_write,
	.setxattr = op_setxattr,
	.removexattr = op_remove,
	.fallocate = op_fallocate,
};
