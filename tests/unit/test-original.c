/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own modules, taken and given back, in a scratch tree: also when the run
 * died between any two of the steps, which the tests make one by one.
 */
#include "core/install/original.h"

#include <string.h>
#include <unistd.h>

#include "core/install/install.h"
#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define K     "6.1.0-1-play"
#define OWN   "/lib/modules/" K "/kernel/drivers/"
#define STORE "/var/lib/dkms/play/original_module/" K "/x86_64"
#define DIR   "/var/lib/dkms/play/1.0/" K "/x86_64"

struct fixture {
	struct faketree tree;
	struct ks_manifest *manifest;
	GPtrArray *others;
	GString *told;
	bool refuse;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

	faketree_set_up(&f->tree, NULL);
	faketree_mkdir(&f->tree, OWN "play");
	faketree_write(&f->tree, DIR "/module/play.ko", "ours");
	f->manifest = ks_manifest_new("play", "1.0", K, "x86_64");
	file->name = g_strdup("play.ko");
	file->dest_dir = g_strdup(OWN "play");
	file->sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "ours", -1);
	file->size_bytes = strlen("ours");
	g_ptr_array_add(f->manifest->files, file);
	f->others = g_ptr_array_new_with_free_func(g_free);
	f->told = g_string_new(NULL);
	f->refuse = false;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_manifest_free(f->manifest);
	g_ptr_array_unref(f->others);
	g_string_free(f->told, TRUE);
	faketree_tear_down(&f->tree, NULL);
}

static bool may_take(const char *path, void *data)
{
	return !((struct fixture *)data)->refuse;
}

static void tell(const char *path, void *data)
{
	g_string_append_printf(((struct fixture *)data)->told, "%s\n", path);
}

static char *read_in(struct fixture *f, const char *path)
{
	return ks_root_read_file(f->tree.system->root, path, 4096, NULL, NULL);
}

static void assert_holds(struct fixture *f, const char *path, const char *text)
{
	g_autofree char *there = read_in(f, path);

	g_assert_cmpstr(there, ==, text);
}

static void put_aside(struct fixture *f, const struct ks_manifest *old)
{
	const struct ks_original_options options = {may_take, tell, f};
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_original_put_aside(f->tree.system, DIR, f->manifest, old,
					    &options, f->others, &error));
	g_assert_no_error(error);
}

static void place(struct fixture *f, const struct ks_manifest *old)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_install_place(f->tree.system, DIR, f->manifest, old, &error));
	g_assert_no_error(error);
	g_assert_true(ks_original_remove(f->tree.system, f->manifest, f->others, &error));
	g_assert_no_error(error);
}

static void restore(struct fixture *f)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(ks_original_restore(f->tree.system, f->manifest, "play", K,
					  "x86_64", NULL, &error));
	g_assert_no_error(error);
	g_assert_true(ks_install_unplace(f->tree.system, f->manifest, &error));
	g_assert_no_error(error);
	g_assert_false(ks_root_exists(f->tree.system->root,
				      "/var/lib/dkms/play/original_module"));
}

static void test_at_the_very_path(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	assert_holds(f, STORE "/play.ko", "the kernel's");
	assert_holds(f, STORE "/play.ko.origin", OWN "play/play.ko\n");
	assert_holds(f, OWN "play/play.ko", "the kernel's");
	place(f, NULL);
	assert_holds(f, OWN "play/play.ko", "ours");
	restore(f);
	assert_holds(f, OWN "play/play.ko", "the kernel's");
	g_assert_cmpstr(f->told->str, ==, OWN "play/play.ko\n");
}

static void test_elsewhere(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "net/play.ko.xz", "the kernel's");
	put_aside(f, NULL);
	assert_holds(f, OWN "net/play.ko.xz", "the kernel's");
	place(f, NULL);
	assert_holds(f, OWN "net/play.ko.xz", NULL);
	assert_holds(f, OWN "play/play.ko", "ours");
	restore(f);
	assert_holds(f, OWN "net/play.ko.xz", "the kernel's");
	assert_holds(f, OWN "play/play.ko", NULL);
}

