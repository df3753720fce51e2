/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels of a tree: alive, prepared, default, and with what they are built. */
#include "core/kernel/kernel.h"
#include "core/kernel/toolchain.h"

#include <fcntl.h>

#include "tests/unit/faketree.h"

#define K9	  "6.1.0-9-amd64"
#define K56	  "6.1.0-56-amd64"
#define CC_GCC_12 "CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14) 12.2.0\"\n"

static void add_file(struct faketree *t, const char *dir, const char *release,
		     const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s%s/%s", dir, release, name);

	faketree_write(t, path, text);
}

/* As Debian lays them out: an absolute link, which outside would lead elsewhere. */
static void add_headers(struct faketree *t, const char *release, const char *config)
{
	g_autofree char *target = g_strconcat("/usr/src/linux-headers-", release, NULL);
	g_autofree char *link = g_strdup_printf("/lib/modules/%s/build", release);

	add_file(t, "/usr/src/linux-headers-", release, "Makefile", "include x\n");
	add_file(t, "/usr/src/linux-headers-", release, "include/config/auto.conf",
		 config);
	add_file(t, "/usr/src/linux-headers-", release, ".config", config);
	add_file(t, "/usr/src/linux-headers-", release, "Module.symvers", "0x0\n");
	faketree_link(t, target, link);
}

static void add_image(struct faketree *t, const char *release)
{
	add_file(t, "/lib/modules/", release, "modules.builtin", "");
	add_file(t, "/lib/modules/", release, "kernel/fs/ext4.ko", "");
	add_file(t, "/lib/modules/", release, "modules.order", "kernel/fs/ext4.ko\n");
}

static void add_program(struct faketree *t, const char *path)
{
	g_autofree char *full = faketree_path(t, path);

	faketree_write(t, path, "#!/bin/sh\n");
	g_assert_cmpint(chmod(full, 0755), ==, 0);
}

static GPtrArray *list(struct faketree *t)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *kernels = ks_kernel_list(t->system, &error);

	g_assert_no_error(error);
	return kernels;
}

/* The only kernel of the tree, alone in its array. */
static struct ks_kernel *only(GPtrArray *kernels)
{
	g_assert_cmpuint(kernels->len, ==, 1);
	return kernels->pdata[0];
}

static void kernels_are_newest_first(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_kernel *kernel;

	add_image(t, K9);
	add_image(t, K56);
	add_headers(t, K9, "");
	faketree_mkdir(t, "/lib/modules/extra");
	faketree_write(t, "/lib/modules/1-file", "");
	kernels = list(t);
	g_assert_cmpuint(kernels->len, ==, 2);
	kernel = kernels->pdata[0];
	g_assert_cmpstr(kernel->release, ==, K56);
	g_assert_true(kernel->alive);
	g_assert_false(kernel->has_headers);
	g_assert_false(kernel->newest);
	g_assert_false(kernel->running);
	kernel = ks_kernel_find(kernels, K9);
	g_assert_true(kernel == kernels->pdata[1]);
	/* the newest is the newest that modules can be built for */
	g_assert_true(kernel->newest);
	g_assert_true(kernel->has_headers);
	g_assert_cmpstr(kernel->headers_dir, ==, "/lib/modules/" K9 "/build");
	g_assert_cmpstr(kernel->symvers_path, ==,
			"/lib/modules/" K9 "/build/Module.symvers");
	g_assert_cmpstr(kernel->config_path, ==, "/lib/modules/" K9 "/build/.config");
	g_assert_null(ks_kernel_find(kernels, "6.1.0-10-amd64"));
}

static void no_kernels_is_no_error(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = list(t);

	g_assert_cmpuint(kernels->len, ==, 0);
}

/* As Debian 14 splits it: headers bring the lists, the modules are another package's. */
static void lists_without_their_modules_are_no_kernel(struct faketree *t,
						      gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL, with_modules = NULL;

	add_headers(t, K9, "");
	add_file(t, "/lib/modules/", K9, "modules.builtin", "kernel/fs/ext4.ko\n");
	add_file(t, "/lib/modules/", K9, "modules.order", "kernel/fs/xfs.ko\n");
	kernels = list(t);
	g_assert_false(only(kernels)->has_image);
	add_file(t, "/lib/modules/", K9, "kernel/fs/xfs.ko", "");
	with_modules = list(t);
	g_assert_true(only(with_modules)->has_image);
}

