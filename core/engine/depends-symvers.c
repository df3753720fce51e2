/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/depends-symvers.h"

char **ks_symvers_find(const struct ks_system *system,
		       const struct ks_inventory *inventory,
		       const struct ks_target *target)
{
	GPtrArray *paths = g_ptr_array_new();

	for (guint i = 0; target->build_depends && i < inventory->targets->len; i++) {
		struct ks_target *other = g_ptr_array_index(inventory->targets, i);
		g_autofree char *dir = NULL;
		g_autofree char *path = NULL;

		if (other->kernel != target->kernel ||
		    !g_strv_contains((const char *const *)target->build_depends,
				     other->source->name))
			continue;
		dir = ks_tree_artifact_path(system, other->source->name,
					    other->source->version,
					    other->kernel->release, other->kernel->arch);
		path = g_build_filename(dir, "module", "Module.symvers", NULL);
		if (ks_root_exists(system->root, path))
			g_ptr_array_add(paths, g_steal_pointer(&path));
	}
	g_ptr_array_add(paths, NULL);
	return (char **)g_ptr_array_free(paths, FALSE);
}
