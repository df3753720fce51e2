/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps after a placement: destinations, depmod, initramfs, dead kernels. */
#include "core/install/install.h"

#include <sys/time.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define K    "6.1.0-1-play"
#define BASE "/lib/modules/" K
#define MARK "/var/lib/kmodsmith/changed/" K

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

static void test_stale(struct fixture *f, gconstpointer data)
{
	const struct ks_system *system = f->tree.system;
	g_autofree char *image = NULL;

	g_assert_false(ks_install_initramfs_is_stale(system, &f->kernel));
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	g_assert_null(ks_install_initramfs_path(system, &f->kernel));
	g_assert_false(ks_install_initramfs_is_stale(system, &f->kernel));
	faketree_write(&f->tree, "/boot/initrd.img-" K, "image");
	image = ks_install_initramfs_path(system, &f->kernel);
	g_assert_cmpstr(image, ==, "/boot/initrd.img-" K);

	set_time(f, MARK, 1000);
	set_time(f, "/boot/initrd.img-" K, 999);
	g_assert_true(ks_install_initramfs_is_stale(system, &f->kernel));
	set_time(f, "/boot/initrd.img-" K, 1000);
	g_assert_true(ks_install_initramfs_is_stale(system, &f->kernel));
	set_time(f, "/boot/initrd.img-" K, 1001);
	g_assert_false(ks_install_initramfs_is_stale(system, &f->kernel));
	g_assert_true(ks_install_mark_changed(system, K, NULL));
	g_assert_true(ks_install_initramfs_is_stale(system, &f->kernel));
}

static void test_image_names(struct fixture *f, gconstpointer data)
{
	g_autofree char *entry = NULL;
	g_autofree char *package = NULL;
	g_autofree char *dracut = NULL;

	faketree_write(&f->tree, "/etc/machine-id", "0123456789abcdef\n");
	faketree_write(&f->tree, "/boot/0123456789abcdef/" K "/initrd", "");
	entry = ks_install_initramfs_path(f->tree.system, &f->kernel);
	g_assert_cmpstr(entry, ==, "/boot/0123456789abcdef/" K "/initrd");
	faketree_write(&f->tree, BASE "/pkgbase", "linux-lts\n");
	faketree_write(&f->tree, "/boot/initramfs-linux-lts.img", "");
	package = ks_install_initramfs_path(f->tree.system, &f->kernel);
	g_assert_cmpstr(package, ==, "/boot/initramfs-linux-lts.img");
	faketree_write(&f->tree, "/boot/initramfs-" K ".img", "");
	dracut = ks_install_initramfs_path(f->tree.system, &f->kernel);
	g_assert_cmpstr(dracut, ==, "/boot/initramfs-" K ".img");
}

static void test_no_tools(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(
		ks_install_initramfs_update(f->tree.system, &f->kernel, -1, &error));
	g_assert_true(ks_install_mark_changed(f->tree.system, K, NULL));
	faketree_write(&f->tree, "/boot/initrd.img-" K, "image");
	g_assert_false(
		ks_install_initramfs_update(f->tree.system, &f->kernel, -1, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_true(has(f, MARK));
	g_clear_error(&error);

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
	g_assert_true(ks_install_prune_kernel(system, &f->kernel, NULL));
}

#define ADD(name, func)                                                                  \
	g_test_add("/install/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("the-destination-follows-the-distribution", test_dest);
	ADD("an-image-older-than-the-change-is-stale", test_stale);
	ADD("images-are-found-under-their-usual-names", test_image_names);
	ADD("tools-that-are-not-there-are-an-error-only-when-needed", test_no_tools);
	ADD("a-dead-kernel-goes-when-nothing-of-others-is-in-it", test_prune);
	return g_test_run();
}
