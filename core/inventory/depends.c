/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BUILD_DEPENDS that no source here answers to: a driver that comes ready-made, in a package
 * of its own or with the kernel, is as good to build upon when its module is in place.
 */
#include "core/inventory/inventory-private.h"
#include "core/module/inspect.h"

void ks_inventory_find_depends(const struct ks_inventory_taking *taking,
			       struct ks_target *target)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (!target->build_depends || !*target->build_depends)
		return;
	for (char **name = target->build_depends; *name; name++) {
		g_autofree char *path =
			ks_module_find_indexed(taking->system, target->kernel, *name);

		if (path)
			g_ptr_array_add(found, g_strdup(*name));
	}
	g_ptr_array_add(found, NULL);
	g_ptr_array_set_free_func(found, NULL);
	target->depends_installed =
		(char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}
