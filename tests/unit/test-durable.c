/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing files: the old one or the new one, and nothing beside. */
#include "core/support/durable.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/faketree.h"

static void write_replaces_and_makes_parents(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	mode_t old = umask(077);
	struct stat st;

	g_assert_true(ks_durable_write(s->root, "/a/b/f", "one", 3, 0644, &error));
	g_assert_no_error(error);
	g_assert_true(ks_durable_write(s->root, "/a/b/f", "second", 6, 0755, &error));
	g_assert_no_error(error);
	umask(old);
	{
		g_autofree char *text = faketree_read(s, "/a/b/f");

		g_assert_cmpstr(text, ==, "second");
	}
	g_assert_true(ks_root_lstat(s->root, "/a/b/f", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_true(ks_root_lstat(s->root, "/a/b", &st));
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_cmpuint(faketree_count(s, "/a/b"), ==, 1);
}

static void failed_write_leaves_the_old_entry(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	/* rename(2) of a file onto a directory fails after the temporary was written */
	faketree_write(s, "/d/dir/keep", "kept");
	g_assert_false(ks_durable_write(s->root, "/d/dir", "new", 3, 0644, &error));
	g_assert_nonnull(error);
	text = faketree_read(s, "/d/dir/keep");
	g_assert_cmpstr(text, ==, "kept");
	g_assert_cmpuint(faketree_count(s, "/d"), ==, 1);
}

static void failed_fill_leaves_the_old_file(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	if (g_test_subprocess()) {
		struct rlimit limit = {.rlim_cur = 2, .rlim_max = 2};

		/* not as long as "new text": write(2) gives EFBIG in the middle */
		signal(SIGXFSZ, SIG_IGN);
		g_assert_true(ks_durable_write(s->root, "/d/f", "ok", 2, 0644, &error));
		g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
		g_assert_false(
			ks_durable_write(s->root, "/d/f", "new text", 8, 0644, &error));
		g_assert_nonnull(error);
		text = faketree_read(s, "/d/f");
		g_assert_cmpstr(text, ==, "ok");
		g_assert_cmpuint(faketree_count(s, "/d"), ==, 1);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
}

static void write_replaces_a_link_and_not_its_target(struct faketree *s,
						     gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *target = NULL;
	struct stat st;

	faketree_write(s, "/target", "old");
	faketree_link(s, "target", "/link");
	g_assert_true(ks_durable_write(s->root, "/link", "new", 3, 0600, &error));
	g_assert_no_error(error);
	target = faketree_read(s, "/target");
	g_assert_cmpstr(target, ==, "old");
	g_assert_true(ks_root_lstat(s->root, "/link", &st));
	g_assert_true(S_ISREG(st.st_mode));
}

static void symlink_replaces_link_and_file(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(s, "/d/x", "file");
	for (int i = 0; i < 2; i++) {
		const char *target = i ? "second" : "first";
		g_autofree char *text = NULL;

		g_assert_true(ks_durable_symlink(s->root, target, "/d/x", &error));
		g_assert_no_error(error);
		text = ks_root_readlink(s->root, "/d/x");
		g_assert_cmpstr(text, ==, target);
	}
	g_assert_cmpuint(faketree_count(s, "/d"), ==, 1);
}

static void rename_moves_between_directories(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	faketree_write(s, "/from/f", "text");
	g_assert_true(ks_durable_rename(s->root, "/from/f", "/to/deep/g", &error));
	g_assert_no_error(error);
	text = faketree_read(s, "/to/deep/g");
	g_assert_cmpstr(text, ==, "text");
	g_assert_cmpuint(faketree_count(s, "/from"), ==, 0);
	g_assert_false(ks_durable_rename(s->root, "/from/f", "/to/deep/g", &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_true(ks_root_exists(s->root, "/to/deep/g"));
}

static void unlink_of_nothing_is_success(struct faketree *s, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(s, "/d/f", "");
	g_assert_true(ks_durable_unlink(s->root, "/d/f", &error));
	g_assert_true(ks_durable_unlink(s->root, "/d/f", &error));
	g_assert_true(ks_durable_unlink(s->root, "/none/at/all", &error));
	g_assert_no_error(error);
	g_assert_cmpuint(faketree_count(s, "/d"), ==, 0);
	g_assert_false(ks_durable_unlink(s->root, "/d", &error));
	g_assert_nonnull(error);
	g_assert_true(ks_root_exists(s->root, "/d"));
}

#define ADD(name)                                                                        \
	g_test_add("/durable/" #name, struct faketree, NULL, faketree_set_up, name,      \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(write_replaces_and_makes_parents);
	ADD(failed_write_leaves_the_old_entry);
	ADD(failed_fill_leaves_the_old_file);
	ADD(write_replaces_a_link_and_not_its_target);
	ADD(symlink_replaces_link_and_file);
	ADD(rename_moves_between_directories);
	ADD(unlink_of_nothing_is_success);
	return g_test_run();
}
