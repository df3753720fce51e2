/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/occupants.h"

#include "core/install/journal.h"
#include "core/install/occupant.h"
#include "core/record/record.h"

/* Another version has it, which is replaced, or another source: the planner chooses. */
static bool is_of_a_module(const struct ks_system *system,
			   const struct ks_manifest *manifest, const char *path)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(system, NULL);

	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);

			if (artifact->active &&
			    ks_manifest_has_path(artifact->manifest, path))
				return true;
		}
	}
	return false;
}

static char *find_owner(const struct ks_system *system,
			const struct ks_manifest *manifest,
			const struct ks_manifest_file *file, const char *path)
{
	g_autofree char *dir =
		ks_tree_artifact_path(system, manifest->module, manifest->version,
				      manifest->release, manifest->arch);
	g_autofree char *base =
		g_build_filename(system->install_tree, manifest->release, NULL);
	g_autofree char *owner = ks_record_owner(system, path);
	g_autoptr(GError) error = NULL;

	if (owner)
		return g_strdup_printf("'%s' belongs to package '%s'", path, owner);
	if (ks_occupant_may_go(system, dir, manifest, NULL, file, base, &error))
		return NULL;
	return g_strdup(error->message);
}

char *ks_occupants_find(const struct ks_system *system,
			const struct ks_manifest *manifest)
{
	g_autofree char *kernels_own =
		g_build_filename(system->install_tree, manifest->release, "kernel", NULL);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path = ks_manifest_file_path(file);
		char *owner;

		if (!ks_root_exists(system->root, path) ||
		    ks_journal_is_path_below(path, kernels_own) ||
		    is_of_a_module(system, manifest, path))
			continue;
		owner = find_owner(system, manifest, file, path);
		if (owner)
			return owner;
	}
	return NULL;
}
