/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Confs that are made up (conf-generate.h), each evaluation of them done natively and by
 * bash: where the native reader gives an answer it has to be bash's.
 *
 * KS_FUZZ_SECONDS: how long, 30 unless told; KS_FUZZ_SEED: where it begins. A failure
 * names its seed: KS_FUZZ_ONLY=SEED runs that one, and shows the conf.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/shell/bash.h"
#include "core/shell/native.h"
#include "tests/fuzz/conf-generate.h"
#include "tests/spec/conf-paths.h"

#define DEFAULT_SECONDS 30

static char *directory;
static char *tools; /* what the confs find as PATH */

struct counts {
	guint made, first, second;
};

static void report(guint32 seed, const char *text, const char *what, const char *native,
		   const char *bash)
{
	g_autofree char *shown = g_strescape(text, NULL);
	g_autofree char *ours = g_strescape(native, NULL);
	g_autofree char *theirs = g_strescape(bash, NULL);

	g_test_message("seed %u, %s evaluation\nconf:   %s\nnative: %s\nbash:   %s", seed,
		       what, shown, ours, theirs);
	g_test_fail();
}

static void compare(guint32 seed, const char *text, const char *what,
		    const struct ks_vars *native, const struct ks_vars *bash)
{
	g_autofree char *ours = conf_paths_show(native);
	g_autofree char *theirs =
		bash ? conf_paths_show(bash) : g_strdup("(it cannot be read)");

	if (strcmp(ours, theirs) != 0)
		report(seed, text, what, ours, theirs);
}

static char *join(GPtrArray *kept)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < kept->len; i++)
		g_string_append_printf(text, "%s ", (char *)kept->pdata[i]);
	return g_string_free(text, FALSE);
}

/* The second evaluation of the first one's result, whoever made that. */
static void check_second(guint32 seed, const char *text, const struct ks_vars *first,
			 const struct ks_vars *base, struct counts *counts)
{
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) kept_by_bash = g_ptr_array_new_with_free_func(g_free);
	struct ks_native_report native_report;
	ks_auto(ks_vars) native =
		ks_native_again(first, base, ks_vars_known, kept, &native_report);
	g_auto(GStrv) argv = NULL;
	ks_auto(ks_vars) bash = NULL;
	g_autofree char *ours = NULL, *theirs = NULL;

	if (!native)
		return;
	counts->second++;
	argv = ks_bash_again_argv(first, base, ks_vars_known, 3);
	bash = conf_paths_run(directory, tools, argv, kept_by_bash);
	compare(seed, text, "second", native, bash);
	ours = join(kept);
	theirs = join(kept_by_bash);
	/* bash does not report what it was made to keep */
	for (guint i = 0; i < kept_by_bash->len; i++) {
		if (!strstr(ours, kept_by_bash->pdata[i]))
			report(seed, text, "kept, second", ours, theirs);
	}
}

static void check(guint32 seed, struct counts *counts)
{
	g_autofree char *text = conf_generate(seed);
	g_autofree char *path = g_build_filename(directory, "dkms.conf", NULL);
	ks_auto(ks_vars) base = conf_paths_base();
	struct ks_native_report native_report;
	ks_auto(ks_vars) native = ks_native_source(text, base, &native_report);
	g_auto(GStrv) argv = NULL;
	ks_auto(ks_vars) bash = NULL;

	counts->made++;
	/* a tenth of the texts that the native reader leaves to bash are for the
	 * second evaluation */
	if (!native && seed % 10)
		return;
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	argv = ks_bash_source_argv(path, base, ks_vars_known, 3);
	bash = conf_paths_run(directory, tools, argv, NULL);
	if (native) {
		counts->first++;
		compare(seed, text, "first", native, bash);
	}
	if (bash)
		check_second(seed, text, bash, base, counts);
}

static guint32 number_of(const char *name, guint32 otherwise)
{
	const char *value = g_getenv(name);

	return value && *value ? (guint32)g_ascii_strtoull(value, NULL, 10) : otherwise;
}

static void test_both_ways_agree(void)
{
	guint seconds = number_of("KS_FUZZ_SECONDS", DEFAULT_SECONDS);
	guint32 seed = number_of("KS_FUZZ_SEED", 1);
	gint64 end_us = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	struct counts counts = {0};

	while (g_get_monotonic_time() < end_us && !g_test_failed())
		check(seed++, &counts);
	g_test_message("%u confs made, %u first and %u second evaluations compared",
		       counts.made, counts.first, counts.second);
	/* one that generates nothing readable would agree, too */
	g_assert_cmpuint(counts.first, >, 0);
	g_assert_cmpuint(counts.second, >, 0);
}

static void test_only_one(void)
{
	guint32 seed = number_of("KS_FUZZ_ONLY", 0);
	g_autofree char *text = conf_generate(seed);
	struct counts counts = {0};

	g_test_message("seed %u:\n%s", seed, text);
	check(seed, &counts);
}

static void remove_directory(char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	/* a ">" in a conf leaves a file */
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *entry = g_build_filename(path, name, NULL);

		g_unlink(entry);
	}
	g_rmdir(path);
	g_free(path);
}

/*
 * Only the programs that the confs mean to call: their other words may be the
 * name of any program, and one is that of "yes", which never ends.
 */
static void make_tools(void)
{
	static const char *const names[] = {"sh", "bash", "nproc", "uname", "arch"};

	tools = g_dir_make_tmp("kmodsmith-fuzz-XXXXXX", NULL);
	g_assert_nonnull(tools);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *program = g_find_program_in_path(names[i]);
		g_autofree char *link = g_build_filename(tools, names[i], NULL);

		g_assert_nonnull(program);
		g_assert_cmpint(symlink(program, link), ==, 0);
	}
}

int main(int argc, char **argv)
{
	int status;

	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	directory = g_dir_make_tmp("kmodsmith-fuzz-XXXXXX", NULL);
	g_assert_nonnull(directory);
	make_tools();
	if (g_getenv("KS_FUZZ_ONLY"))
		g_test_add_func("/conf-differ/only-one", test_only_one);
	else
		g_test_add_func("/conf-differ/both-ways-agree", test_both_ways_agree);
	status = g_test_run();
	remove_directory(directory);
	remove_directory(tools);
	return status;
}
