/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmodsmith.conf. */
#include "core/settings/settings.h"

#include <string.h>

#include "tests/unit/faketree.h"

#define MAIN   "/etc/kmodsmith/kmodsmith.conf"
#define DROPIN "/etc/kmodsmith/kmodsmith.conf.d/"

static struct ks_settings *load(struct faketree *tree)
{
	g_autoptr(GError) error = NULL;
	struct ks_settings *settings =
		ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error);

	g_assert_no_error(error);
	return settings;
}

static void test_defaults(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) settings = load(tree);
	const struct ks_kernel old = {.release = (char *)"6.1.0-9-amd64", .alive = true};

	g_assert_true(ks_settings_wants_kernel(settings, "foo", &old));
	g_assert_cmpuint(settings->n_jobs, ==, 0);
	g_assert_cmpuint(settings->build_timeout_s, ==, 7200);
	g_assert_cmpuint(settings->build_size_mib, ==, 16384);
	g_assert_cmpuint(settings->build_memory_mib, ==, 0);
	g_assert_cmpuint(settings->script_timeout_s, ==, 3600);
	g_assert_cmpint(settings->sandbox, ==, KS_SANDBOX_AUTO);
	g_assert_cmpint(settings->root_scripts, ==, KS_ROOT_SCRIPTS_RUN);
	g_assert_cmpint(settings->on_failure, ==, KS_ON_FAILURE_REPORT);
	g_assert_true(settings->initramfs);
	g_assert_cmpint(settings->sign, ==, KS_SIGN_SETTING_AUTO);
	g_assert_null(settings->sign_key);
	g_assert_true(settings->probe_memo);
	g_assert_cmpuint(settings->memory_per_job_mib, ==, 512);
	g_assert_cmpuint(settings->cache_size_mib, ==, 1024);
	g_assert_false(settings->disabled);
	g_assert_false(settings->no_autoinstall);
	g_assert_false(ks_settings_is_skipped(settings, "foo"));
	g_assert_false(ks_settings_is_held(settings, "foo"));
}

static void test_the_installed_file_says_the_defaults(struct faketree *tree,
						      gconstpointer data)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "core", "settings",
						      "kmodsmith.conf", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GString) active = g_string_new(NULL);

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	/* as it is, and with every setting in it made active */
	faketree_write(tree, MAIN, text);
	test_defaults(tree, data);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		g_string_append_printf(active, "%s\n",
				       **line == '#' && (*line)[1] != ' ' ? *line + 1
									  : *line);
	faketree_write(tree, MAIN, active->str);
	test_defaults(tree, data);
}

static void test_all_settings(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;

	faketree_write(tree, MAIN,
		       "# comment\n[kmodsmith]\nkernels = newest, running\njobs=3\n"
		       "build-timeout = 60\nsandbox = require\nroot-scripts = skip\n"
		       "on-failure = fail\ninitramfs = false\n"
		       "probe-memo = false\nmemory-per-job = 0\ncache-size = 7\n"
		       "build-size = 100\nbuild-memory = 200\nscript-timeout = 30\n"
		       "[sign]\nsign = yes\nkey = /k\ncertificate = /c\n"
		       "[module nvidia]\nskip = true\nsandbox = off\n"
		       "[module zfs]\nhold = yes\n");
	settings = load(tree);
	g_assert_false(settings->kernels.all);
	g_assert_true(settings->kernels.newest);
	g_assert_true(settings->kernels.running);
	g_assert_false(settings->kernels.is_default);
	g_assert_cmpuint(settings->n_jobs, ==, 3);
	g_assert_cmpuint(settings->build_timeout_s, ==, 60);
	g_assert_cmpint(settings->sandbox, ==, KS_SANDBOX_REQUIRE);
	g_assert_cmpint(ks_settings_get_sandbox(settings, "nvidia"), ==, KS_SANDBOX_OFF);
	g_assert_cmpint(ks_settings_get_sandbox(settings, "zfs"), ==, KS_SANDBOX_REQUIRE);
	g_assert_cmpuint(settings->build_size_mib, ==, 100);
	g_assert_cmpuint(settings->build_memory_mib, ==, 200);
	g_assert_cmpuint(settings->script_timeout_s, ==, 30);
	g_assert_cmpint(settings->root_scripts, ==, KS_ROOT_SCRIPTS_SKIP);
	g_assert_cmpint(settings->on_failure, ==, KS_ON_FAILURE_FAIL);
	g_assert_false(settings->initramfs);
	g_assert_cmpint(settings->sign, ==, KS_SIGN_SETTING_YES);
	g_assert_cmpstr(settings->sign_key, ==, "/k");
	g_assert_cmpstr(settings->sign_certificate, ==, "/c");
	g_assert_false(settings->probe_memo);
	g_assert_cmpuint(settings->memory_per_job_mib, ==, 0);
	g_assert_cmpuint(settings->cache_size_mib, ==, 7);
	g_assert_true(ks_settings_is_skipped(settings, "nvidia"));
	g_assert_false(ks_settings_is_held(settings, "nvidia"));
	g_assert_true(ks_settings_is_held(settings, "zfs"));
	g_assert_false(ks_settings_is_skipped(settings, "zfs"));
}

