/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/module/symvers.h"

#include <string.h>

#include "core/support/error.h"

static struct ks_symvers *parse(const char *text, GError **error)
{
	return ks_symvers_parse(text, strlen(text), "Module.symvers", error);
}

static void assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void test_fields(void)
{
	ks_auto(ks_symvers) symvers =
		parse("0xdeadbeef\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"
		      "0x00000001\tusb_register\tdrivers/usb/core/"
		      "usbcore\tEXPORT_SYMBOL_GPL\tUSB\n"
		      "0x00000000\told_form\tvmlinux\n"
		      "0xffffffff\tlast_line_without_newline\tvmlinux\tEXPORT_SYMBOL",
		      NULL);
	guint32 crc = 42;

	g_assert_nonnull(symvers);
	g_assert_cmpuint(ks_symvers_get_size(symvers), ==, 4);
	g_assert_true(ks_symvers_find(symvers, "printk", &crc));
	g_assert_cmphex(crc, ==, 0xdeadbeef);
	g_assert_true(ks_symvers_find(symvers, "old_form", &crc));
	g_assert_cmphex(crc, ==, 0);
	g_assert_true(ks_symvers_find(symvers, "last_line_without_newline", &crc));
	g_assert_cmphex(crc, ==, 0xffffffff);
	g_assert_true(ks_symvers_is_gpl_only(symvers, "usb_register"));
	g_assert_false(ks_symvers_is_gpl_only(symvers, "printk"));
	g_assert_false(ks_symvers_is_gpl_only(symvers, "old_form"));
	g_assert_false(ks_symvers_is_gpl_only(symvers, "nothing"));
	g_assert_false(ks_symvers_find(symvers, "vmlinux", &crc));
	g_assert_cmphex(crc, ==, 0xffffffff);
}

static void test_empty(void)
{
	ks_auto(ks_symvers) symvers = parse("", NULL);

	g_assert_nonnull(symvers);
	g_assert_cmpuint(ks_symvers_get_size(symvers), ==, 0);
}

static void test_refused(void)
{
	g_autofree char *name = g_strnfill(KS_SYMVERS_MAX_NAME_BYTES, 'a');
	g_autofree char *overlong = g_strdup_printf("0x1\t%s\tvmlinux\n", name);

	assert_refused("0x1\ta\tb\nnothing\n",
		       "'Module.symvers' line 2: no tab after the CRC");
	assert_refused("0x1\ta\n", "'Module.symvers' line 1: no tab after the symbol");
	assert_refused("12345678\ta\tb\n",
		       "'Module.symvers' line 1: the CRC is not '0x' and up "
		       "to 8 hexadecimal digits");
	assert_refused("0x123456789\ta\tb\n",
		       "'Module.symvers' line 1: the CRC is not '0x' and "
		       "up to 8 hexadecimal digits");
	assert_refused("0x1\ta b\tc\n", "'Module.symvers' line 1: malformed symbol name");
	assert_refused("0x1\t\tc\n", "'Module.symvers' line 1: malformed symbol name");
	assert_refused(overlong, "'Module.symvers' line 1: malformed symbol name");
}

static void test_nul(void)
{
	static const char text[] = "0x1\ta\tb\n0x2\tb\t\0c\n";
	g_autoptr(GError) error = NULL;

	g_assert_null(ks_symvers_parse(text, sizeof(text) - 1, "s", &error));
	g_assert_cmpstr(error->message, ==, "'s' line 2: a NUL byte");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/symvers/symbols-are-found-with-their-crcs", test_fields);
	g_test_add_func("/symvers/an-empty-file-is-an-empty-table", test_empty);
	g_test_add_func("/symvers/malformed-lines-are-refused-by-number", test_refused);
	g_test_add_func("/symvers/a-nul-byte-is-refused", test_nul);
	return g_test_run();
}
