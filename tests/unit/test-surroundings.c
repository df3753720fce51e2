/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/kernel/surroundings.h"

#include <sys/stat.h>

#include "tests/unit/faketree.h"

#define HEADERS "/usr/src/linux-headers-6.1.0-56-amd64"
#define SCRIPTS "/usr/lib/linux-kbuild-6.1/scripts"

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
	char *before;
};

static char *real(const struct fixture *fixture, const char *path)
{
	return g_strconcat(fixture->tree.dir, path, NULL);
}

static void write_file(const struct fixture *fixture, const char *path)
{
	g_autofree char *file = real(fixture, path);
	g_autofree char *dir = g_path_get_dirname(file);

	g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
	g_assert_true(g_file_set_contents(file, "text", -1, NULL));
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *link = NULL;

	faketree_set_up(&fixture->tree, data);
	fixture->kernel = (struct ks_kernel){
		.arch = (char *)"x86_64",
		.release = (char *)"6.1.0-56-amd64",
		.modules_dir = (char *)"/lib/modules/6.1.0-56-amd64",
		.headers_dir = (char *)"/lib/modules/6.1.0-56-amd64/build",
	};
	write_file(fixture, "/lib/modules/6.1.0-56-amd64/modules.order");
	write_file(fixture, HEADERS "/include/linux/kconfig.h");
	write_file(fixture, SCRIPTS "/basic/fixdep");
	write_file(fixture, "/usr/bin/make");
	write_file(fixture, "/var/lib/dpkg/info/make.list");
	link = real(fixture, "/lib/modules/6.1.0-56-amd64/build");
	g_assert_cmpint(symlink("../../.." HEADERS, link), ==, 0);
	g_free(link);
	link = real(fixture, HEADERS "/scripts");
	g_assert_cmpint(symlink("../../.." SCRIPTS, link), ==, 0);
	fixture->before = ks_kernel_surroundings(fixture->tree.system, &fixture->kernel);
	faketree_wait_for_tick();
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_free(fixture->before);
	faketree_tear_down(&fixture->tree, data);
}

static bool has_changed(const struct fixture *fixture)
{
	g_autofree char *after =
		ks_kernel_surroundings(fixture->tree.system, &fixture->kernel);

	return strcmp(after, fixture->before) != 0;
}

static void test_nothing_changed(struct fixture *fixture, gconstpointer data)
{
	g_assert_false(has_changed(fixture));
}

static void test_a_mode_of_a_headers_program(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *path = real(fixture, SCRIPTS "/basic/fixdep");

	g_assert_cmpint(chmod(path, 0755), ==, 0);
	g_assert_true(has_changed(fixture));
}

static void test_a_header_is_back(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, HEADERS "/include/generated/autoconf.h");
	g_assert_true(has_changed(fixture));
}

static void test_headers_are_reinstalled(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, HEADERS "/include/linux/kconfig.h");
	g_assert_true(has_changed(fixture));
}

static void test_headers_can_be_entered(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *path = real(fixture, "/usr/src");

	g_assert_cmpint(chmod(path, 0700), ==, 0);
	g_assert_true(has_changed(fixture));
}

static void test_a_program_by_hand(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, "/usr/local/bin/bc");
	g_assert_true(has_changed(fixture));
}

static void test_a_package(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, "/var/lib/dpkg/info/libelf-dev:amd64.list");
	g_assert_true(has_changed(fixture));
}

static void test_a_pacman_package(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, "/var/lib/pacman/local/libelf-0.191-1/desc");
	g_assert_true(has_changed(fixture));
}

static void test_a_record_of_our_own(struct fixture *fixture, gconstpointer data)
{
	write_file(fixture, "/var/lib/dpkg/info/kmod-foo-6.1.0-56-amd64.list");
	g_assert_false(has_changed(fixture));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function)                                                              \
	g_test_add("/surroundings/" path, struct fixture, NULL, set_up, function,        \
		   tear_down)
	ADD("are equal when nothing changed", test_nothing_changed);
	ADD("change with the mode of a headers' program behind a link",
	    test_a_mode_of_a_headers_program);
	ADD("change when a header is back", test_a_header_is_back);
	ADD("change when headers of the same version are reinstalled",
	    test_headers_are_reinstalled);
	ADD("change when the way to the headers can be entered",
	    test_headers_can_be_entered);
	ADD("change with a program that somebody puts there", test_a_program_by_hand);
	ADD("change with a package of dpkg's", test_a_package);
	ADD("change with a package of pacman's", test_a_pacman_package);
	ADD("do not change with a record that the run itself makes",
	    test_a_record_of_our_own);
#undef ADD
	return g_test_run();
}
