/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a dkms.conf, and as what bash hands back: a verdict with its
 * line and reason, or variables that survive being written and read again.
 */
#include <string.h>

#include "core/shell/dump.h"
#include "core/shell/native.h"
#include "tests/fuzz/fuzz.h"

static void check_dump(const struct ks_vars *vars)
{
	g_autoptr(GString) once = g_string_new(NULL);
	g_autoptr(GString) twice = g_string_new(NULL);
	ks_auto(ks_vars) read = NULL;

	ks_dump_append(once, vars, ks_vars_known, NULL, NULL);
	read = ks_dump_parse(once->str, once->len, ks_vars_known, NULL, NULL);
	g_assert_nonnull(read);
	ks_dump_append(twice, read, ks_vars_known, NULL, NULL);
	g_assert_true(g_string_equal(once, twice));
}

static void check_text(const char *text)
{
	ks_auto(ks_vars) before = ks_vars_new();
	ks_auto(ks_vars) first = NULL;
	ks_auto(ks_vars) second = NULL;
	g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
	struct ks_native_report report;

	ks_vars_set(before, "kernelver", 0, "6.1.0-56-amd64");
	first = ks_native_source(text, before, &report);
	g_assert_true((first != NULL) == (report.verdict == KS_NATIVE_READ));
	g_assert_true(first || (report.why && report.line >= 1));
	if (!first)
		return;
	check_dump(first);
	second = ks_native_again(first, before, ks_vars_known, kept, &report);
	g_assert_true((second != NULL) == (report.verdict == KS_NATIVE_READ));
	if (second)
		check_dump(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* files with a zero byte are refused before; the reader sees none */
	g_autofree char *text = size ? g_strndup((const char *)data, size) : g_strdup("");
	g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func(g_free);
	ks_auto(ks_vars) dump =
		ks_dump_parse((const char *)data, size, ks_vars_known, lists, lists);

	check_text(text);
	if (dump)
		check_dump(dump);
	return 0;
}
