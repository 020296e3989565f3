/* An archive of somebody else's: names, links and contents, through to the tree. */
#include "bundler/scan.h"
#include "bundler/spill.h"
#include "bundler/tree.h"
#include "common/arena.h"
#include "common/path.h"
#include "common/progress.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

enum { MEMORY = 8 << 20 };

static bool never(void)
{
	return false;
}

/* Whatever is taken in is a tree with names that a reader would take. */
static void check_tree(const struct tree *tree)
{
	for (uint32_t i = 1; i < tree->count; i++) {
		const struct node *node = &tree->node[i];

		MUST(node->parent < tree->count && node->parent != i);
		MUST(path_name_ok(tree_name(tree, i), node->name_len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_file file = fuzz_file_open(data, len);
	const char *archive = file.path;
	struct scan_report report;
	struct progress *progress = NULL;
	struct arena *arena = NULL;
	struct spill *heap = NULL;
	struct tree *tree = NULL;
	struct scan_options options = {
		.full_metadata = len && data[len - 1] & 1,
		.newest = INT64_MAX,
		.cancelled = never,
		.archive = &archive,
		.archive_count = 1,
		.memory = MEMORY,
		.spill_dir = "/tmp",
	};

	MUST(!arena_new(&arena, 65536, true));
	MUST(!progress_new(&progress, PROGRESS_SILENT));
	options.arena = arena;
	options.progress = progress;
	MUST(!tree_new(&tree, options.full_metadata) && !spill_new(&heap, arena, MEMORY, "/tmp"));
	if (scan_paths(tree, heap, NULL, 0, &options, &report) == STATUS_OK) {
		fuzz_good++;
		check_tree(tree);
	}
	tree_free(tree);
	spill_free(heap);
	arena_free(arena);
	progress_free(progress);
	fuzz_file_close(&file);
	return 0;
}
