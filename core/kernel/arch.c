/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table; a word may be a name of several architectures. */
#include "core/kernel/arch.h"

#include <glib.h>

/*
 * Names: uname -m's first, then dpkg's, rpm's, and those of the kernel's makefiles.
 * e_machine, EI_CLASS and EI_DATA: elf.h. ARCH= and its directory: the kernel's top
 * Makefile. Triplets: those of Debian's and Fedora's cross compilers.
 */
static const struct ks_arch architectures[] = {
	{{"x86_64", "amd64", "x86-64", "x64", "x86"},
	 "x86",
	 "x86_64",
	 "x86_64-linux-gnu",
	 {62, 2, 1}},
	{{"i686", "i586", "i486", "i386", "athlon", "x86", "ia32"},
	 "x86",
	 "i386",
	 "i686-linux-gnu",
	 {3, 1, 1}},
	{{"aarch64", "arm64"}, "arm64", "arm64", "aarch64-linux-gnu", {183, 2, 1}},
	{{"aarch64_be"}, "arm64", "arm64", "aarch64_be-linux-gnu", {183, 2, 2}},
	{{"armv7l", "armv6l", "armv5tel", "armv5tejl", "armv8l", "armv7", "armv7h",
	  "armv6h", "armhf", "armel", "armv7hl", "armv7hnl", "armv6hl", "arm"},
	 "arm",
	 "arm",
	 "arm-linux-gnueabihf",
	 {40, 1, 0}},
	{{"riscv64", "riscv"}, "riscv", "riscv", "riscv64-linux-gnu", {243, 2, 1}},
	{{"riscv32"}, "riscv", "riscv", "riscv32-linux-gnu", {243, 1, 1}},
	{{"ppc64le", "ppc64el", "powerpc64le", "powerpc"},
	 "powerpc",
	 "powerpc",
	 "powerpc64le-linux-gnu",
	 {21, 2, 1}},
	{{"ppc64", "powerpc64", "powerpc"},
	 "powerpc",
	 "powerpc",
	 "powerpc64-linux-gnu",
	 {21, 2, 2}},
	{{"ppc", "powerpc"}, "powerpc", "powerpc", "powerpc-linux-gnu", {20, 1, 2}},
	{{"loongarch64", "loong64", "loongarch"},
	 "loongarch",
	 "loongarch",
	 "loongarch64-linux-gnu",
	 {258, 2, 1}},
	{{"s390x", "s390"}, "s390", "s390", "s390x-linux-gnu", {22, 2, 2}},
	{{"mips64", "mips64el", "mips64r6el", "mips"},
	 "mips",
	 "mips",
	 "mips64el-linux-gnuabi64",
	 {8, 2, 0}},
	{{"mips", "mipsel", "mipsr6el"}, "mips", "mips", "mipsel-linux-gnu", {8, 1, 0}},
	{{"sparc64", "sparc"}, "sparc", "sparc", "sparc64-linux-gnu", {43, 2, 2}},
	{{"parisc64", "hppa64", "parisc", "hppa"},
	 "parisc",
	 "parisc",
	 "hppa64-linux-gnu",
	 {15, 2, 2}},
	{{"parisc", "hppa"}, "parisc", "parisc", "hppa-linux-gnu", {15, 1, 2}},
	{{"alpha"}, "alpha", "alpha", "alpha-linux-gnu", {0x9026, 2, 1}},
	{{"m68k"}, "m68k", "m68k", "m68k-linux-gnu", {4, 1, 2}},
	{{"ia64"}, "ia64", "ia64", "ia64-linux-gnu", {50, 2, 1}},
	{{"sh4", "sh4a", "sh"}, "sh", "sh", "sh4-linux-gnu", {42, 1, 0}},
};

const struct ks_arch *ks_arch_find(const char *name)
{
	const struct ks_arch *found = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(architectures); i++) {
		if (g_str_equal(architectures[i].names[0], name))
			return &architectures[i];
		if (!found && g_strv_contains(architectures[i].names, name))
			found = &architectures[i];
	}
	return found;
}

static bool fits(unsigned int wanted, unsigned int have)
{
	return !wanted || wanted == have;
}

const struct ks_arch *ks_arch_find_elf(const struct ks_arch_elf *elf)
{
	for (guint i = 0; i < G_N_ELEMENTS(architectures); i++) {
		const struct ks_arch_elf *one = &architectures[i].elf;

		if (one->machine == elf->machine && fits(one->class, elf->class) &&
		    fits(one->data, elf->data))
			return &architectures[i];
	}
	return NULL;
}

bool ks_arch_is_named(const char *arch, const char *word)
{
	const struct ks_arch *found = ks_arch_find(arch);

	return g_str_equal(arch, word) || (found && g_strv_contains(found->names, word));
}

bool ks_arch_is_same(const char *a, const char *b)
{
	return g_str_equal(a, b) ||
	       (ks_arch_find(a) && ks_arch_find(a) == ks_arch_find(b));
}

bool ks_arch_is_family(const char *a, const char *b)
{
	const struct ks_arch *one = ks_arch_find(a), *other = ks_arch_find(b);

	return one && other ? g_str_equal(one->family, other->family) : g_str_equal(a, b);
}

/* The 32-bit programs that a 64-bit kernel is made to run as well. */
static bool is_half_of(const struct ks_arch *half, const struct ks_arch *whole)
{
	const bool is_arm = g_str_equal(whole->names[0], "aarch64") &&
			    g_str_equal(half->family, "arm");

	return whole->elf.class == 2 && half->elf.class == 1 &&
	       (is_arm || g_str_equal(whole->family, half->family));
}

bool ks_arch_can_run(const char *arch, const char *programs)
{
	const struct ks_arch *whole = ks_arch_find(arch), *half = ks_arch_find(programs);

	return ks_arch_is_same(arch, programs) ||
	       (whole && half && is_half_of(half, whole));
}