static void test_later_files_win_key_by_key(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;

	faketree_write(tree, MAIN,
		       "[kmodsmith]\njobs=1\nsandbox=require\nkernels=all\n"
		       "[module a]\nskip=true\nhold=true\n");
	faketree_write(tree, DROPIN "10-a.conf", "[kmodsmith]\njobs=2\n");
	faketree_write(tree, DROPIN "20-b.conf",
		       "[kmodsmith]\njobs=3\nkernels=default\n[module a]\nskip=false\n");
	faketree_write(tree, DROPIN "30-c.conf.bak", "nonsense\n");
	settings = load(tree);
	g_assert_cmpuint(settings->n_jobs, ==, 3);
	g_assert_cmpint(settings->sandbox, ==, KS_SANDBOX_REQUIRE);
	g_assert_false(settings->kernels.all);
	g_assert_true(settings->kernels.is_default);
	g_assert_false(ks_settings_is_skipped(settings, "a"));
	g_assert_true(ks_settings_is_held(settings, "a"));
}

static void test_errors_name_file_and_line(struct faketree *tree, gconstpointer data)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *message;
	} cases[] = {
		{"jobs=1\n", 1, "'jobs=1' is before the first group"},
		{"[kmodsmith]\n\n# x\njbos=1\n", 4,
		 "unknown setting 'jbos'; did you mean 'jobs'?"},
		{"[kmodsmith]\njobs=many\n", 2,
		 "'jobs' is 'many', and has to be a number up to 4096, 0 for all "
		 "processors"},
		{"[kmodsmith]\njobs=-1\n", 2,
		 "'jobs' is '-1', and has to be a number up to 4096, 0 for all "
		 "processors"},
		{"[kmodsmith]\nkernels=\n", 2,
		 "'kernels' is '', and has to be 'all' or a list of 'newest', 'running', "
		 "'default', patterns such as '*-pve', and '!PATTERN'"},
		{"[kmodsmith]\nkernels=all,newest\n", 2,
		 "'kernels' is 'all,newest', and has to be 'all' or a list of 'newest', "
		 "'running', 'default', patterns such as '*-pve', and '!PATTERN'"},
		{"[kmodsmith]\nsandbox=maybe\n", 2,
		 "'sandbox' is 'maybe', and has to be 'auto', 'require' or 'off'"},
		{"[kmodsmith]\nbuild-size=-1\n", 2,
		 "'build-size' is '-1', and has to be a number of MiB, 0 for no limit"},
		{"[module x]\nsandbox=yes\n", 2,
		 "'sandbox' is 'yes', and has to be 'auto', 'require' or 'off'"},
		{"[kmodsmith]\nbuild-timeout=0\n", 2,
		 "'build-timeout' is '0', and has to be a number of seconds up to a "
		 "week"},
		{"[kmodsmith]\nroot-scripts=no\n", 2,
		 "'root-scripts' is 'no', and has to be 'run' or 'skip'"},
		{"[kmodsmith]\non-failure=x\n", 2,
		 "'on-failure' is 'x', and has to be 'report' or 'fail'"},
		{"[kmodsmith]\ninitramfs=2\n", 2,
		 "'initramfs' is '2', and has to be 'true' or 'false'"},
		{"[sign]\nsign=maybe\n", 2,
		 "'sign' is 'maybe', and has to be 'auto', 'yes' or 'no'"},
		{"[sign]\nkey=mok.key\n", 2,
		 "'key' is 'mok.key', and has to be an absolute path"},
		{"[sign]\njobs=1\n", 2, "unknown setting 'jobs'"},
		{"[nonsense]\n", 1, "unknown group 'nonsense'"},
		{"[module ../x]\n", 1, "'../x' is not a module name"},
		{"[module x]\njobs=1\n", 2, "unknown setting 'jobs' of a module"},
		{"[module x]\nskip=maybe\n", 2,
		 "'skip' is 'maybe', and has to be 'true' or 'false'"},
		{"[kmodsmith]\nwhat is this\n", 2,
		 "'what is this' is not a setting, a group or a comment"},
		{"[kmodsmith]\n=1\n", 2, "'=1' is not a setting, a group or a comment"},
	};
	g_autofree char *path = g_strconcat(tree->dir, DROPIN "x.conf", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *expected = g_strdup_printf(
			"%s:%u: %s", path, cases[i].line, cases[i].message);

		faketree_write(tree, DROPIN "x.conf", cases[i].text);
		g_assert_null(ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error));
		g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
		g_assert_cmpstr(error->message, ==, expected);
	}
}

