/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker, really run, over the playground's modules and over rubbish. */
#include "core/module/inspect.h"

#include <string.h>
#include <sys/utsname.h>

#include "core/support/error.h"
#include "tests/unit/faketree.h"

#define SYMVERS                                                                          \
	"0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"                          \
	"0x22222222\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL\t\n"                       \
	"0x00000000\tplay_kernel_call_without_crc\tvmlinux\tEXPORT_SYMBOL\t\n"

struct fixture {
	struct faketree tree;
	struct utsname machine;
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

static void copy_in(struct fixture *f, const char *from, const char *to)
{
	g_autofree char *source = g_test_build_filename(G_TEST_BUILT, "tests", "unit",
							"modules", from, NULL);
	g_autofree char *full = path_in(f, to);
	g_autofree char *parent = g_path_get_dirname(full);
	g_autofree char *data = NULL;
	g_autoptr(GError) error = NULL;
	size_t size_bytes;

	g_file_get_contents(source, &data, &size_bytes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_file_set_contents(full, data, (gssize)size_bytes, &error);
	g_assert_no_error(error);
}

static void set_up(struct fixture *f, gconstpointer data)
{
	static const char *const names[] = {"good", "user", "stale", "other-release",
					    "not-a-module"};

	faketree_set_up(&f->tree, NULL);
	g_assert_cmpint(uname(&f->machine), ==, 0);
	f->kernel = (struct ks_kernel){
		.release = (char *)"6.1.0-1-play",
		.arch = f->machine.machine,
		.modules_dir = (char *)"/lib/modules/6.1.0-1-play",
		.symvers_path = (char *)"/usr/src/headers/Module.symvers",
	};
	faketree_write(&f->tree, f->kernel.symvers_path, SYMVERS);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *from = g_strdup_printf("play-%s.ko", names[i]);
		g_autofree char *to = g_strdup_printf("/m/play-%s.ko", names[i]);

		copy_in(f, from, to);
	}
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	faketree_tear_down(&f->tree, NULL);
}

static GPtrArray *inspect(struct fixture *f, const char *a, const char *b)
{
	const char *const paths[] = {a, b, NULL};
	g_autoptr(GError) error = NULL;
	GPtrArray *infos =
		ks_module_inspect(f->tree.system, paths, &f->kernel, NULL, &error);

	g_assert_no_error(error);
	g_assert_nonnull(infos);
	g_assert_cmpuint(infos->len, ==, b ? 2 : 1);
	return infos;
}

static void assert_problem(struct fixture *f, const char *path, const char *problem)
{
	g_autoptr(GPtrArray) infos = inspect(f, path, NULL);
	const struct ks_module_info *info = g_ptr_array_index(infos, 0);

	g_assert_cmpstr(info->problem, ==, problem);
}

static void test_good(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) infos = inspect(f, "/m/play-good.ko", NULL);
	const struct ks_module_info *info = g_ptr_array_index(infos, 0);

	g_assert_cmpstr(info->problem, ==, NULL);
	g_assert_cmpstr(info->path, ==, "/m/play-good.ko");
	g_assert_cmpstr(info->name, ==, "play_good");
	g_assert_cmpstr(info->vermagic, ==, "6.1.0-1-play SMP mod_unload modversions ");
	g_assert_cmpstr(info->version, ==, "1.2.3");
	g_assert_cmpstr(info->srcversion, ==, "0123456789ABCDEF0123456");
	g_assert_cmpstr(info->license, ==, "GPL");
	g_assert_cmpuint(g_strv_length(info->aliases), ==, 2);
	g_assert_true(g_strv_contains((const char *const *)info->aliases,
				      "pci:v00001234d*sv*sd*bc*sc*i*"));
	g_assert_cmpuint(g_strv_length(info->depends), ==, 2);
	g_assert_cmpstr(info->depends[1], ==, "hid");
	g_assert_cmpuint(g_strv_length(info->exports), ==, 1);
	g_assert_cmpstr(info->exports[0], ==, "0x33333333 play_good_call");
}

static void assert_weak(struct fixture *f, const char *symvers, const char *problem)
{
	static const char *const paths[] = {"/m/play-weak.ko", NULL};
	const struct ks_kernel other = {.release = (char *)"6.1.0-2-play",
					.arch = f->machine.machine};
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) infos =
		ks_module_inspect_weak(f->tree.system, paths, &other, symvers, &error);
	const struct ks_module_info *info;

	g_assert_no_error(error);
	g_assert_nonnull(infos);
	info = g_ptr_array_index(infos, 0);
	g_assert_cmpstr(info->problem, ==, problem);
}

