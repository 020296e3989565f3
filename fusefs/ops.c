#include "fusefs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/diag.h"
#include "common/status.h"
#include "fusefs/loop.h"
#include "fusefs/mountpoint.h"
#include "fusefs/notes.h"
#include "fusefs/reports.h"
#include "fusefs/streams.h"

/* Nothing ever changes. */
static const double for_ever = UINT32_MAX;

/* Reads up to this are answered before another worker is woken.  In a cached mount it
 * is the kernel that asks, for 128 KiB at a time: to wake somebody takes as long as to
 * decode that. */
enum { SHORT_READ = 32 * 1024, SHORT_READ_CACHED = 128 * 1024 };

/* What is decoded ahead in a cached mount, where each request is short: when there is
 * less than that, somebody is woken for more. */
enum { AHEAD_CACHED_LOW = 256 * 1024, AHEAD_CACHED = 1024 * 1024 };

/* Runs of data that are looked at for the hole behind them. */
enum { HOLE_TRIES = 64 };

/* Where the pieces of an answer about attributes lie in a worker's buffer,
 * behind the request, whose names are still wanted. */
enum {
	SET_AT = ACCESS_HEAD,
	LIST_AT = SET_AT + FORMAT_XATTRS,
	LIST_ROOM = 65536,
};
_Static_assert(LIST_AT + LIST_ROOM <= ACCESS_READ_CACHED, "attributes fit the smallest buffer");

/* --- answers -------------------------------------------------------------------- */

static void reply_error(struct worker *w, fuse_req_t req, int error)
{
	if (loop_claim(w))
		fuse_reply_err(req, error);
}

static void reply_bytes(struct worker *w, fuse_req_t req, const void *bytes, size_t len)
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

/* --- nodes ------------------------------------------------------------------------ */

static uint32_t entry_of(const struct view *v, fuse_ino_t node)
{
	return node == FUSE_ROOT_ID ? v->root : (uint32_t)(node - 1);
}

static fuse_ino_t node_of(const struct view *v, uint32_t entry)
{
	return entry == v->root ? FUSE_ROOT_ID : (fuse_ino_t)entry + 1;
}

/* --- what cannot be read --------------------------------------------------------------- */

