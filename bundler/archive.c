#include "bundler/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundler/attributes.h"
#include "bundler/kept.h"
#include "bundler/members.h"
#include "bundler/scan.h"
#include "bundler/spill.h"
#include "bundler/supply.h"
#include "common/diag.h"
#include "common/format.h"
#include "common/path.h"
#include "common/progress.h"
#include "common/status.h"

enum { TAR_BLOCK = 512, NOBODY = 65534 };

struct taking {
	struct archive *archive;
	struct archive_entry *entry;
	const char *path, *link, *symlink; /* of the entry */
	struct supply supply;
	int supply_errno; /* why it gave nothing; 0: it did */
	locale_t utf8;
	const char *file;
	unsigned no;
	struct members *members;
	struct spill *kept;
	const struct scan_options *options;
	struct scan_report *report;
	struct kept_writer writer;
	struct attributes *attributes; /* NULL unless full metadata is kept */
	uint64_t entry_count;
	bool has_slashes, has_lists; /* it was said that names begin with a slash, that
	                              * access control lists are left out */
	char clean[FORMAT_PATH + 1], target[FORMAT_PATH + 1];
	char shown[FORMAT_PATH + PATH_MAX + 3];
};

const char *archive_name(const char *file)
{
	return strcmp(file, "-") ? file : "standard input";
}

static const char encrypted[] =
	"is encrypted; unpack it with its password, and pack what comes out";
static const char changed[] = "changed while it was read; pack again";

/* --- messages ----------------------------------------------------------------- */

static const char *member_path(struct taking *t, const char *path)
{
	if (!path)
		return t->file;
	snprintf(t->shown, sizeof t->shown, "%s: %s", t->file, path);
	return t->shown;
}

static int leave_out(struct taking *t, const char *path, const char *why)
{
	diag_error(member_path(t, path), "%s: left out", why);
	t->report->unreadable++;
	return STATUS_OK;
}

/* Of a member that is packed. */
static void leave_part_out(struct taking *t, const char *path, const char *why)
{
	diag_error(member_path(t, path), "%s; the rest of it is packed", why);
	t->report->unreadable++;
}

static int skip(struct taking *t, const char *path, const char *what)
{
	diag_warn(member_path(t, path), "%s: left out", what);
	t->report->skipped++;
	return STATUS_OK;
}

static int refuse(struct taking *t, const char *path, int status, const char *why)
{
	return scan_refuse(t->report, status, member_path(t, path), "%s", why);
}

/* What libarchive has failed with.  path: of the member, NULL: none. */
static int refuse_damaged(struct taking *t, const char *path)
{
	const char *said = archive_error_string(t->archive);

	if (t->supply_errno == ECANCELED)
		return STATUS_CANCELLED;
	if (t->supply_errno)
		return refuse(t, NULL, STATUS_NOENT, strerror(t->supply_errno));
	if (!supply_is_unchanged(&t->supply))
		return refuse(t, NULL, STATUS_CHANGED, changed);
	if (!archive_format(t->archive))
		return refuse(t, NULL, STATUS_DAMAGED,
		              "is not a whole archive of a kind that is known here");
	/* Which it may be asked of no archive whose format it has not found. */
	if (archive_read_has_encrypted_entries(t->archive) > 0)
		return refuse(t, path, STATUS_DAMAGED, encrypted);
	return scan_refuse(t->report, STATUS_DAMAGED, member_path(t, path),
	                   "damaged or cut short (%s); nothing is packed",
	                   said ? said : "it does not say how");
}

/* --- what libarchive calls ---------------------------------------------------- */

static la_ssize_t on_read(struct archive *archive, void *context, const void **bytes)
{
	struct taking *t = context;
	ssize_t got = supply_read(&t->supply, bytes);

	if (got < 0) {
		t->supply_errno = errno;
		archive_set_error(archive, errno, "%s", strerror(errno));
	}
	return got;
}

static la_int64_t on_seek(struct archive *archive, void *context, la_int64_t off, int whence)
{
	struct taking *t = context;

	(void)archive;
	off = supply_seek(&t->supply, off, whence);
	return off < 0 ? ARCHIVE_FATAL : off;
}

static la_int64_t on_skip(struct archive *archive, void *context, la_int64_t len)
{
	struct taking *t = context;

	(void)archive;
	return supply_skip(&t->supply, len);
}

