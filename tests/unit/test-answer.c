/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inspect worker may have been taken over: what it answers is hostile. */
#include "core/module/answer.h"

#include <string.h>

#include "core/support/error.h"

static GPtrArray *parse(const char *text, guint n_modules, GError **error)
{
	g_autoptr(GPtrArray) infos =
		g_ptr_array_new_with_free_func((GDestroyNotify)ks_module_info_free);
	g_autofree char *copy = g_strdup(text);

	for (guint i = 0; i < n_modules; i++)
		g_ptr_array_add(infos, g_new0(struct ks_module_info, 1));
	return ks_answer_parse(copy, infos, error) ? g_steal_pointer(&infos) : NULL;
}

static void assert_refused(const char *text, guint n_modules, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos = parse(text, n_modules, &error);

	g_assert_null(infos);
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	if (!strstr(error->message, why))
		g_error("'%s' does not say '%s'", error->message, why);
}

static void test_two(void)
{
	g_autoptr(GPtrArray) infos =
		parse("module=0\nvermagic=6.1 SMP\nalias=a\nalias=b%25\n"
		      "export=0x00000001 x\ndepends=usbcore\n\n"
		      "module=1\nproblem=not an ELF object\n\nend=2\n\n",
		      2, NULL);
	const struct ks_module_info *info;

	g_assert_nonnull(infos);
	info = g_ptr_array_index(infos, 0);
	g_assert_cmpstr(info->vermagic, ==, "6.1 SMP");
	g_assert_cmpstr(info->aliases[1], ==, "b%");
	g_assert_cmpstr(info->exports[0], ==, "0x00000001 x");
	g_assert_cmpstr(info->depends[0], ==, "usbcore");
	g_assert_null(info->problem);
	info = g_ptr_array_index(infos, 1);
	g_assert_cmpstr(info->problem, ==, "not an ELF object");
	g_assert_null(info->aliases[0]);
}

static void test_printable(void)
{
	g_autoptr(GPtrArray) infos =
		parse("module=0\nlicense=%1B[2J\xff\xc2\x9b\n\nend=1\n\n", 1, NULL);
	const struct ks_module_info *info = g_ptr_array_index(infos, 0);

	g_assert_true(g_utf8_validate(info->license, -1, NULL));
	g_assert_cmpstr(info->license, ==, "?[2J\xef\xbf\xbd??");
}

static void test_refused(void)
{
	assert_refused("", 1, "incomplete");
	assert_refused("module=0\n\n", 1, "incomplete");
	assert_refused("module=0\n\nend=1", 1, "malformed line 'end=1'");
	assert_refused("end=0\n\n", 1, "unexpected line 'end'");
	assert_refused("module=1\n\nend=1\n\n", 1, "unexpected line");
	assert_refused("module=0\n\nmodule=0\n\nend=2\n\n", 2, "unexpected line");
	assert_refused("module=0\n\nmodule=1\n\nend=2\n\n", 1, "unexpected line");
	assert_refused("module=0\nvermagic=a\nvermagic=b\n\nend=1\n\n", 1,
		       "unexpected line");
	assert_refused("module=0\npath=/etc/shadow\n\nend=1\n\n", 1,
		       "unexpected line 'path'");
	assert_refused("vermagic=a\nmodule=0\n\nend=1\n\n", 1, "unexpected line");
	assert_refused("\n\nend=1\n\n", 1, "incomplete");
	assert_refused("module=0\nversion=%zz\n\nend=1\n\n", 1, "malformed line");
	assert_refused("module=0\nversion=%00\n\nend=1\n\n", 1, "malformed line");
	assert_refused("error while loading shared libraries\n", 1,
		       "malformed line 'error while loading shared libraries'");
}

static void test_error(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse("error='Module.symvers' line 3: a NUL byte\n\n", 1, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, "'Module.symvers' line 3: a NUL byte");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/answer/each-module-gets-its-own-block", test_two);
	g_test_add_func("/answer/values-come-out-printable", test_printable);
	g_test_add_func("/answer/what-was-not-asked-for-is-refused", test_refused);
	g_test_add_func("/answer/an-error-of-the-worker-is-told", test_error);
	return g_test_run();
}
