#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "bundler/tree.h"
#include "common/status.h"

static struct tree *tree;

static int setup(void **state)
{
	return tree_new(&tree, true) ? -1 : unit_enter_folder(state);
}

static int teardown(void **state)
{
	tree_free(tree);
	return unit_leave_folder(state);
}

static uint32_t add(uint32_t parent, const char *name, enum format_kind kind)
{
	uint32_t number;

	assert_int_equal(tree_add(tree, parent, name, strlen(name), &number), STATUS_OK);
	tree->node[number].kind = kind;
	return number;
}

static uint32_t link_to(uint32_t parent, const char *name, uint32_t file)
{
	uint32_t number = add(parent, name, KIND_FILE);

	tree_link(tree, number, file);
	return number;
}

/* The names of what is left, one after another. */
static const char *in_path_order(void)
{
	static char text[1024];

	text[0] = '\0';
	for (uint32_t i = 0; (i = tree_next_in_path_order(tree, i));) {
		strcat(text, tree_name(tree, i));
		strcat(text, " ");
	}
	return text;
}

/* a/{d/{g h} e f/} b c/{i/{k} j}: breadth first. */
enum { A = 1, B, C, D, E, F, I, J, G, H, K };

static void plant(void)
{
	add(0, "a", KIND_DIRECTORY);
	add(0, "b", KIND_FILE);
	add(0, "c", KIND_DIRECTORY);
	add(A, "d", KIND_DIRECTORY);
	add(A, "e", KIND_FILE);
	add(A, "f", KIND_DIRECTORY);
	add(C, "i", KIND_DIRECTORY);
	add(C, "j", KIND_SYMLINK);
	add(D, "g", KIND_FILE);
	add(D, "h", KIND_FILE);
	assert_int_equal(add(I, "k", KIND_FILE), K);
}

static void a_new_tree_is_its_root(void **state)
{
	(void)state;
	assert_int_equal(tree->count, 1);
	assert_int_equal(tree->node[0].kind, KIND_DIRECTORY);
	assert_string_equal(tree_name(tree, 0), "");
	assert_int_equal(tree_next_in_path_order(tree, 0), 0);
	assert_int_equal(tree_number(tree), STATUS_OK);
	assert_int_equal(tree->entry_count, 1);
}

static void files_come_before_directories_in_path_order(void **state)
{
	(void)state;
	plant();
	assert_string_equal(in_path_order(), "b a e d g h f c j i k ");
	assert_int_equal(tree->node[A].first_child, D);
	assert_int_equal(tree->node[A].child_count, 3);
	assert_int_equal(tree->node[F].child_count, 0);
}

static void what_is_dropped_is_passed_over(void **state)
{
	(void)state;
	plant();
	tree_drop(tree, H);
	tree_drop(tree, C);
	tree_drop(tree, C);
	assert_int_equal(tree->dropped_count, 5);
	assert_string_equal(in_path_order(), "b a e d g f ");
	tree_drop(tree, D);
	tree_drop(tree, B);
	assert_string_equal(in_path_order(), "a e f ");
}

/* The walk goes on from a node that was dropped when its turn came. */
static void the_walk_survives_a_drop_where_it_stands(void **state)
{
	char seen[64] = "";

	(void)state;
	plant();
	for (uint32_t i = 0; (i = tree_next_in_path_order(tree, i));) {
		strcat(seen, tree_name(tree, i));
		if (i == E || i == D || i == J)
			tree_drop(tree, i);
	}
	assert_string_equal(seen, "baedfcjik");
}

static void ids_skip_what_was_dropped(void **state)
{
	(void)state;
	plant();
	tree_drop(tree, B);
	tree_drop(tree, D);
	assert_int_equal(tree_number(tree), STATUS_OK);
	assert_int_equal(tree->entry_count, 8);
	assert_int_equal(tree->id[0], 0);
	assert_int_equal(tree->id[A], 1);
	assert_int_equal(tree->id[C], 2);
	assert_int_equal(tree->id[E], 3);
	assert_int_equal(tree->id[K], 7);
	assert_int_equal(tree->id[tree->count], 8);
	/* The children of A: from the id of the first to that behind the last. */
	assert_int_equal(tree->id[D + 3] - tree->id[D], 2);
}

static void the_first_link_left_takes_the_place_of_its_file(void **state)
{
	uint32_t x, y, z;

	(void)state;
	plant();
	tree->node[B] = (struct node){.name_off = tree->node[B].name_off,
	                              .name_len = 1,
	                              .links = 1,
	                              .kind = KIND_FILE,
	                              .size = 77,
	                              .mode = 0640,
	                              .mtime = -5};
	tree->extra[B].uid = 12;
	x = link_to(K, "x", B);
	y = link_to(K, "y", B);
	z = link_to(K, "z", B);
	tree_drop(tree, x);
	assert_int_equal(tree->node[B].links, 3);
	tree_drop(tree, B);
	assert_int_equal(tree->node[y].kind, KIND_FILE);
	assert_int_equal(tree->node[y].links, 2);
	assert_true(tree->node[y].size == 77 && tree->node[y].mtime == -5);
	assert_int_equal(tree->node[y].mode, 0640);
	assert_int_equal(tree->extra[y].uid, 12);
	assert_string_equal(tree_name(tree, y), "y");
	assert_int_equal(tree->node[z].kind, KIND_HARDLINK);
	assert_int_equal(tree->node[z].place, y);
	tree_drop(tree, y);
	assert_int_equal(tree->node[z].kind, KIND_FILE);
	assert_int_equal(tree->node[z].links, 1);
}