/* All but: mtree, a list whose contents would be read from this machine's disk; raw,
 * which takes anything for an archive; nothing at all; and what is read by starting
 * other programs, which make temporary files of their own (lrzip, lzop, grzip).  A
 * zip without the directory at its end does not tell links from files. */
static void support(struct archive *a)
{
	static int (*const kind[])(struct archive *) = {
		archive_read_support_format_tar,  archive_read_support_format_cpio,
		archive_read_support_format_7zip, archive_read_support_format_zip_seekable,
		archive_read_support_format_rar,  archive_read_support_format_iso9660,
		archive_read_support_format_rar5, archive_read_support_format_cab,
		archive_read_support_format_lha,  archive_read_support_format_xar,
		archive_read_support_format_ar,   archive_read_support_format_warc,
		archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
		archive_read_support_filter_xz,   archive_read_support_filter_lzma,
		archive_read_support_filter_zstd, archive_read_support_filter_lz4,
		archive_read_support_filter_lzip, archive_read_support_filter_compress,
		archive_read_support_filter_rpm,  archive_read_support_filter_uu,
	};

	for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
		kind[i](a);
	/* As tar -i does: what follows an end is not passed over unseen. */
	archive_read_set_option(a, "tar", "read_concatenated_archives", "1");
}

static int open_archive(struct taking *t)
{
	struct archive *a = archive_read_new();

	if (!a)
		return STATUS_NOMEM;
	t->archive = a;
	support(a);
	archive_read_set_read_callback(a, on_read);
	if (!t->supply.in_order) {
		archive_read_set_seek_callback(a, on_seek);
		archive_read_set_skip_callback(a, on_skip);
	}
	archive_read_set_callback_data(a, t);
	return archive_read_open1(a) == ARCHIVE_OK ? STATUS_OK : refuse_damaged(t, NULL);
}

/* --- content and metadata ------------------------------------------------------ */

/* The content of the entry.  *size, *at: of it. */
static int keep_content(struct taking *t, const char *path, uint64_t *size, uint64_t *at)
{
	const void *bytes;
	int status = STATUS_OK, rc;
	la_int64_t off;
	size_t len;

	kept_begin(&t->writer, t->kept);
	while ((rc = archive_read_data_block(t->archive, &bytes, &len, &off)) == ARCHIVE_OK) {
		status = off < 0 ? STATUS_INVALID : kept_add(&t->writer, (uint64_t)off, bytes, len);
		if (status)
			break;
		progress_update(t->options->progress,
		                (uint64_t)archive_filter_bytes(t->archive, -1));
	}
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return refuse_damaged(t, path);
	*size = t->writer.end;
	if (status == STATUS_OK && archive_entry_size_is_set(t->entry)) {
		*size = (uint64_t)archive_entry_size(t->entry);
		if (*size > INT64_MAX ||
		    (*size != t->writer.end && !archive_entry_sparse_count(t->entry)))
			status = STATUS_INVALID;
	}
	if (status == STATUS_OK)
		status = kept_end(&t->writer, *size, at);
	if (status == STATUS_TOOBIG)
		return refuse(t, path, STATUS_DAMAGED,
		              "has more holes than can be kept; unpack it, and pack what "
		              "comes out");
	if (status == STATUS_INVALID)
		return refuse(t, path, STATUS_DAMAGED,
		              "damaged: it has another length than it says; nothing is packed");
	return status;
}

static int keep_target(struct taking *t, const char *target, struct member_file *f)
{
	f->size = strlen(target);
	f->at = spill_len(t->kept);
	return spill_append(t->kept, target, f->size);
}

static int keep_attributes(struct taking *t, const char *path, struct member_file *f)
{
	int count = archive_entry_xattr_reset(t->entry), taken = 0, status = STATUS_OK;
	struct attribute *list = count > 0 ? calloc((size_t)count, sizeof *list) : NULL;
	const uint8_t *set = NULL;
	size_t len = 0;

	if (count <= 0)
		return STATUS_OK;
	if (!list)
		return STATUS_NOMEM;
	while (taken < count &&
	       archive_entry_xattr_next(t->entry, &list[taken].name, &list[taken].value,
	                                &list[taken].len) == ARCHIVE_OK)
		taken++;
	if (attributes_make(t->attributes, list, (size_t)taken, &set, &len)) {
		leave_out(t, path, "its extended attributes are too large");
	} else {
		f->attributes_at = spill_len(t->kept);
		f->attributes_len = (uint32_t)len;
		status = spill_append(t->kept, set, len);
	}
	free(list);
	return status;
}

