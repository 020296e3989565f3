/* A FUSE file system that does nothing: the names and sizes of a tree, and the same
 * random bytes for every read, or of what is called *.txt the same words.  What it reaches
 * is what the kernel and libfuse's own loop, which sleeps between requests, let any such file
 * system reach here; it asks for the same requests as satchel-mount.
 *
 *     null_fuse cached|direct TREE DIRECTORY     in the foreground, until unmounted
 *
 * cached: as satchel-mount --cache; the kernel keeps what it read and stops asking.
 * direct: as a private mount; every read comes here.
 *
 * The names are kept in memory, in order, so that a lookup is a binary search. */
#define FUSE_USE_VERSION 312
#include <err.h>
#include <errno.h>
#include <fts.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { THREADS = 4, READ_CACHED = 256 * 1024, READ_DIRECT = 1024 * 1024 };

static const double for_ever = 1e9;

/* Node id 1 is the root, at place 0.  The children of a directory stand together, in
 * order of their names: the walk is breadth first. */
struct node {
	char *name;
	uint32_t parent, first, count;
	uint64_t size;
	bool is_directory, is_text;
};

static struct node *nodes;
static uint32_t node_count;
static bool cached;
static char *content, *text;
static size_t read_max;

/* --- the tree ----------------------------------------------------------------------- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static struct node *add(const FTSENT *e, uint32_t parent)
{
	static uint32_t room;
	struct node *n;

	if (node_count == room) {
		room = room ? room * 2 : 1024;
		nodes = realloc(nodes, room * sizeof *nodes);
	}
	if (!nodes)
		err(1, "memory");
	n = &nodes[node_count++];
	*n = (struct node){.name = strdup(e->fts_name), .parent = parent};
	n->is_directory = e->fts_info == FTS_D;
	n->is_text = e->fts_namelen > 4 && strcmp(e->fts_name + e->fts_namelen - 4, ".txt") == 0;
	n->size = n->is_directory ? 0 : (uint64_t)e->fts_statp->st_size;
	return n;
}

/* What is in one directory, which is at place number of the table. */
static void scan_directory(char *path, uint32_t number)
{
	char *roots[] = {path, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *e = fts ? fts_read(fts) : NULL;

	if (!e || e->fts_info != FTS_D)
		err(1, "%s", path);
	nodes[number].first = node_count;
	for (e = fts_children(fts, 0); e; e = e->fts_link)
		if (e->fts_info == FTS_D || e->fts_info == FTS_F)
			add(e, number);
	nodes[number].count = node_count - nodes[number].first;
	fts_close(fts);
}

/* The path of a node, below the tree. */
static void make_path(char *path, size_t room, const char *tree, uint32_t number)
{
	size_t len;

	if (number == 0) {
		snprintf(path, room, "%s", tree);
		return;
	}
	make_path(path, room, tree, nodes[number].parent);
	len = strlen(path);
	snprintf(path + len, room - len, "/%s", nodes[number].name);
}

static void scan(const char *tree)
{
	static char path[64 * 1024];
	FTSENT root = {.fts_info = FTS_D};

	add(&root, 0);
	for (uint32_t n = 0; n < node_count; n++)
		if (nodes[n].is_directory) {
			make_path(path, sizeof path, tree, n);
			scan_directory(path, n);
		}
}

static uint32_t find(uint32_t parent, const char *name)
{
	uint32_t low = nodes[parent].first, high = low + nodes[parent].count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(name, nodes[middle].name);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

/* --- answers ------------------------------------------------------------------------ */

static struct stat attributes(uint32_t n)
{
	return (struct stat){
		.st_ino = n + 1,
		.st_mode = nodes[n].is_directory ? S_IFDIR | 0555 : S_IFREG | 0444,
		.st_nlink = 1,
		.st_size = (off_t)nodes[n].size,
		.st_blksize = 16 * 1024,
		.st_blocks = (blkcnt_t)((nodes[n].size + 511) / 512),
	};
}

static struct fuse_entry_param entry(uint32_t n)
{
	return (struct fuse_entry_param){
		.ino = n + 1,
		.generation = 1,
		.attr = attributes(n),
		.attr_timeout = for_ever,
		.entry_timeout = for_ever,
	};
}

static void op_init(void *context, struct fuse_conn_info *conn)
{
	(void)context;
	conn->want = conn->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
	                              FUSE_CAP_READDIRPLUS | FUSE_CAP_EXPLICIT_INVAL_DATA);
	conn->max_read = conn->max_write = (unsigned)read_max;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	uint32_t n = find((uint32_t)parent - 1, name);
	struct fuse_entry_param found = {.entry_timeout = for_ever};

	if (n)
		found = entry(n);
	fuse_reply_entry(req, &found);
}

static void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	struct stat st = attributes((uint32_t)node - 1);

	(void)file;
	fuse_reply_attr(req, &st, for_ever);
}

