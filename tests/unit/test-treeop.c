/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying and removing trees. */
#include "core/support/treeop.h"

#include <fcntl.h>

#include "tests/unit/faketree.h"

static void copy_keeps_what_matters(struct faketree *t, gconstpointer data)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	g_autofree char *program = faketree_path(t, "/src/dir/run");
	g_autofree char *readonly = faketree_path(t, "/src/dir");
	g_autofree char *link = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;

	faketree_write(t, "/src/dir/run", "#!/bin/sh\n");
	faketree_write(t, "/src/empty", "");
	faketree_link(t, "/absolute/target", "/src/dir/link");
	g_assert_cmpint(chmod(program, 04751), ==, 0);
	g_assert_cmpint(utimensat(AT_FDCWD, program, times, 0), ==, 0);
	g_assert_cmpint(chmod(readonly, 0555), ==, 0);
	g_assert_true(ks_treeop_copy(t->root, "/src", "/new/copy", NULL, &error));
	g_assert_no_error(error);
	text = faketree_read(t, "/new/copy/dir/run");
	g_assert_cmpstr(text, ==, "#!/bin/sh\n");
	g_assert_true(ks_root_lstat(t->root, "/new/copy/dir/run", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0751);
	g_assert_cmpint(st.st_mtim.tv_sec, ==, 2000);
	link = ks_root_readlink(t->root, "/new/copy/dir/link");
	g_assert_cmpstr(link, ==, "/absolute/target");
	g_assert_true(ks_root_lstat(t->root, "/new/copy/dir", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_true(ks_root_exists(t->root, "/new/copy/empty"));
	/* what stands there already is not touched */
	g_assert_false(ks_treeop_copy(t->root, "/src", "/new/copy", NULL, &error));
	g_assert_nonnull(error);
	chmod(readonly, 0755);
}

static void copy_follows_only_the_link_it_is_given(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/usr/src/m-1/f", "x");
	faketree_link(t, "/usr/src/m-1", "/var/source");
	g_assert_true(ks_treeop_copy(t->root, "/var/source", "/build", NULL, &error));
	g_assert_no_error(error);
	g_assert_true(ks_root_exists(t->root, "/build/f"));
}

static void copy_refuses_special_files(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_fifo(t, "/src/sub/fifo");
	g_assert_false(ks_treeop_copy(t->root, "/src", "/copy", NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "/src/sub/fifo'"));
}

static void copy_is_bounded(struct faketree *t, gconstpointer data)
{
	struct ks_treeop_copy_options options = {.max_bytes = 9};
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/src/a", "12345");
	faketree_write(t, "/src/b", "12345");
	g_assert_false(ks_treeop_copy(t->root, "/src", "/c1", &options, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	options.max_bytes = 10;
	options.max_entries = 1;
	g_assert_false(ks_treeop_copy(t->root, "/src", "/c2", &options, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	options.max_entries = 2;
	g_assert_true(ks_treeop_copy(t->root, "/src", "/c3", &options, &error));
	g_assert_no_error(error);
}

static void copy_gives_the_owner(struct faketree *t, gconstpointer data)
{
	struct ks_treeop_copy_options options = {
		.chown = true, .uid = 12345, .gid = 12346};
	static const char *const paths[] = {"/copy", "/copy/d", "/copy/d/f", "/copy/l"};
	g_autoptr(GError) error = NULL;
	struct stat st;

	if (geteuid() != 0) {
		g_test_skip("only root may give files away");
		return;
	}
	faketree_write(t, "/src/d/f", "x");
	faketree_link(t, "d/f", "/src/l");
	g_assert_true(ks_treeop_copy(t->root, "/src", "/copy", &options, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_assert_true(ks_root_lstat(t->root, paths[i], &st));
		g_assert_cmpuint(st.st_uid, ==, 12345);
		g_assert_cmpuint(st.st_gid, ==, 12346);
	}
	g_assert_true(ks_root_lstat(t->root, "/src/d/f", &st));
	g_assert_cmpuint(st.st_uid, ==, 0);
}

/* Otherwise anybody could write a file that root may run later. */
static void copy_for_root_is_roots_alone(struct faketree *t, gconstpointer data)
{
	struct ks_treeop_copy_options options = {.chown = true};
	static const char *const paths[] = {"/src", "/src/d", "/src/d/f"};
	static const char *const copies[] = {"/copy", "/copy/d", "/copy/d/f"};
	struct stat st;

	if (geteuid() != 0) {
		g_test_skip("only root may give files away");
		return;
	}
	faketree_write(t, "/src/d/f", "x");
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *path = faketree_path(t, paths[i]);

		g_assert_cmpint(chmod(path, 0777), ==, 0);
	}
	g_assert_true(ks_treeop_copy(t->root, "/src", "/copy", &options, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(copies); i++) {
		g_assert_true(ks_root_lstat(t->root, copies[i], &st));
		g_assert_cmpuint(st.st_mode & 0777, ==, 0755);
	}
}

/* Deeper than PATH_MAX and than there are descriptors; only relative names reach it. */
static void make_deep(struct faketree *t, const char *path, int depth)
{
	g_autofree char *top = faketree_path(t, path);
	int fd;

	g_assert_cmpint(mkdir(top, 0755), ==, 0);
	fd = open(top, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < depth; i++) {
		int next;

		g_assert_cmpint(mkdirat(fd, "deeper", 0755), ==, 0);
		next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY);
		g_assert_cmpint(next, >=, 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void remove_takes_trees_of_any_depth(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	make_deep(t, "/deep", 2500);
	g_assert_false(ks_treeop_copy(t->root, "/deep", "/copy", NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_true(ks_treeop_remove(t->root, "/copy", &error));
	g_assert_true(ks_treeop_remove(t->root, "/deep", &error));
	g_assert_no_error(error);
	g_assert_false(ks_root_exists(t->root, "/deep"));
}

static void remove_leaves_targets_of_links(struct faketree *t, gconstpointer data)
{
	g_autofree char *locked = faketree_path(t, "/tree/locked");
	g_autoptr(GError) error = NULL;

	faketree_write(t, "/keep/f", "x");
	faketree_link(t, "/keep", "/tree/sub/link");
	faketree_link(t, "../keep", "/tree/link");
	faketree_fifo(t, "/tree/fifo");
	faketree_write(t, "/tree/locked/f", "x");
	g_assert_cmpint(chmod(locked, 0500), ==, 0);
	faketree_link(t, "/keep", "/link");
	g_assert_true(ks_treeop_remove(t->root, "/tree", &error));
	g_assert_no_error(error);
	g_assert_true(ks_treeop_remove(t->root, "/link", &error));
	g_assert_true(ks_treeop_remove(t->root, "/not/there", &error));
	g_assert_no_error(error);
	g_assert_false(ks_root_exists(t->root, "/tree"));
	g_assert_false(ks_root_exists(t->root, "/link"));
	g_assert_true(ks_root_exists(t->root, "/keep/f"));
}

static void prune_removes_empty_parents_only(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_mkdir(t, "/var/a/b/c");
	faketree_write(t, "/var/a/keep", "");
	g_assert_true(ks_treeop_prune_empty(t->root, "/var/a/b/c", "/var", &error));
	g_assert_no_error(error);
	g_assert_false(ks_root_exists(t->root, "/var/a/b"));
	g_assert_true(ks_root_exists(t->root, "/var/a/keep"));
	faketree_mkdir(t, "/top/x/y");
	g_assert_true(ks_treeop_prune_empty(t->root, "/top/x/y/gone", "/top/", &error));
	g_assert_no_error(error);
	g_assert_false(ks_root_exists(t->root, "/top/x"));
	g_assert_true(ks_root_exists(t->root, "/top"));
	g_assert_false(ks_treeop_prune_empty(t->root, "/topmost", "/top", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_false(ks_treeop_prune_empty(t->root, "/var/a/keep", "/var", &error));
	g_assert_nonnull(error);
}

#define ADD(name)                                                                        \
	g_test_add("/treeop/" #name, struct faketree, NULL, faketree_set_up, name,       \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(copy_keeps_what_matters);
	ADD(copy_follows_only_the_link_it_is_given);
	ADD(copy_refuses_special_files);
	ADD(copy_is_bounded);
	ADD(copy_gives_the_owner);
	ADD(copy_for_root_is_roots_alone);
	ADD(remove_takes_trees_of_any_depth);
	ADD(remove_leaves_targets_of_links);
	ADD(prune_removes_empty_parents_only);
	return g_test_run();
}