static void a_directory_goes_with_both_ends_of_a_link(void **state)
{
	uint32_t inside, outside;

	(void)state;
	plant();
	inside = link_to(I, "l", G);
	outside = link_to(F, "m", G);
	tree_drop(tree, D); /* G with it */
	assert_int_equal(tree->node[inside].kind, KIND_FILE);
	assert_int_equal(tree->node[inside].links, 2);
	assert_int_equal(tree->node[outside].place, inside);
	tree_drop(tree, inside);
	assert_int_equal(tree->node[outside].kind, KIND_FILE);
	assert_int_equal(tree->node[outside].links, 1);
}

/* Files of one to five names, in directories beside and below one another: whatever goes, each
 * that has a name left is there once, under the first, and the others lead to it. */
static void whatever_goes_each_file_is_there_once(void **state)
{
	enum { DIRECTORIES = 40, FILES = 60, NAMES = 5 };
	uint32_t name[FILES][NAMES], at[DIRECTORIES * 2], count[FILES] = {0}, directories = 0;
	char text[24];

	(void)state;
	for (uint32_t i = 0; i < DIRECTORIES; i++) {
		snprintf(text, sizeof text, "d%03u", i);
		at[directories++] = add(0, text, KIND_DIRECTORY);
	}
	for (uint32_t i = 0; i < DIRECTORIES; i++) {
		at[directories++] = add(at[i], "d", KIND_DIRECTORY);
		for (uint32_t f = 0; f < FILES; f++) {
			if (count[f] == NAMES || randombytes_uniform(8))
				continue;
			snprintf(text, sizeof text, "f%03u", f);
			name[f][count[f]] = add(at[i], text, KIND_FILE);
			if (count[f])
				tree_link(tree, name[f][count[f]], name[f][0]);
			else
				tree->node[name[f][0]].size = 1000 + f;
			count[f]++;
		}
	}
	for (int round = 0; round < 200; round++) {
		uint32_t f = randombytes_uniform(FILES);

		if (randombytes_uniform(10) == 0)
			tree_drop(tree, at[randombytes_uniform(directories)]);
		else if (count[f])
			tree_drop(tree, name[f][randombytes_uniform(count[f])]);
		for (f = 0; f < FILES; f++) {
			uint32_t first = 0, left = 0;

			for (uint32_t i = 0; i < count[f]; i++) {
				const struct node *n = &tree->node[name[f][i]];

				if (n->dropped)
					continue;
				left++;
				first = first ? first : name[f][i];
				assert_int_equal(n->kind,
				                 first == name[f][i] ? KIND_FILE : KIND_HARDLINK);
				if (n->kind == KIND_HARDLINK)
					assert_int_equal(n->place, first);
			}
			if (first) {
				assert_int_equal(tree->node[first].links, left);
				assert_int_equal(tree->node[first].size, 1000 + f);
				snprintf(text, sizeof text, "f%03u", f);
				assert_string_equal(tree_name(tree, first), text);
			}
		}
	}
}

static void set_base(char *base)
{
	tree->base = malloc(3 * sizeof *tree->base);
	assert_non_null(tree->base);
	tree->base[0] = tree->base[1] = tree->base[2] = base;
}

static void paths_begin_where_the_source_was(void **state)
{
	char empty[] = "", root[] = "/", other[] = "/some/where", path[32];

	(void)state;
	plant();
	set_base(empty);
	assert_int_equal(tree_path(tree, K, path, sizeof path), STATUS_OK);
	assert_string_equal(path, "c/i/k");
	tree->base[2] = root;
	tree_path(tree, K, path, sizeof path);
	assert_string_equal(path, "/c/i/k");
	tree->base[2] = other;
	tree_path(tree, K, path, sizeof path);
	assert_string_equal(path, "/some/where/c/i/k");
	tree_path(tree, B, path, sizeof path);
	assert_string_equal(path, "b");
	tree_inner_path(tree, K, path, sizeof path);
	assert_string_equal(path, "c/i/k");
	tree_inner_path(tree, 0, path, sizeof path);
	assert_string_equal(path, "");
	assert_int_equal(tree_path(tree, K, path, 18), STATUS_OK);
	assert_int_equal(tree_path(tree, K, path, 17), STATUS_TOOBIG);
	assert_string_equal(path, "");
}

static void many_nodes_are_kept(void **state)
{
	char name[16];
	uint32_t seen = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "%06u", i);
		add(0, name, i % 3 ? KIND_FILE : KIND_DIRECTORY);
	}
	for (uint32_t i = 0; (i = tree_next_in_path_order(tree, i)); seen++)
		;
	assert_int_equal(seen, 100000);
	assert_string_equal(tree_name(tree, 77778), "077777");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_tree_is_its_root),
		TEST(files_come_before_directories_in_path_order),
		TEST(what_is_dropped_is_passed_over),
		TEST(the_walk_survives_a_drop_where_it_stands),
		TEST(ids_skip_what_was_dropped),
		TEST(the_first_link_left_takes_the_place_of_its_file),
		TEST(a_directory_goes_with_both_ends_of_a_link),
		TEST(whatever_goes_each_file_is_there_once),
		TEST(paths_begin_where_the_source_was),
		TEST(many_nodes_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
