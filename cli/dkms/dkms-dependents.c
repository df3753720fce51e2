/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that have to be built again because of another module: with
 * BUILD_DEPENDS_REBUILD, T/M/V/K/A/.dep_NAME holds the version of NAME that it
 * was built against (dkms 3.4.3, check_and_rebuild_dependent_modules).
 */
#include "cli/dkms/dkms-engine.h"

#define MAX_MARK_BYTES 4096

static bool is_built_upon_another(const struct ks_dkms *dkms,
				  const struct ks_artifact *artifact)
{
	g_autofree char *path =
		g_strdup_printf("%s/.dep_%s", artifact->dir, dkms->options.module);
	g_autofree char *text = ks_root_read_file(dkms->cli.system->root, path,
						  MAX_MARK_BYTES, NULL, NULL);

	return text && !g_str_equal(g_strstrip(text), dkms->options.version);
}

GPtrArray *ks_dkms_list_dependents(const struct ks_dkms *dkms, const char *release)
{
	g_autofree char *arch = ks_kernel_machine_arch(dkms->cli.system);
	g_autoptr(GPtrArray) entries = ks_tree_scan(dkms->cli.system, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; entries && i < entries->len; i++) {
		struct ks_tree_entry *entry = g_ptr_array_index(entries, i);
		const struct ks_artifact *artifact =
			ks_tree_find_artifact(entry, release, arch);

		if (artifact && is_built_upon_another(dkms, artifact))
			g_ptr_array_add(names, g_strdup_printf("%s/%s", entry->name,
							       entry->version));
	}
	return names;
}
