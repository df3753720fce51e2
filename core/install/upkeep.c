/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/install/upkeep.h"

#include "core/install/install.h"

/* The paths of all our modules for that kernel. */
static GHashTable *list_ours(const struct ks_inventory *inventory,
			     const struct ks_kernel *kernel)
{
	GHashTable *ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < inventory->entries->len; i++) {
		const struct ks_tree_entry *entry =
			g_ptr_array_index(inventory->entries, i);

		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);
			const struct ks_manifest *manifest = artifact->manifest;

			if (!manifest || !g_str_equal(artifact->release, kernel->release))
				continue;
			for (guint k = 0; k < manifest->files->len; k++)
				g_hash_table_add(
					ours,
					ks_manifest_file_path(manifest->files->pdata[k]));
		}
	}
	return ours;
}

static void look_at_alive(const struct ks_system *system, struct ks_kernel *kernel,
			  struct ks_upkeep *upkeep)
{
	struct ks_image_facts facts;

	ks_install_look_at_image(system, kernel, &facts);
	upkeep->index_is_stale = ks_install_depmod_is_stale(system, kernel);
	upkeep->has_image = facts.has_image;
	upkeep->image_is_stale = facts.is_stale;
	upkeep->unrenewed = facts.unrenewed;
	upkeep->unrenewed_is_due = facts.unrenewed_is_due;
	upkeep->unrenewed_is_stale = facts.unrenewed_is_stale;
}

static void look_at_gone(const struct ks_system *system,
			 const struct ks_inventory *inventory,
			 const struct ks_kernel *kernel, struct ks_upkeep *upkeep)
{
	g_autoptr(GHashTable) ours = list_ours(inventory, kernel);

	upkeep->is_prunable = ks_install_can_prune_kernel(system, kernel, NULL);
	upkeep->is_prunable_without_ours =
		upkeep->is_prunable || ks_install_can_prune_kernel(system, kernel, ours);
}

void ks_install_look_at_upkeep(const struct ks_system *system,
			       struct ks_inventory *inventory)
{
	inventory->upkeep = g_ptr_array_new_with_free_func(ks_upkeep_free);
	inventory->has_devices = !ks_system_is_chroot(system);
	for (guint i = 0; i < inventory->kernels->len; i++) {
		struct ks_kernel *kernel = g_ptr_array_index(inventory->kernels, i);
		struct ks_upkeep *upkeep = g_new0(struct ks_upkeep, 1);

		upkeep->kernel = kernel;
		g_ptr_array_add(inventory->upkeep, upkeep);
		if (kernel->alive)
			look_at_alive(system, kernel, upkeep);
		else
			look_at_gone(system, inventory, kernel, upkeep);
	}
}