static void kernel_that_has_no_modules_is_one(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	add_headers(t, K9, "");
	add_file(t, "/lib/modules/", K9, "modules.builtin", "kernel/fs/ext4.ko\n");
	add_file(t, "/lib/modules/", K9, "modules.order", "");
	kernels = list(t);
	g_assert_true(only(kernels)->alive);
}

static void removed_kernel_is_not_alive(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	faketree_write(t, "/lib/modules/" K9 "/modules.dep", "");
	faketree_write(t, "/lib/modules/" K9 "/modules.dep.bin", "");
	kernels = list(t);
	g_assert_false(only(kernels)->alive);
	g_assert_false(only(kernels)->newest);
	g_assert_cmpstr(only(kernels)->module_suffix, ==, ".ko");
}

static void headers_outside_the_tree_are_none(struct faketree *t, gconstpointer data)
{
	g_autofree char *outside = g_dir_make_tmp("kmodsmith-test-XXXXXX", NULL);
	g_autofree char *config = g_build_filename(outside, "include/config", NULL);
	g_autofree char *auto_conf = g_build_filename(config, "auto.conf", NULL);
	g_autofree char *makefile = g_build_filename(outside, "Makefile", NULL);
	g_autofree char *climbing =
		g_strconcat("../../../../../../../../../..", outside, NULL);
	g_autoptr(GPtrArray) kernels = NULL;

	/* complete, so that only where it is keeps it from being taken */
	g_assert_true(g_file_set_contents(makefile, "", 0, NULL));
	g_assert_cmpint(g_mkdir_with_parents(config, 0755), ==, 0);
	g_assert_true(g_file_set_contents(auto_conf, "", 0, NULL));
	add_image(t, K9);
	add_image(t, K56);
	add_image(t, "6.2.0");
	faketree_link(t, outside, "/lib/modules/" K9 "/build");
	faketree_link(t, climbing, "/lib/modules/" K56 "/build");
	faketree_link(t, "build", "/lib/modules/6.2.0/build");
	kernels = list(t);
	g_assert_cmpuint(kernels->len, ==, 3);
	for (guint i = 0; i < kernels->len; i++)
		g_assert_false(((struct ks_kernel *)kernels->pdata[i])->has_headers);
	nftw(outside, faketree_remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}

static void unprepared_source_is_no_headers(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	add_image(t, K9);
	faketree_write(t, "/lib/modules/" K9 "/build/Makefile", "");
	kernels = list(t);
	g_assert_false(only(kernels)->has_headers);
	g_assert_null(only(kernels)->toolchain_problem);
}

static void config_is_read_on_demand(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_kernel *kernel;

	add_image(t, K9);
	faketree_write(t, "/boot/config-" K9,
		       "# comment\nCONFIG_USB=m\nCONFIG_PCI=y\n# CONFIG_ISA is not set\n"
		       "CONFIG_STRING=\"a \\\"b\\\" c\"\nCONFIG_OFF=n\nnonsense\n=\n"
		       "CONFIG_LAST=0x10");
	kernels = list(t);
	kernel = only(kernels);
	g_assert_null(kernel->config);
	g_assert_cmpstr(kernel->config_path, ==, "/boot/config-" K9);
	g_assert_cmpstr(ks_kernel_config_get(t->system, kernel, "CONFIG_USB"), ==, "m");
	g_assert_cmpstr(ks_kernel_config_get(t->system, kernel, "CONFIG_PCI"), ==, "y");
	g_assert_null(ks_kernel_config_get(t->system, kernel, "CONFIG_ISA"));
	g_assert_null(ks_kernel_config_get(t->system, kernel, "CONFIG_OFF"));
	g_assert_cmpstr(ks_kernel_config_get(t->system, kernel, "CONFIG_STRING"), ==,
			"a \"b\" c");
	g_assert_cmpstr(ks_kernel_config_get(t->system, kernel, "CONFIG_LAST"), ==,
			"0x10");
}

static void kernel_without_config_has_no_values(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	add_image(t, K9);
	faketree_fifo(t, "/boot/config-" K9);
	kernels = list(t);
	g_assert_null(only(kernels)->config_path);
	g_assert_null(ks_kernel_config_get(t->system, only(kernels), "CONFIG_USB"));
}

struct toolchain_case {
	const char *config;
	const char *variables; /* .kernelvariables, or NULL */
	const char *programs;
	const char *compiler; /* expected */
	bool clang;
	const char *problem; /* expected; %s is the tree */
};

static const struct toolchain_case toolchain_cases[] = {
	{CC_GCC_12, NULL, "make gcc-12", "gcc-12", false, NULL},
	{CC_GCC_12, NULL, "make gcc", "gcc-12", false, NULL},
	{CC_GCC_12, NULL, "make", "gcc-12", false,
	 "no compiler 'gcc-12' or 'gcc' in '%s/usr/bin'"},
	{CC_GCC_12, NULL, "gcc", "gcc-12", false, "no 'make' in '%s/usr/bin'"},
	{CC_GCC_12,
	 "override CROSS_COMPILE = x86_64-linux-gnu-\nCCACHE = ccache\n"
	 "CC = $(if $(USE_CCACHE),$(CCACHE)) $(CROSS_COMPILE)gcc-12\n",
	 "make gcc gcc-12", "gcc-12", false,
	 "no compiler 'x86_64-linux-gnu-gcc-12' in '%s/usr/bin'"},
	{CC_GCC_12,
	 "CC = $(CROSS_COMPILE)gcc-12\noverride CROSS_COMPILE = x86_64-linux-gnu-\n",
	 "make x86_64-linux-gnu-gcc-12", "gcc-12", false, NULL},
	{CC_GCC_12, "CC = $(CROSS_COMPILE)gcc-12", "make gcc-12", "gcc-12", false, NULL},
	/* more than can be read here demands nothing */
	{CC_GCC_12, "CC = $(shell pick)", "make gcc", "gcc-12", false, NULL},
	{"CONFIG_CC_VERSION_TEXT=\"Debian clang version 14.0.6\"\nCONFIG_CC_IS_CLANG=y\n",
	 NULL, "make clang", "clang", true, NULL},
	{"CONFIG_CC_VERSION_TEXT=\"clang-17 "
	 "x\"\nCONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y\n",
	 NULL, "make clang", "clang-17", true, "no linker 'ld.lld' in '%s/usr/bin'"},
	{"CONFIG_CC_VERSION_TEXT=\"clang-17 x\"\nCONFIG_CC_IS_CLANG=y\n", NULL,
	 "make gcc", "clang-17", true,
	 "no compiler 'clang-17' or 'clang' in '%s/usr/bin'"},
	/* as auto.conf has it since Linux 6.x: no quotes, no order */
	{"CONFIG_A=y\nCONFIG_CC_VERSION_TEXT=gcc-9 (x) 9\n", NULL, "make gcc-9", "gcc-9",
	 false, NULL},
	{"", NULL, "make", NULL, false, "no compiler 'gcc' in '%s/usr/bin'"},
	{"CONFIG_CC_VERSION_TEXT=\"$(reboot) x\"\n", NULL, "make gcc", NULL, false, NULL},
	{"CONFIG_CC_VERSION_TEXT=\"../../gcc x\"\n", NULL, "make gcc", "../../gcc", false,
	 NULL},
};

static void toolchain_problems_are_named(struct faketree *t, gconstpointer data)
{
	const struct toolchain_case *c = data;
	g_auto(GStrv) programs = g_strsplit(c->programs, " ", -1);
	const char *prefix = ks_root_prefix(t->root);
	g_autoptr(GPtrArray) kernels = NULL;
	g_autofree char *expected = NULL;
	struct ks_kernel *kernel;

	add_image(t, K9);
	add_headers(t, K9, c->config);
	if (c->variables)
		add_file(t, "/usr/src/linux-headers-", K9, ".kernelvariables",
			 c->variables);
	for (char **program = programs; *program; program++) {
		g_autofree char *path = g_strconcat("/usr/bin/", *program, NULL);

		add_program(t, path);
	}
	kernels = list(t);
	kernel = only(kernels);
	g_assert_true(kernel->has_headers);
	g_assert_cmpstr(kernel->compiler, ==, c->compiler);
	g_assert_true(kernel->clang == c->clang);
	if (c->problem) {
		g_auto(GStrv) halves = g_strsplit(c->problem, "%s", 2);

		expected = g_strjoinv(prefix, halves);
	}
	g_assert_cmpstr(kernel->toolchain_problem, ==, expected);
}

#define CLANG_19                                                                         \
	"CONFIG_CC_VERSION_TEXT=\"Debian clang version 19.1.7 (3)\"\n"                   \
	"CONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y\n"

struct llvm_case {
	const char *config;
	const char *programs; /* TARGET>LINK is one that leads there */
	const char *llvm, *cc, *ld, *strip;
};

static const struct llvm_case llvm_cases[] = {
	{CLANG_19, "clang ld.lld llvm-strip", "1", "clang", "ld.lld", "llvm-strip"},
	{CLANG_19, "clang ld.lld", "1", "clang", "ld.lld", "strip"},
	{CLANG_19, "clang-19 ld.lld-19 llvm-strip-19", "-19", "clang-19", "ld.lld-19",
	 "llvm-strip-19"},
	{CLANG_19, "clang clang-19 ld.lld-19", "-19", "clang-19", "ld.lld-19", "strip"},
	{CLANG_19, "clang-19 clang-20 ld.lld-20", "-20", "clang-20", "ld.lld-20",
	 "strip"},
	{CLANG_19, "clang-15 ld.lld-15 clang-17 ld.lld-17", "-17", "clang-17",
	 "ld.lld-17", "strip"},
	{CLANG_19, "../lib/llvm-19/bin/clang ../lib/llvm-19/bin/ld.lld",
	 "/usr/lib/llvm-19/bin/", "/usr/lib/llvm-19/bin/clang",
	 "/usr/lib/llvm-19/bin/ld.lld", "strip"},
	{CLANG_19, "../lib64/llvm19/bin/clang ../lib64/llvm19/bin/ld.lld",
	 "/usr/lib64/llvm19/bin/", "/usr/lib64/llvm19/bin/clang",
	 "/usr/lib64/llvm19/bin/ld.lld", "strip"},
	/* plain clang is another one, and the kernel's own is there */
	{CLANG_19,
	 "../lib/llvm-14/bin/clang>clang ../lib/llvm-14/bin/ld.lld>ld.lld clang-19 "
	 "ld.lld-19",
	 "-19", "clang-19", "ld.lld-19", "strip"},
	{CLANG_19, "../lib/llvm-14/bin/clang>clang ../lib/llvm-14/bin/ld.lld>ld.lld", "1",
	 "clang", "ld.lld", "strip"},
	{CLANG_19, "../local/bin/clang ../local/bin/ld.lld", "1", "clang", "ld.lld",
	 "strip"},
	{CLANG_19, "clang-19", "1", NULL, NULL, "strip"},
	{"CONFIG_CC_VERSION_TEXT=\"clang version 18\"\nCONFIG_CC_IS_CLANG=y\n",
	 "clang-18", "-18", "clang-18", NULL, "strip"},
	{CC_GCC_12, "gcc-12 clang", NULL, "gcc-12", NULL, "strip"},
	{CC_GCC_12, "../local/bin/gcc-12 gcc", NULL, "gcc-12", NULL, "strip"},
};

/* "../lib/x" as in /usr/bin. */
static char *in_usr(const char *name)
{
	return g_str_has_prefix(name, "../") ? g_strconcat("/usr/", name + 3, NULL)
					     : g_strconcat("/usr/bin/", name, NULL);
}

static void one_llvm_is_taken(struct faketree *t, gconstpointer data)
{
	const struct llvm_case *c = data;
	g_auto(GStrv) programs = g_strsplit(c->programs, " ", -1);
	g_autofree char *path = NULL;
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_toolchain toolchain;

	add_image(t, K9);
	add_headers(t, K9, c->config);
	for (char **program = programs; *program; program++) {
		g_auto(GStrv) halves = g_strsplit(*program, ">", 2);
		g_autofree char *file = in_usr(halves[0]);
		g_autofree char *link =
			halves[1] ? g_strconcat("/usr/bin/", halves[1], NULL) : NULL;

		add_program(t, file);
		if (link)
			faketree_link(t, halves[0], link);
	}
	kernels = list(t);
	path = ks_kernel_tool_path(t->system, NULL);
	ks_toolchain_find(t->system, only(kernels), path, &toolchain);
	g_assert_cmpstr(toolchain.llvm, ==, c->llvm);
	g_assert_cmpstr(toolchain.cc, ==, c->cc);
	g_assert_cmpstr(toolchain.ld, ==, c->ld);
	g_assert_cmpstr(toolchain.strip, ==, c->strip);
	ks_toolchain_clear(&toolchain);
}

static void others_programs_are_not_looked_for(struct faketree *t, gconstpointer data)
{
	g_autofree char *dir = faketree_path(t, "/usr/local/bin");

	add_program(t, "/usr/local/bin/gcc");
	g_autofree char *roots = ks_kernel_tool_path(t->system, NULL);
	g_assert_cmpstr(roots, ==, "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	g_assert_cmpint(g_chmod(dir, 0777), ==, 0);
	g_autofree char *path = ks_kernel_tool_path(t->system, NULL);
	g_assert_cmpstr(path, ==, "/usr/sbin:/usr/bin:/sbin:/bin");
}

/* Of a build's own: by MAKE or by build_environment; a change of any of it counts. */
static void own_toolchain_is_known_by_its_programs(struct faketree *t, gconstpointer data)
{
	static const char *const environment[] = {"PATH=/opt/tc/bin:/usr/bin", NULL};
	static const struct {
		const char *make;
		bool own;
	} cases[] = {
		{"make all", false},
		{"make CC=gcc-12 all", true},
		{"make CC=\"ccache gcc-12\" all", true},
		{"cd a && make 'X=y' CC='/opt/tc/bin/gcc'", true},
		{"make KCC=gcc MYCC=x", false},
		{"make LLVM=1", true},
		{"CC=clang make", true},
		{NULL, false},
	};
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_kernel *kernel;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_true(ks_toolchain_is_own(NULL, cases[i].make) == cases[i].own);
	g_assert_true(ks_toolchain_is_own(environment, "make"));
	add_image(t, K9);
	add_headers(t, K9, CC_GCC_12);
	add_program(t, "/usr/bin/make");
	add_program(t, "/opt/tc/bin/gcc-12");
	kernels = list(t);
	kernel = only(kernels);
	g_assert_nonnull(kernel->toolchain_problem);
	g_assert_null(ks_toolchain_problem(t->system, kernel, environment[0] + 5, false));
	g_autofree char *first =
		ks_toolchain_identity(t->system, kernel, environment, "make");
	faketree_write(t, "/opt/tc/bin/gcc-12", "another");
	g_autofree char *second =
		ks_toolchain_identity(t->system, kernel, environment, "make");
	g_assert_cmpstr(first, !=, second);
	/* what a wrapper may call */
	add_program(t, "/usr/bin/gcc-12");
	g_autofree char *third =
		ks_toolchain_identity(t->system, kernel, environment, "make");
	g_assert_nonnull(strstr(third, "/usr/bin/gcc-12 "));
	add_program(t, "/usr/bin/ccache");
	add_program(t, "/opt/tc/bin/gcc-12");
	g_autofree char *fourth = ks_toolchain_identity(
		t->system, kernel, NULL, "make CC=\"ccache /opt/tc/bin/gcc-12\"");
	g_assert_nonnull(strstr(fourth, "/usr/bin/ccache "));
	g_assert_nonnull(strstr(fourth, "/opt/tc/bin/gcc-12 "));
}

static void program_must_be_executable(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	add_image(t, K9);
	add_headers(t, K9, "");
	add_program(t, "/usr/bin/make");
	faketree_write(t, "/usr/bin/gcc", "");
	kernels = list(t);
	g_assert_nonnull(only(kernels)->toolchain_problem);
}

static void suffix_is_that_of_its_own_modules(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	/* modules.order says .ko whatever there is */
	faketree_write(t, "/lib/modules/1.0/modules.order",
		       "kernel/gone.ko\nkernel/a/b.ko\nkernel/c.ko\n");
	faketree_write(t, "/lib/modules/1.0/kernel/a/b.ko.xz", "");
	faketree_write(t, "/lib/modules/2.0/kernel/a/b/c.ko.zst", "");
	faketree_link(t, ".", "/lib/modules/2.0/kernel/a/again");
	faketree_write(t, "/lib/modules/3.0/modules.order", "kernel/x.ko\n");
	faketree_write(t, "/lib/modules/3.0/kernel/x.ko", "");
	faketree_write(t, "/lib/modules/4.0/modules.builtin", "");
	kernels = list(t);
	g_assert_cmpstr(ks_kernel_find(kernels, "1.0")->module_suffix, ==, ".ko.xz");
	g_assert_cmpstr(ks_kernel_find(kernels, "2.0")->module_suffix, ==, ".ko.zst");
	g_assert_cmpstr(ks_kernel_find(kernels, "3.0")->module_suffix, ==, ".ko");
	g_assert_cmpstr(ks_kernel_find(kernels, "4.0")->module_suffix, ==, ".ko");
}

static void suffix_is_the_configuration_s_when_there_are_no_modules(struct faketree *t,
								    gconstpointer data)
{
	g_autoptr(GPtrArray) kernels = NULL;

	faketree_write(t, "/lib/modules/1.0/modules.builtin", "");
	faketree_write(t, "/boot/config-1.0",
		       "CONFIG_MODULES=y\nCONFIG_MODULE_COMPRESS_XZ=y\n");
	faketree_write(t, "/lib/modules/2.0/config",
		       "#\nCONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_ZSTD=y\n"
		       "CONFIG_MODULE_COMPRESS_ALL=y\n");
	faketree_write(t, "/boot/config-3.0",
		       "#\nCONFIG_MODULE_COMPRESS=y\nCONFIG_MODULE_COMPRESS_GZIP=y\n"
		       "# CONFIG_MODULE_COMPRESS_ALL is not set\n");
	faketree_write(t, "/lib/modules/3.0/modules.builtin", "");
	faketree_write(t, "/boot/config-4.0", "#\nCONFIG_MODULE_COMPRESS_GZIP=y\n");
	faketree_write(t, "/lib/modules/4.0/kernel/a.ko", "");
	faketree_write(t, "/boot/config-5.0", "#\nCONFIG_MODULE_COMPRESS_GZIP=y\n");
	faketree_write(t, "/lib/modules/5.0/modules.builtin", "");
	kernels = list(t);
	g_assert_cmpstr(ks_kernel_find(kernels, "1.0")->module_suffix, ==, ".ko.xz");
	g_assert_cmpstr(ks_kernel_find(kernels, "2.0")->module_suffix, ==, ".ko.zst");
	g_assert_cmpstr(ks_kernel_find(kernels, "3.0")->module_suffix, ==, ".ko");
	g_assert_cmpstr(ks_kernel_find(kernels, "4.0")->module_suffix, ==, ".ko");
	g_assert_cmpstr(ks_kernel_find(kernels, "5.0")->module_suffix, ==, ".ko.gz");
}

static void default_is_what_the_link_says(struct faketree *t, gconstpointer data)
{
	g_autoptr(GPtrArray) before = NULL;
	g_autoptr(GPtrArray) kernels = NULL;

	add_image(t, K9);
	add_image(t, K56);
	before = list(t);
	g_assert_false(ks_kernel_find(before, K9)->is_default);
	g_assert_false(ks_kernel_find(before, K56)->is_default);
	faketree_link(t, "boot/vmlinuz-" K9, "/vmlinuz");
	kernels = list(t);
	g_assert_true(ks_kernel_find(kernels, K9)->is_default);
	g_assert_false(ks_kernel_find(kernels, K56)->is_default);
}

static char *fingerprint(struct faketree *t, GError **error)
{
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(t->system);
	g_autoptr(GPtrArray) kernels = list(t);

	return ks_kernel_fingerprint(t->system, only(kernels), cache, error);
}

static void fingerprint_follows_what_matters(struct faketree *t, gconstpointer data)
{
	static const char *const changes[] = {
		"/usr/src/linux-headers-" K9 "/Makefile",
		"/usr/src/linux-headers-" K9 "/.config",
		"/usr/src/linux-headers-" K9 "/Module.symvers",
		"/usr/src/linux-headers-" K9 "/include/config/auto.conf",
		"/usr/src/linux-headers-" K9 "/include/generated/autoconf.h",
		"/usr/src/linux-headers-" K9 "/include/generated/utsversion.h",
		"/usr/src/linux-headers-" K9 "/scripts/mod/modpost",
		"/usr/bin/gcc",
		"/usr/bin/ld",
		"/usr/bin/make",
		"/usr/bin/as",
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *last = NULL;
	g_autofree char *same = NULL;

	add_image(t, K9);
	add_headers(t, K9, "");
	add_program(t, "/usr/bin/gcc");
	last = fingerprint(t, &error);
	g_assert_no_error(error);
	/* the image's own copy, and modules, are no inputs */
	faketree_write(t, "/boot/config-" K9, "");
	faketree_write(t, "/lib/modules/" K9 "/updates/dkms/x.ko", "");
	same = fingerprint(t, &error);
	g_assert_cmpstr(same, ==, last);
	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autofree char *full = faketree_path(t, changes[i]);
		g_autofree char *now = NULL;

		faketree_write(t, changes[i], "changed");
		g_assert_cmpint(chmod(full, 0755), ==, 0);
		now = fingerprint(t, &error);
		g_assert_no_error(error);
		g_test_message("%s", changes[i]);
		g_assert_cmpstr(now, !=, last);
		g_free(last);
		last = g_steal_pointer(&now);
	}
}

static void fingerprint_needs_headers(struct faketree *t, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	add_image(t, K9);
	g_assert_null(fingerprint(t, &error));
	g_assert_error(error, KS_ERROR, KS_ERROR_HEADERS_MISSING);
}

#define ADD(name)                                                                        \
	g_test_add("/kernel/" #name, struct faketree, NULL, faketree_set_up, name,       \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(kernels_are_newest_first);
	ADD(no_kernels_is_no_error);
	ADD(lists_without_their_modules_are_no_kernel);
	ADD(kernel_that_has_no_modules_is_one);
	ADD(removed_kernel_is_not_alive);
	ADD(headers_outside_the_tree_are_none);
	ADD(unprepared_source_is_no_headers);
	ADD(config_is_read_on_demand);
	ADD(kernel_without_config_has_no_values);
	for (guint i = 0; i < G_N_ELEMENTS(toolchain_cases); i++) {
		g_autofree char *path =
			g_strdup_printf("/kernel/toolchain_problems_are_named/%u", i);

		g_test_add(path, struct faketree, &toolchain_cases[i], faketree_set_up,
			   toolchain_problems_are_named, faketree_tear_down);
	}
	for (guint i = 0; i < G_N_ELEMENTS(llvm_cases); i++) {
		g_autofree char *path =
			g_strdup_printf("/kernel/one_llvm_is_taken/%u", i);

		g_test_add(path, struct faketree, &llvm_cases[i], faketree_set_up,
			   one_llvm_is_taken, faketree_tear_down);
	}
	ADD(others_programs_are_not_looked_for);
	ADD(own_toolchain_is_known_by_its_programs);
	ADD(program_must_be_executable);
	ADD(suffix_is_that_of_its_own_modules);
	ADD(suffix_is_the_configuration_s_when_there_are_no_modules);
	ADD(default_is_what_the_link_says);
	ADD(fingerprint_follows_what_matters);
	ADD(fingerprint_needs_headers);
	return g_test_run();
}
