/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths inside a tree, and the ways out of it. */
#include "tests/unit/faketree.h"

static void absolute_link_stays_inside(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree char *real = NULL;
	g_autofree char *link = NULL;

	faketree_write(s, "/etc/passwd", "inside");
	faketree_link(s, "/etc/passwd", "/link");
	text = ks_root_read_file(s->root, "/link", 100, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, "inside");
	real = ks_root_realpath(s->root, "/link");
	g_assert_cmpstr(real, ==, "/etc/passwd");
	link = ks_root_readlink(s->root, "/link");
	g_assert_cmpstr(link, ==, "/etc/passwd");
}

static void chain_of_dots_stays_inside(struct faketree *s, gconstpointer data)
{
	g_autofree char *real = NULL;
	struct stat st;

	faketree_mkdir(s, "/a/b");
	faketree_mkdir(s, "/etc");
	faketree_link(s, "../../../../../../../../etc/hostname", "/a/b/up");
	g_assert_false(ks_root_stat(s->root, "/a/b/up", &st));
	g_assert_cmpint(errno, ==, ENOENT);
	g_assert_false(ks_root_exists(s->root, "/../../../../../etc/hostname"));
	faketree_write(s, "/etc/hostname", "inside");
	g_assert_true(ks_root_exists(s->root, "/a/b/up"));
	real = ks_root_realpath(s->root, "/a/b/../b/./up");
	g_assert_cmpstr(real, ==, "/etc/hostname");
}

static void link_in_a_directory_on_the_way_is_followed(struct faketree *s,
						       gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const char *name = NULL;
	struct stat by_fd, by_path;
	ks_autofd int fd = -1;
	g_autofree char *real = NULL;

	faketree_write(s, "/usr/lib/modules/1/x", "x");
	faketree_link(s, "/usr/lib", "/lib");
	fd = ks_root_open_parent(s->root, "/lib/modules/1/x", &name, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(name, ==, "x");
	g_assert_cmpint(fstat(fd, &by_fd), ==, 0);
	g_assert_true(ks_root_lstat(s->root, "/usr/lib/modules/1", &by_path));
	g_assert_cmpuint(by_fd.st_ino, ==, by_path.st_ino);
	real = ks_root_realpath(s->root, "/lib/modules");
	g_assert_cmpstr(real, ==, "/usr/lib/modules");
}

static void open_parent_refuses_what_names_no_entry(struct faketree *s,
						    gconstpointer data)
{
	static const char *const paths[] = {"/", "/a/", "/a/..", "/a/.", ""};

	faketree_mkdir(s, "/a");
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;
		const char *name = "untouched";

		g_assert_cmpint(ks_root_open_parent(s->root, paths[i], &name, &error), ==,
				-1);
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_cmpstr(name, ==, "untouched");
	}
}