/* What find -inum takes. */
static void tell_number(const struct view *v, const struct report *r)
{
	diag_error(NULL, "inode %lu: %s", (unsigned long)node_of(v, r->entry),
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

const struct errand ops_tell_due = {.run = tell_due};

void ops_tell_held(const struct view *view, unsigned milliseconds)
{
	int64_t deadline = clock_ms() + milliseconds, left;
	struct report r;

	while ((left = deadline - clock_ms()) > 0 && diag_can_tell((int)left) &&
	       reports_take(view->reports, true, &r))
		tell_number(view, &r);
}

/* At an end the keys are wiped under whoever is late: what does not open then is no damage. */
static void reply_failure(struct worker *w, fuse_req_t req, uint32_t id, int status)
{
	int error = error_of(status);
	bool is_damage = error == EIO && !loop_is_refusing(w);

	if (is_damage) {
		atomic_store(&w->view->damaged, true);
		reports_add(w->view->reports, id, status);
	}
	reply_error(w, req, error);
}

static mode_t type_of(enum format_kind kind)
{
	switch (kind) {
	case KIND_DIRECTORY: return S_IFDIR;
	case KIND_SYMLINK: return S_IFLNK | 0777;
	default: return S_IFREG;
	}
}

/* Without full metadata everything is the viewer's own. */
static void fill_attributes(const struct view *v, const struct format_entry *e, fuse_ino_t node,
                            struct stat *st)
{
	bool full = v->content->full_metadata;
	uint64_t size = e->kind == KIND_DIRECTORY ? 0 : e->size;

	*st = (struct stat){
		.st_ino = node,
		.st_mode = type_of(e->kind) | e->mode,
		/* Of a directory: that nobody has counted (find(1) relies on it). */
		.st_nlink = e->kind == KIND_DIRECTORY ? 1 : e->links,
		.st_uid = full ? e->uid : v->uid,
		.st_gid = full ? e->gid : v->gid,
		.st_size = (off_t)size,
		.st_blocks = (blkcnt_t)div_ceil(size, 512),
		/* What cp(1) and cat(1) ask for at a time. */
		.st_blksize = (blksize_t)v->read_max,
		.st_mtim = {.tv_sec = e->mtime, .tv_nsec = e->mtime_nsec},
	};
	st->st_atim = st->st_ctim = st->st_mtim;
}

static void fill_entry(const struct view *v, const struct format_entry *e, uint32_t inode,
                       struct fuse_entry_param *out)
{
	*out = (struct fuse_entry_param){
		.ino = node_of(v, inode),
		.generation = 1,
		.attr_timeout = for_ever,
		.entry_timeout = for_ever,
	};
	fill_attributes(v, e, out->ino, &out->attr);
}

/* The entry that a node stands for, in w->entry. */
static int load(struct worker *w, fuse_ino_t node)
{
	return bundle_entry(w->cursor, entry_of(w->view, node), w->entry);
}

static void op_init(void *context, struct fuse_conn_info *conn)
{
	struct view *v = context;
	unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
	                FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_IOCTL_DIR;

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
	struct fuse_entry_param found = {.entry_timeout = for_ever};
	uint32_t directory, id, inode;
	int status;

	if (!w)
		return;
	directory = entry_of(w->view, parent);
	status = bundle_lookup(w->cursor, directory, name, strlen(name), &id);
	if (status == STATUS_OK)
		status = bundle_inode(w->cursor, id, w->entry, &inode);
	if (status && status != STATUS_NOENT) {
		reply_failure(w, req, directory, status);
		return;
	}
	/* Node 0: there is no such name, and there never will be. */
	if (status == STATUS_OK)
		fill_entry(w->view, &w->entry->e, inode, &found);
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
	status = load(w, node);
	if (status) {
		reply_failure(w, req, entry_of(w->view, node), status);
		return;
	}
	fill_attributes(w->view, &w->entry->e, node, &st);
	if (loop_claim(w))
		fuse_reply_attr(req, &st, for_ever);
}

static void op_readlink(fuse_req_t req, fuse_ino_t node)
{
	struct worker *w = loop_begin(req);
	char *target;
	int status;

	if (!w)
		return;
	target = (char *)w->buffer;
	status = load(w, node);
	if (status == STATUS_OK)
		status = bundle_readlink(w->cursor, &w->entry->e, target);
	if (status)
		reply_failure(w, req, entry_of(w->view, node), status);
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

/* --- directories -------------------------------------------------------------------- */

/* Offsets in a directory: 0 ".", 1 "..", then the children.  Where some of them
 * cannot be read the others are still listed, and the error comes behind the
 * last; until there the offset carries this mark. */
static const off_t hole_mark = (off_t)1 << 62;

struct listing {
	struct worker *w;
	fuse_req_t req;
	bool plus;
	size_t size, used;
	int failed; /* status, where children were left out */
};

/* Add one name.  False: it does not fit. */
static bool list_name(struct listing *l, const char *name, const struct fuse_entry_param *entry,
                      off_t next)
{
	char *at = (char *)l->w->buffer + l->used;
	size_t room = l->size - l->used, took;

	if (l->failed)
		next |= hole_mark;
	took = l->plus ? fuse_add_direntry_plus(l->req, at, room, name, entry, next)
	               : fuse_add_direntry(l->req, at, room, name, &entry->attr, next);
	if (took > room)
		return false;
	l->used += took;
	return true;
}

/* "." or "..": of them only the number and the kind are looked at. */
static bool list_dot(struct listing *l, const char *name, fuse_ino_t node, off_t next)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = node, .st_mode = S_IFDIR}};

	return list_name(l, name, &entry, next);
}

/* Where to go on behind a child that cannot be had: behind the blocks that are lost
 * with its own, or behind it alone if it is another's name that is lost. */
static uint64_t behind(struct listing *l, const struct format_entry *directory, uint64_t child)
{
	struct cursor *cursor = l->w->cursor;
	uint64_t id = directory->place + child, block = id / FORMAT_ENTRIES_PER_BLOCK;

	if (bundle_entry(cursor, (uint32_t)id, l->w->entry) == STATUS_OK)
		return l->w->entry->e.parent == directory->id ? child + 1 : directory->size;
	block = bundle_next_block(cursor, TABLE_ENTRIES, block);
	return min_u64(block * FORMAT_ENTRIES_PER_BLOCK - directory->place, directory->size);
}

static bool list_child(struct listing *l, uint32_t directory, uint32_t id, off_t next, int *status)
{
	struct fuse_entry_param entry = {0};
	struct bundle_entry *e = l->w->entry;
	uint32_t inode;

	*status = bundle_inode(l->w->cursor, id, e, &inode);
	if (*status == STATUS_OK && e->e.parent != directory)
		*status = STATUS_INVALID;
	if (*status)
		return true;
	fill_entry(l->w->view, &e->e, inode, &entry);
	return list_name(l, e->name, &entry, next);
}