static void test_weak(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	copy_in(f, "play-weak.ko", "/m/play-weak.ko");
	assert_weak(f, f->kernel.symvers_path, NULL);
	for (size_t i = 0; i < 3; i++) {
		static const char *const suffixes[] = {".gz", ".xz", ".zst"};
		g_autofree char *packed =
			g_strconcat(f->kernel.symvers_path, suffixes[i], NULL);

		g_assert_true(ks_module_compress(f->tree.system, f->kernel.symvers_path,
						 suffixes[i], 0, &error));
		assert_weak(f, packed, NULL);
	}
	faketree_write(&f->tree, "/other",
		       "0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		       "0x22222223\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_weak(f, "/other",
		    "symbol 'play_kernel_call' has CRC 0x22222222 here and 0x22222223 in "
		    "the kernel");
	/* with another layout of struct module nothing can be loaded */
	faketree_write(&f->tree, "/layout",
		       "0x11111112\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		       "0x22222222\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_weak(f, "/layout",
		    "symbol 'module_layout' has CRC 0x11111111 here and 0x11111112 in "
		    "the kernel");
	faketree_write(&f->tree, "/none",
		       "0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		       "0x00000000\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_weak(f, "/none", "symbol 'play_kernel_call' has no CRC in the kernel");
	faketree_write(&f->tree, "/gone",
		       "0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_weak(f, "/gone", "symbol 'play_kernel_call' is exported by nothing");
}

static void test_set(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) infos = inspect(f, "/m/play-user.ko", "/m/play-good.ko");
	const struct ks_module_info *user = g_ptr_array_index(infos, 0);

	g_assert_cmpstr(user->name, ==, "play_user");
	g_assert_cmpstr(user->problem, ==, NULL);
	assert_problem(f, "/m/play-user.ko",
		       "symbol 'play_good_call' is exported by nothing");
}

/* lttng has 44, dahdi 32: each is a descriptor of the worker. */
static void test_large_set(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) infos = NULL;
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < 200; i++) {
		g_autofree char *path = g_strdup_printf("/m/%d/play-good.ko", i);

		copy_in(f, "play-good.ko", path);
		g_ptr_array_add(paths, g_steal_pointer(&path));
	}
	g_ptr_array_add(paths, NULL);
	infos = ks_module_inspect(f->tree.system, (const char *const *)paths->pdata,
				  &f->kernel, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(infos->len, ==, 200);
	for (guint i = 0; i < infos->len; i++) {
		const struct ks_module_info *info = g_ptr_array_index(infos, i);

		g_assert_cmpstr(info->problem, ==, NULL);
	}
}

static void test_extra(struct fixture *f, gconstpointer data)
{
	const char *const paths[] = {"/m/play-user.ko", NULL};
	const char *const extra[] = {"/dep/Module.symvers", NULL};
	g_autoptr(GPtrArray) right = NULL;
	g_autoptr(GPtrArray) wrong = NULL;
	const struct ks_module_info *info;

	faketree_write(&f->tree, extra[0],
		       "0x33333333\tplay_good_call\t/b/play-good\tEXPORT_SYMBOL\t\n");
	right = ks_module_inspect(f->tree.system, paths, &f->kernel, extra, NULL);
	g_assert_nonnull(right);
	info = g_ptr_array_index(right, 0);
	g_assert_cmpstr(info->problem, ==, NULL);

	faketree_write(&f->tree, extra[0],
		       "0x33333330\tplay_good_call\t/b/play-good\tEXPORT_SYMBOL\t\n");
	wrong = ks_module_inspect(f->tree.system, paths, &f->kernel, extra, NULL);
	g_assert_nonnull(wrong);
	info = g_ptr_array_index(wrong, 0);
	g_assert_cmpstr(
		info->problem, ==,
		"symbol 'play_good_call' has CRC 0x33333333 here and 0x33333330 in "
		"the kernel");
}

static void test_stale(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) infos = inspect(f, "/m/play-stale.ko", NULL);
	const struct ks_module_info *info = g_ptr_array_index(infos, 0);

	g_assert_true(g_str_has_prefix(info->problem, "symbols 'play_gone_"));
	g_assert_nonnull(strstr(info->problem,
				" and 2 more are exported by nothing; symbol "
				"'play_kernel_call' has CRC 0x2222dead here and "
				"0x22222222 in the kernel"));
	g_assert_cmpstr(info->license, ==, "GPL??end=1?[2J");
}

static void test_layout(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, f->kernel.symvers_path,
		       "0x1111aaaa\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		       "0x33333333\tplay_good_call\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_problem(
		f, "/m/play-user.ko",
		"symbol 'module_layout' has CRC 0x11111111 here and 0x1111aaaa in the "
		"kernel");
}

static void test_gpl_only(struct fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) none = inspect(f, "/m/play-good.ko", NULL);
	const struct ks_module_info *free_one = g_ptr_array_index(none, 0);
	g_autoptr(GPtrArray) infos = NULL;
	const struct ks_module_info *info;

	g_assert_cmpuint(g_strv_length(free_one->gpl_only), ==, 0);
	faketree_write(
		&f->tree, f->kernel.symvers_path,
		"0x11111111\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
		"0x22222222\tplay_kernel_call\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"
		"0x00000000\tnot_used\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"
		"0x00000000\tplay_kernel_call_without_crc\tvmlinux\tEXPORT_SYMBOL\t\n");
	infos = inspect(f, "/m/play-good.ko", NULL);
	info = g_ptr_array_index(infos, 0);
	g_assert_cmpstr(info->problem, ==, NULL);
	g_assert_cmpuint(g_strv_length(info->gpl_only), ==, 1);
	g_assert_cmpstr(info->gpl_only[0], ==, "play_kernel_call");
}

