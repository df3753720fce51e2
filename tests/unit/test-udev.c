/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices in a sysfs made of a few files. */
#include "core/install/udev.h"

#include "tests/unit/faketree.h"

#define PCI "/sys/devices/pci0000:00/0000:00:"

static void set_up(struct faketree *tree, gconstpointer data)
{
	faketree_set_up(tree, data);
	faketree_write(tree, PCI "01.0/modalias",
		       "pci:v00001234d00000001sv0sd0bc02sc00i00\n");
	faketree_write(tree, PCI "01.0/uevent", "");
	/* another device of that kind has a driver */
	faketree_write(tree, PCI "02.0/modalias",
		       "pci:v00001234d00000002sv0sd0bc02sc00i00\n");
	faketree_write(tree, PCI "02.0/uevent", "");
	faketree_link(tree, "../../../../bus/pci/drivers/other", PCI "02.0/driver");
	/* one below another */
	faketree_write(tree, PCI "02.0/usb1/1-1/1-1:1.0/modalias", "hid:b0003g0001v-1\n");
	faketree_write(tree, PCI "02.0/usb1/1-1/1-1:1.0/uevent", "");
	faketree_write(tree, PCI "03.0/modalias",
		       "pci:v00009999d00000001sv0sd0bc02sc00i00\n");
	faketree_write(tree, PCI "03.0/uevent", "");
	faketree_write(tree, PCI "04.0/modalias", "\n");
	/* sysfs is full of these */
	faketree_link(tree, "../..", PCI "01.0/subsystem");
	/* read by nobody */
	faketree_fifo(tree, PCI "05.0/modalias");
}

static GPtrArray *find(struct faketree *tree, const char *a, const char *b)
{
	g_autoptr(GPtrArray) patterns = g_ptr_array_new();

	if (a)
		g_ptr_array_add(patterns, (gpointer)a);
	if (b)
		g_ptr_array_add(patterns, (gpointer)b);
	return ks_udev_find_devices(tree->system, patterns);
}

static void test_only_what_is_matched_and_free(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) found =
		find(tree, "usb:v*", "pci:v00001234d*sv*sd*bc*sc*i*");

	g_assert_cmpuint(found->len, ==, 1);
	g_assert_cmpstr(found->pdata[0], ==, PCI "01.0");
}

static void test_dash_and_underscore_are_one(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) found = find(tree, "hid:b0003g*v_[0-9]", NULL);

	g_assert_cmpuint(found->len, ==, 1);
	g_assert_cmpstr(found->pdata[0], ==, PCI "02.0/usb1/1-1/1-1:1.0");
}

static void test_no_pattern_no_device(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) none = find(tree, NULL, NULL);
	g_autoptr(GPtrArray) other = find(tree, "acpi*:PNP*", NULL);

	g_assert_cmpuint(none->len, ==, 0);
	g_assert_cmpuint(other->len, ==, 0);
}

static void test_announced(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) found = find(tree, "pci:v00001234d*", NULL);
	g_autofree char *told = NULL;
	g_autofree char *driven = NULL;
	g_autofree char *foreign = NULL;

	g_ptr_array_add(found, g_strdup(PCI "99.0")); /* unplugged meanwhile */
	g_assert_cmpuint(ks_udev_announce(tree->system, found), ==, 1);
	told = faketree_read(tree, PCI "01.0/uevent");
	driven = faketree_read(tree, PCI "02.0/uevent");
	foreign = faketree_read(tree, PCI "03.0/uevent");
	g_assert_cmpstr(told, ==, "add\n");
	g_assert_cmpstr(driven, ==, "");
	g_assert_cmpstr(foreign, ==, "");
}

static void test_modaliases(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) aliases = NULL;

	/* two devices of one kind are one alias */
	faketree_write(tree, PCI "06.0/modalias", "hid:b0003g0001v-1\n");
	aliases = ks_udev_list_modaliases(tree->system);
	g_assert_cmpuint(aliases->len, ==, 4);
	g_assert_cmpstr(aliases->pdata[0], ==, "pci:v00001234d00000001sv0sd0bc02sc00i00");
	/* as the kernel writes it: modprobe has its own way with '-' */
	g_assert_cmpstr(aliases->pdata[2], ==, "hid:b0003g0001v-1");
}

static void test_without_sysfs(struct faketree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) patterns = g_ptr_array_new();
	ks_auto(ks_system) system = NULL;
	g_autoptr(GPtrArray) found = NULL;
	g_autofree char *empty = faketree_path(tree, "/empty");

	faketree_mkdir(tree, "/empty");
	system = ks_system_new(empty, NULL);
	g_ptr_array_add(patterns, (gpointer) "*");
	found = ks_udev_find_devices(system, patterns);
	g_assert_cmpuint(found->len, ==, 0);
}

#define ADD(name, func)                                                                  \
	g_test_add("/udev/" name, struct faketree, NULL, set_up, func, faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("only what is matched and has no driver", test_only_what_is_matched_and_free);
	ADD("dash and underscore are one", test_dash_and_underscore_are_one);
	ADD("no pattern, no device", test_no_pattern_no_device);
	ADD("the devices found are announced", test_announced);
	ADD("the modaliases of all devices are listed once", test_modaliases);
	ADD("a tree without sysfs has no devices", test_without_sysfs);
	return g_test_run();
}
