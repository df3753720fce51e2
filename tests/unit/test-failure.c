/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/failure.h"

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
	const struct ks_failure failure = {
		.fingerprint = (char *)"abc",
		.reason = KS_REASON_BUILD_FAILED,
		.step = (char *)"make",
		.first_error = (char *)"foo.c:3: error: \033[1mno\nsuch\xff",
		.log_path = (char *)"/var/lib/dkms/foo/1.0/build/make.log",
		.failed_at_us = 42,
		.surroundings = (char *)"5678",
		.n_retries = 2,
		.spent_ms = 1500,
		.first_failed_at_us = 40,
	};

	return ks_failure_store(tree->system, &failure, "foo", "1.0", release, "x86_64",
				NULL);
}

static void test_a_failure_is_remembered(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_failure) back = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	back = ks_failure_load(tree->system, "foo", "1.0", "6.1.0-56-amd64", "x86_64");
	g_assert_nonnull(back);
	g_assert_cmpstr(back->fingerprint, ==, "abc");
	g_assert_cmpint(back->reason, ==, KS_REASON_BUILD_FAILED);
	g_assert_cmpstr(back->step, ==, "make");
	g_assert_cmpint(back->failed_at_us, ==, 42);
	g_assert_cmpstr(back->surroundings, ==, "5678");
	g_assert_cmpuint(back->n_retries, ==, 2);
	g_assert_cmpint(back->spent_ms, ==, 1500);
	g_assert_cmpint(back->first_failed_at_us, ==, 40);
}

static void test_what_fails_fast_may_always_be_tried(struct faketree *tree,
						     gconstpointer data)
{
	struct ks_failure failure = {
		.n_retries = 20, .spent_ms = 40000, .first_failed_at_us = 1000};

	g_assert_true(ks_failure_may_retry(&failure, 2000));
}

static void test_what_fails_slowly_is_tried_ever_more_rarely(struct faketree *tree,
							     gconstpointer data)
{
	const gint64 minute_us = 60 * G_USEC_PER_SEC;
	/* ten minutes each */
	struct ks_failure failure = {.spent_ms = 600000, .first_failed_at_us = 0};

	g_assert_true(ks_failure_may_retry(&failure, 11 * minute_us));
	failure.n_retries = 1;
	failure.spent_ms = 1200000;
	g_assert_false(ks_failure_may_retry(&failure, 1999 * minute_us));
	g_assert_true(ks_failure_may_retry(&failure, 2000 * minute_us));
	failure.n_retries = 2;
	failure.spent_ms = 1800000;
	g_assert_false(ks_failure_may_retry(&failure, 3999 * minute_us));
	g_assert_true(ks_failure_may_retry(&failure, 4000 * minute_us));
}

static void test_the_same_failure_counts_on(struct faketree *tree, gconstpointer data)
{
	const struct ks_failure former = {.fingerprint = (char *)"abc",
					  .surroundings = (char *)"s",
					  .n_retries = 3,
					  .spent_ms = 100,
					  .first_failed_at_us = 7};
	struct ks_failure again = {.fingerprint = (char *)"abc", .failed_at_us = 50};
	struct ks_failure other = {.fingerprint = (char *)"def", .failed_at_us = 50};

	ks_failure_continue(&again, &former, 20);
	g_assert_cmpuint(again.n_retries, ==, 4);
	g_assert_cmpint(again.spent_ms, ==, 120);
	g_assert_cmpint(again.first_failed_at_us, ==, 7);
	ks_failure_continue(&other, &former, 20);
	g_assert_cmpuint(other.n_retries, ==, 0);
	g_assert_cmpint(other.spent_ms, ==, 20);
	g_assert_cmpint(other.first_failed_at_us, ==, 50);
}

static void test_an_error_line_cannot_drive_a_terminal(struct faketree *tree,
						       gconstpointer data)
{
	ks_auto(ks_failure) back = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	back = ks_failure_load(tree->system, "foo", "1.0", "6.1.0-56-amd64", "x86_64");
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

	g_assert_null(
		ks_failure_load(tree->system, "foo", "1.0", "6.1.0-56-amd64", "x86_64"));
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		faketree_write(tree, FILE_PATH, texts[i]);
		g_assert_null(ks_failure_load(tree->system, "foo", "1.0",
					      "6.1.0-56-amd64", "x86_64"));
	}
}

static void test_clearing_one_kernel_keeps_the_others(struct faketree *tree,
						      gconstpointer data)
{
	ks_auto(ks_failure) other = NULL;
	g_autofree char *log = ks_failure_log_path(tree->system, "foo", "1.0",
						   "6.1.0-55-amd64", "x86_64");
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(log, ==, OTHER_LOG);
	g_assert_true(store(tree, "6.1.0-56-amd64"));
	g_assert_true(store(tree, "6.1.0-55-amd64"));
	faketree_write(tree, FILE_PATH ".log", "of 56");
	faketree_write(tree, OTHER_LOG, "of 55");
	g_assert_true(ks_failure_clear(tree->system, "foo", "1.0", "6.1.0-56-amd64",
				       "x86_64", &error));
	g_assert_no_error(error);
	g_assert_false(
		is_there(tree, "/var/lib/kmodsmith/failed/foo/1.0/6.1.0-56-amd64"));
	g_assert_true(is_there(tree, OTHER_LOG));
	other = ks_failure_load(tree->system, "foo", "1.0", "6.1.0-55-amd64", "x86_64");
	g_assert_nonnull(other);
}

static void test_clearing_all_leaves_no_directory(struct faketree *tree,
						  gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(store(tree, "6.1.0-56-amd64"));
	faketree_write(tree, FILE_PATH ".log", "of 56");
	g_assert_true(ks_failure_clear(tree->system, "foo", "1.0", NULL, NULL, &error));
	g_assert_no_error(error);
	g_assert_false(is_there(tree, "/var/lib/kmodsmith/failed/foo"));
	g_assert_true(ks_failure_clear(tree->system, "foo", "1.0", NULL, NULL, &error));
	g_assert_no_error(error);
}

#define ADD(name, func)                                                                  \
	g_test_add(name, struct faketree, NULL, faketree_set_up, func, faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/failure/a failure is remembered", test_a_failure_is_remembered);
	ADD("/failure/what fails fast may always be tried again",
	    test_what_fails_fast_may_always_be_tried);
	ADD("/failure/what fails slowly is tried ever more rarely",
	    test_what_fails_slowly_is_tried_ever_more_rarely);
	ADD("/failure/the same failure counts on", test_the_same_failure_counts_on);
	ADD("/failure/an error line cannot drive a terminal",
	    test_an_error_line_cannot_drive_a_terminal);
	ADD("/failure/nothing or nonsense is no failure",
	    test_nothing_or_nonsense_is_no_failure);
	ADD("/failure/clearing one kernel keeps the others",
	    test_clearing_one_kernel_keeps_the_others);
	ADD("/failure/clearing all leaves no directory",
	    test_clearing_all_leaves_no_directory);
	return g_test_run();
}
