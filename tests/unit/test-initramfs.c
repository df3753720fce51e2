/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps after a placement: destinations, depmod, initramfs, dead kernels. */
#include "core/install/install.h"

#include <sys/time.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define K	 "6.1.0-1-play"
#define BASE	 "/lib/modules/" K
#define MARK	 "/var/lib/kmodsmith/changed/" K
#define REPORTED "/var/lib/kmodsmith/unrenewed/" K

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
};

/* The path for this process. */
static char *path_in(struct fixture *f, const char *path)
{
	return g_build_filename(f->tree.dir, path, NULL);
}

static bool has(struct fixture *f, const char *path)
{
	g_autofree char *full = path_in(f, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->kernel = (struct ks_kernel){
		.release = (char *)K,
		.modules_dir = (char *)BASE,
		.alive = true,
	};
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	faketree_tear_down(&f->tree, NULL);
}

static void assert_dest(struct fixture *f, const char *os_release, const char *dest)
{
	faketree_write(&f->tree, "/etc/os-release", os_release);
	g_assert_cmpstr(ks_install_dest_override(f->tree.system), ==, dest);
}

static void test_dest(struct fixture *f, gconstpointer data)
{
	g_assert_cmpstr(ks_install_dest_override(f->tree.system), ==, NULL);
	faketree_write(&f->tree, "/usr/lib/os-release", "ID=debian\n");
	g_assert_cmpstr(ks_install_dest_override(f->tree.system), ==, "/updates/dkms");
	assert_dest(f, "ID=ubuntu\nID_LIKE=debian\n", "/updates/dkms");
	assert_dest(f, "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
		    "/updates/dkms");
	assert_dest(f, "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n", "/extra");
	assert_dest(f, "ID=fedora\n", "/extra");
	assert_dest(f, "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "/updates");
	assert_dest(f, "ID=arch\n", "/updates/dkms");
	assert_dest(f, "ID=alpine\n", NULL);
	assert_dest(f, "ID='unterminated\n", NULL);
}

static void set_time(struct fixture *f, const char *path, time_t seconds)
{
	const struct timeval times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	g_autofree char *full = path_in(f, path);

	g_assert_cmpint(utimes(full, times), ==, 0);
}

static void add_tool(struct fixture *f, const char *name)
{
	g_autofree char *path = g_build_filename("/usr/bin", name, NULL);
	g_autofree char *full = path_in(f, path);

	faketree_write(&f->tree, path, "#!/bin/sh\n");
	g_assert_cmpint(chmod(full, 0755), ==, 0);
}

static bool is_stale(struct fixture *f)
{
	return ks_install_initramfs_is_stale(f->tree.system, &f->kernel);
}

static void assert_unrenewed(struct fixture *f, const char *what, bool is_due)
{
	struct ks_image_facts facts;

	ks_install_look_at_image(f->tree.system, &f->kernel, &facts);
	g_assert_cmpstr(facts.unrenewed, ==, what);
	g_assert_cmpint(facts.unrenewed_is_due, ==, is_due);
	g_free(facts.unrenewed);
}

static void test_stale(struct fixture *f, gconstpointer data)
{
	const struct ks_system *system = f->tree.system;

	add_tool(f, "update-initramfs");
	g_assert_false(is_stale(f));
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	g_assert_false(is_stale(f));
	faketree_write(&f->tree, "/boot/initrd.img-" K, "image");

	set_time(f, MARK, 1000);
	set_time(f, "/boot/initrd.img-" K, 999);
	g_assert_true(is_stale(f));
	set_time(f, "/boot/initrd.img-" K, 1000);
	g_assert_true(is_stale(f));
	set_time(f, "/boot/initrd.img-" K, 1001);
	g_assert_false(is_stale(f));
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	g_assert_true(is_stale(f));
}

/* One of several images is enough. */
static void test_any_stale(struct fixture *f, gconstpointer data)
{
	add_tool(f, "mkinitcpio");
	faketree_write(&f->tree, "/etc/mkinitcpio.d/linux.preset",
		       "PRESETS=(default fallback)\nALL_kver=" K "\n"
		       "default_image=/boot/a.img\nfallback_image=/boot/b.img\n");
	faketree_write(&f->tree, "/boot/a.img", "");
	faketree_write(&f->tree, "/boot/b.img", "");
	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	set_time(f, MARK, 1000);
	set_time(f, "/boot/b.img", 999);
	g_assert_true(is_stale(f));
	set_time(f, "/boot/b.img", 1001);
	g_assert_false(is_stale(f));
}

static const char *const K_uki = "/efi/EFI/Linux/custom-" K ".efi";

#define NOBODY_MAKES                                                                     \
	"nothing that is known here makes '/efi/EFI/Linux/custom-" K ".efi' of " K       \
	": renew it by hand"

static void test_unrenewed(struct fixture *f, gconstpointer data)
{
	const struct ks_system *system = f->tree.system;
	g_autofree char *what = NULL, *again = NULL;

	faketree_write(&f->tree, K_uki, "");
	assert_unrenewed(f, NOBODY_MAKES, false);
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	assert_unrenewed(f, NOBODY_MAKES, true);
	g_assert_false(is_stale(f));
	g_assert_true(ks_install_note_unrenewed(system, &f->kernel, &what, NULL));
	g_assert_cmpstr(what, ==, NOBODY_MAKES);
	assert_unrenewed(f, NOBODY_MAKES, false);
	g_assert_true(ks_install_note_unrenewed(system, &f->kernel, &again, NULL));
	g_assert_null(again);
	/* renewed by hand, after the next change */
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	set_time(f, MARK, 1000);
	assert_unrenewed(f, NOBODY_MAKES, false);
}

/* It is reported where such images are made at all, and the kernel's file is there. */
static void test_missing(struct fixture *f, gconstpointer data)
{
	static const char *const missing =
		"no initramfs of " K " is found: if it boots with one, renew it";

	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	assert_unrenewed(f, NULL, false);
	add_tool(f, "dracut");
	assert_unrenewed(f, NULL, false);
	faketree_write(&f->tree, "/boot/vmlinuz-" K, "");
	assert_unrenewed(f, missing, true);
	f->kernel.config_path = (char *)"/boot/config-" K;
	faketree_write(&f->tree, f->kernel.config_path, "CONFIG_A=y\n");
	assert_unrenewed(f, NULL, false);
	g_clear_pointer(&f->kernel.config, g_hash_table_unref);
	faketree_write(&f->tree, f->kernel.config_path, "CONFIG_BLK_DEV_INITRD=y\n");
	assert_unrenewed(f, missing, true);
	faketree_write(&f->tree, "/boot/initramfs-" K ".img", "");
	set_time(f, "/boot/initramfs-" K ".img", 1000);
	assert_unrenewed(f, NULL, false);
	g_assert_true(is_stale(f));
	g_clear_pointer(&f->kernel.config, g_hash_table_unref);
}

static void test_commands(struct fixture *f, gconstpointer data)
{
	const struct ks_system *system = f->tree.system;
	g_auto(GStrv) none = ks_install_list_image_commands(f->tree.system, &f->kernel);
	g_auto(GStrv) commands = NULL;
	g_autofree char *text = NULL;

	g_assert_null(none[0]);
	add_tool(f, "dracut");
	add_tool(f, "kernel-install");
	faketree_write(&f->tree, "/boot/vmlinuz-" K, "");
	faketree_write(&f->tree, "/boot/initrd.img-" K, "");
	faketree_write(&f->tree, "/etc/kernel/entry-token", "debian\n");
	faketree_write(&f->tree, "/efi/debian/" K "/initrd.img-" K, "");
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	commands = ks_install_list_image_commands(system, &f->kernel);
	text = g_strjoinv("\n", commands);
	g_assert_cmpstr(text, ==,
			"dracut --force /boot/initrd.img-" K " " K "\n"
			"kernel-install add " K " /boot/vmlinuz-" K
			" /boot/initrd.img-" K);
}

static void test_no_tools(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(
		ks_install_initramfs_update(f->tree.system, &f->kernel, -1, &error));
	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	faketree_write(&f->tree, "/boot/initrd.img-" K, "image");
	set_time(f, "/boot/initrd.img-" K, 1000);
	g_assert_true(
		ks_install_initramfs_update(f->tree.system, &f->kernel, -1, &error));
	g_assert_true(has(f, MARK));
	assert_unrenewed(f,
			 "nothing that is known here makes '/boot/initrd.img-" K "' of " K
			 ": renew it by hand",
			 true);

	g_assert_true(ks_install_depmod(f->tree.system, &f->kernel, &error));
	faketree_mkdir(&f->tree, BASE "/kernel");
	g_assert_false(ks_install_depmod(f->tree.system, &f->kernel, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_clear_error(&error);
	f->kernel.alive = false;
	g_assert_true(ks_install_depmod(f->tree.system, &f->kernel, &error));
}

static void test_prune(struct fixture *f, gconstpointer data)
{
	const struct ks_system *system = f->tree.system;

	f->kernel.alive = false;
	faketree_write(&f->tree, BASE "/modules.dep", "");
	faketree_write(&f->tree, BASE "/modules.symbols.bin", "");
	faketree_mkdir(&f->tree, BASE "/updates/dkms");
	faketree_link(&f->tree, "/usr/src/linux-headers-" K, BASE "/build");
	faketree_write(&f->tree, BASE "/updates/mine.ko", "somebody's");
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	faketree_write(&f->tree, REPORTED, "");

	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
	g_assert_true(has(f, BASE "/updates/mine.ko"));
	g_assert_true(has(f, BASE "/modules.dep"));
	g_assert_true(
		ks_root_mkdir_p(system->root, "/usr/src/linux-headers-" K, 0755, NULL));
	g_assert_cmpint(
		unlinkat(ks_root_fd(system->root), &BASE "/updates/mine.ko"[1], 0), ==,
		0);

	/* headers are there: the link is theirs */
	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
	g_assert_true(has(f, BASE "/build"));
	g_assert_cmpint(unlinkat(ks_root_fd(system->root), "usr/src/linux-headers-" K,
				 AT_REMOVEDIR),
			==, 0);

	/* came back since the picture was taken */
	faketree_write(&f->tree, BASE "/modules.order", "");
	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
	g_assert_true(has(f, BASE "/modules.order"));
	g_assert_cmpint(unlinkat(ks_root_fd(system->root), &BASE "/modules.order"[1], 0),
			==, 0);

	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
	g_assert_false(has(f, BASE));
	g_assert_true(has(f, "/lib/modules"));
	g_assert_false(has(f, MARK));
	g_assert_false(has(f, REPORTED));
	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
}

#define ADD(name, func)                                                                  \
	g_test_add("/install/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("the-destination-follows-the-distribution", test_dest);
	ADD("an-image-older-than-the-change-is-stale", test_stale);
	ADD("one-stale-image-of-several-is-enough", test_any_stale);
	ADD("an-image-that-nobody-makes-is-reported-once-for-each-change",
	    test_unrenewed);
	ADD("a-missing-image-is-reported-where-images-are-usual", test_missing);
	ADD("commands-are-listed-in-the-order-they-are-needed", test_commands);
	ADD("tools-that-are-not-there-are-reported-only-when-needed", test_no_tools);
	ADD("a-dead-kernel-goes-when-nothing-of-others-is-in-it", test_prune);
	return g_test_run();
}
