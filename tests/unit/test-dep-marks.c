/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .dep_NAME beside an artifact. */
#include "core/engine/dep-marks.h"

#include "tests/unit/faketree.h"

#define ARTIFACT "/var/lib/dkms/top/1.0/6.1/x86_64"

static char *read_mark(struct faketree *tree, const char *name)
{
	g_autofree char *path = g_strconcat(ARTIFACT "/.dep_", name, NULL);

	return ks_root_read_file(tree->root, path, 100, NULL, NULL);
}

static void link_version(struct faketree *tree, const char *name, const char *to)
{
	g_autofree char *link =
		g_strdup_printf("/var/lib/dkms/%s/kernel-6.1-x86_64", name);
	g_autofree char *full = faketree_path(tree, link);

	g_assert_cmpint(symlink(to, full), ==, 0);
}

static void check(struct faketree *tree, bool rebuild)
{
	char *depends[] = {(char *)"spl", (char *)"zlib", (char *)"absent", NULL};
	struct ks_conf conf = {.build_depends = depends,
			       .build_depends_rebuild = rebuild};
	struct ks_source source = {.name = (char *)"top", .version = (char *)"1.0"};
	struct ks_kernel kernel = {.release = (char *)"6.1", .arch = (char *)"x86_64"};
	struct ks_target target = {.source = &source, .kernel = &kernel, .conf = &conf};
	g_autoptr(GError) error = NULL;

	link_version(tree, "spl", "2.2.4/6.1/x86_64");
	link_version(tree, "zlib", "/var/lib/dkms/zlib/1.3/6.1/x86_64");
	faketree_write(tree, ARTIFACT "/module/top.ko", "");
	g_assert_true(ks_dep_marks_write(tree->system, &target, &error));
	g_assert_no_error(error);
}

static void test_versions_of_what_is_installed(struct faketree *tree, gconstpointer data)
{
	g_autofree char *spl = NULL, *zlib = NULL, *absent = NULL;

	check(tree, true);
	spl = read_mark(tree, "spl");
	zlib = read_mark(tree, "zlib");
	absent = read_mark(tree, "absent");
	g_assert_cmpstr(spl, ==, "2.2.4\n");
	g_assert_cmpstr(zlib, ==, "1.3\n");
	g_assert_null(absent);
}

static void test_none_without_rebuild(struct faketree *tree, gconstpointer data)
{
	g_autofree char *spl = NULL;

	check(tree, false);
	spl = read_mark(tree, "spl");
	g_assert_null(spl);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/dep-marks/versions-of-what-is-installed", struct faketree, NULL,
		   faketree_set_up, test_versions_of_what_is_installed,
		   faketree_tear_down);
	g_test_add("/dep-marks/none-without-rebuild", struct faketree, NULL,
		   faketree_set_up, test_none_without_rebuild, faketree_tear_down);
	return g_test_run();
}
