/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders of versions. */
#include "core/support/version.h"

#include <glib.h>

struct order {
	const char *a;
	const char *b;
	int expected;
};

static void check(int (*compare)(const char *, const char *), const struct order *orders,
		  gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const struct order *o = &orders[i];

		g_test_message("'%s' and '%s'", o->a, o->b);
		g_assert_cmpint(compare(o->a, o->b), ==, o->expected);
		g_assert_cmpint(compare(o->b, o->a), ==, -o->expected);
		g_assert_cmpint(compare(o->a, o->a), ==, 0);
	}
}

static void natural_order(void)
{
	static const struct order orders[] = {
		{"6.1.0-9-amd64", "6.1.0-56-amd64", -1},
		{"1.2~rc1", "1.2", -1},
		{"1.10", "1.9", 1},
		{"1.2~rc1", "1.2~rc2", -1},
		{"1.2~~", "1.2~", -1},
		{"1.2", "1.2.1", -1},
		{"1.02", "1.2", 0},
		{"0", "", 1},
		{"~", "", -1},
		{"5.15.0-91-generic", "6.1.0-9-amd64", -1},
		{"18446744073709551617", "18446744073709551616", 1},
		{"99999999999999999999999", "100000000000000000000000", -1},
		{"6.1.0-9-amd64", "6.1.0-9-cloud-amd64", -1},
		{"1.a", "1.1", 1},
		{"1.\xc3\xa9", "1.z", 1},
	};

	check(ks_version_compare, orders, G_N_ELEMENTS(orders));
}

static void order_of_dkms(void)
{
	static const struct order orders[] = {
		{"6.5", "6.5.0-14", -1},
		{"5.4", "5.10", -1},
		{"4.18.0-80", "4.18.0-193", -1},
		/* its mistake, which confs may rely on: 1160 pads to 4 digits */
		{"3.10.0-1160", "3.10.0-957", -1},
		{"6.1", "6.01", 0},
		{"", "1", -1},
		{"1.2-rc1", "1.2", 1},
	};

	check(ks_version_compare_dkms, orders, G_N_ELEMENTS(orders));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/version/natural_order", natural_order);
	g_test_add_func("/version/order_of_dkms", order_of_dkms);
	return g_test_run();
}
