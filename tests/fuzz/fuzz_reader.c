/* satchel-read itself: what a verb does with a bundle of somebody else's, from its
 * options to its exit code.  The first byte picks the verb, the rest is the volume
 * (shape.h).  Whatever extract and repair write lies where it was asked for: beside
 * that directory there is a file that nobody must touch. */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/bundle.h"
#include "common/status.h"
#include "reader/sandbox.h"
#include "reader/verbs.h"
#include "tests/fuzz/shape.h"

enum {
	WORDS = 8,
	FILES = 4,           /* that are to be there in the end */
	FILE_MAX = 8 << 20,  /* of what is extracted: holes have no bound */
	PLAIN_MAX = 1 << 18, /* for verbs that write contents: many files can be of the same */
	ENTRIES_MAX = 200,
	READ_MAX = 64 << 20, /* by one verb: a hole that has a checksum has no bound either */
};

static const struct choice {
	const struct verb *verb;
	bool contents;
	const char *word[WORDS];
} choices[] = {
	{&ls_verb, false, {"-lR", "bundle"}},
	{&ls_verb, false, {"-R", "--json", "bundle"}},
	{&ls_verb, false, {"-l", "bundle", "*", "a/*"}},
	{&ls_verb, true, {"--checksum", "bundle"}},
	{&tree_verb, false, {"bundle"}},
	{&info_verb, false, {"bundle"}},
	{&info_verb, false, {"--json", "bundle"}},
	{&cat_verb, true, {"--count=9999", "bundle", "*", "*/*", "*/*/*"}},
	{&cat_verb, true, {"--offset=9999999", "--count=99", "bundle", "*"}},
	{&verify_verb, false, {"bundle"}},
	{&verify_verb, false, {"--json", "bundle"}},
	{&repair_verb, false, {"-o", "into/copy", "bundle"}},
	{&extract_verb, true, {"-v", "-C", "into", "bundle"}},
	{&extract_verb, true, {"-q", "-C", "into", "bundle"}},
	{&extract_verb, true, {"--force", "-C", "into", "bundle", "*", "a"}},
};

static uint64_t was_read;

int __real_bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       size_t len, uint8_t *out, size_t *got);
int __wrap_bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       size_t len, uint8_t *out, size_t *got);
int __wrap_bundle_read(struct cursor *cursor, const struct format_entry *file, uint64_t off,
                       size_t len, uint8_t *out, size_t *got)
{
	if (was_read > READ_MAX)
		return STATUS_DAMAGED;
	was_read += len;
	return __real_bundle_read(cursor, file, off, len, out, got);
}

/* A process that is to fuzz on must not be shut in. */
void sandbox_begin(const char *place)
{
	(void)place;
}

void sandbox_close(const char *place)
{
	(void)place;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
	if (len < 1 || room < 1)
		return LLVMFuzzerMutate(data, len, room);
	if (seed % 16 == 0)
		data[0] = (uint8_t)(seed / 16);
	return 1 + shape_mutate(data + 1, len - 1, room - 1, seed / 16);
}

/* --- a directory to be in --------------------------------------------------------------- */

static void put_file(const char *name, const void *bytes, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	MUST(fd >= 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len && !close(fd));
}

static void remove_tree(int dirfd, const char *name);

static void empty_directory(int fd)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;

	MUST(directory);
	while ((entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name);
	closedir(directory);
}

static void remove_tree(int dirfd, const char *name)
{
	int fd;

	if (!unlinkat(dirfd, name, 0))
		return;
	MUST(!fchmodat(dirfd, name, 0700, 0));
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	MUST(fd >= 0);
	empty_directory(fd);
	MUST(!unlinkat(dirfd, name, AT_REMOVEDIR));
}

static char place[] = "/dev/shm/satchel-fuzz-XXXXXX";
static int outside = -1; /* where whoever calls us is */

static void remove_place(void)
{
	remove_tree(AT_FDCWD, place);
}

static void make_place(void)
{
	const struct rlimit most = {FILE_MAX, FILE_MAX};

	outside = open(".", O_PATH | O_CLOEXEC);
	MUST(outside >= 0 && sodium_init() >= 0 && mkdtemp(place) && !chdir(place));
	atexit(remove_place);
	put_file("key", shape_key_file, sizeof shape_key_file);
	put_file("outside", "untouched", 9);
	MUST(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) >= 0);
	signal(SIGXFSZ, SIG_IGN);
	MUST(!setrlimit(RLIMIT_FSIZE, &most));
}

static void check_place(void)
{
	char text[16] = "";
	struct dirent *entry;
	int fd = open("outside", O_RDONLY | O_NOFOLLOW | O_CLOEXEC), count = 0;
	struct stat st;
	DIR *directory = opendir(".");

	MUST(directory && fd >= 0 && read(fd, text, sizeof text) == 9 && !fstat(fd, &st));
	MUST(!strcmp(text, "untouched") && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	MUST(count <= FILES);
	closedir(directory);
	close(fd);
}

/* --- one input ---------------------------------------------------------------------------- */

static void run(const struct choice *choice)
{
	static char key[] = "--key-file=key";
	char room[WORDS][32], *argv[WORDS + 3] = {(char *)choice->verb->name, key};
	int argc = 2, code;

	for (unsigned i = 0; i < WORDS && choice->word[i]; i++) {
		strcpy(room[i], choice->word[i]);
		argv[argc++] = room[i];
	}
	optind = 0;
	was_read = 0;
	code = choice->verb->run(argc, argv);
	fuzz_good += code == 0 || code == 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t volume[SHAPE_FILE];
	const struct choice *choice =
		&choices[fuzz_pick(&data, &len, sizeof choices / sizeof choices[0])];
	struct format_content content;

	if (!shape_lay_out(volume, &content, data, len))
		return 0;
	if (choice->contents &&
	    (content.plain_len > PLAIN_MAX || content.table[TABLE_ENTRIES].records > ENTRIES_MAX))
		return 0;
	if (outside < 0)
		make_place();
	MUST(!chdir(place));
	put_file("bundle", volume, sizeof volume);
	MUST(!mkdir("into", 0700));
	run(choice);
	check_place();
	remove_tree(AT_FDCWD, "into");
	MUST(!fchdir(outside));
	return 0;
}