static void list_children(struct listing *l, const struct format_entry *directory, uint64_t child)
{
	while (child < directory->size && !loop_is_refusing(l->w)) {
		uint32_t id = (uint32_t)(directory->place + child);
		int status;

		if (!list_child(l, directory->id, id, (off_t)child + 3, &status))
			return;
		if (status) {
			loop_pass_turn(l->w, LOOP_LONG);
			l->failed = status;
			child = behind(l, directory, child);
		} else {
			child++;
		}
	}
}

static void list(fuse_req_t req, fuse_ino_t node, size_t size, off_t off, bool plus)
{
	struct worker *w = loop_begin(req);
	struct listing l = {.w = w, .req = req, .plus = plus};
	struct format_entry directory;
	fuse_ino_t up;
	int status;

	if (!w)
		return;
	atomic_store(&w->view->last_read, clock_boot_s());
	l.size = min_u64(size, w->view->read_max);
	l.failed = off & hole_mark ? STATUS_DAMAGED : STATUS_OK;
	off &= ~hole_mark;
	status = load(w, node);
	if (status == STATUS_OK && w->entry->e.kind != KIND_DIRECTORY)
		status = STATUS_NOTDIR;
	if (status) {
		reply_failure(w, req, entry_of(w->view, node), status);
		return;
	}
	directory = w->entry->e;
	up = node == FUSE_ROOT_ID ? node : node_of(w->view, directory.parent);
	if ((off > 0 || list_dot(&l, ".", node, 1)) && (off > 1 || list_dot(&l, "..", up, 2)))
		list_children(&l, &directory, off > 2 ? (uint64_t)off - 2 : 0);
	if (loop_is_refusing(w))
		reply_error(w, req, EIO);
	else if (l.used || !l.failed)
		reply_bytes(w, req, w->buffer, l.used);
	else
		reply_failure(w, req, directory.id, l.failed);
}

static void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                       struct fuse_file_info *file)
{
	(void)file;
	list(req, node, size, off, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                           struct fuse_file_info *file)
{
	(void)file;
	list(req, node, size, off, true);
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
		reply_error(w, req, ENOSYS);
	else if (loop_claim(w))
		fuse_reply_open(req, file);
}

/* --- contents ------------------------------------------------------------------------- */

static void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);

	(void)node;
	if (!w)
		return;
	if ((file->flags & O_ACCMODE) != O_RDONLY) {
		reply_error(w, req, EROFS);
		return;
	}
	if (w->view->cached && w->view->knows_no_open) {
		reply_error(w, req, ENOSYS);
		return;
	}
	file->direct_io = !w->view->cached;
	file->keep_cache = w->view->cached;
	if (loop_claim(w))
		fuse_reply_open(req, file);
}

/* The page cache gets it: always in a cached mount; in a private one when a
 * program maps the file, and then nobody in particular asks. */
static bool is_for_page_cache(const struct view *v, const struct fuse_file_info *file)
{
	return v->cached || file->lock_owner == 0;
}

/* Whoever reads in order is served fastest by one who stays awake, while others decode ahead
 * for it. */
static enum loop_work work_of(const struct view *v, struct stream_ref stream, size_t len)
{
	if (stream.is_alone)
		return LOOP_IN_ORDER;
	return len <= (v->cached ? SHORT_READ_CACHED : SHORT_READ) ? LOOP_SHORT : LOOP_LONG;
}

/* How much of a file that is read in order is decoded ahead; and how little of that
 * may be left. */
static uint64_t ahead(const struct view *v)
{
	return v->cached ? AHEAD_CACHED : 2 * (uint64_t)v->read_max;
}

static uint64_t ahead_least(const struct view *v)
{
	return v->cached ? AHEAD_CACHED_LOW : ahead(v);
}

static void decode_ahead(struct worker *w, struct stream_ref stream)
{
	struct view *v = w->view;
	uint64_t from;

	while (loop_is_spare(w) && streams_decode(v->streams, stream, ahead(v), &from))
		if (!bundle_decode_ahead(w->cursor, &w->entry->e, from)) {
			streams_put_back(v->streams, stream, from);
			return;
		}
}

static void run_ahead(struct worker *w, const struct errand *errand)
{
	if (loop_is_spare(w) && load(w, errand->node) == STATUS_OK)
		decode_ahead(w, errand->stream);
}