static void test_gpl_licences(struct fixture *f, gconstpointer data)
{
	g_assert_true(ks_module_is_gpl_compatible("GPL"));
	g_assert_true(ks_module_is_gpl_compatible("Dual BSD/GPL"));
	g_assert_false(ks_module_is_gpl_compatible("BSD"));
	g_assert_false(ks_module_is_gpl_compatible("GPL\t"));
	g_assert_false(ks_module_is_gpl_compatible("Proprietary"));
	g_assert_false(ks_module_is_gpl_compatible(""));
	g_assert_false(ks_module_is_gpl_compatible(NULL));
}

static void test_no_crcs(struct fixture *f, gconstpointer data)
{
	faketree_write(&f->tree, f->kernel.symvers_path,
		       "0x00000000\tplay_good_call\tvmlinux\tEXPORT_SYMBOL\t\n");
	assert_problem(f, "/m/play-user.ko", NULL);
	faketree_write(&f->tree, f->kernel.symvers_path, "");
	assert_problem(f, "/m/play-user.ko",
		       "symbol 'play_good_call' is exported by nothing");
}

static void test_no_symvers(struct fixture *f, gconstpointer data)
{
	f->kernel.symvers_path = NULL;
	assert_problem(f, "/m/play-user.ko", NULL);
}

static void test_release(struct fixture *f, gconstpointer data)
{
	assert_problem(f, "/m/play-other-release.ko",
		       "vermagic '6.1.0-1-play-rt SMP mod_unload modversions' is not for "
		       "6.1.0-1-play");
	assert_problem(f, "/m/play-not-a-module.ko",
		       "it has no module information, it is not a kernel module");
}

static void test_machine(struct fixture *f, gconstpointer data)
{
	bool is_s390x = !strcmp(f->machine.machine, "s390x");

	f->kernel.arch = (char *)(is_s390x ? "x86_64" : "s390x");
	assert_problem(f, "/m/play-good.ko",
		       is_s390x ? "not an ELF object for x86_64"
				: "not an ELF object for s390x");
}

static void test_rubbish(struct fixture *f, gconstpointer data)
{
	g_autofree char *problem =
		g_strdup_printf("not an ELF object for %s", f->machine.machine);

	faketree_write(&f->tree, "/m/empty.ko", "");
	faketree_write(&f->tree, "/m/text.ko", "#!/bin/sh\nexec rm -rf /\n");
	assert_problem(f, "/m/empty.ko", problem);
	assert_problem(f, "/m/text.ko", problem);
	faketree_write(&f->tree, "/m/damaged.ko.gz", "\037\213\010 and no more");
	assert_problem(f, "/m/damaged.ko.gz", "damaged compressed data");
}

/* Every truncation of a real object: a worker that dies is a failure of
 * the inspection. */
static void test_truncated(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = path_in(f, "/m/play-good.ko");
	g_autofree char *all = NULL;
	size_t size_bytes;

	g_assert_true(g_file_get_contents(path, &all, &size_bytes, NULL));
	for (size_t i = 1; i < 16; i++) {
		g_autoptr(GPtrArray) infos = NULL;
		const struct ks_module_info *info;

		g_assert_true(g_file_set_contents(path, all,
						  (gssize)(size_bytes * i / 16), NULL));
		infos = inspect(f, "/m/play-good.ko", NULL);
		info = g_ptr_array_index(infos, 0);
		g_assert_nonnull(info->problem);
	}
}