static void link_loop_is_an_error(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct stat st;

	faketree_link(s, "b", "/a");
	faketree_link(s, "/a", "/b");
	g_assert_false(ks_root_stat(s->root, "/a", &st));
	g_assert_cmpint(errno, ==, ELOOP);
	g_assert_true(ks_root_lstat(s->root, "/a", &st));
	g_assert_true(S_ISLNK(st.st_mode));
	g_assert_null(ks_root_realpath(s->root, "/a/x"));
	g_assert_null(ks_root_read_file(s->root, "/a", 10, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
}

static void reading_a_fifo_is_an_error_and_does_not_wait(struct faketree *s,
							 gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_fifo(s, "/fifo");
	g_assert_null(ks_root_read_file(s->root, "/fifo", 10, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void reading_is_bounded(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	size_t size = 77;

	faketree_write(s, "/f", "12345");
	g_assert_null(ks_root_read_file(s->root, "/f", 4, &size, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpuint(size, ==, 77);
	g_clear_error(&error);
	text = ks_root_read_file(s->root, "/f", 5, &size, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(size, ==, 5);
	g_assert_cmpstr(text, ==, "12345");
}

static void missing_file_is_not_found(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(ks_root_read_file(s->root, "/none", 4, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "/none': "));
	g_assert_null(ks_root_realpath(s->root, "/none"));
	g_assert_null(ks_root_readlink(s->root, "/none"));
}

static void list_is_sorted_and_a_missing_directory_is_empty(struct faketree *s,
							    gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GPtrArray) none = NULL;

	faketree_write(s, "/d/b", "");
	faketree_write(s, "/d/a", "");
	faketree_write(s, "/d/B", "");
	faketree_write(s, "/d/.c", "");
	names = ks_root_list(s->root, "/d", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(names->len, ==, 4);
	g_assert_cmpstr(names->pdata[0], ==, ".c");
	g_assert_cmpstr(names->pdata[1], ==, "B");
	g_assert_cmpstr(names->pdata[2], ==, "a");
	g_assert_cmpstr(names->pdata[3], ==, "b");
	none = ks_root_list(s->root, "/nothing/here", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(none->len, ==, 0);
	g_assert_null(ks_root_list(s->root, "/d/a", &error));
	g_assert_nonnull(error);
}

static void list_of_a_type_follows_no_link(struct faketree *s, gconstpointer data)
{
	static const mode_t types[] = {S_IFREG, S_IFDIR, S_IFLNK};
	static const char *const expected[] = {"file", "sub", "to-sub"};

	faketree_write(s, "/d/file", "");
	faketree_mkdir(s, "/d/sub");
	faketree_link(s, "sub", "/d/to-sub");
	faketree_fifo(s, "/d/fifo");
	for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) names =
			ks_root_list_type(s->root, "/d", types[i], &error);

		g_assert_no_error(error);
		g_assert_cmpuint(names->len, ==, 1);
		g_assert_cmpstr(names->pdata[0], ==, expected[i]);
	}
}

static void mkdir_p_makes_exact_modes_and_follows_links(struct faketree *s,
							gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	mode_t old = umask(077);
	struct stat st;

	faketree_mkdir(s, "/real");
	faketree_link(s, "/real", "/link");
	g_assert_true(ks_root_mkdir_p(s->root, "/link/a//b", 0755, &error));
	g_assert_no_error(error);
	g_assert_true(ks_root_lstat(s->root, "/real/a/b", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_true(ks_root_lstat(s->root, "/real/a", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_true(ks_root_mkdir_p(s->root, "/link/a/b/", 0700, &error));
	g_assert_no_error(error);
	umask(old);
}

static void mkdir_p_through_a_file_fails(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(s, "/file", "");
	g_assert_false(ks_root_mkdir_p(s->root, "/file/a", 0755, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	faketree_link(s, "/dangling-target", "/dangling");
	g_assert_false(ks_root_mkdir_p(s->root, "/dangling/a", 0755, &error));
	g_assert_nonnull(error);
	g_assert_false(ks_root_exists(s->root, "/dangling-target"));
}

static void prefix_and_host_path_of_a_tree(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *host_path = ks_root_host_path(s->root, "/x/y");
	g_autofree char *expected = g_strconcat(ks_root_prefix(s->root), "/x/y", NULL);
	ks_auto(ks_root) host = ks_root_open("/", &error);
	g_autofree char *plain = NULL;

	g_assert_no_error(error);
	g_assert_cmpstr(host_path, ==, expected);
	g_assert_false(ks_root_is_host(s->root));
	g_assert_true(ks_root_is_host(host));
	g_assert_cmpstr(ks_root_prefix(host), ==, "");
	plain = ks_root_host_path(host, "/x/y");
	g_assert_cmpstr(plain, ==, "/x/y");
	g_assert_null(ks_root_open("/nonexistent/root", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
}

static void system_has_the_standard_directories(struct faketree *s, gconstpointer data)
{
	g_assert_cmpstr(s->system->dkms_tree, ==, "/var/lib/dkms");
	g_assert_cmpstr(s->system->install_tree, ==, "/lib/modules");
	g_assert_cmpstr(s->system->state_dir, ==, "/var/lib/kmodsmith");
	g_assert_true(*s->system->libexec_dir == '/');
}

#define ADD(name)                                                                        \
	g_test_add("/root/" #name, struct faketree, NULL, faketree_set_up, name,         \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(absolute_link_stays_inside);
	ADD(chain_of_dots_stays_inside);
	ADD(link_in_a_directory_on_the_way_is_followed);
	ADD(open_parent_refuses_what_names_no_entry);
	ADD(link_loop_is_an_error);
	ADD(reading_a_fifo_is_an_error_and_does_not_wait);
	ADD(reading_is_bounded);
	ADD(missing_file_is_not_found);
	ADD(list_is_sorted_and_a_missing_directory_is_empty);
	ADD(list_of_a_type_follows_no_link);
	ADD(mkdir_p_makes_exact_modes_and_follows_links);
	ADD(mkdir_p_through_a_file_fails);
	ADD(prefix_and_host_path_of_a_tree);
	ADD(system_has_the_standard_directories);
	return g_test_run();
}
