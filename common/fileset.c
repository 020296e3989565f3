#include "common/fileset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/bundle.h"
#include "common/bytes.h"
#include "common/diag.h"
#include "common/opening.h"
#include "common/samefile.h"
#include "common/source.h"
#include "common/status.h"

enum { SIBLINGS_MAX = 4096 /* files of the directory that are tried */ };

/* --- those that are named ---------------------------------------------------------- */

/* A set may have more volumes than there are descriptors by default. */
static void raise_file_limit(unsigned wanted)
{
	struct rlimit limit;

	if (wanted < 512 || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Takes the source.  STATUS_NOMEM; then it is closed. */
static int keep(struct fileset *f, struct source *source, const char *path)
{
	char *name = strdup(path);

	if (!name) {
		source_close(source);
		return STATUS_NOMEM;
	}
	f->file[f->count] = name;
	f->source[f->count++] = source;
	return STATUS_OK;
}

static int open_named(struct fileset *f, const char *path)
{
	struct source *source;
	int status = source_open_file(&source, path);

	if (status == STATUS_OK)
		status = keep(f, source, path);
	if (status == STATUS_OK) {
		f->named++;
		return 0;
	}
	diag_status(diag_name(path), status);
	return status == STATUS_IO ? EXIT_ABSENT : status_exit_code(status);
}

int fileset_open(struct fileset *files, const struct opening *opening)
{
	unsigned room = 1 + opening->volume_count + FORMAT_MAX_VOLUMES;
	int code;

	*files = (struct fileset){
		.source = calloc(room, sizeof *files->source),
		.file = calloc(room, sizeof *files->file),
	};
	if (!files->source || !files->file)
		return diag_status(NULL, STATUS_NOMEM);
	raise_file_limit(opening->volume_count);
	code = open_named(files, opening->bundle);
	for (unsigned i = 0; i < opening->volume_count && code == 0; i++)
		code = open_named(files, opening->volume[i]);
	return code;
}

void fileset_forget_names(struct fileset *files)
{
	for (unsigned i = 0; i < files->count; i++)
		explicit_bzero(files->file[i], strlen(files->file[i]));
	if (files->barred)
		explicit_bzero(files->barred, strlen(files->barred));
}

void fileset_close(struct fileset *files)
{
	fileset_forget_names(files);
	for (unsigned i = 0; i < files->count; i++) {
		source_close(files->source[i]);
		free(files->file[i]);
	}
	free(files->source);
	free(files->file);
	free(files->barred);
	*files = (struct fileset){0};
}

/* --- what lies beside them ------------------------------------------------------------ */

static bool is_open(const struct fileset *f, const struct source *source)
{
	struct stat st;

	if (fstat(source_fd(source), &st))
		return true;
	for (unsigned i = 0; i < f->count; i++)
		if (samefile_descriptor(source_fd(f->source[i]), &st))
			return true;
	return false;
}

/* What cannot be looked at is not what is not there. */
static int bar(struct fileset *f, const char *path, int error)
{
	if (error == ENOENT || error == ELOOP || f->barred)
		return STATUS_OK;
	f->barred = strdup(path);
	f->barred_by = error;
	return f->barred ? STATUS_OK : STATUS_NOMEM;
}

/* Of a file in which no volume was found: could its headers be read at all? */
static int check_headers(struct fileset *f, const struct source *source, const char *path)
{
	uint8_t header[FORMAT_HEADER];
	uint64_t len = source_len(source), part = min_u64(len, sizeof header);

	if (source_read_at(source, header, part, 0) == STATUS_OK &&
	    source_read_at(source, header, part, len - part) == STATUS_OK)
		return STATUS_OK;
	return bar(f, path, errno);
}

/* Takes the source. */
static int try_source(struct fileset *f, struct bundle *bundle, struct source *source,
                      const char *path)
{
	int status = STATUS_OK;

	if (!is_open(f, source)) {
		status = bundle_add(bundle, source, f->count);
		if (status == 1)
			return keep(f, source, path);
		if (status == 0)
			status = check_headers(f, source, path);
	}
	source_close(source);
	return status;
}

/* Try one file of the bundle's directory. */
static int try_sibling(struct fileset *f, struct bundle *bundle, const char *path)
{
	struct source *source = NULL;
	struct stat st;
	int status;

	if (stat(path, &st))
		return bar(f, path, errno);
	if (!S_ISREG(st.st_mode))
		return STATUS_OK;
	status = source_open_file(&source, path);
	if (status == STATUS_OK)
		return try_source(f, bundle, source, path);
	return status == STATUS_IO ? bar(f, path, errno) : status;
}

/* where: the directory, with its slash.  A name may be longer than NAME_MAX: what FAT counts
 * are characters. */
static int try_name(struct fileset *f, struct bundle *bundle, const char *where, const char *name)
{
	char *path;
	int status;

	if (asprintf(&path, "%s%s", where, name) < 0)
		return STATUS_NOMEM;
	status = try_sibling(f, bundle, path);
	free(path);
	return status;
}

/* Not all file systems say.  What is none, a place where something else is mounted for one, need
 * not be looked at. */
static bool may_be_file(const struct dirent *entry)
{
	return entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
}

static int try_directory(struct fileset *f, struct bundle *bundle, const char *where)
{
	DIR *directory = opendir(where);
	struct dirent *entry;
	int status = STATUS_OK;

	if (!directory)
		return bar(f, where, errno);
	for (int tried = 0; status == STATUS_OK && bundle_missing(bundle); tried++) {
		errno = 0;
		entry = tried < SIBLINGS_MAX ? readdir(directory) : NULL;
		if (!entry) {
			if (errno || tried == SIBLINGS_MAX)
				status = bar(f, where, errno);
			break;
		}
		if (may_be_file(entry))
			status = try_name(f, bundle, where, entry->d_name);
	}
	closedir(directory);
	return status;
}

/* The rest of a set lies beside it, whatever the files are called. */
static int find_siblings(struct fileset *f, struct bundle *bundle)
{
	const char *first = f->file[0], *slash = strrchr(first, '/');
	char *where;
	int status;

	if (bundle_missing(bundle) == 0)
		return STATUS_OK;
	raise_file_limit(bundle_volume_count(bundle));
	where = slash ? strndup(first, (size_t)(slash - first) + 1) : strdup("./");
	if (!where)
		return STATUS_NOMEM;
	status = try_directory(f, bundle, where);
	free(where);
	return status;
}

/* --- the bundle --------------------------------------------------------------------------- */

int fileset_open_bundle(struct fileset *files, struct bundle **bundle, struct arena *arena,
                        const struct opening *opening, const struct header_keys *keys)
{
	int status;

	*bundle = NULL;
	status = bundle_begin(bundle, arena, files->source, files->count, opening->length, keys);
	if (status == STATUS_OK)
		status = find_siblings(files, *bundle);
	if (status == STATUS_OK)
		status = bundle_ready(*bundle);
	if (status == STATUS_OK)
		return 0;
	diag_status(diag_name(opening->bundle), status);
	/* Of one volume alone this would say which file; here nothing can be read. */
	return status == STATUS_DAMAGED || status == STATUS_INVALID || status == STATUS_IO
	               ? 10
	               : status_exit_code(status);
}

bool fileset_is_used(const struct bundle *bundle, unsigned i)
{
	for (unsigned v = 0; v < bundle_volume_count(bundle); v++) {
		const struct bundle_volume *volume = bundle_volume(bundle, v);

		if ((volume->pages || volume->rootless) && volume->source_no == i)
			return true;
	}
	return false;
}

const char *fileset_why_barred(const struct fileset *files)
{
	return files->barred_by ? strerror(files->barred_by) : "too many files";
}

const char *fileset_barred(const struct fileset *files, const struct bundle *bundle)
{
	return bundle_missing(bundle) ? files->barred : NULL;
}

void fileset_warn(const struct fileset *files, const struct bundle *bundle)
{
	unsigned count = bundle_volume_count(bundle);

	for (unsigned i = 0; i < files->named; i++)
		if (!fileset_is_used(bundle, i))
			diag_warn(diag_name(files->file[i]), "is " FILESET_UNUSED);
	for (unsigned v = 0; v < count; v++)
		if (bundle_volume(bundle, v)->rootless)
			diag_warn(NULL, "volume %u of %u has lost all copies of its root", v + 1,
			          count);
	if (fileset_barred(files, bundle))
		diag_warn(diag_name(files->barred), "%s; " FILESET_BARRED,
		          fileset_why_barred(files));
}
