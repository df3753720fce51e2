/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a kernel's own modules are compressed, which is how its modprobe and its
 * initramfs tools are known to read them. When none lies there, its configuration
 * tells how they would be (dkms 3.4.3 does not look there, and compresses nothing).
 */
#include <string.h>

#include "core/kernel/kernel-private.h"

/* Enough of modules.order to find one module that is there. */
#define ORDER_HEAD_BYTES 8192
#define MAX_ORDER_LINES	 20
/* For kernels whose modules.order lists nothing: look at this many directories. */
#define MAX_DIRECTORIES 100

static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

/* The suffix, when name is that of a module. */
static const char *suffix_of(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return suffixes[i];
	return NULL;
}

/* modules.order says ".ko" (or ".o") whatever the installed file is called. */
static char *find_installed(const struct ks_system *system,
			    const struct ks_kernel *kernel, const char *listed)
{
	const char *dot = strrchr(listed, '.');

	if (!dot)
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path =
			g_strdup_printf("%s/%.*s%s", kernel->modules_dir,
					(int)(dot - listed), listed, suffixes[i]);

		if (ks_root_exists(system->root, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

char *ks_kernel_find_module(const struct ks_system *system,
			    const struct ks_kernel *kernel)
{
	g_autofree char *path =
		g_build_filename(kernel->modules_dir, "modules.order", NULL);
	g_autofree char *text = ks_root_read_head(system->root, path, ORDER_HEAD_BYTES);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", MAX_ORDER_LINES + 1);

	for (guint i = 0; lines[i] && i < MAX_ORDER_LINES; i++) {
		char *found = find_installed(system, kernel, lines[i]);

		if (found)
			return found;
	}
	return NULL;
}

static const char *ask_directory(const struct ks_system *system, const char *path,
				 guint *left)
{
	g_autoptr(GPtrArray) names = NULL;

	if (*left == 0)
		return NULL;
	(*left)--;
	names = ks_root_list(system->root, path, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		const char *suffix = suffix_of(names->pdata[i]);

		if (suffix)
			return suffix;
	}
	for (guint i = 0; names && i < names->len && *left; i++) {
		g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);
		const char *suffix = NULL;
		struct stat st;

		if (ks_root_lstat(system->root, below, &st) && S_ISDIR(st.st_mode))
			suffix = ask_directory(system, below, left);
		if (suffix)
			return suffix;
	}
	return NULL;
}

/*
 * Recent kernels' "make modules_install" compresses with MODULE_COMPRESS_ALL only;
 * older ones have no such symbol (Linux: kernel/module/Kconfig).
 */
static const char *ask_config(const struct ks_system *system, struct ks_kernel *kernel)
{
	static const struct {
		const char *line, *suffix;
	} methods[] = {
		{"\nCONFIG_MODULE_COMPRESS_XZ=y", ".ko.xz"},
		{"\nCONFIG_MODULE_COMPRESS_ZSTD=y", ".ko.zst"},
		{"\nCONFIG_MODULE_COMPRESS_GZIP=y", ".ko.gz"},
	};
	g_autofree char *text = ks_kernel_config_read(system, kernel);

	if (!text || strstr(text, "\n# CONFIG_MODULE_COMPRESS_ALL is not set"))
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(methods); i++)
		if (strstr(text, methods[i].line))
			return methods[i].suffix;
	return NULL;
}

void ks_kernel_probe_suffix(const struct ks_system *system, struct ks_kernel *kernel)
{
	g_autofree char *module = ks_kernel_find_module(system, kernel);
	const char *suffix = module ? suffix_of(module) : NULL;

	if (!suffix) {
		g_autofree char *path =
			g_build_filename(kernel->modules_dir, "kernel", NULL);
		guint left = MAX_DIRECTORIES;

		suffix = ask_directory(system, path, &left);
	}
	if (!suffix)
		suffix = ask_config(system, kernel);
	kernel->module_suffix = g_strdup(suffix ? suffix : ".ko");
}
