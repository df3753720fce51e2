/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One table of names; a word may be a name of several. */
#include "core/kernel/arch.h"

#include <glib.h>

/* uname -m's names first, then dpkg's, rpm's, and those of the kernel's makefiles. */
static const char *const architectures[][14] = {
	{"x86_64", "amd64", "x86-64", "x64", "x86"},
	{"i686", "i586", "i486", "i386", "athlon", "x86", "ia32"},
	{"aarch64", "arm64"},
	{"armv7l", "armv6l", "armv5tel", "armv8l", "armv7", "armv7h", "armv6h", "armhf",
	 "armel", "armv7hl", "armv7hnl", "armv6hl", "arm"},
	{"riscv64", "riscv"},
	{"ppc64le", "ppc64el", "powerpc"},
	{"ppc64", "powerpc64", "powerpc"},
	{"ppc", "powerpc"},
	{"loongarch64", "loong64", "loongarch"},
	{"s390x", "s390"},
	{"mips64", "mips64el", "mips64r6el", "mips"},
	{"mips", "mipsel", "mipsr6el"},
	{"sparc64", "sparc"},
	{"parisc64", "parisc", "hppa"},
	{"alpha"},
	{"m68k"},
	{"ia64"},
	{"sh4", "sh4a", "sh"},
};

/* The line that arch begins, else the first one that has it. */
static const char *const *find_names(const char *arch)
{
	const char *const *found = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(architectures); i++) {
		if (g_str_equal(architectures[i][0], arch))
			return architectures[i];
		if (!found && g_strv_contains(architectures[i], arch))
			found = architectures[i];
	}
	return found;
}

bool ks_arch_is_named(const char *arch, const char *word)
{
	const char *const *names = find_names(arch);

	return g_str_equal(arch, word) || (names && g_strv_contains(names, word));
}
