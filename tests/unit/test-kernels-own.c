/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel has a module itself, read by the worker that is really run. */
#include "core/inventory/kernels-own.h"

#include <string.h>

#include "tests/unit/faketree.h"

#define K   "/lib/modules/6.1.0-1-play"
#define OWN K "/kernel/drivers/play/play-good.ko"
/* what play-good.ko says */
#define ITS_VERSION    "1.2.3"
#define ITS_SRCVERSION "0123456789ABCDEF0123456"

struct fixture {
	struct faketree tree;
	struct ks_kernel kernel;
	struct ks_manifest *manifest;
};

static void copy_in(struct fixture *f, const char *name, const char *to)
{
	g_autofree char *source = g_test_build_filename(G_TEST_BUILT, "tests", "unit",
							"modules", name, NULL);
	g_autofree char *full = faketree_path(&f->tree, to);
	g_autofree char *data = NULL;
	g_autoptr(GError) error = NULL;
	size_t size_bytes;

	g_file_get_contents(source, &data, &size_bytes, &error);
	g_assert_no_error(error);
	g_file_set_contents(full, data, (gssize)size_bytes, &error);
	g_assert_no_error(error);
}

static struct ks_manifest_file *add_file(struct fixture *f, const char *name,
					 const char *version, const char *srcversion)
{
	struct ks_manifest_file *file = g_new0(struct ks_manifest_file, 1);

	file->name = g_strdup(name);
	file->version = g_strdup(version);
	file->srcversion = g_strdup(srcversion);
	g_ptr_array_add(f->manifest->files, file);
	return file;
}

static void set_up(struct fixture *f, gconstpointer data)
{
	faketree_set_up(&f->tree, NULL);
	f->kernel = (struct ks_kernel){.release = (char *)"6.1.0-1-play",
				       .arch = (char *)"x86_64",
				       .modules_dir = (char *)K,
				       .alive = true};
	f->manifest = ks_manifest_new("foo", "1.0", f->kernel.release, f->kernel.arch);
	copy_in(f, "play-good.ko", OWN);
	faketree_write(&f->tree, K "/modules.order",
		       "kernel/drivers/play/play-good.ko\n");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	ks_manifest_free(f->manifest);
	faketree_tear_down(&f->tree, NULL);
}

static void assert_found(struct fixture *f, const char *expected)
{
	g_autofree char *path = ks_in_tree_find(f->tree.system, &f->kernel, f->manifest);

	g_assert_cmpstr(path, ==, expected);
}

static void test_same_or_newer(struct fixture *f, gconstpointer data)
{
	static const struct {
		const char *version, *srcversion;
		bool found;
	} cases[] = {
		{ITS_VERSION, NULL, true},     {"1.2.2", ITS_SRCVERSION, true},
		{"1.2.3.1", NULL, false},      {"1.10", ITS_SRCVERSION, false},
		{NULL, ITS_SRCVERSION, false}, /* the kernel's has a version, ours has
						  none */
		{NULL, NULL, false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_ptr_array_set_size(f->manifest->files, 0);
		add_file(f, "play-good.ko.xz", cases[i].version, cases[i].srcversion);
		assert_found(f, cases[i].found ? OWN : NULL);
	}
}

static void test_each_of_several_counts(struct fixture *f, gconstpointer data)
{
	add_file(f, "play_good.ko", ITS_VERSION, NULL);
	assert_found(f, OWN);
	add_file(f, "play-user.ko", ITS_VERSION, NULL);
	assert_found(f, NULL);
}

static void test_a_module_of_another_name_is_not_asked(struct fixture *f,
						       gconstpointer data)
{
	add_file(f, "good.ko", ITS_VERSION, NULL);
	assert_found(f, NULL);
}

static void test_rubbish_proves_nothing(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, OWN, "this is no module");
	add_file(f, "play-good.ko", "0", NULL);
	assert_found(f, NULL);
}

static void test_no_module_is_no_proof(struct fixture *f, gconstpointer data)
{
	assert_found(f, NULL);
	add_file(f, "play-good.ko", ITS_VERSION, NULL);
	f->kernel.alive = false;
	assert_found(f, NULL);
}

/* With the worker gone only the cache can answer. */
static void test_is_remembered_by_the_file(struct fixture *f, gconstpointer data)
{
	add_file(f, "play-good.ko", ITS_VERSION, NULL);
	faketree_write(&f->tree, "/var/lib/kmodsmith/there", "");
	assert_found(f, OWN);
	g_free(f->tree.system->libexec_dir);
	f->tree.system->libexec_dir = g_strdup("/nonexistent");
	assert_found(f, OWN);
	faketree_write(&f->tree, OWN, "another file");
	assert_found(f, NULL);
}

#define ADD(name, func)                                                                  \
	g_test_add("/in-tree/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	ADD("same-or-newer", test_same_or_newer);
	ADD("each-of-several-counts", test_each_of_several_counts);
	ADD("a-module-of-another-name-is-not-asked",
	    test_a_module_of_another_name_is_not_asked);
	ADD("rubbish-proves-nothing", test_rubbish_proves_nothing);
	ADD("no-module-is-no-proof", test_no_module_is_no_proof);
	ADD("is-remembered-by-the-file", test_is_remembered_by_the_file);
	return g_test_run();
}