static void test_several(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "net/play.ko", "the kernel's");
	faketree_write(&f->tree, OWN "usb/play.ko", "another one");
	faketree_write(&f->tree, OWN "usb/playing.ko", "of another name");
	put_aside(f, NULL);
	g_assert_cmpuint(f->others->len, ==, 0);
	place(f, NULL);
	assert_holds(f, OWN "net/play.ko", "the kernel's");
	assert_holds(f, OWN "usb/play.ko", "another one");
	restore(f);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	f->refuse = true;
	put_aside(f, NULL);
	g_assert_false(ks_root_exists(f->tree.system->root, STORE));
	g_assert_false(ks_install_place(f->tree.system, DIR, f->manifest, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_DENIED);
	assert_holds(f, OWN "play/play.ko", "the kernel's");
}

/* None of our files is in place: the kernel's is where it was. */
static void test_died_before_placing(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	restore(f);
	assert_holds(f, OWN "play/play.ko", "the kernel's");
}

/* The file in the way is ours now, and no state says so. */
static void test_died_after_placing(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	place(f, NULL);
	put_aside(f, NULL);
	assert_holds(f, STORE "/play.ko", "the kernel's");
	place(f, NULL);
	restore(f);
	assert_holds(f, OWN "play/play.ko", "the kernel's");
}

/* The new one is in place, the kernel's other not yet gone. */
static void test_died_before_removing(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, OWN "net/play.ko", "the kernel's");
	put_aside(f, NULL);
	g_assert_true(ks_install_place(f->tree.system, DIR, f->manifest, NULL, &error));
	put_aside(f, NULL);
	place(f, NULL);
	assert_holds(f, OWN "net/play.ko", NULL);
	restore(f);
	assert_holds(f, OWN "net/play.ko", "the kernel's");
}

/* The kernel's package was installed again, over ours. */
static void test_brought_again(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	place(f, NULL);
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's next");
	put_aside(f, f->manifest);
	place(f, f->manifest);
	assert_holds(f, OWN "play/play.ko", "ours");
	restore(f);
	assert_holds(f, OWN "play/play.ko", "the kernel's next");
}

static void test_brought_again_and_left(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	place(f, NULL);
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's next");
	restore(f);
	assert_holds(f, OWN "play/play.ko", "the kernel's next");
}

static void test_not_below_kernel(struct fixture *f, gconstpointer data)
{
	struct ks_manifest_file *file = g_ptr_array_index(f->manifest->files, 0);

	g_free(file->dest_dir);
	file->dest_dir = g_strdup("/lib/modules/" K "/updates/dkms");
	faketree_write(&f->tree, OWN "play/play.ko", "the kernel's");
	put_aside(f, NULL);
	g_assert_false(ks_root_exists(f->tree.system->root, STORE));
}

#define ADD(name, func)                                                                  \
	g_test_add("/original/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("one-at-the-very-path-is-replaced-and-put-back", test_at_the_very_path);
	ADD("one-elsewhere-is-moved-and-put-back", test_elsewhere);
	ADD("several-elsewhere-stay", test_several);
	ADD("one-that-must-not-be-taken-is-not-overwritten", test_refused);
	ADD("died-before-placing-it-is-where-it-was", test_died_before_placing);
	ADD("died-after-placing-ours-is-not-taken-for-it", test_died_after_placing);
	ADD("died-before-removing-it-is-removed-later", test_died_before_removing);
	ADD("one-that-came-again-is-taken-again", test_brought_again);
	ADD("one-that-came-again-stays", test_brought_again_and_left);
	ADD("where-depmod-prefers-ours-none-is-taken", test_not_below_kernel);
	return g_test_run();
}
