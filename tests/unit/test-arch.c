/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architecture of kernels, and the compilers that serve them. */
#include <elf.h>
#include <sys/utsname.h>

#include "core/kernel/arch.h"
#include "core/kernel/compiler.h"
#include "core/kernel/elf.h"
#include "core/kernel/kernel.h"
#include "core/kernel/toolchain.h"
#include "tests/unit/faketree.h"

#define K "6.6.31-v7"

static void names_lead_to_one_architecture(void)
{
	static const char *const cases[][2] = {
		{"amd64", "x86_64"},	{"i386", "i686"},     {"i586", "i686"},
		{"arm64", "aarch64"},	{"armhf", "armv7l"},  {"armv6l", "armv7l"},
		{"ppc64el", "ppc64le"}, {"s390x", "s390x"},   {"ppc64", "ppc64"},
		{"mips", "mips"},	{"parisc", "parisc"}, {"riscv", "riscv64"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(ks_arch_find(cases[i][0])->names[0], ==, cases[i][1]);
	g_assert_null(ks_arch_find("pdp11"));
	g_assert_true(ks_arch_is_same("armv6l", "armv7l"));
	g_assert_true(ks_arch_is_same("pdp11", "pdp11"));
	g_assert_false(ks_arch_is_same("pdp11", "vax"));
	g_assert_false(ks_arch_is_same("i686", "x86_64"));
	g_assert_true(ks_arch_is_family("i686", "x86_64"));
	g_assert_false(ks_arch_is_family("armv7l", "aarch64"));
}

static void wide_kernels_run_the_programs_of_their_half(void)
{
	static const struct {
		const char *kernel, *programs;
		bool can;
	} cases[] = {
		{"x86_64", "i686", true},     {"i686", "x86_64", false},
		{"aarch64", "armv7l", true},  {"armv7l", "aarch64", false},
		{"ppc64", "ppc", true},	      {"ppc64le", "ppc64", false},
		{"x86_64", "aarch64", false}, {"mips64", "mips", true},
		{"armv7l", "armv6l", true},   {"pdp11", "x86_64", false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_true(ks_arch_can_run(cases[i].kernel, cases[i].programs) ==
			      cases[i].can);
}

/* --- ELF files */

/* A head of 64 or 32 bits with one program header for the loader. */
static void add_elf(struct faketree *t, const char *path, unsigned int machine,
		    unsigned int class, const char *loader)
{
	g_autofree char *full = faketree_path(t, path);
	g_autofree char *dir = g_path_get_dirname(full);
	g_autoptr(GError) error = NULL;
	char bytes[512] = ELFMAG;

	bytes[EI_CLASS] = (char)class;
	bytes[EI_DATA] = ELFDATA2LSB;
	if (class == ELFCLASS64) {
		Elf64_Ehdr *head = (Elf64_Ehdr *)(void *)bytes;
		Elf64_Phdr *segment = (Elf64_Phdr *)(void *)(bytes + 64);

		head->e_machine = (Elf64_Half)machine;
		head->e_phoff = 64;
		head->e_phentsize = sizeof(*segment);
		head->e_phnum = 1;
		segment->p_type = loader ? PT_INTERP : PT_LOAD;
		segment->p_offset = 256;
	} else {
		Elf32_Ehdr *head = (Elf32_Ehdr *)(void *)bytes;
		Elf32_Phdr *segment = (Elf32_Phdr *)(void *)(bytes + 64);

		head->e_machine = (Elf32_Half)machine;
		head->e_phoff = 64;
		head->e_phentsize = sizeof(*segment);
		head->e_phnum = 1;
		segment->p_type = loader ? PT_INTERP : PT_LOAD;
		segment->p_offset = 256;
	}
	if (loader)
		g_strlcpy(bytes + 256, loader, 128);
	g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
	g_file_set_contents_full(full, bytes, sizeof(bytes), G_FILE_SET_CONTENTS_NONE,
				 0755, &error);
	g_assert_no_error(error);
}

static void elf_files_say_what_they_are_for(struct faketree *t, gconstpointer data)
{
	add_elf(t, "/a", EM_AARCH64, ELFCLASS64, "/lib/ld-linux-aarch64.so.1");
	add_elf(t, "/b", EM_386, ELFCLASS32, NULL);
	add_elf(t, "/c", 9999, ELFCLASS32, NULL);
	faketree_write(t, "/d", "#!/bin/sh\n");
	faketree_write(t, "/e", ELFMAG);
	g_assert_cmpstr(ks_elf_arch(t->system, "/a")->names[0], ==, "aarch64");
	g_assert_cmpstr(ks_elf_arch(t->system, "/b")->names[0], ==, "i686");
	g_assert_null(ks_elf_arch(t->system, "/c"));
	g_assert_null(ks_elf_arch(t->system, "/d"));
	g_assert_null(ks_elf_arch(t->system, "/e"));
	g_assert_null(ks_elf_arch(t->system, "/none"));
	g_autofree char *loader = ks_elf_interpreter(t->system, "/a");
	g_assert_cmpstr(loader, ==, "/lib/ld-linux-aarch64.so.1");
	g_assert_null(ks_elf_interpreter(t->system, "/b"));
	g_assert_null(ks_elf_interpreter(t->system, "/e"));
}

/* Whatever the numbers in it are, nothing outside of the head is read. */
static void hostile_elf_file_says_nothing(struct faketree *t, gconstpointer data)
{
	g_autofree char *path = faketree_path(t, "/x");
	g_autofree char *text = NULL;
	size_t size;

	add_elf(t, "/x", EM_X86_64, ELFCLASS64, "/lib64/ld");
	g_assert_true(g_file_get_contents(path, &text, &size, NULL));
	for (size_t i = EI_DATA; i < 128; i++) {
		g_autofree char *bad = g_memdup2(text, size);
		g_autofree char *loader = NULL;

		memset(bad + i, 0xff, MIN(8, size - i));
		g_assert_true(g_file_set_contents(path, bad, (gssize)size, NULL));
		ks_elf_arch(t->system, "/x");
		loader = ks_elf_interpreter(t->system, "/x");
		g_assert_true(!loader || g_str_equal(loader, "/lib64/ld"));
	}
}

/* --- kernels */

static void add_text(struct faketree *t, const char *name, const char *text)
{
	g_autofree char *path = g_strconcat("/lib/modules/" K "/", name, NULL);

	faketree_write(t, path, text);
}

static void add_kernel(struct faketree *t, const char *config)
{
	add_text(t, "modules.order", "kernel/a.ko\n");
	add_text(t, "build/Makefile", "");
	add_text(t, "build/include/config/auto.conf", "");
	add_text(t, "build/.config", config);
}

/* This system's programs. */
static void add_shell(struct faketree *t, unsigned int machine, unsigned int class)
{
	add_elf(t, "/bin/sh", machine, class, NULL);
}

static void add_program(struct faketree *t, const char *path)
{
	g_autofree char *full = faketree_path(t, path);

	faketree_write(t, path, "#!/bin/sh\n");
	g_assert_cmpint(chmod(full, 0755), ==, 0);
}

struct config_case {
	const char *config, *arch;
};

static const struct config_case config_cases[] = {
	{"CONFIG_64BIT=y\nCONFIG_X86_64=y\nCONFIG_X86=y\n", "x86_64"},
	{"# CONFIG_64BIT is not set\nCONFIG_X86_32=y\nCONFIG_X86=y\n", "i686"},
	{"CONFIG_ARM64=y\nCONFIG_64BIT=y\nCONFIG_ARM=n\n", "aarch64"},
	{"CONFIG_ARM=y\nCONFIG_CPU_V7=y\n", "armv7l"},
	{"CONFIG_ARM=y\nCONFIG_CPU_V6=y\n", "armv6l"},
	{"CONFIG_ARM=y\nCONFIG_CPU_32v5=y\n", "armv5tel"},
	{"CONFIG_PPC64=y\nCONFIG_CPU_LITTLE_ENDIAN=y\n", "ppc64le"},
	{"CONFIG_PPC64=y\n", "ppc64"},
	{"CONFIG_PPC32=y\n", "ppc"},
	{"CONFIG_RISCV=y\nCONFIG_64BIT=y\n", "riscv64"},
	{"CONFIG_RISCV=y\n", "riscv32"},
	{"CONFIG_S390=y\n", "s390x"},
	{"CONFIG_LOONGARCH=y\n", "loongarch64"},
	{"CONFIG_MIPS=y\n", "mips"},
	{"CONFIG_MIPS=y\nCONFIG_64BIT=y\n", "mips64"},
};

static void architecture_is_that_of_the_configuration(struct faketree *t,
						      gconstpointer data)
{
	const struct config_case *c = data;
	g_autofree char *machine = ks_kernel_machine_arch(t->system);
	const char *expected = ks_arch_is_same(machine, c->arch) ? machine : c->arch;
	ks_auto(ks_kernel) kernel = NULL;

	add_kernel(t, c->config);
	/* of a kernel of another architecture: the configuration is asked first */
	add_text(t, "build/include/generated/compile.h",
		 "#define UTS_MACHINE \"alpha\"\n");
	kernel = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(kernel->arch, ==, expected);
}

static void architecture_is_found_without_a_configuration(struct faketree *t,
							  gconstpointer data)
{
	g_autofree char *machine = ks_kernel_machine_arch(t->system);

	add_kernel(t, "CONFIG_MODULES=y\n");
	ks_auto(ks_kernel) silent = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(silent->arch, ==, machine);
	add_elf(t, "/lib/modules/" K "/kernel/a.ko", EM_S390, ELFCLASS32, NULL);
	ks_auto(ks_kernel) unknown = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(unknown->arch, ==, machine);
	add_elf(t, "/lib/modules/" K "/kernel/a.ko", EM_ALPHA, ELFCLASS64, NULL);
	ks_auto(ks_kernel) by_module = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(by_module->arch, ==, "alpha");
	add_text(t, "build/include/generated/compile.h",
		 "#define UTS_MACHINE\t\t\"arm\"\n#define LINUX_COMPILER \"x\"\n");
	ks_auto(ks_kernel) by_headers = ks_kernel_probe(t->system, K);
	g_assert_true(ks_arch_is_same(by_headers->arch, "arm"));
}

/* Headers from elsewhere, as dkms's --kernelsourcedir has them, are for what they say. */
static void architecture_follows_the_headers(struct faketree *t, gconstpointer data)
{
	ks_auto(ks_kernel) kernel = NULL;

	add_kernel(t, "CONFIG_S390=y\n");
	faketree_write(t, "/opt/k/Makefile", "");
	faketree_write(t, "/opt/k/include/config/auto.conf", "CONFIG_MIPS=y\n");
	kernel = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(kernel->arch, ==, "s390x");
	ks_kernel_use_headers(t->system, kernel, "/opt/k");
	g_assert_cmpstr(kernel->arch, ==, "mips");
	faketree_write(t, "/opt/config", "CONFIG_ALPHA=y\n");
	ks_kernel_use_config(t->system, kernel, "/opt/config");
	g_assert_cmpstr(kernel->arch, ==, "alpha");
}

static void kernel_that_cannot_run_the_system_is_foreign(struct faketree *t,
							 gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) kernels = NULL;
	struct ks_kernel *foreign, *own;

	add_shell(t, EM_AARCH64, ELFCLASS64);
	add_kernel(t, "CONFIG_ARM=y\n");
	faketree_write(t, "/lib/modules/6.1.0-v8/kernel/a.ko", "");
	faketree_write(t, "/boot/config-6.1.0-v8", "CONFIG_ARM64=y\n");
	kernels = ks_kernel_list(t->system, &error);
	g_assert_no_error(error);
	foreign = ks_kernel_find(kernels, K);
	own = ks_kernel_find(kernels, "6.1.0-v8");
	g_assert_true(foreign->is_foreign);
	g_assert_false(own->is_foreign);
	/* what nobody boots is not the newest, whatever its number */
	g_assert_true(own->newest);
	g_assert_false(foreign->newest);
	add_shell(t, EM_ARM, ELFCLASS32);
	ks_auto(ks_kernel) half = ks_kernel_probe(t->system, K);
	ks_auto(ks_kernel) whole = ks_kernel_probe(t->system, "6.1.0-v8");
	g_assert_false(half->is_foreign);
	g_assert_false(whole->is_foreign);
}

/* --- compilers */

static const char *arch_of(struct faketree *t, const char *path)
{
	const struct ks_arch *arch = ks_compiler_arch(t->system, path);

	return arch ? arch->names[0] : NULL;
}

static void compilers_are_known_by_what_they_are(struct faketree *t, gconstpointer data)
{
	add_program(t, "/usr/bin/aarch64-linux-gnu-gcc-12");
	faketree_link(t, "aarch64-linux-gnu-gcc-12", "/usr/bin/gcc");
	add_program(t, "/usr/bin/gcc-11");
	add_elf(t, "/usr/bin/cc-native", EM_X86_64, ELFCLASS64, NULL);
	add_elf(t, "/opt/x/bin/gcc", EM_X86_64, ELFCLASS64, NULL);
	faketree_mkdir(t, "/opt/x/lib/gcc/riscv64-unknown-linux-gnu/13");
	g_assert_cmpstr(arch_of(t, "/usr/bin/aarch64-linux-gnu-gcc-12"), ==, "aarch64");
	g_assert_cmpstr(arch_of(t, "/usr/bin/gcc"), ==, "aarch64");
	g_assert_cmpstr(arch_of(t, "/usr/bin/gcc-11"), ==, NULL);
	g_assert_cmpstr(arch_of(t, "/usr/bin/cc-native"), ==, "x86_64");
	g_assert_cmpstr(arch_of(t, "/opt/x/bin/gcc"), ==, "riscv64");
	g_assert_cmpstr(arch_of(t, "/none"), ==, NULL);
	g_assert_true(ks_compiler_serves(t->system, "/usr/bin/gcc-11", "s390x"));
	g_assert_false(ks_compiler_serves(t->system, "/usr/bin/gcc", "armv7l"));
	g_assert_true(ks_compiler_serves(t->system, "/usr/bin/cc-native", "i686"));
}

/* Of the two halves of x86 the narrow one may have been made without the other. */
static void narrow_compiler_has_its_other_half_or_not(struct faketree *t,
						      gconstpointer data)
{
	add_program(t, "/usr/bin/i686-linux-gnu-gcc-12");
	add_program(t, "/usr/bin/i686-redhat-linux-gcc");
	g_assert_true(ks_compiler_serves(t->system, "/usr/bin/i686-linux-gnu-gcc-12",
					 "x86_64"));
	g_assert_false(ks_compiler_serves(t->system, "/usr/bin/i686-redhat-linux-gcc",
					  "x86_64"));
	faketree_mkdir(t, "/usr/lib/gcc/i686-redhat-linux/13/64");
	g_assert_true(ks_compiler_serves(t->system, "/usr/bin/i686-redhat-linux-gcc",
					 "x86_64"));
}

struct cross_case {
	const char *config;
	unsigned int machine, class; /* of the system's programs */
	const char *programs;	     /* NAME>TARGET is a link */
	const char *cc, *cross, *strip, *problem;
};

#define ARM	  "CONFIG_ARM=y\nCONFIG_CPU_V7=y\n"
#define NAMES_ARM "CONFIG_CC_VERSION_TEXT=\"arm-linux-gnueabihf-gcc-12 (Debian) 12\"\n"
#define NAMES_12  "CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12) 12\"\n"
#define PC	  EM_X86_64, ELFCLASS64
#define PC_HALF	  EM_386, ELFCLASS32
#define PI	  EM_AARCH64, ELFCLASS64
#define PI_HALF	  EM_ARM, ELFCLASS32

static const struct cross_case cross_cases[] = {
	/* nobody here compiles for it */
	{ARM NAMES_ARM, PC, "gcc>x86_64-linux-gnu-gcc-12", NULL, NULL, "strip",
	 "no compiler for armv7l in '%s/usr/bin' ('/usr/bin/gcc' compiles for x86_64); "
	 "'gcc-arm-linux-gnueabihf' has one"},
	{ARM NAMES_ARM, PC, "", NULL, NULL, "strip",
	 "no compiler for armv7l in '%s/usr/bin'; 'gcc-arm-linux-gnueabihf' has one"},
	{"CONFIG_ARM64=y\n" NAMES_12, PC, "gcc-12>x86_64-linux-gnu-gcc-12", NULL, NULL,
	 "strip",
	 "no compiler for aarch64 in '%s/usr/bin' ('/usr/bin/gcc-12' compiles for "
	 "x86_64); "
	 "'gcc-aarch64-linux-gnu' has one"},
	{"CONFIG_ARM64=y\n" NAMES_12, PI_HALF, "gcc-12>arm-linux-gnueabihf-gcc-12", NULL,
	 NULL, "strip",
	 "no compiler for aarch64 in '%s/usr/bin' ('/usr/bin/gcc-12' compiles for "
	 "armv7l); "
	 "'gcc-aarch64-linux-gnu' has one"},
	{"CONFIG_X86_64=y\n", PC_HALF, "gcc>i686-redhat-linux-gcc", NULL, NULL, "strip",
	 "no compiler for x86_64 in '%s/usr/bin' ('/usr/bin/gcc' compiles for i686); "
	 "'gcc-x86-64-linux-gnu' or 'gcc-multilib' has one"},
	/* the one that the configuration names, another version of it, or another's */
	{ARM NAMES_ARM, PC, "gcc>x86_64-linux-gnu-gcc-12 arm-linux-gnueabihf-gcc-12",
	 "arm-linux-gnueabihf-gcc-12", "arm-linux-gnueabihf-",
	 "arm-linux-gnueabihf-strip", NULL},
	{ARM NAMES_ARM, PC, "gcc>x86_64-linux-gnu-gcc-12 arm-linux-gnueabihf-gcc",
	 "arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-", "arm-linux-gnueabihf-strip",
	 NULL},
	{ARM NAMES_12, PC, "gcc-12>x86_64-linux-gnu-gcc-12 arm-none-eabi-gcc",
	 "arm-none-eabi-gcc", "arm-none-eabi-", "arm-none-eabi-strip", NULL},
	{"CONFIG_ARM64=y\n" NAMES_12, PC,
	 "gcc-12>x86_64-linux-gnu-gcc-12 aarch64-linux-gnu-gcc aarch64-linux-gnu-gcc-12",
	 "aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-", "aarch64-linux-gnu-strip",
	 NULL},
	{"CONFIG_ARM64=y\n" NAMES_12, PI_HALF,
	 "gcc-12>arm-linux-gnueabihf-gcc-12 aarch64-linux-gnu-gcc",
	 "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-", "aarch64-linux-gnu-strip", NULL},
	/* native, by whatever name */
	{ARM NAMES_ARM, PI_HALF,
	 "gcc>arm-linux-gnueabihf-gcc-12 arm-linux-gnueabihf-gcc-12",
	 "arm-linux-gnueabihf-gcc-12", NULL, "strip", NULL},
	{"CONFIG_ARM64=y\n" NAMES_12, PI, "gcc-12>aarch64-linux-gnu-gcc-12", "gcc-12",
	 NULL, "strip", NULL},
	/* the halves of x86 */
	{"CONFIG_X86_32=y\n" NAMES_12, PC_HALF, "gcc-12>i686-linux-gnu-gcc-12", "gcc-12",
	 NULL, "strip", NULL},
	{"CONFIG_X86_64=y\n" NAMES_12, PC_HALF, "gcc-12>i686-linux-gnu-gcc-12", "gcc-12",
	 NULL, "strip", NULL},
	{"CONFIG_X86_32=y\n" NAMES_12, PC, "gcc-12>x86_64-linux-gnu-gcc-12", "gcc-12",
	 NULL, "strip", NULL},
	{"CONFIG_X86_64=y\n", PC_HALF, "gcc>i686-redhat-linux-gcc x86_64-linux-gnu-gcc",
	 "x86_64-linux-gnu-gcc", "x86_64-linux-gnu-", "x86_64-linux-gnu-strip", NULL},
	/* a wrapper that says nothing is taken */
	{ARM NAMES_12, PC, "gcc-12", "gcc-12", NULL, "strip", NULL},
};

static void add_compilers(struct faketree *t, const char *list)
{
	g_auto(GStrv) programs = g_strsplit(list, " ", -1);

	add_program(t, "/usr/bin/make");
	for (char **program = programs; *program && **program; program++) {
		g_auto(GStrv) halves = g_strsplit(*program, ">", 2);
		g_autofree char *path = g_strconcat("/usr/bin/", halves[0], NULL);
		g_autofree char *target =
			halves[1] ? g_strconcat("/usr/libexec/", halves[1], NULL) : NULL;

		add_program(t, target ? target : path);
		if (target)
			faketree_link(t, target, path);
	}
}

static void compiler_is_one_that_serves_the_kernel(struct faketree *t, gconstpointer data)
{
	const struct cross_case *c = data;
	g_autofree char *path = ks_kernel_tool_path(t->system, NULL);
	g_auto(GStrv) halves = g_strsplit(c->problem ? c->problem : "", "%s", 2);
	g_autofree char *expected = g_strjoinv(ks_root_prefix(t->root), halves);
	struct ks_toolchain toolchain;
	ks_auto(ks_kernel) kernel = NULL;

	add_kernel(t, c->config);
	add_shell(t, c->machine, c->class);
	add_compilers(t, c->programs);
	kernel = ks_kernel_probe(t->system, K);
	ks_toolchain_find(t->system, kernel, path, &toolchain);
	g_assert_cmpstr(toolchain.cc, ==, c->cc);
	g_assert_cmpstr(toolchain.cross, ==, c->cross);
	g_assert_cmpstr(toolchain.strip, ==, c->strip);
	g_assert_cmpstr(kernel->toolchain_problem, ==, c->problem ? expected : NULL);
	ks_toolchain_clear(&toolchain);
}

static void builds_are_told_for_which_machine(struct faketree *t, gconstpointer data)
{
	g_autofree char *path = ks_kernel_tool_path(t->system, NULL);
	g_auto(GStrv) variables = NULL;
	g_autofree char *line = NULL;
	struct ks_toolchain toolchain;
	ks_auto(ks_kernel) kernel = NULL;

	add_kernel(t, "CONFIG_S390=y\n");
	add_shell(t, PC);
	add_compilers(t, "s390x-linux-gnu-gcc");
	kernel = ks_kernel_probe(t->system, K);
	ks_toolchain_find(t->system, kernel, path, &toolchain);
	variables = ks_toolchain_variables(&toolchain);
	line = g_strjoinv(" ", variables);
	g_assert_cmpstr(line, ==, "ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-");
	ks_toolchain_clear(&toolchain);
}

static void headers_programs_need_their_loader(struct faketree *t, gconstpointer data)
{
	add_kernel(t, "CONFIG_X86_64=y\n");
	add_shell(t, PC);
	add_compilers(t, "gcc");
	add_elf(t, "/lib/modules/" K "/build/scripts/basic/fixdep", EM_AARCH64,
		ELFCLASS64, "/lib/ld-linux-aarch64.so.1");
	ks_auto(ks_kernel) without = ks_kernel_probe(t->system, K);
	g_assert_nonnull(without->toolchain_problem);
	g_assert_nonnull(strstr(without->toolchain_problem, "aarch64"));
	g_assert_nonnull(
		strstr(without->toolchain_problem, "/lib/ld-linux-aarch64.so.1'"));
	faketree_write(t, "/lib/ld-linux-aarch64.so.1", "");
	ks_auto(ks_kernel) with = ks_kernel_probe(t->system, K);
	g_assert_cmpstr(with->toolchain_problem, ==, NULL);
}

/* CC= and CROSS_COMPILE= of the administrator or of MAKE are what is used. */
static void named_compiler_is_no_matter_of_the_kernel(struct faketree *t,
						      gconstpointer data)
{
	static const struct {
		const char *variable, *make;
		bool names;
	} cases[] = {
		{NULL, "make", false},
		{NULL, "make CC=there-gcc", true},
		{NULL, "make CC=gone-gcc", false},
		{NULL, "make ARCH=arm CROSS_COMPILE=there-", true},
		{NULL, "make CROSS_COMPILE=gone-", false},
		{"CC=there-gcc", "make", true},
		{"CROSS_COMPILE=there-", "make", true},
		{"CROSS_COMPILE=gone-", "make", false},
		{"CC=gone-gcc", "make CC=there-gcc", true},
	};
	g_autofree char *path = ks_kernel_tool_path(t->system, NULL);

	add_program(t, "/usr/bin/there-gcc");
	add_program(t, "/usr/bin/gcc");
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const environment[] = {cases[i].variable, NULL};

		g_assert_true(ks_toolchain_names_compiler(t->system, path, environment,
							  cases[i].make) ==
			      cases[i].names);
		g_assert_true(ks_toolchain_is_own(environment, cases[i].make) ==
			      (i != 0));
	}
}

#define ADD(test)                                                                        \
	g_test_add("/arch/" #test, struct faketree, NULL, faketree_set_up, test,         \
		   faketree_tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	g_test_add_func("/arch/names_lead_to_one_architecture",
			names_lead_to_one_architecture);
	g_test_add_func("/arch/wide_kernels_run_the_programs_of_their_half",
			wide_kernels_run_the_programs_of_their_half);
	ADD(elf_files_say_what_they_are_for);
	ADD(hostile_elf_file_says_nothing);
	for (guint i = 0; i < G_N_ELEMENTS(config_cases); i++) {
		g_autofree char *path = g_strdup_printf(
			"/arch/architecture_is_that_of_the_configuration/%u", i);

		g_test_add(path, struct faketree, &config_cases[i], faketree_set_up,
			   architecture_is_that_of_the_configuration, faketree_tear_down);
	}
	ADD(architecture_is_found_without_a_configuration);
	ADD(architecture_follows_the_headers);
	ADD(kernel_that_cannot_run_the_system_is_foreign);
	ADD(compilers_are_known_by_what_they_are);
	ADD(narrow_compiler_has_its_other_half_or_not);
	for (guint i = 0; i < G_N_ELEMENTS(cross_cases); i++) {
		g_autofree char *path = g_strdup_printf(
			"/arch/compiler_is_one_that_serves_the_kernel/%u", i);

		g_test_add(path, struct faketree, &cross_cases[i], faketree_set_up,
			   compiler_is_one_that_serves_the_kernel, faketree_tear_down);
	}
	ADD(builds_are_told_for_which_machine);
	ADD(headers_programs_need_their_loader);
	ADD(named_compiler_is_no_matter_of_the_kernel);
	return g_test_run();
}