static void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	(void)node;
	file->direct_io = 1;
	if (cached)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_open(req, file);
}

static void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *file)
{
	(void)node;
	if (cached)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_open(req, file);
}

static void op_read(fuse_req_t req, fuse_ino_t node, size_t len, off_t off,
                    struct fuse_file_info *file)
{
	uint64_t size = nodes[node - 1].size,
		 left = (uint64_t)off < size ? size - (uint64_t)off : 0;

	(void)file;
	if (len > left)
		len = (size_t)left;
	fuse_reply_buf(req, nodes[node - 1].is_text ? text : content,
	               len < read_max ? len : read_max);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t room, off_t off,
                           struct fuse_file_info *file)
{
	const struct node *d = &nodes[node - 1];
	char *reply = malloc(room);
	size_t used = 0;

	(void)file;
	for (uint64_t i = (uint64_t)off; reply && i < d->count; i++) {
		struct fuse_entry_param e = entry(d->first + (uint32_t)i);
		size_t len = fuse_add_direntry_plus(req, reply + used, room - used,
		                                    nodes[d->first + i].name, &e, (off_t)i + 1);

		if (len > room - used)
			break;
		used += len;
	}
	fuse_reply_buf(req, reply, used);
	free(reply);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t room)
{
	(void)node, (void)name, (void)room;
	fuse_reply_err(req, ENOSYS);
}

static const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.open = op_open,
	.opendir = op_opendir,
	.read = op_read,
	.readdirplus = op_readdirplus,
	.getxattr = op_getxattr,
};

/* --- what is in the files ------------------------------------------------------------ */

static char *make_content(void)
{
	char *bytes = calloc(1, read_max);

	if (!bytes)
		err(1, "memory");
	for (size_t done = 0; done < read_max;) {
		ssize_t got = getrandom(bytes + done, read_max - done, 0);

		done += got > 0 ? (size_t)got : 0;
	}
	return bytes;
}

/* As long, and of so few words that it compresses to a fifth.  Which words, and in what order,
 * the random bytes say. */
static char *make_text(const char *random)
{
	enum { WORDS = 32, LONGEST = 10 };
	char *bytes = calloc(1, read_max);
	size_t done = 0;

	if (!bytes)
		err(1, "memory");
	for (size_t i = 0; i + 1 < read_max && done < read_max; i += 2) {
		size_t word = ((uint8_t)random[i] | (uint8_t)random[i + 1] << 8) % WORDS;
		size_t len = 2 + word % (LONGEST - 2);

		for (size_t at = 0; at < len && done < read_max; at++)
			bytes[done++] = (char)('a' + (uint8_t)random[word * LONGEST + at] % 26);
		if (done < read_max)
			bytes[done++] = ' ';
	}
	return bytes;
}

/* --- the session -------------------------------------------------------------------- */

static int serve(struct fuse_session *session)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int failed;

	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, THREADS);
	fuse_loop_cfg_set_idle_threads(config, THREADS);
	failed = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return failed;
}

static int run(const char *program, const char *directory)
{
	char options[64];
	char *words[] = {(char *)program, options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(2, words);
	struct fuse_session *session;
	int failed;

	snprintf(options, sizeof options, "-oro,fsname=null,max_read=%zu", read_max);
	session = fuse_session_new(&args, &ops, sizeof ops, NULL);
	if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, directory))
		return 1;
	failed = serve(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return failed != 0;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "cached") != 0 && strcmp(argv[1], "direct") != 0))
		errx(2, "usage: null_fuse cached|direct TREE DIRECTORY");
	cached = strcmp(argv[1], "cached") == 0;
	read_max = cached ? READ_CACHED : READ_DIRECT;
	content = make_content();
	text = make_text(content);
	scan(argv[2]);
	return run(argv[0], argv[3]);
}
