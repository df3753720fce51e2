/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/quarantine.h"

#include <string.h>

#include "tests/unit/faketree.h"

#define FILE_PATH "/var/lib/kmodsmith/failed/foo/1.0/6.1.0-56-amd64/x86_64"
#define OTHER_LOG "/var/lib/kmodsmith/failed/foo/1.0/6.1.0-55-amd64/x86_64.log"

static bool is_there(struct faketree *tree, const char *path)
{
	struct stat st;

	return ks_root_lstat(tree->root, path, &st);
}

static bool store(struct faketree *tree, const char *release)
{
	const struct ks_quarantine failure = {
		.fingerprint = (char *)"abc",
		.reason = KS_REASON_BUILD_FAILED,
		.step = (char *)"make",
		.first_error = (char *)"foo.c:3: error: \033[1mno\nsuch\xff",
		.log_path = (char *)"/var/lib/dkms/foo/1.0/build/make.log",
		.failed_at_us = 42,
	};

	return ks_quarantine_store(tree->system, &failure, "foo", "1.0", release,
				   "x86_64", NULL);
}

static void test_a_failure_is_remembered(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_quarantine) back = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	back = ks_quarantine_load(tree->system, "foo", "1.0", "6.1.0-56-amd64", "x86_64");
	g_assert_nonnull(back);
	g_assert_cmpstr(back->fingerprint, ==, "abc");
	g_assert_cmpint(back->reason, ==, KS_REASON_BUILD_FAILED);
	g_assert_cmpstr(back->step, ==, "make");
	g_assert_cmpint(back->failed_at_us, ==, 42);
}

static void test_an_error_line_cannot_drive_a_terminal(struct faketree *tree,
						       gconstpointer data)
{
	ks_auto(ks_quarantine) back = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	back = ks_quarantine_load(tree->system, "foo", "1.0", "6.1.0-56-amd64", "x86_64");
	g_assert_null(strchr(back->first_error, '\033'));
	g_assert_null(strchr(back->first_error, '\n'));
	g_assert_true(g_utf8_validate(back->first_error, -1, NULL));
	g_assert_true(g_str_has_prefix(back->first_error, "foo.c:3: error: "));
}

static void test_nothing_or_nonsense_is_no_failure(struct faketree *tree,
						   gconstpointer data)
{
	static const char *const texts[] = {"", "garbage", "[failure]\nreason=fun\n",
					    "[failure]\nreason=held\n"};

	g_assert_null(ks_quarantine_load(tree->system, "foo", "1.0", "6.1.0-56-amd64",
					 "x86_64"));
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		faketree_write(tree, FILE_PATH, texts[i]);
		g_assert_null(ks_quarantine_load(tree->system, "foo", "1.0",
						 "6.1.0-56-amd64", "x86_64"));
	}
}

static void test_clearing_one_kernel_keeps_the_others(struct faketree *tree,
						      gconstpointer data)
{
	ks_auto(ks_quarantine) other = NULL;
	g_autofree char *log = ks_quarantine_log_path(tree->system, "foo", "1.0",
						      "6.1.0-55-amd64", "x86_64");
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(log, ==, OTHER_LOG);
	g_assert_true(store(tree, "6.1.0-56-amd64"));
	g_assert_true(store(tree, "6.1.0-55-amd64"));
	faketree_write(tree, FILE_PATH ".log", "of 56");
	faketree_write(tree, OTHER_LOG, "of 55");
	g_assert_true(ks_quarantine_clear(tree->system, "foo", "1.0", "6.1.0-56-amd64",
					  "x86_64", &error));
	g_assert_no_error(error);
	g_assert_false(
		is_there(tree, "/var/lib/kmodsmith/failed/foo/1.0/6.1.0-56-amd64"));
	g_assert_true(is_there(tree, OTHER_LOG));
	other = ks_quarantine_load(tree->system, "foo", "1.0", "6.1.0-55-amd64",
				   "x86_64");
	g_assert_nonnull(other);
}

static void test_clearing_all_leaves_no_directory(struct faketree *tree,
						  gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	faketree_write(tree, FILE_PATH ".log", "of 56");
	g_assert_true(
		ks_quarantine_clear(tree->system, "foo", "1.0", NULL, NULL, &error));
	g_assert_no_error(error);
	g_assert_false(is_there(tree, "/var/lib/kmodsmith/failed/foo"));
	g_assert_true(
		ks_quarantine_clear(tree->system, "foo", "1.0", NULL, NULL, &error));
	g_assert_no_error(error);
}

#define ADD(name, func)                                                                  \
	g_test_add(name, struct faketree, NULL, faketree_set_up, func, faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/quarantine/a failure is remembered", test_a_failure_is_remembered);
	ADD("/quarantine/an error line cannot drive a terminal",
	    test_an_error_line_cannot_drive_a_terminal);
	ADD("/quarantine/nothing or nonsense is no failure",
	    test_nothing_or_nonsense_is_no_failure);
	ADD("/quarantine/clearing one kernel keeps the others",
	    test_clearing_one_kernel_keeps_the_others);
	ADD("/quarantine/clearing all leaves no directory",
	    test_clearing_all_leaves_no_directory);
	return g_test_run();
}
