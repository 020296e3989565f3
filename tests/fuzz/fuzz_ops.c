/* What the mount answers to a row of requests, from hostile bundles and with odd nodes,
 * sizes and offsets: each is answered once, with no more than was asked for, and listings
 * end.  The first bytes are the requests, the rest is the volume
 * (shape.h).  Loop and replies are those below, so no mount is needed. */
#include "fusefs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/statvfs.h>

#include "common/arena.h"
#include "common/source.h"
#include "fusefs/access.h"
#include "fusefs/loop.h"
#include "fusefs/notes.h"
#include "fusefs/reports.h"
#include "fusefs/streams.h"
#include "fusefs/view.h"
#include "tests/fuzz/shape.h"

enum {
	REQUESTS = 12,
	REQUEST = 6, /* bytes: what, node (2), size, offset, more */
	HEAD = 1 + REQUESTS * REQUEST,
	READ_MAX = ACCESS_READ_CACHED,
	NAMES = 500, /* of one directory, looked at */
};

struct fuse_req {
	size_t most; /* bytes that the answer may have */
	int answers, error;
	struct fuse_entry_param entry;
	const uint8_t *bytes;
	size_t len;
};

/* --- the loop: one worker ------------------------------------------------------------------ */

static struct worker worker;
static struct errand errand;

struct worker *loop_begin(fuse_req_t request)
{
	(void)request;
	return &worker;
}

bool loop_claim(struct worker *w)
{
	(void)w;
	return true;
}

bool loop_is_refusing(const struct worker *w)
{
	(void)w;
	return false;
}

void loop_pass_turn(struct worker *w, enum loop_work work)
{
	(void)w, (void)work;
}

bool loop_put_off(struct worker *w, const struct late_read *late)
{
	(void)w, (void)late;
	return false;
}

void loop_offer(struct loop *l, enum errand_kind kind, const struct errand *offered)
{
	(void)l, (void)kind;
	errand = *offered;
}

bool loop_is_spare(struct worker *w)
{
	(void)w;
	return true;
}

void notes_add(struct notes *notes, uint64_t node, uint64_t off, uint64_t len)
{
	(void)notes, (void)node;
	MUST(off + len >= off);
}

/* --- answers --------------------------------------------------------------------------------- */

int fuse_reply_err(fuse_req_t req, int error)
{
	req->answers++;
	req->error = error;
	MUST(error == EIO || error == ENOENT || error == ENOTDIR || error == EISDIR ||
	     error == ENOMEM || error == ENOSYS || error == ENXIO || error == ENODATA ||
	     error == ERANGE || error == EROFS || error == ENOTTY || error == EPERM);
	return 0;
}

static void look_through(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 512)
		*(volatile const char *)(bytes + i);
	if (len)
		*(volatile const char *)(bytes + len - 1);
}

int fuse_reply_buf(fuse_req_t req, const char *bytes, size_t len)
{
	req->answers++;
	req->bytes = (const uint8_t *)bytes;
	req->len = len;
	MUST(len <= req->most);
	look_through(bytes, len);
	return 0;
}

int fuse_reply_iov(fuse_req_t req, const struct iovec *part, int count)
{
	req->answers++;
	for (int i = 0; i < count; i++) {
		req->len += part[i].iov_len;
		look_through(part[i].iov_base, part[i].iov_len);
	}
	MUST(req->len <= req->most);
	return 0;
}

int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
	req->answers++;
	req->entry = *entry;
	MUST(!entry->ino || entry->attr.st_ino == entry->ino);
	return 0;
}

int fuse_reply_attr(fuse_req_t req, const struct stat *st, double timeout)
{
	(void)timeout;
	req->answers++;
	MUST(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISLNK(st->st_mode));
	return 0;
}

int fuse_reply_readlink(fuse_req_t req, const char *target)
{
	req->answers++;
	MUST(strlen(target) <= FORMAT_LINK);
	return 0;
}

int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *file)
{
	(void)file;
	req->answers++;
	return 0;
}

int fuse_reply_statfs(fuse_req_t req, const struct statvfs *st)
{
	(void)st;
	req->answers++;
	return 0;
}

int fuse_reply_lseek(fuse_req_t req, off_t off)
{
	req->answers++;
	MUST(off >= 0);
	return 0;
}

int fuse_reply_xattr(fuse_req_t req, size_t len)
{
	req->answers++;
	MUST(len <= FORMAT_XATTRS);
	return 0;
}

/* --- requests ---------------------------------------------------------------------------------- */

static bool is_there(void *context)
{
	(void)context;
	return true;
}

static void answered(const struct fuse_req *req)
{
	MUST(req->answers == 1);
	if (!errand.run)
		return;
	errand.run(&worker, &errand);
	errand.run = NULL;
}

static int kind_of(fuse_ino_t node)
{
	uint32_t id = node == FUSE_ROOT_ID ? worker.view->root : (uint32_t)(node - 1);

	return bundle_entry(worker.cursor, id, worker.entry) ? -1 : (int)worker.entry->e.kind;
}

