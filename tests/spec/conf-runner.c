/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The confs in tests/spec/conf against an oracle that evaluates them as dkms
 * does: native/ has to be read natively, bash/ has to be left to bash, and both
 * ways must give what dkms gives, byte for byte. differs/ has the deviations,
 * with what is given instead in NAME.expected.
 *
 * To add a case, add a file.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "core/shell/bash.h"
#include "core/shell/native.h"
#include "tests/spec/conf-paths.h"

static char *corpus;

static struct ks_vars *run_oracle(const char *path)
{
	g_autofree char *known = g_strjoinv(" ", (char **)ks_vars_known);
	g_autofree char *program = g_build_filename(corpus, "oracle", NULL);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	ks_auto(ks_vars) base = conf_paths_base();
	g_autoptr(GPtrArray) names = ks_vars_names(base);

	/* through bash by name: its mode is lost in some ways of copying a tree */
	g_ptr_array_add(argv, (char *)"bash");
	g_ptr_array_add(argv, (char *)"-c");
	g_ptr_array_add(argv, (char *)"exec bash \"$@\" >&3");
	g_ptr_array_add(argv, (char *)"oracle");
	g_ptr_array_add(argv, program);
	g_ptr_array_add(argv, (char *)path);
	g_ptr_array_add(argv, known);
	for (guint i = 0; i < names->len; i++) {
		g_ptr_array_add(argv, names->pdata[i]);
		g_ptr_array_add(argv, (char *)ks_vars_get(base, names->pdata[i], 0));
	}
	g_ptr_array_add(argv, NULL);
	return conf_paths_run(corpus, CONF_PATHS_TOOLS, (char **)argv->pdata, NULL);
}

/* The result of one way of reading. */
struct reading {
	struct ks_vars *vars;
	bool native; /* both evaluations */
};

static struct reading read_natively_or_not(const char *path, const char *text)
{
	ks_auto(ks_vars) base = conf_paths_base();
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	struct ks_native_report report;
	ks_auto(ks_vars) first = ks_native_source(text, base, &report);
	struct reading reading = {.native = first != NULL};
	g_auto(GStrv) argv = NULL;

	if (!first) {
		g_auto(GStrv) source = ks_bash_source_argv(path, base, ks_vars_known, 3);

		g_assert_cmpint(report.verdict, ==, KS_NATIVE_UNSURE);
		g_assert_cmpuint(report.line, >, 0);
		g_assert_nonnull(report.why);
		first = conf_paths_run(corpus, CONF_PATHS_TOOLS, source, NULL);
	}
	reading.vars = ks_native_again(first, base, ks_vars_known, kept, &report);
	if (reading.vars)
		return reading;
	reading.native = false;
	argv = ks_bash_again_argv(first, base, ks_vars_known, 3);
	reading.vars = conf_paths_run(corpus, CONF_PATHS_TOOLS, argv, kept);
	return reading;
}

static struct ks_vars *read_with_bash(const char *path)
{
	ks_auto(ks_vars) base = conf_paths_base();
	g_auto(GStrv) source = ks_bash_source_argv(path, base, ks_vars_known, 3);
	ks_auto(ks_vars) first = conf_paths_run(corpus, CONF_PATHS_TOOLS, source, NULL);
	g_auto(GStrv) again = ks_bash_again_argv(first, base, ks_vars_known, 3);

	return conf_paths_run(corpus, CONF_PATHS_TOOLS, again, NULL);
}

static char *read_text(const char *path)
{
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	return text;
}

static void check_same(const char *path, bool native)
{
	g_autofree char *text = read_text(path);
	struct reading reading = read_natively_or_not(path, text);
	ks_auto(ks_vars) ours = reading.vars;
	ks_auto(ks_vars) bash = read_with_bash(path);
	ks_auto(ks_vars) oracle = run_oracle(path);
	g_autofree char *ours_text = conf_paths_show(ours);
	g_autofree char *bash_text = conf_paths_show(bash);
	g_autofree char *oracle_text = conf_paths_show(oracle);

	g_assert_cmpint(reading.native, ==, native);
	g_assert_cmpstr(ours_text, ==, oracle_text);
	g_assert_cmpstr(bash_text, ==, oracle_text);
}

static void test_native(gconstpointer path)
{
	check_same(path, true);
}

static void test_bash(gconstpointer path)
{
	check_same(path, false);
}

static void test_differs(gconstpointer path)
{
	g_autofree char *text = read_text(path);
	g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".conf"));
	g_autofree char *expected_path = g_strconcat(stem, ".expected", NULL);
	g_autofree char *expected = read_text(expected_path);
	struct reading reading = read_natively_or_not(path, text);
	ks_auto(ks_vars) ours = reading.vars;
	ks_auto(ks_vars) bash = read_with_bash(path);
	ks_auto(ks_vars) oracle = run_oracle(path);
	g_autofree char *ours_text = conf_paths_show(ours);
	g_autofree char *bash_text = conf_paths_show(bash);
	g_autofree char *oracle_text = conf_paths_show(oracle);

	g_assert_cmpstr(ours_text, ==, expected);
	g_assert_cmpstr(bash_text, ==, expected);
	g_assert_cmpstr(oracle_text, !=, expected);
}

static gint compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_dir(const char *name, GTestDataFunc func)
{
	g_autofree char *path = g_build_filename(corpus, name, NULL);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
	const char *file;

	g_assert_no_error(error);
	while ((file = g_dir_read_name(dir)))
		if (g_str_has_suffix(file, ".conf"))
			g_ptr_array_add(files, g_strdup(file));
	g_assert_cmpuint(files->len, >, 0);
	g_ptr_array_sort(files, compare);
	for (guint i = 0; i < files->len; i++) {
		g_autofree char *test =
			g_strdup_printf("/conf/%s/%s", name, (char *)files->pdata[i]);

		g_test_add_data_func_full(test,
					  g_build_filename(path, files->pdata[i], NULL),
					  func, g_free);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	corpus = g_test_build_filename(G_TEST_DIST, "tests", "spec", "conf", NULL);
	add_dir("native", test_native);
	add_dir("bash", test_bash);
	add_dir("differs", test_differs);
	status = g_test_run();
	g_free(corpus);
	return status;
}
