/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The native reader's bounds and verdicts; its results are compared
 * in tests/spec/conf. */
#include <glib.h>
#include <string.h>

#include "core/shell/dump.h"
#include "core/shell/native.h"

static struct ks_native_report source(const char *text)
{
	ks_auto(ks_vars) before = ks_vars_new();
	struct ks_native_report report;
	ks_auto(ks_vars) vars = ks_native_source(text, before, &report);

	g_assert_cmpint(report.verdict == KS_NATIVE_READ, ==, vars != NULL);
	return report;
}

static void test_says_where_it_stopped(void)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *why;
	} cases[] = {
		{"A=1\nif true; then\n", 2, "a command"},
		{"A=\"x\ny\nz\"\nB=$(date)\n", 4, "command substitution"},
		{"A=1 \\\n B=2 \\\n C=~/x\n", 3, "tilde expansion"},
		{"A=(a\nb\n$c)\n", 3, "word splitting"},
		{"A=\"open\n", 2, "no closing quote"},
		{"A=1\nA=${B^^}\n", 2, "parameter expansion"},
		{"A[x]=1\n", 1, "an index that is computed"},
		{"A[08]=1\n", 1, "an index that is computed"},
		{"A=1;;\n", 1, "a command"},
		{"A=a&b\n", 1, "a shell operator"},
		{"A=$PWD\n", 1, "a variable of the shell"},
		{"IFS=:\n", 1, "a variable of the shell"},
		{"A=$1\n", 1, "a special parameter"},
		{"A=x\\", 1, "a backslash at the end"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ks_native_report report = source(cases[i].text);

		g_assert_cmpint(report.verdict, ==, KS_NATIVE_UNSURE);
		g_assert_cmpuint(report.line, ==, cases[i].line);
		g_assert_cmpstr(report.why, ==, cases[i].why);
	}
}

static void test_leaves_what_was_before_alone(void)
{
	ks_auto(ks_vars) before = ks_vars_new();
	struct ks_native_report report;
	ks_auto(ks_vars) vars = NULL;

	ks_vars_set(before, "MAKE", 0, "old");
	g_assert_null(ks_native_source("MAKE=new\ntrue\n", before, &report));
	g_assert_cmpstr(ks_vars_get(before, "MAKE", 0), ==, "old");
	vars = ks_native_source("MAKE=new\n", before, &report);
	g_assert_cmpstr(ks_vars_get(vars, "MAKE", 0), ==, "new");
	g_assert_cmpstr(ks_vars_get(before, "MAKE", 0), ==, "old");
}

static void test_stops_values_that_double(void)
{
	g_autoptr(GString) text = g_string_new("A=0123456789abcdef\n");
	struct ks_native_report report;

	for (int i = 0; i < 200; i++)
		g_string_append(text, "A=$A$A\n");
	report = source(text->str);
	g_assert_cmpint(report.verdict, ==, KS_NATIVE_TOO_MUCH);
	g_assert_cmpuint(report.line, <, 40);
}

static void test_stops_appending_that_copies_for_ever(void)
{
	g_autoptr(GString) text = g_string_new("A=");

	for (int i = 0; i < 100000; i++)
		g_string_append_c(text, 'x');
	for (int i = 0; i < 100000; i++)
		g_string_append(text, "\nA+=x");
	g_assert_cmpint(source(text->str).verdict, ==, KS_NATIVE_TOO_MUCH);
}

static void test_stops_patterns_that_cost_too_much(void)
{
	g_autoptr(GString) text = g_string_new("A=");

	for (int i = 0; i < 50000; i++)
		g_string_append_c(text, 'a');
	g_string_append(text, "\nB=${A%%*a*a*a*a*a*a*b}\n");
	g_assert_cmpint(source(text->str).verdict, ==, KS_NATIVE_TOO_MUCH);
}

static void test_does_not_follow_deep_nesting(void)
{
	g_autoptr(GString) text = g_string_new("A=");

	for (int i = 0; i < 300000; i++)
		g_string_append(text, "${B:-");
	g_assert_cmpint(source(text->str).verdict, ==, KS_NATIVE_UNSURE);
}

static void test_bounds_the_number_of_values(void)
{
	g_autoptr(GString) list = g_string_new("A=(");
	g_autoptr(GString) elements = g_string_new(NULL);

	for (int i = 0; i < 20000; i++) {
		g_string_append(list, "x ");
		g_string_append_printf(elements, "A[%d]=x\n", 20000 - i);
	}
	g_string_append(list, ")\n");
	g_assert_cmpint(source(list->str).verdict, ==, KS_NATIVE_TOO_MUCH);
	g_assert_cmpint(source(elements->str).verdict, ==, KS_NATIVE_TOO_MUCH);
	g_assert_cmpint(source("A[999999999]=x\n").verdict, ==, KS_NATIVE_READ);
	g_assert_cmpint(source("A[9999999999]=x\n").verdict, ==, KS_NATIVE_UNSURE);
}

