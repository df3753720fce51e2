/* SPDX-License-Identifier: GPL-2.0-or-later */
/* depmod, and the directories of kernels that are gone. */
#include <string.h>

#include "core/install/install.h"
#include "core/install/run-tool.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

static bool explain(const struct ks_kernel *kernel, bool ok, GError **error)
{
	if (!ok)
		g_prefix_error(error,
			       "cannot update the module index of %s: ", kernel->release);
	return ok;
}

/* dkms: a tree that never had an index does not get one. */
static bool is_to_be_indexed_elsewhere(const struct ks_system *system,
				       const struct ks_kernel *kernel)
{
	g_autofree char *index =
		g_build_filename(kernel->modules_dir, "modules.dep", NULL);

	return system->install_tree_is_given && !ks_root_exists(system->root, index);
}

bool ks_install_depmod_start(const struct ks_system *system,
			     const struct ks_kernel *kernel, struct ks_tool **tool,
			     GError **error)
{
	g_autofree char *depmod = ks_run_tool_find(system, "depmod");
	g_autofree char *map = g_strconcat("/boot/System.map-", kernel->release, NULL);
	const char *argv[] = {depmod, "-a", kernel->release, "-F", map, NULL};
	struct ks_tool *started = NULL;

	/* on the remains of a removed kernel it would make new files */
	if (!kernel->alive || !ks_root_exists(system->root, kernel->modules_dir) ||
	    is_to_be_indexed_elsewhere(system, kernel)) {
		*tool = NULL;
		return true;
	}
	if (!depmod) {
		ks_error_set(error, KS_ERROR_NOT_FOUND,
			     "cannot run depmod for %s: not installed", kernel->release);
		ks_error_hint(error, "install kmod");
		return false;
	}
	if (!ks_root_exists(system->root, map))
		argv[3] = NULL;
	started = ks_run_tool_start(system, argv, -1, error);
	if (started)
		*tool = started;
	return explain(kernel, started != NULL, error);
}

bool ks_install_depmod_finish(const struct ks_kernel *kernel, struct ks_tool *tool,
			      GError **error)
{
	return explain(kernel, ks_run_tool_finish(tool, error), error);
}

bool ks_install_depmod(const struct ks_system *system, const struct ks_kernel *kernel,
		       GError **error)
{
	struct ks_tool *tool = NULL;

	return ks_install_depmod_start(system, kernel, &tool, error) &&
	       (!tool || ks_install_depmod_finish(kernel, tool, error));
}

/* The files that depmod makes (kmod's tools/depmod.c, depmod_output); modules.order,
 * .builtin and .builtin.modinfo come with the kernel. */
static bool is_made_by_depmod(const char *name)
{
	static const char *const names[] = {
		"modules.alias",       "modules.alias.bin",
		"modules.builtin.bin", "modules.builtin.alias.bin",
		"modules.dep",	       "modules.dep.bin",
		"modules.devname",     "modules.softdep",
		"modules.symbols",     "modules.symbols.bin",
		"modules.weakdep",     "modules.builtin.alias",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* A link of the kernel's or header package that leads nowhere any more. */
static bool is_dead_link(const struct ks_system *system, const char *name,
			 const char *path)
{
	struct stat st;

	return (!strcmp(name, "build") || !strcmp(name, "source")) &&
	       ks_root_lstat(system->root, path, &st) && S_ISLNK(st.st_mode) &&
	       !ks_root_exists(system->root, path);
}

/* Directories, and files that are in ignored (may be NULL). */
static bool is_empty_tree(const struct ks_system *system, const char *path,
			  GHashTable *ignored, unsigned int depth)
{
	g_autoptr(GPtrArray) names = NULL;
	struct stat st;

	if (ignored && g_hash_table_contains(ignored, path))
		return true;
	if (depth > 8 || !ks_root_lstat(system->root, path, &st) || !S_ISDIR(st.st_mode))
		return false;
	names = ks_root_list(system->root, path, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *child =
			g_build_filename(path, g_ptr_array_index(names, i), NULL);

		if (!is_empty_tree(system, child, ignored, depth + 1))
			return false;
	}
	return names != NULL;
}

static bool holds_nothing_else(const struct ks_system *system, const char *dir,
			       GHashTable *ignored)
{
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (!is_made_by_depmod(name) && !is_dead_link(system, name, path) &&
		    !is_empty_tree(system, path, ignored, 0))
			return false;
	}
	return names != NULL;
}

/* Asked of the disk: the picture may be older than a package's removal. */
static bool is_alive(const struct ks_system *system, const char *dir)
{
	static const char *const signs[] = {"kernel", "modules.order", "modules.builtin"};

	for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
		g_autofree char *path = g_build_filename(dir, signs[i], NULL);

		if (ks_root_exists(system->root, path))
			return true;
	}
	return false;
}

bool ks_install_can_prune_kernel(const struct ks_system *system,
				 const struct ks_kernel *kernel, GHashTable *ignored)
{
	struct stat st;

	return !kernel->alive && ks_root_lstat(system->root, kernel->modules_dir, &st) &&
	       S_ISDIR(st.st_mode) && !is_alive(system, kernel->modules_dir) &&
	       holds_nothing_else(system, kernel->modules_dir, ignored);
}

bool ks_install_prune_kernel(const struct ks_system *system,
			     const struct ks_kernel *kernel, GError **error)
{
	g_autofree char *mark =
		g_build_filename(system->state_dir, "changed", kernel->release, NULL);
	g_autofree char *reported =
		g_build_filename(system->state_dir, "unrenewed", kernel->release, NULL);

	return !ks_install_can_prune_kernel(system, kernel, NULL) ||
	       (ks_treeop_remove(system->root, kernel->modules_dir, error) &&
		ks_durable_unlink(system->root, mark, error) &&
		ks_durable_unlink(system->root, reported, error));
}
