/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name says it, or that of the file that a link leads to ("gcc" on Debian); gcc's own
 * directory, which is called by the triplet; or the program itself, for a compiler that has
 * no other name compiles for what it runs on.
 */
#include "core/kernel/compiler.h"

#include <string.h>

#include "core/kernel/arch.h"
#include "core/kernel/elf.h"

/* Between the processor and "-gcc". */
static const char *const systems[] = {
	"-linux-gnu",
	"-linux-gnueabihf",
	"-linux-gnueabi",
	"-linux-gnuabi64",
	"-none-linux-gnu",
	"-none-linux-gnueabihf",
	"-none-linux-gnueabi",
	"-unknown-linux-gnu",
	"-unknown-linux-gnueabihf",
	"-pc-linux-gnu",
	"-redhat-linux",
	"-redhat-linux-gnu",
	"-suse-linux",
	"-suse-linux-gnueabi",
	"-linux-musl",
	"-linux",
	"-none-elf",
	"-none-eabi",
};

char *ks_compiler_prefix(const char *name)
{
	g_autofree char *base = g_path_get_basename(name);
	char *gcc = g_strrstr(base, "-gcc");

	if (!gcc || gcc == base)
		return NULL;
	gcc[1] = '\0';
	return g_steal_pointer(&base);
}

/* Of "aarch64-linux-gnu" and "aarch64-linux-gnu-"; "c99" and "ccache" are none. */
static const struct ks_arch *find_by_triplet(const char *triplet)
{
	g_autofree char *processor = g_strndup(triplet, strcspn(triplet, "-"));

	return strchr(triplet, '-') ? ks_arch_find(processor) : NULL;
}

static const struct ks_arch *find_by_name(const char *path)
{
	g_autofree char *prefix = ks_compiler_prefix(path);

	return prefix ? find_by_triplet(prefix) : NULL;
}

/* PREFIX/bin/gcc has PREFIX/lib/gcc/TRIPLET; with several nothing is said. */
static const struct ks_arch *find_by_directory(const struct ks_system *system,
					       const char *real)
{
	g_autofree char *bin = g_path_get_dirname(real);
	g_autofree char *top = g_path_get_dirname(bin);
	g_autofree char *dir = g_build_filename(top, "lib/gcc", NULL);
	g_autoptr(GPtrArray) names = ks_root_list_type(system->root, dir, S_IFDIR, NULL);

	return names && names->len == 1 ? find_by_triplet(names->pdata[0]) : NULL;
}

const struct ks_arch *ks_compiler_arch(const struct ks_system *system, const char *path)
{
	g_autofree char *real = ks_root_realpath(system->root, path);
	const struct ks_arch *arch = find_by_name(path);

	if (!arch && real)
		arch = find_by_name(real);
	if (arch || !real || !ks_elf_arch(system, real))
		return arch;
	arch = find_by_directory(system, real);
	return arch ? arch : ks_elf_arch(system, real);
}

/* Is there a directory of that name, so many directories below dir? */
static bool has_below(const struct ks_system *system, const char *dir, guint depth,
		      const char *name)
{
	g_autoptr(GPtrArray) names = ks_root_list_type(system->root, dir, S_IFDIR, NULL);

	if (!depth)
		return names &&
		       g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *below = g_build_filename(dir, names->pdata[i], NULL);

		if (has_below(system, below, depth - 1, name))
			return true;
	}
	return false;
}

/* Debian's is made for both; others have gcc's libraries for 64 bits when they are. */
static bool has_wide_half(const struct ks_system *system, const char *path)
{
	g_autofree char *real = ks_root_realpath(system->root, path);
	g_autofree char *prefix = real ? ks_compiler_prefix(real) : NULL;
	g_autofree char *bin = g_path_get_dirname(real ? real : path);
	g_autofree char *top = g_path_get_dirname(bin);
	g_autofree char *gcc = g_build_filename(top, "lib/gcc", NULL);

	return !g_strcmp0(prefix, "i686-linux-gnu-") || has_below(system, gcc, 2, "64");
}

bool ks_compiler_serves(const struct ks_system *system, const char *path,
			const char *arch)
{
	const struct ks_arch *own = ks_compiler_arch(system, path);

	if (!own || ks_arch_is_same(own->names[0], arch))
		return true;
	if (!ks_arch_is_family(own->names[0], arch) || g_str_equal(own->family, "parisc"))
		return false;
	return !g_str_equal(own->names[0], "i686") || has_wide_half(system, path);
}

static void add_prefix(GPtrArray *prefixes, char *prefix)
{
	if (!g_ptr_array_find_with_equal_func(prefixes, prefix, g_str_equal, NULL))
		g_ptr_array_add(prefixes, prefix);
	else
		g_free(prefix);
}

char **ks_compiler_list_prefixes(const char *name)
{
	const struct ks_arch *arch = ks_arch_find(name);
	GPtrArray *prefixes = g_ptr_array_new();

	if (arch)
		add_prefix(prefixes, g_strconcat(arch->triplet, "-", NULL));
	for (size_t i = 0; arch && i < G_N_ELEMENTS(systems); i++) {
		g_autofree char *processor =
			g_strndup(arch->triplet, strcspn(arch->triplet, "-"));

		add_prefix(prefixes, g_strconcat(processor, systems[i], "-", NULL));
		add_prefix(prefixes, g_strconcat(arch->names[0], systems[i], "-", NULL));
	}
	g_ptr_array_add(prefixes, NULL);
	return (char **)g_ptr_array_free(prefixes, FALSE);
}