/* What nobody watches goes on: each of these lines is a warning, and those after it count. */
static void test_lenient(struct faketree *tree, gconstpointer data)
{
	static const char text[] = "before = 1\n[kmodsmith]\njbos = 3\njobs = many\n"
				   "sandbox = maybe\nroot-scripts = skp\nnonsense\n"
				   "[nonsense]\njobs = 9\n[module ../x]\nskip = true\n"
				   "[module zfs]\nhodl = true\nhold = treu\nskip = x\n"
				   "[sign]\nkey = /k\n[kmodsmith]\ncache-size = 7\n";
	ks_auto(ks_settings) settings = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(tree, MAIN, text);
	settings = ks_settings_load(tree->system, KS_SETTINGS_LENIENT, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(settings->warnings->len, ==, 12);
	g_assert_true(
		g_str_has_suffix(settings->warnings->pdata[1],
				 "kmodsmith.conf:3: unknown setting 'jbos'; did you "
				 "mean 'jobs'?; the line is ignored"));
	g_assert_cmpuint(settings->n_jobs, ==, 0);
	g_assert_cmpint(settings->sandbox, ==, KS_SANDBOX_AUTO);
	g_assert_cmpint(settings->root_scripts, ==, KS_ROOT_SCRIPTS_SKIP);
	g_assert_true(ks_settings_is_held(settings, "zfs"));
	g_assert_false(ks_settings_is_skipped(settings, "zfs"));
	g_assert_null(settings->sign_key);
	g_assert_cmpuint(settings->cache_size_mib, ==, 7);
}

static void test_half_a_pair_of_keys_is_an_error(struct faketree *tree,
						 gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;
	g_autoptr(GError) error = NULL;

	faketree_write(tree, MAIN, "[sign]\nkey = /k\n");
	g_assert_null(ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "a 'key' without a 'certificate'"));
	/* the other may come from another file */
	faketree_write(tree, DROPIN "a.conf", "[sign]\ncertificate = /c\n");
	settings = load(tree);
	g_assert_cmpstr(settings->sign_certificate, ==, "/c");
}

static void test_bytes_that_are_not_text(struct faketree *tree, gconstpointer data)
{
	g_autofree char *path = faketree_path(tree, MAIN);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(path, "[kmodsmith]\n\0\n", 14, NULL));
	g_assert_null(ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, "[kmodsmith]\nj\xff\x01=1\n", -1, NULL));
	g_assert_null(ks_settings_load(tree->system, KS_SETTINGS_STRICT, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_true(g_utf8_validate(error->message, -1, NULL));
	g_assert_null(strchr(error->message, '\x01'));
}

static void test_retired(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) settings = NULL;
	g_autofree char *expected = g_strdup_printf(
		"%s" MAIN ":3: 'reuse-objects' has no effect any more", tree->dir);

	/* whatever its value, and the settings around it count */
	faketree_write(tree, MAIN,
		       "[kmodsmith]\njobs = 3\nreuse-objects = maybe\ncache-size = 7\n");
	settings = load(tree);
	g_assert_cmpuint(settings->n_jobs, ==, 3);
	g_assert_cmpuint(settings->cache_size_mib, ==, 7);
	g_assert_cmpuint(settings->warnings->len, ==, 1);
	g_assert_cmpstr(settings->warnings->pdata[0], ==, expected);
}

