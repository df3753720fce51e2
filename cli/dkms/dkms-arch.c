/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/dkms/dkms-arch.h"

#include "core/kernel/kernel.h"
#include "core/state/tree.h"

/* Of a kernel that is gone the tree says how its artifacts are called. */
static char *find_remembered(const struct ks_system *system, const char *release)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(system, NULL);

	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_tree_entry *entry = entries->pdata[i];

		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact = entry->artifacts->pdata[j];

			if (g_str_equal(artifact->release, release))
				return g_strdup(artifact->arch);
		}
	}
	return NULL;
}

char *ks_dkms_kernel_arch(const struct ks_system *system,
			  const struct ks_conf_overrides *overrides, const char *release)
{
	ks_auto(ks_kernel) kernel = ks_kernel_probe(system, release);
	char *remembered = ks_root_exists(system->root, kernel->modules_dir)
				   ? NULL
				   : find_remembered(system, release);

	if (remembered)
		return remembered;
	if (overrides->kernel_source_dir)
		ks_kernel_use_headers(system, kernel, overrides->kernel_source_dir);
	if (overrides->kernel_config)
		ks_kernel_use_config(system, kernel, overrides->kernel_config);
	return g_steal_pointer(&kernel->arch);
}