static void test_collapses_blanks_and_drops_one_carriage_return(void)
{
	static const char *const cases[][2] = {
		{"", ""},	{"a b", "a b"},	  {"  a \t\n b  ", " a b "},
		{"a\r", "a"},	{"a\r\r", "a\r"}, {"a\r b", "a\r b"},
		{"\t \n", " "},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *collapsed = ks_native_collapse(cases[i][0]);

		g_assert_cmpstr(collapsed, ==, cases[i][1]);
	}
}

static void test_keeps_what_the_second_evaluation_would_lose(void)
{
	ks_auto(ks_vars) before = ks_vars_new();
	ks_auto(ks_vars) first = ks_vars_new();
	ks_auto(ks_vars) vars = NULL;
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	struct ks_native_report report;

	ks_vars_set(before, "kernelver", 0, "6.1");
	ks_vars_set(first, "MAKE", 3, "make A=\"b  c\" $kernelver");
	ks_vars_set(first, "CLEAN", 0, "make A=\"b\" $kernelver");
	ks_vars_set(first, "HELPER", 0, "x");
	vars = ks_native_again(first, before, ks_vars_known, kept, &report);
	g_assert_cmpstr(ks_vars_get(vars, "MAKE", 3), ==, "make A=\"b c\" $kernelver");
	g_assert_cmpstr(ks_vars_get(vars, "CLEAN", 0), ==, "make A=b 6.1");
	g_assert_false(ks_vars_has(vars, "HELPER"));
	g_assert_cmpuint(kept->len, ==, 1);
	g_assert_cmpstr(kept->pdata[0], ==, "MAKE[3]");
}

static void test_dump_comes_back(void)
{
	ks_auto(ks_vars) vars = ks_vars_new();
	ks_auto(ks_vars) read = NULL;
	g_autoptr(GString) data = g_string_new(NULL);
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

	ks_vars_set(vars, "MAKE", 7, "make\n'x'");
	g_ptr_array_add(kept, g_strdup("MAKE[7]"));
	ks_dump_append(data, vars, ks_vars_known, kept, NULL);
	g_ptr_array_set_size(kept, 0);
	read = ks_dump_parse(data->str, data->len, ks_vars_known, kept, notes);
	g_assert_nonnull(read);
	g_assert_cmpstr(ks_vars_get(read, "MAKE", 7), ==, "make\n'x'");
	g_assert_cmpstr(kept->pdata[0], ==, "MAKE[7]");
	for (size_t i = 0; i < data->len; i++)
		g_assert_null(ks_dump_parse(data->str, i, ks_vars_known, NULL, NULL));
}

static void test_dump_refuses_what_bash_would_not_write(void)
{
	static const struct {
		const char *data;
		size_t size_bytes;
	} cases[] = {
		{"", 0},
		{"end", 3},
		{"end\0x", 6},
		{"PATH\0000\0x\0end", 13},
		{"MAKE\0-1\0x\0end", 14},
		{"MAKE\0x\0x\0end", 13},
		{"MAKE\09999999999\0x\0end", 22},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_null(ks_dump_parse(cases[i].data, cases[i].size_bytes,
					    ks_vars_known, NULL, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/conf-native/says-where-it-stopped", test_says_where_it_stopped);
	g_test_add_func("/conf-native/leaves-what-was-before-alone",
			test_leaves_what_was_before_alone);
	g_test_add_func("/conf-native/stops-values-that-double",
			test_stops_values_that_double);
	g_test_add_func("/conf-native/stops-appending-that-copies-for-ever",
			test_stops_appending_that_copies_for_ever);
	g_test_add_func("/conf-native/stops-patterns-that-cost-too-much",
			test_stops_patterns_that_cost_too_much);
	g_test_add_func("/conf-native/does-not-follow-deep-nesting",
			test_does_not_follow_deep_nesting);
	g_test_add_func("/conf-native/bounds-the-number-of-values",
			test_bounds_the_number_of_values);
	g_test_add_func("/conf-native/collapses-blanks-and-drops-one-carriage-return",
			test_collapses_blanks_and_drops_one_carriage_return);
	g_test_add_func("/conf-native/keeps-what-the-second-evaluation-would-lose",
			test_keeps_what_the_second_evaluation_would_lose);
	g_test_add_func("/conf-native/dump-comes-back", test_dump_comes_back);
	g_test_add_func("/conf-native/dump-refuses-what-bash-would-not-write",
			test_dump_refuses_what_bash_would_not_write);
	return g_test_run();
}