/* libkmod of some versions aborts on these; the others of the set are read all
 * the same. */
static void test_crashing(struct fixture *f, gconstpointer data)
{
	g_autofree char *path = path_in(f, "/m/play-good.ko");
	g_autofree char *broken = path_in(f, "/m/broken.ko");
	g_autofree char *all = NULL;
	size_t size_bytes, header_bytes;

	g_assert_true(g_file_get_contents(path, &all, &size_bytes, NULL));
	header_bytes = all[4] == 2 ? 64 : 52;
	/* e_shnum and e_shstrndx, the last of the ELF header */
	for (size_t i = header_bytes - 4; i < header_bytes; i++) {
		g_autoptr(GPtrArray) infos = NULL;
		const struct ks_module_info *info;
		char was = all[i];

		all[i] = (char)0xff;
		g_assert_true(g_file_set_contents(broken, all, (gssize)size_bytes, NULL));
		all[i] = was;
		infos = inspect(f, "/m/broken.ko", "/m/play-good.ko");
		info = g_ptr_array_index(infos, 0);
		g_assert_nonnull(info->problem);
		info = g_ptr_array_index(infos, 1);
		g_assert_cmpstr(info->problem, ==, NULL);
	}
}

static void test_not_regular(struct fixture *f, gconstpointer data)
{
	const char *const paths[] = {"/m/link.ko", NULL};
	const char *const fifo[] = {"/m/fifo.ko", NULL};
	g_autofree char *full = path_in(f, fifo[0]);
	g_autoptr(GError) error = NULL;

	faketree_link(&f->tree, "play-good.ko", paths[0]);
	g_assert_null(ks_module_inspect(f->tree.system, paths, NULL, NULL, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_cmpint(mkfifo(full, 0666), ==, 0);
	g_assert_null(ks_module_inspect(f->tree.system, fifo, NULL, NULL, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
}

static void test_bad_symvers(struct fixture *f, gconstpointer data)
{
	const char *const paths[] = {"/m/play-good.ko", NULL};
	g_autoptr(GError) error = NULL;

	faketree_write(&f->tree, f->kernel.symvers_path, "0x1\ta\tb\nrubbish\n");
	g_assert_null(ks_module_inspect(f->tree.system, paths, &f->kernel, NULL, &error));
	g_assert_nonnull(error);
	g_assert_cmpstr(error->message, ==,
			"'/usr/src/headers/Module.symvers' line 2: no tab after the CRC");
}

static void test_compress(struct fixture *f, gconstpointer data)
{
	static const char *const suffixes[] = {".xz", ".zst", ".gz"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat("/m/play-good.ko", suffixes[i], NULL);
		g_autofree char *full = path_in(f, path);
		g_autofree char *first = NULL, *second = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) infos = NULL;
		const struct ks_module_info *info;
		size_t n_first, n_second;
		struct stat st;

		g_assert_true(ks_module_compress(f->tree.system, "/m/play-good.ko",
						 suffixes[i], 0, &error));
		g_assert_no_error(error);
		g_assert_cmpint(stat(full, &st), ==, 0);
		g_assert_cmpint(st.st_mode & 07777, ==, 0644);
		g_assert_true(g_file_get_contents(full, &first, &n_first, NULL));

		infos = inspect(f, path, NULL);
		info = g_ptr_array_index(infos, 0);
		g_assert_cmpstr(info->problem, ==, NULL);
		g_assert_cmpstr(info->name, ==, "play_good");
		g_assert_cmpstr(info->version, ==, "1.2.3");

		/* over the existing file, and the same bytes again */
		g_assert_true(ks_module_compress(f->tree.system, "/m/play-good.ko",
						 suffixes[i], 0, &error));
		g_assert_no_error(error);
		g_assert_true(g_file_get_contents(full, &second, &n_second, NULL));
		g_assert_cmpmem(first, n_first, second, n_second);
	}
	g_assert_true(has(f, "/m/play-good.ko"));
}

/* The file is small, but not so small that the worst level does as well as the best. */
static void test_compression_levels(struct fixture *f, gconstpointer data)
{
	static const char *const suffixes[] = {".xz", ".zst", ".gz"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat("/m/play-good.ko", suffixes[i], NULL);
		g_autofree char *full = path_in(f, path);
		struct stat low = {0}, high = {0};

		g_assert_true(ks_module_compress(f->tree.system, "/m/play-good.ko",
						 suffixes[i], 1, NULL));
		g_assert_cmpint(stat(full, &low), ==, 0);
		g_assert_true(ks_module_compress(f->tree.system, "/m/play-good.ko",
						 suffixes[i], 99, NULL));
		g_assert_cmpint(stat(full, &high), ==, 0);
		g_assert_cmpint(high.st_size, <, low.st_size);
	}
}

static void test_compress_refused(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(
		ks_module_compress(f->tree.system, "/m/play-good.ko", ".bz2", 0, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_false(
		ks_module_compress(f->tree.system, "/m/absent.ko", ".xz", 0, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_NOT_FOUND);
	g_assert_false(has(f, "/m/absent.ko.xz"));
	g_assert_false(has(f, "/m/play-good.ko.bz2"));
}

static void assert_in_tree(struct fixture *f, const char *name, const char *expected)
{
	g_autofree char *path = ks_module_find_in_tree(f->tree.system, &f->kernel, name);

	g_assert_cmpstr(path, ==, expected);
}

static void assert_indexed(struct fixture *f, const char *name, const char *expected)
{
	g_autofree char *path = ks_module_find_indexed(f->tree.system, &f->kernel, name);

	g_assert_cmpstr(path, ==, expected);
}

static void test_in_tree(struct fixture *f, gconstpointer data)
{
#define K "/lib/modules/6.1.0-1-play"
	assert_in_tree(f, "hid_a", NULL);
	faketree_write(&f->tree, K "/kernel/drivers/hid/hid-a.ko.xz", "");
	faketree_write(&f->tree, K "/kernel/drivers/hid/hid.ko", "");
	faketree_write(&f->tree, K "/updates/dkms/ours.ko", "");
	faketree_write(&f->tree, K "/modules.order",
		       "kernel/drivers/hid/hid-a.ko\nkernel/drivers/gone/gone.ko\n");
	assert_in_tree(f, "hid_a", K "/kernel/drivers/hid/hid-a.ko.xz");
	assert_in_tree(f, "gone", NULL);
	faketree_write(&f->tree, K "/modules.dep",
		       "updates/dkms/ours.ko: kernel/drivers/hid/hid.ko\n"
		       "kernel/drivers/hid/hid-a.ko.xz: kernel/drivers/hid/hid.ko\n"
		       "kernel/drivers/hid/hid.ko:\n");
	assert_in_tree(f, "hid-a", K "/kernel/drivers/hid/hid-a.ko.xz");
	assert_in_tree(f, "hid", K "/kernel/drivers/hid/hid.ko");
	assert_in_tree(f, "hi", NULL);
	assert_in_tree(f, "ours", NULL);
	assert_indexed(f, "ours", K "/updates/dkms/ours.ko");
	assert_indexed(f, "hid_a", K "/kernel/drivers/hid/hid-a.ko.xz");
	assert_indexed(f, "gone", NULL);
#undef K
}

#define ADD(name, func)                                                                  \
	g_test_add("/inspect/" name, struct fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("a-good-module-says-all-about-itself", test_good);
	ADD("modules-of-one-set-resolve-each-other", test_set);
	ADD("a-module-of-another-kernel-fits-by-its-crcs-alone", test_weak);
	ADD("a-source-of-hundreds-of-modules-is-inspected", test_large_set);
	ADD("symbols-of-dependencies-count-with-their-crcs", test_extra);
	ADD("missing-symbols-and-other-crcs-are-named", test_stale);
	ADD("another-module-layout-is-found", test_layout);
	ADD("imports-that-are-for-the-gpl-only-are-named", test_gpl_only);
	ADD("licences-are-the-kernels", test_gpl_licences);
	ADD("without-modversions-only-names-count", test_no_crcs);
	ADD("without-a-symvers-symbols-are-not-checked", test_no_symvers);
	ADD("a-module-of-another-release-is-found", test_release);
	ADD("a-module-of-another-machine-is-found", test_machine);
	ADD("what-is-no-module-is-a-problem-not-an-error", test_rubbish);
	ADD("truncated-modules-are-problems", test_truncated);
	ADD("a-module-that-crashes-its-reader-is-a-problem", test_crashing);
	ADD("links-and-fifos-are-not-opened", test_not_regular);
	ADD("a-malformed-symvers-is-named-with-its-line", test_bad_symvers);
	ADD("compressed-files-read-back-and-are-reproducible", test_compress);
	ADD("a-higher-level-compresses-better", test_compression_levels);
	ADD("compression-that-fails-leaves-nothing", test_compress_refused);
	ADD("the-kernels-own-modules-are-looked-up", test_in_tree);
	return g_test_run();
}
