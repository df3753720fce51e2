/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desired set and as a list: refused, or written back to what reads the
 * same. */
#include "core/record/record.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

typedef GPtrArray *(*parse_func)(const char *text, size_t size_bytes, const char *label,
				 GError **error);
typedef char *(*format_func)(GPtrArray *blocks);

static void check(const uint8_t *data, size_t size, parse_func parse, format_func format)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) blocks = parse((const char *)data, size, "fuzz", &error);
	g_autoptr(GPtrArray) again = NULL;
	g_autofree char *once = NULL, *twice = NULL;

	g_assert_true((blocks == NULL) == (error != NULL));
	if (!blocks)
		return;
	once = format(blocks);
	again = parse(once, strlen(once), "again", &error);
	g_assert_no_error(error);
	twice = format(again);
	g_assert_cmpstr(once, ==, twice);
}

/* Read it by value, as code without GLib does. */
static void check_set(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) records =
		ks_record_parse((const char *)data, size, "fuzz", NULL);
	struct ks_record_set set;
	struct ks_why why = {""};
	bool ok = ks_record_set_read((const char *)data, size, "fuzz", &set, &why);

	g_assert_true(ok == (records != NULL));
	g_assert_true(ok || *why.text);
	if (ok)
		g_assert_cmpuint(set.n_records, ==, records->len);
	ks_record_set_clear(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, ks_record_parse, ks_record_format);
	check(data, size, ks_record_parse_list, ks_record_format_list);
	check_set(data, size);
	return 0;
}