static uint32_t owner(la_int64_t id)
{
	return id < 0 || id >= UINT32_MAX ? NOBODY : (uint32_t)id;
}

static int take_metadata(struct taking *t, const char *path, struct member_file *f)
{
	f->mode = archive_entry_perm(t->entry) & 07777;
	if (archive_entry_mtime_is_set(t->entry)) {
		f->mtime = archive_entry_mtime(t->entry);
		f->mtime_nsec = (uint32_t)archive_entry_mtime_nsec(t->entry);
	}
	if (!t->attributes)
		return STATUS_OK;
	f->uid = owner(archive_entry_uid(t->entry));
	f->gid = owner(archive_entry_gid(t->entry));
	if (!t->has_lists && archive_entry_acl_types(t->entry)) {
		skip(t, NULL, "has access control lists, which are not kept");
		t->has_lists = true;
	}
	return keep_attributes(t, path, f);
}

/* --- one entry ------------------------------------------------------------------ */

static const char *unfit_kind(const struct taking *t)
{
	switch (archive_entry_filetype(t->entry)) {
	case AE_IFREG:
	case AE_IFDIR:
	case AE_IFLNK: return NULL;
	case AE_IFSOCK: return "is a socket";
	case AE_IFIFO: return "is a pipe";
	case AE_IFCHR:
	case AE_IFBLK: return "is a device";
	default: return "is of a kind that no bundle holds";
	}
}

