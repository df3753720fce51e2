/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links in weak-updates: which there are, and whether what they lead to fits. */
#include <string.h>

#include "core/install/weak.h"
#include "core/module/inspect.h"
#include "core/support/durable.h"
#include "core/support/error.h"

static bool leads_to(const struct ks_system *system, const char *link, const char *path)
{
	struct stat st;

	return ks_root_lstat(system->root, link, &st) && S_ISLNK(st.st_mode) &&
	       ks_root_is_same(system->root, link, path);
}

char *ks_install_find_weak_link(const struct ks_system *system, const char *release,
				const struct ks_manifest *manifest,
				const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *own =
		g_build_filename(system->install_tree, manifest->release, NULL);
	const char *below =
		g_str_has_prefix(file->dest_dir, own) ? file->dest_dir + strlen(own) : "";
	const char *const places[] = {"", below};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *link =
			g_build_filename(system->install_tree, release, "weak-updates",
					 places[i], file->name, NULL);

		if (leads_to(system, link, path))
			return g_steal_pointer(&link);
	}
	return NULL;
}

/* Those of the manifest's files that the kernel links to; *paths are the files. */
static GPtrArray *find_links(const struct ks_system *system, const char *release,
			     const struct ks_manifest *manifest, GPtrArray *paths)
{
	GPtrArray *links = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		char *link = ks_install_find_weak_link(system, release, manifest, file);

		if (!link)
			continue;
		g_ptr_array_add(links, link);
		g_ptr_array_add(paths, ks_manifest_file_path(file));
	}
	return links;
}

/* Headers are a package of their own; the kernel's has it, too, compressed. */
static char *find_symvers(const struct ks_system *system, const struct ks_kernel *kernel)
{
	static const char *const suffixes[] = {"", ".gz", ".xz", ".zst"};

	if (kernel->symvers_path)
		return g_strdup(kernel->symvers_path);
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *own =
			g_strdup_printf("%s/symvers%s", kernel->modules_dir, suffixes[i]);
		g_autofree char *boot = g_strdup_printf("/boot/symvers-%s%s",
							kernel->release, suffixes[i]);

		if (ks_root_exists(system->root, own))
			return g_steal_pointer(&own);
		if (ks_root_exists(system->root, boot))
			return g_steal_pointer(&boot);
	}
	return NULL;
}

enum fit { FITS, DOES_NOT_FIT, UNKNOWN };

static enum fit look(const struct ks_system *system, const struct ks_kernel *kernel,
		     GPtrArray *paths, GError **error)
{
	g_autofree char *symvers = find_symvers(system, kernel);
	g_autoptr(GPtrArray) infos = NULL;

	if (!symvers) {
		ks_error_set(error, KS_ERROR_NOT_FOUND,
			     "the kernel's Module.symvers is not there");
		return UNKNOWN;
	}
	infos = ks_module_inspect_weak(system, (const char *const *)paths->pdata, kernel,
				       symvers, error);
	if (!infos)
		return UNKNOWN;
	for (guint i = 0; i < infos->len; i++) {
		const struct ks_module_info *info = g_ptr_array_index(infos, i);

		if (!info->problem)
			continue;
		ks_error_set(error, KS_ERROR_VERIFY_FAILED, "'%s': %s", info->name,
			     info->problem);
		return DOES_NOT_FIT;
	}
	return FITS;
}

static bool take_away(const struct ks_system *system, const struct ks_kernel *kernel,
		      GPtrArray *links, GError **error)
{
	if (!ks_install_mark_changed(system, kernel->release, error))
		return false;
	for (guint i = 0; i < links->len; i++)
		if (!ks_durable_unlink(system->root, g_ptr_array_index(links, i), error))
			return false;
	return ks_install_mark_changed(system, kernel->release, error);
}

static bool check_kernel(const struct ks_system *system, const struct ks_kernel *kernel,
			 const struct ks_manifest *manifest, ks_weak_report report,
			 void *data, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) links = find_links(system, kernel->release, manifest, paths);
	g_autoptr(GError) problem = NULL;
	enum fit fit;

	if (!links->len)
		return true;
	g_ptr_array_add(paths, NULL);
	fit = look(system, kernel, paths, &problem);
	if (fit == DOES_NOT_FIT && !take_away(system, kernel, links, error))
		return false;
	if (fit != FITS)
		report(kernel, fit == DOES_NOT_FIT, problem, data);
	return true;
}

bool ks_install_check_weak(const struct ks_system *system,
			   const struct ks_manifest *manifest, ks_weak_report report,
			   void *data, GError **error)
{
	g_autoptr(GPtrArray) kernels = ks_kernel_list(system, error);

	if (!kernels)
		return false;
	for (guint i = 0; i < kernels->len; i++) {
		const struct ks_kernel *kernel = g_ptr_array_index(kernels, i);

		if (g_strcmp0(kernel->release, manifest->release) != 0 &&
		    !check_kernel(system, kernel, manifest, report, data, error))
			return false;
	}
	return true;
}