static void test_marks(struct faketree *tree, gconstpointer data)
{
	ks_auto(ks_settings) disabled = NULL;
	ks_auto(ks_settings) other = NULL;

	faketree_write(tree, "/etc/dkms/no-autoinstall", "");
	g_setenv("KMODSMITH", "0", TRUE);
	disabled = load(tree);
	g_setenv("KMODSMITH", "1", TRUE);
	other = load(tree);
	g_unsetenv("KMODSMITH");
	g_assert_true(disabled->disabled);
	g_assert_true(disabled->no_autoinstall);
	g_assert_false(other->disabled);
}

static void test_selects_kernels(struct faketree *tree, gconstpointer data)
{
	static char v1[] = "6.8.4-1-pve", v2[] = "6.1.0-9-rt-amd64",
		    v3[] = "6.1.0-9-amd64";
	const struct ks_kernel newest = {.release = v3, .newest = true},
			       running = {.release = v3, .running = true},
			       boot = {.release = v3, .is_default = true},
			       old = {.release = v3}, pve = {.release = v1},
			       rt = {.release = v2};
	const struct {
		const char *module;
		const struct ks_kernel *kernel;
		bool wanted;
	} cases[] = {
		{"other", &old, false},	   {"other", &newest, false},
		{"other", &running, true}, {"other", &boot, true},
		{"other", &pve, false},	   {"zfs", &pve, true},
		{"zfs", &newest, true},	   {"zfs", &running, false},
		{"nvidia", &old, true},	   {"nvidia", &pve, true},
		{"nvidia", &rt, false},	   {"nvidia", &running, true},
		{"one", &rt, true},	   {"one", &old, false},
	};
	ks_auto(ks_settings) all = load(tree);
	ks_auto(ks_settings) some = NULL;

	faketree_write(tree, MAIN,
		       "[kmodsmith]\nkernels = running,default\n"
		       "[module zfs]\nkernels = newest *-pve\n"
		       "[module nvidia]\nkernels = !*-rt-*\n"
		       "[module one]\nkernels = 6.1.0-[89]-*, !6.1.0-9-amd64\n");
	some = load(tree);
	g_assert_true(ks_settings_wants_kernel(all, "zfs", &old));
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_true(ks_settings_wants_kernel(some, cases[i].module,
						       cases[i].kernel) ==
			      cases[i].wanted);
}

static void test_kernels_that_are_no_choice(struct faketree *tree, gconstpointer data)
{
	static const char *const wrong[] = {"",	 "newst",   "all newest", "all *-pve",
					    "!", "!newest", "../6.1",	  "!!6*"};

	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct ks_kernel_choice choice = {0};

		g_assert_false(ks_kernel_choice_parse(&choice, wrong[i]));
		g_assert_false(choice.is_set);
	}
}

#define ADD(path, func)                                                                  \
	g_test_add("/settings/" path, struct faketree, NULL, faketree_set_up, func,      \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_unsetenv("KMODSMITH");
	g_test_init(&argc, &argv, NULL);
	ADD("defaults", test_defaults);
	ADD("the-installed-file-says-the-defaults",
	    test_the_installed_file_says_the_defaults);
	ADD("all-settings", test_all_settings);
	ADD("later-files-win-key-by-key", test_later_files_win_key_by_key);
	ADD("errors-name-file-and-line", test_errors_name_file_and_line);
	ADD("lenient", test_lenient);
	ADD("half-a-pair-of-keys-is-an-error", test_half_a_pair_of_keys_is_an_error);
	ADD("bytes-that-are-not-text", test_bytes_that_are_not_text);
	ADD("what-has-no-effect-any-more-is-a-warning", test_retired);
	ADD("marks", test_marks);
	ADD("selects-kernels", test_selects_kernels);
	ADD("kernels-that-are-no-choice", test_kernels_that_are_no_choice);
	return g_test_run();
}