static bool is_tar(const struct taking *t)
{
	return (archive_format(t->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

/* With tar, the last is meant.  Otherwise it may be a name that is like another one
 * only since libarchive has composed its characters: that must not pass for done. */
static void say_replaced(struct taking *t)
{
	if (is_tar(t) && is_ascii(t->clean))
		diag_warn(member_path(t, t->clean), "comes more than once; the last is packed");
	else
		leave_out(t, t->clean, "comes more than once; all but the last are");
}

/* May the name be had by this archive, and by what is no directory?  *why as
 * members_add. */
static int claim(struct taking *t, bool is_directory, uint32_t *number, const char **why)
{
	int status = members_add(t->members, t->clean, t->no, number, why);
	const struct member *member, *top;

	if (status || *why)
		return status;
	member = top = members_get(t->members, *number);
	while (top->parent)
		top = members_get(t->members, top->parent);
	if (*number && top->archive != t->no && !member->excluded) {
		scan_refuse(
			t->report, STATUS_EXISTS,
			member_path(t, members_name(t->members,
		                                    (uint32_t)(top - members_get(t->members, 0)))),
			"%s has this name, too; pack them one by one",
			archive_name(t->options->archive[top->archive]));
		return STATUS_EXISTS;
	}
	if (member->file == MEMBERS_NONE || member->excluded)
		return STATUS_OK;
	if (!is_directory && members_file(t->members, *number)->kind == KIND_DIRECTORY)
		*why = "is a directory in the same archive";
	else if (members_file(t->members, *number)->kind != KIND_DIRECTORY)
		say_replaced(t);
	return STATUS_OK;
}

/* The same directory again, or for the first time after what is in it. */
static int set_directory(struct taking *t, uint32_t number, const struct member_file *new)
{
	struct member_file *f;
	uint32_t names;

	if (members_get(t->members, number)->file == MEMBERS_NONE ||
	    members_file(t->members, number)->kind != KIND_DIRECTORY)
		return members_set(t->members, number, new);
	f = members_file(t->members, number);
	names = f->names;
	*f = *new;
	f->names = names;
	return STATUS_OK;
}

static int take_new(struct taking *t, const char *path)
{
	struct member_file f = {.kind = KIND_FILE};
	const char *target = t->symlink, *why;
	mode_t type = archive_entry_filetype(t->entry);
	uint32_t number;
	int status;

	if (type == AE_IFDIR)
		f.kind = KIND_DIRECTORY;
	if (type == AE_IFLNK)
		f.kind = KIND_SYMLINK;
	if (f.kind == KIND_SYMLINK && (!target || !target[0] || strlen(target) > FORMAT_LINK))
		return leave_out(t, path, "is a symbolic link to nothing that can be kept");
	status = claim(t, f.kind == KIND_DIRECTORY, &number, &why);
	if (status || why)
		return status ? status : leave_out(t, path, why);
	if (members_get(t->members, number)->excluded)
		return STATUS_OK;
	status = take_metadata(t, path, &f);
	if (status)
		return status;
	if (f.kind == KIND_DIRECTORY)
		return set_directory(t, number, &f);
	status = f.kind == KIND_SYMLINK ? keep_target(t, target, &f)
	                                : keep_content(t, path, &f.size, &f.at);
	return status ? status : members_set(t->members, number, &f);
}

/* Some formats have the content with the last name of a file. */
static bool has_content(const struct taking *t, uint32_t first)
{
	return members_file(t->members, first)->kind == KIND_FILE &&
	       archive_entry_size_is_set(t->entry) && archive_entry_size(t->entry) > 0;
}

static int take_content_of_link(struct taking *t, const char *path, uint32_t first)
{
	uint64_t size = 0, at = 0;
	int status = keep_content(t, path, &size, &at);

	if (status == STATUS_OK) {
		members_file(t->members, first)->size = size;
		members_file(t->members, first)->at = at;
	}
	return status;
}

/* The file that the target of a link is.  *why: NULL, or why it is none; what another
 * archive has under that name is not what is meant. */
static uint32_t find_target(struct taking *t, const char *target, const char **why)
{
	uint32_t first = 0;

	*why = members_clean(target, t->target, sizeof t->target);
	if (!*why)
		first = members_find(t->members, t->target);
	if (first && members_get(t->members, first)->excluded)
		*why = "is another name of what --exclude leaves out";
	else if (!first || members_get(t->members, first)->archive != t->no ||
	         members_get(t->members, first)->file == MEMBERS_NONE)
		*why = "is another name of what is not in the archive";
	else if (members_file(t->members, first)->kind == KIND_DIRECTORY)
		*why = "is another name of a directory";
	return first;
}

/* Another name of what the archive has had. */
static int take_link(struct taking *t, const char *path, const char *target)
{
	const char *why;
	uint32_t first = find_target(t, target, &why), number;
	bool same = !strcmp(t->clean, t->target);
	int status = STATUS_OK;

	if (why)
		return leave_out(t, path, why);
	if (has_content(t, first)) {
		if (same)
			say_replaced(t);
		status = take_content_of_link(t, path, first);
	}
	if (status || same)
		return status;
	status = claim(t, false, &number, &why);
	if (status || why)
		return status ? status : leave_out(t, path, why);
	if (!members_get(t->members, number)->excluded)
		members_link(t->members, number, members_get(t->members, first)->file);
	return STATUS_OK;
}

/* The directory that the archive was made of. */
static int take_root(struct taking *t, const char *path)
{
	struct member_file f = {.kind = KIND_DIRECTORY};
	int status;

	if (archive_entry_filetype(t->entry) != AE_IFDIR)
		return leave_out(t, path, "has no name");
	status = take_metadata(t, path, &f);
	return status ? status : set_directory(t, 0, &f);
}

static int take_entry(struct taking *t, int rc)
{
	const char *path = t->path, *why;

	t->entry_count++;
	if (!path)
		return leave_out(t, NULL, "a member has a name that cannot be read");
	if (archive_entry_is_encrypted(t->entry))
		return refuse(t, path, STATUS_DAMAGED, encrypted);
	why = members_clean(path, t->clean, sizeof t->clean);
	if (why)
		return leave_out(t, path, why);
	if (path[0] == '/' && !t->has_slashes) {
		diag_warn(t->file, "names begin with a slash; they are packed without it");
		t->has_slashes = true;
	}
	if (t->clean[0] && !t->link && unfit_kind(t))
		return skip(t, path, unfit_kind(t));
	/* A name that is not Unicode is kept as it is, for all that libarchive warns. */
	if (rc == ARCHIVE_WARN && path_is_utf8(path, strlen(path)))
		leave_part_out(t, path, archive_error_string(t->archive));
	if (!t->clean[0])
		return take_root(t, path);
	if (t->link)
		return take_link(t, path, t->link);
	return take_new(t, path);
}

/* Names that formats keep as Unicode come out as UTF-8, whatever the user's locale. */
static int next_header(struct taking *t)
{
	locale_t before = uselocale(t->utf8);
	int rc = archive_read_next_header(t->archive, &t->entry);

	if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		t->path = archive_entry_pathname(t->entry);
		t->link = archive_entry_hardlink(t->entry);
		t->symlink = archive_entry_symlink(t->entry);
	}
	uselocale(before);
	return rc;
}

/* --- all of them ---------------------------------------------------------------- */

/* Tar stops where nothing more comes; whether that is the end only the mark there
 * tells. */
static int check_end(struct taking *t, la_int64_t before)
{
	if (is_tar(t) && archive_filter_bytes(t->archive, 0) - before < TAR_BLOCK)
		return refuse(t, NULL, STATUS_DAMAGED,
		              "cut short: the mark at the end of an archive is missing; nothing "
		              "is packed");
	/* A disk that was full leaves zeros behind, and they are an archive of nothing. */
	if (!t->entry_count) {
		diag_error(t->file, "holds nothing");
		t->report->unreadable++;
	}
	return STATUS_OK;
}

/* What was not wanted of an entry is read, too: where nothing more comes, it is known
 * then what for. */
static int pass_over(struct taking *t, int status)
{
	return status == STATUS_OK && archive_read_data_skip(t->archive) != ARCHIVE_OK
	               ? refuse_damaged(t, t->path)
	               : status;
}

static int take_all(struct taking *t)
{
	int status = STATUS_OK, rc;

	while (status == STATUS_OK) {
		la_int64_t before = archive_filter_bytes(t->archive, 0);

		if (t->options->cancelled && t->options->cancelled())
			return STATUS_CANCELLED;
		rc = next_header(t);
		if (rc == ARCHIVE_EOF)
			return check_end(t, before);
		status = rc == ARCHIVE_OK || rc == ARCHIVE_WARN ? pass_over(t, take_entry(t, rc))
		                                                : refuse_damaged(t, NULL);
	}
	return status;
}

static int open_supply(struct taking *t)
{
	const struct scan_options *o = t->options;
	bool spilled;
	int status;

	if (!strcmp(o->archive[t->no], "-") && isatty(STDIN_FILENO))
		return refuse(t, NULL, STATUS_NOENT, "is a terminal; pipe an archive into it");
	status = supply_open(&t->supply, o->archive[t->no], o->cancelled, o->arena, o->memory / 2,
	                     o->spill_dir, &spilled);

	if (status == STATUS_NOENT)
		return refuse(t, NULL, STATUS_NOENT, "is empty, and no archive");
	if (status == STATUS_IO && !spilled)
		return refuse(t, NULL, STATUS_NOENT, strerror(errno));
	return status;
}

static int finish(struct taking *t)
{
	int status = supply_finish(&t->supply);

	if (status == STATUS_IO)
		return refuse(t, NULL, STATUS_NOENT, strerror(errno));
	if (status == STATUS_CHANGED)
		return refuse(t, NULL, status, changed);
	return status;
}

static int take(struct taking *t)
{
	int status, saved;

	progress_start(t->options->progress, "reading", t->supply.len);
	status = open_archive(t);
	if (status == STATUS_OK)
		status = take_all(t);
	if (status == STATUS_OK)
		status = finish(t);
	saved = errno;
	progress_finish(t->options->progress);
	archive_read_free(t->archive);
	errno = saved;
	return status;
}

static void release(struct taking *t)
{
	supply_close(&t->supply);
	kept_fini(&t->writer);
	attributes_free(t->attributes);
	if (t->utf8)
		freelocale(t->utf8);
	free(t);
}

int archive_take(struct members *members, struct spill *kept, const struct scan_options *options,
                 unsigned no, struct scan_report *report)
{
	struct taking *t = calloc(1, sizeof *t);
	int status = STATUS_NOMEM, saved;

	if (!t)
		return status;
	t->supply.fd = -1;
	t->file = archive_name(options->archive[no]);
	t->no = no;
	t->members = members;
	t->kept = kept;
	t->options = options;
	t->report = report;
	t->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (t->utf8 && (!options->full_metadata || !attributes_new(&t->attributes)))
		status = open_supply(t);
	if (status == STATUS_OK)
		status = take(t);
	saved = errno;
	release(t);
	errno = saved;
	return status;
}
