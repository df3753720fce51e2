/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BUILD_DEPENDS that no source here answers to: a driver that comes ready-made, in a package
 * of its own or with the kernel, is as good to build upon when its module is in place.
 */
#include <string.h>

#include "core/inventory/inventory-private.h"

#define MAX_LIST_BYTES (16u << 20)

/* The name of "updates/foo-bar.ko.xz: ..." as the kernel has it: "foo_bar". */
static char *name_of_line(const char *line)
{
	const char *colon = strchrnul(line, ':');
	const char *base = memrchr(line, '/', colon - line);
	const char *end;

	base = base ? base + 1 : line;
	end = strstr(base, ".ko");
	if (!end || end > colon)
		return NULL;
	return g_strdelimit(g_strndup(base, end - base), "-", '_');
}

static GHashTable *list_installed(const struct ks_inventory_taking *taking,
				  const struct ks_kernel *kernel)
{
	g_autofree char *path =
		g_build_filename(kernel->modules_dir, "modules.dep", NULL);
	g_autofree char *text =
		ks_root_read_file(taking->system->root, path, MAX_LIST_BYTES, NULL, NULL);
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const char *line = text; line && *line; line++) {
		char *name = name_of_line(line);

		if (name)
			g_hash_table_add(names, name);
		line = strchrnul(line, '\n');
		if (!*line)
			break;
	}
	return names;
}

void ks_inventory_find_depends(const struct ks_inventory_taking *taking,
			       struct ks_target *target)
{
	g_autoptr(GHashTable) installed = NULL;
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (!target->build_depends || !*target->build_depends)
		return;
	installed = list_installed(taking, target->kernel);
	for (char **name = target->build_depends; *name; name++) {
		g_autofree char *plain = g_strdelimit(g_strdup(*name), "-", '_');

		if (g_hash_table_contains(installed, plain))
			g_ptr_array_add(found, g_strdup(*name));
	}
	g_ptr_array_add(found, NULL);
	g_ptr_array_set_free_func(found, NULL);
	target->depends_installed =
		(char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}
