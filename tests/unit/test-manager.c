/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package manager a tree has: recorder and package format agree. */
#include "core/record/manager.h"

#include <glib/gstdio.h>

#include "core/package/make.h"
#include "core/record/record.h"
#include "tests/unit/faketree.h"

/* Every program of every manager is installed. */
static void install_programs(struct faketree *tree)
{
	g_free(tree->system->libexec_dir);
	tree->system->libexec_dir = faketree_path(tree, "/libexec");
	for (const struct ks_manager *manager = ks_managers; manager->name; manager++) {
		g_autofree char *path = g_strconcat("/libexec/", manager->recorder, NULL);
		g_autofree char *full = faketree_path(tree, path);

		faketree_write(tree, path, "");
		g_assert_cmpint(g_chmod(full, 0755), ==, 0);
	}
}

static void assert_is(struct faketree *tree, const char *recorder, const char *format)
{
	g_autofree char *program = ks_record_find_recorder(tree->system);
	g_autofree char *name = program ? g_path_get_basename(program) : NULL;

	g_assert_cmpstr(name, ==, recorder);
	g_assert_cmpstr(ks_package_own_format(tree->system), ==, format);
}

static void test_any_database_marks_its_manager(struct faketree *tree, gconstpointer data)
{
	install_programs(tree);
	assert_is(tree, NULL, NULL);
	for (const struct ks_manager *manager = ks_managers; manager->name; manager++) {
		g_assert_true(ks_package_is_format(manager->format));
		for (const char *const *path = manager->databases; *path; path++) {
			g_autofree char *full = faketree_path(tree, *path);

			g_test_message("%s", *path);
			faketree_write(tree, *path, "");
			assert_is(tree, manager->recorder, manager->format);
			g_assert_cmpint(g_unlink(full), ==, 0);
		}
	}
}

/* rpm and pacman can be installed on Debian, dpkg and pacman on Fedora. */
static void test_the_first_of_several_counts(struct faketree *tree, gconstpointer data)
{
	install_programs(tree);
	faketree_write(tree, "/etc/pacman.conf", "");
	assert_is(tree, "recorder-alpm", "pacman");
	faketree_write(tree, "/var/lib/rpm/rpmdb.sqlite", "");
	assert_is(tree, "recorder-rpm", "rpm");
	faketree_write(tree, "/var/lib/dpkg/status", "");
	assert_is(tree, "recorder-dpkg", "deb");
}

static void test_a_manager_without_its_recorder_is_passed_over(struct faketree *tree,
							       gconstpointer data)
{
	g_autofree char *dpkg = NULL;

	install_programs(tree);
	dpkg = faketree_path(tree, "/libexec/recorder-dpkg");
	g_assert_cmpint(g_unlink(dpkg), ==, 0);
	faketree_write(tree, "/var/lib/dpkg/status", "");
	assert_is(tree, NULL, "deb");
	faketree_write(tree, "/var/lib/rpm/rpmdb.sqlite", "");
	assert_is(tree, "recorder-rpm", "deb");
	g_assert_false(ks_package_is_format("tar"));
}

#define ADD(name, func)                                                                  \
	g_test_add("/manager/" name, struct faketree, NULL, faketree_set_up, func,       \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("any of its databases marks a manager", test_any_database_marks_its_manager);
	ADD("the first of several counts", test_the_first_of_several_counts);
	ADD("one without its recorder is passed over",
	    test_a_manager_without_its_recorder_is_passed_over);
	return g_test_run();
}
