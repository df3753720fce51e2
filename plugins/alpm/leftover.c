/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See leftover.h. */
#include "plugins/alpm/leftover.h"

#include <string.h>

#include "core/support/durable.h"
#include "core/support/treeop.h"

static const char *const modules_dirs[] = {"/usr/lib/modules", "/lib/modules"};

static bool is_kernel_alive(const struct ks_system *system, const char *release)
{
	static const char *const signs[] = {"modules.builtin", "modules.order", "kernel"};

	for (size_t i = 0; release && *release && i < G_N_ELEMENTS(signs); i++) {
		g_autofree char *path =
			g_build_filename(system->install_tree, release, signs[i], NULL);

		if (ks_root_exists(system->root, path))
			return true;
	}
	return false;
}

/* A hostile entry must not lead a removal anywhere else. */
static const char *module_dir_of(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(modules_dirs); i++)
		if (g_str_has_prefix(path, modules_dirs[i]) &&
		    path[strlen(modules_dirs[i])] == '/')
			return modules_dirs[i];
	return NULL;
}

/* Module files of the entry that are there and that no wanted record has. */
static GPtrArray *find_files(const struct ks_alpm *alpm,
			     const struct ks_alpm_entry *entry, GHashTable *wanted)
{
	g_autoptr(GPtrArray) listed = ks_alpm_entry_files(alpm, entry->dir, NULL);
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; listed && i < listed->len; i++) {
		const char *name = g_ptr_array_index(listed, i);
		g_autofree char *path = g_strconcat("/", name, NULL);
		struct stat st;

		if (!g_hash_table_contains(wanted, name) && module_dir_of(path) &&
		    ks_root_lstat(alpm->system->root, path, &st) && S_ISREG(st.st_mode))
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
	return found;
}

char *ks_leftover_find_in_use(const struct ks_alpm *alpm,
			      const struct ks_alpm_entry *entry, GHashTable *wanted)
{
	g_autoptr(GPtrArray) files = NULL;

	if (!is_kernel_alive(alpm->system, entry->said->release))
		return NULL;
	files = find_files(alpm, entry, wanted);
	return files->len ? g_strdup(g_ptr_array_index(files, 0)) : NULL;
}

bool ks_leftover_remove(const struct ks_alpm *alpm, const struct ks_alpm_entry *entry,
			GHashTable *wanted, GError **error)
{
	const struct ks_root *root = alpm->system->root;
	g_autoptr(GPtrArray) files = find_files(alpm, entry, wanted);

	for (guint i = 0; i < files->len; i++) {
		const char *path = g_ptr_array_index(files, i);
		g_autofree char *dir = g_path_get_dirname(path);

		if (!ks_durable_unlink(root, path, error))
			return false;
		/* one that is not empty, or somebody else's, is no failure */
		ks_ignore(ks_treeop_prune_empty(root, dir, module_dir_of(path), NULL));
	}
	return true;
}