/* Whoever asks for little at a time is not waited for. */
static bool is_decoded_ahead(size_t len)
{
	return len > SHORT_READ;
}

/* Behind the answer, so that nobody waits for it. */
static void look_ahead(struct worker *w, struct stream_ref stream, size_t len)
{
	struct view *v = w->view;
	uint64_t from, ahead;

	if (streams_ask(v->streams, stream, &from, &ahead))
		bundle_will_need(w->cursor, &w->entry->e, from, ahead);
	if (is_decoded_ahead(len))
		decode_ahead(w, stream);
}

/* Of what is asked for, what there is: programs ask for more than small files
 * have, and once more at the end. */
static size_t length_of_read(const struct worker *w, size_t size, off_t off)
{
	uint64_t end = w->entry->e.size, from = (uint64_t)off;

	return (size_t)min_u64(min_u64(size, w->view->read_max), from < end ? end - from : 0);
}

/* What is decoded already goes out from where it lies.  False: it must be read. */
static bool reply_lent(struct worker *w, fuse_req_t req, uint64_t off, size_t len)
{
	struct iovec part[BUNDLE_LENT];
	unsigned count = bundle_lend(w->cursor, &w->entry->e, off, len, part);

	if (count == 1)
		reply_bytes(w, req, part->iov_base, part->iov_len);
	else if (count && loop_claim(w))
		fuse_reply_iov(req, part, (int)count);
	bundle_give_back(w->cursor);
	return count;
}

static int reply_read(struct worker *w, fuse_req_t req, uint64_t off, size_t len)
{
	size_t got;
	int status;

	if (reply_lent(w, req, off, len))
		return STATUS_OK;
	status = bundle_read(w->cursor, &w->entry->e, off, len, w->buffer, &got);
	if (status == STATUS_OK)
		reply_bytes(w, req, w->buffer, got);
	return status;
}

static void answer_read(struct worker *w, const struct late_read *r)
{
	struct view *v = w->view;
	int status = load(w, r->node);
	size_t len = status ? 0 : length_of_read(w, r->size, r->off);
	struct stream_ref stream = streams_note(v->streams, r->node, (uint64_t)r->off, len);

	loop_pass_turn(w, work_of(v, stream, len));
	if (is_decoded_ahead(len) && streams_is_short(v->streams, stream, ahead_least(v)))
		loop_offer(w->loop, ERRAND_AHEAD, &(struct errand){run_ahead, r->node, stream});
	/* Nothing gets into the page cache unnoted. */
	if (r->for_page_cache)
		notes_add(v->notes, r->node, (uint64_t)r->off, len);
	if (status == STATUS_OK)
		status = reply_read(w, r->request, (uint64_t)r->off, len);
	if (status)
		reply_failure(w, r->request, entry_of(v, r->node), status);
	else
		look_ahead(w, stream, len);
}

static void answer_late_read(struct worker *w, const struct late_read *r)
{
	if (loop_begin(r->request))
		answer_read(w, r);
}

static void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
                    struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);
	struct late_read read = {answer_late_read, req, node, size, off, false};

	if (!w)
		return;
	atomic_store(&w->view->last_read, clock_boot_s());
	read.for_page_cache = is_for_page_cache(w->view, file);
	if (!loop_put_off(w, &read))
		answer_read(w, &read);
}

/* Where the hole behind off begins: runs may lie end to end.  After many of those there is none:
 * that is never wrong to say, and who makes a bundle of such runs gets no work done by it. */
static int find_hole(struct worker *w, uint64_t off, uint64_t *hole)
{
	const struct format_entry *e = &w->entry->e;
	uint64_t begin, end = off;

	for (unsigned i = 0; i < HOLE_TRIES; i++) {
		int status;

		off = end;
		status = bundle_data_range(w->cursor, e, off, &begin, &end);
		if (status)
			return status;
		if (begin != off || end <= off || end >= e->size) {
			*hole = begin > off ? off : end;
			return STATUS_OK;
		}
	}
	*hole = e->size;
	return STATUS_OK;
}

static void op_lseek(fuse_req_t req, fuse_ino_t node, off_t off, int whence,
                     struct fuse_file_info *file)
{
	struct worker *w = loop_begin(req);
	uint64_t found = 0, end, size;
	int status;

