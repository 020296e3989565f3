#include "fusefs/attributes.h"

#include "common/bytes.h"
#include "fusefs/view.h"

static mode_t type_of(enum format_kind kind)
{
	switch (kind) {
	case KIND_DIRECTORY: return S_IFDIR;
	case KIND_SYMLINK: return S_IFLNK | 0777;
	default: return S_IFREG;
	}
}

/* Without full metadata everything is the viewer's own. */
void attributes_fill(const struct view *v, const struct format_entry *e, fuse_ino_t node,
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

void attributes_entry(const struct view *v, const struct format_entry *e, uint32_t inode,
                      struct fuse_entry_param *out)
{
	*out = (struct fuse_entry_param){
		.ino = view_node(v, inode),
		.generation = 1,
		.attr_timeout = ATTRIBUTES_FOR_EVER,
		.entry_timeout = ATTRIBUTES_FOR_EVER,
	};
	attributes_fill(v, e, out->ino, &out->attr);
}