static void look_up(fuse_ino_t parent, const char *name)
{
	struct fuse_req req = {.most = 0};

	ops_table.lookup(&req, parent, name);
	answered(&req);
}

/* Everything that a directory shows, from where it begins; it ends. */
static void list_all(fuse_ino_t node, size_t size)
{
	off_t off = 0;

	for (unsigned names = 0; names < NAMES;) {
		struct fuse_req req = {.most = size};
		const struct fuse_dirent_head {
			uint64_t ino, off;
			uint32_t len, type;
		} * head;

		ops_table.readdir(&req, node, size, off, NULL);
		answered(&req);
		if (req.error || req.len == 0)
			return;
		for (size_t at = 0; at < req.len; names++) {
			head = (const void *)(req.bytes + at);
			MUST(head->len > 0 && head->len <= FORMAT_NAME);
			MUST((off_t)head->off > off);
			off = (off_t)head->off;
			at += (sizeof *head + head->len + 7) / 8 * 8;
			MUST(at <= req.len);
		}
	}
}

static void ask(const uint8_t r[static REQUEST])
{
	static const size_t sizes[] = {0, 1, 512, 4096, 32768, 131072, READ_MAX, 4 * READ_MAX};
	struct fuse_file_info file = {.lock_owner = r[5] & 1, .flags = r[5] & 2};
	fuse_ino_t node = 1 + r[1] + (r[2] > 250 ? (fuse_ino_t)r[2] << 24 : r[2] / 64);
	struct fuse_req req = {.most = sizes[r[3] % 8]};
	int kind = kind_of(node);
	uint64_t end = kind < 0 ? 0 : worker.entry->e.size;
	off_t off = (off_t)((r[4] < 128 ? r[4] * (end / 128) : shape_near(end, r[4])) & INT64_MAX);
	char name[4] = {(char)('a' + r[3] % 4), r[4] & 1 ? 'a' : '\0'};

	switch (r[0] % 12) {
	case 0: look_up(node, name); return;
	case 1: ops_table.getattr(&req, node, &file); break;
	case 2: ops_table.readlink(&req, node); break;
	case 3: ops_table.statfs(&req, node); break;
	case 4:
		if (req.most >= 512)
			list_all(node, req.most > READ_MAX ? READ_MAX : req.most);
		return;
	case 5: ops_table.readdirplus(&req, node, req.most, off, &file); break;
	case 6: ops_table.open(&req, node, &file); break;
	case 7:
	case 8:
		if (kind != KIND_FILE) /* the kernel knows what may be read */
			return;
		ops_table.read(&req, node, req.most, off, &file);
		break;
	case 9: ops_table.lseek(&req, node, off, r[5] & 1 ? SEEK_HOLE : SEEK_DATA, &file); break;
	case 10: ops_table.getxattr(&req, node, "user.a", req.most); break;
	default: ops_table.listxattr(&req, node, req.most); break;
	}
	answered(&req);
}

/* --- one input ------------------------------------------------------------------------------------ */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	if (len < HEAD || room < HEAD)
		return LLVMFuzzerMutate(data, len, room);
	if (seed % 2)
		data[seed / 2 % HEAD] = (uint8_t)(seed / 2 / HEAD);
	if (seed % 4 == 1)
		return len;
	return HEAD + shape_mutate(data + HEAD, len - HEAD, room - HEAD, seed / 4);
}

static void mount_it(const uint8_t *volume, const uint8_t *data)
{
	static uint8_t buffer[READ_MAX + ACCESS_HEAD];
	static struct streams *streams;
	static struct reports *reports;
	uint8_t key[KDF_KEYBYTES];
	const struct header_keys keys = {.key_file = key};
	struct view view = {
		.read_max = READ_MAX, .cached = data[0] & 1, .medium_is_there = is_there};
	struct bundle_entry entry;
	struct arena *arena = NULL;
	struct source *source = NULL;
	struct bundle *bundle = NULL;

	shape_key(key);
	MUST(reports || !reports_new(&reports, 0));
	MUST(streams || !streams_new(&streams));
	MUST(!arena_new(&arena, bundle_size() + cursor_size() + bundle_frames_size(3) + 65536,
	                true));
	MUST(!source_open_memory(&source, volume, SHAPE_FILE));
	worker =
		(struct worker){.view = &view, .entry = &entry, .buffer = buffer, .room = READ_MAX};
	view.streams = streams;
	view.reports = reports;
	if (!bundle_open(&bundle, arena, &source, 1, 0, &keys)) {
		MUST(!bundle_share_frames(bundle, 3) && !cursor_new(&worker.cursor, bundle));
		view.content = bundle_content(bundle);
		fuzz_good++;
		for (unsigned i = 0; i < REQUESTS; i++)
			ask(data + 1 + i * REQUEST);
	}
	cursor_free(worker.cursor);
	bundle_close(bundle);
	source_close(source);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t volume[SHAPE_FILE];
	struct format_content content;

	MUST(sodium_init() >= 0);
	if (len >= HEAD && shape_lay_out(volume, &content, data + HEAD, len - HEAD))
		mount_it(volume, data);
	return 0;
}
