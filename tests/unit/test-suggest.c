/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody meant who mistyped a name. */
#include "core/support/suggest.h"

#include <glib.h>

static const char *const names[] = {"jobs", "sandbox", "build-timeout", "build-size",
				    "hold"};

static const char *suggest(const char *typed)
{
	return ks_suggest(typed, names, G_N_ELEMENTS(names));
}

static void nearest(void)
{
	g_assert_cmpstr(suggest("jbos"), ==, "jobs");
	g_assert_cmpstr(suggest("job"), ==, "jobs");
	g_assert_cmpstr(suggest("sandboxx"), ==, "sandbox");
	g_assert_cmpstr(suggest("build_timeout"), ==, "build-timeout");
	g_assert_cmpstr(suggest("biuld-sizes"), ==, "build-size");
	g_assert_cmpstr(suggest("hodl"), ==, "hold");
}

static void nothing_near(void)
{
	g_autofree char *large = g_strnfill(100000, 'a');

	g_assert_null(suggest("frobnicate"));
	g_assert_null(suggest("x"));
	g_assert_null(suggest(""));
	g_assert_null(suggest(large));
	g_assert_null(ks_suggest("jobs", NULL, 0));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/suggest/the nearest name", nearest);
	g_test_add_func("/suggest/nothing is near", nothing_near);
	return g_test_run();
}