	(void)file;
	if (!w)
		return;
	status = load(w, node);
	size = w->entry->e.size;
	if (status == STATUS_OK && (off < 0 || (uint64_t)off >= size)) {
		reply_error(w, req, ENXIO);
		return;
	}
	if (status == STATUS_OK)
		status = whence == SEEK_HOLE ? find_hole(w, (uint64_t)off, &found)
		                             : bundle_data_range(w->cursor, &w->entry->e,
		                                                 (uint64_t)off, &found, &end);
	if (status)
		reply_failure(w, req, entry_of(w->view, node), status);
	else if (whence == SEEK_DATA && found == size)
		reply_error(w, req, ENXIO);
	else if (loop_claim(w))
		fuse_reply_lseek(req, (off_t)found);
}

/* --- extended attributes ----------------------------------------------------------------- */

/* The set of a node that has one, in the worker's buffer.  *len: 0 for none. */
static int load_set(struct worker *w, fuse_ino_t node, size_t *len)
{
	int status = load(w, node);

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
		reply_error(w, req, ERANGE);
	else if (room)
		reply_bytes(w, req, bytes, len);
	else if (loop_claim(w))
		fuse_reply_xattr(req, len);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t room)
{
	struct worker *w = loop_begin(req);
	struct format_xattr attribute;
	size_t len, at = 0;
	int status;

	if (!w)
		return;
	if (!w->view->content->full_metadata) {
		reply_error(w, req, ENOSYS);
		return;
	}
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
		reply_failure(w, req, entry_of(w->view, node), status);
	else
		reply_error(w, req, ENODATA);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t node, size_t room)
{
	struct worker *w = loop_begin(req);
	struct format_xattr attribute;
	size_t len, at = 0, used = 0;
	int status, more;

	if (!w)
		return;
	if (!w->view->content->full_metadata) {
		reply_error(w, req, ENOSYS);
		return;
	}
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
		reply_failure(w, req, entry_of(w->view, node), status);
	else
		reply_attribute(w, req, w->buffer + LIST_AT, used, room);
}

/* --- the rest -------------------------------------------------------------------------------- */

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
		reply_error(w, req, ENOTTY);
		return;
	}
	if (fuse_req_ctx(req)->uid != w->view->uid) {
		reply_error(w, req, EPERM);
		return;
	}
	if (loop_claim(w))
		fuse_reply_ioctl(req, 0, NULL, 0);
	w->view->asked_to_end(w->view->context);
}

/* The kernel refuses all of these for a read-only mount; should somebody mount
 * it otherwise, so do we. */
static void refuse(fuse_req_t req)
{
	struct worker *w = loop_begin(req);

	if (w)
		reply_error(w, req, EROFS);
}

static void op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *st, int set,
                       struct fuse_file_info *file)
{
	(void)node;
	(void)st;
	(void)set;
	(void)file;
	refuse(req);
}

static void op_mknod(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode, dev_t device)
{
	(void)node;
	(void)name;
	(void)mode;
	(void)device;
	refuse(req);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode)
{
	(void)node;
	(void)name;
	(void)mode;
	refuse(req);
}

static void op_remove(fuse_req_t req, fuse_ino_t node, const char *name)
{
	(void)node;
	(void)name;
	refuse(req);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t node, const char *name)
{
	(void)target;
	(void)node;
	(void)name;
	refuse(req);
}

static void op_rename(fuse_req_t req, fuse_ino_t node, const char *name, fuse_ino_t to,
                      const char *new_name, unsigned flags)
{
	(void)node;
	(void)name;
	(void)to;
	(void)new_name;
	(void)flags;
	refuse(req);
}

static void op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t to, const char *name)
{
	(void)node;
	(void)to;
	(void)name;
	refuse(req);
}

static void op_create(fuse_req_t req, fuse_ino_t node, const char *name, mode_t mode,
                      struct fuse_file_info *file)
{
	(void)node;
	(void)name;
	(void)mode;
	(void)file;
	refuse(req);
}

static void op_write(fuse_req_t req, fuse_ino_t node, const char *bytes, size_t len, off_t off,
                     struct fuse_file_info *file)
{
	(void)node;
	(void)bytes;
	(void)len;
	(void)off;
	(void)file;
	refuse(req);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value,
                        size_t len, int flags)
{
	(void)node;
	(void)name;
	(void)value;
	(void)len;
	(void)flags;
	refuse(req);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t off, off_t len,
                         struct fuse_file_info *file)
{
	(void)node;
	(void)mode;
	(void)off;
	(void)len;
	(void)file;
	refuse(req);
}

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
	.read = op_read,
	.lseek = op_lseek,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
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
