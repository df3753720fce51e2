/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builds of the command line's module, for archives and packages. */
#include "cli/dkms/dkms-built.h"

#include "cli/dkms/dkms-engine.h"
#include "core/support/version.h"

static gint compare_releases(gconstpointer a, gconstpointer b)
{
	const struct ks_artifact *const *left = a, *const *right = b;

	return ks_version_compare((*left)->release, (*right)->release);
}

static int add_named(const struct ks_dkms *dkms, struct ks_tree_entry *entry,
		     const char *action, GPtrArray *artifacts)
{
	for (guint i = 0; i < dkms->options->kernels->len; i++) {
		const char *release = g_ptr_array_index(dkms->options->kernels, i);
		g_autofree char *arch = ks_dkms_arch(dkms, i);
		struct ks_artifact *artifact =
			ks_tree_find_artifact(entry, release, arch);

		if (!artifact || !artifact->module_files->len)
			return ks_dkms_fail(
				KS_DKMS_INSTALL_FAILED,
				"No modules built for %s (%s).\n"
				"Modules must already be in the built state before using "
				"%s.",
				release, arch, action);
		g_ptr_array_add(artifacts, artifact);
	}
	return KS_DKMS_OK;
}

int ks_dkms_find_built(const struct ks_dkms *dkms, const char *action, GPtrArray *entries,
		       GPtrArray *artifacts)
{
	const struct ks_dkms_options *options = dkms->options;
	struct ks_tree_entry *entry =
		ks_tree_find(entries, options->module, options->version);

	if (!entry)
		return KS_DKMS_NOT_IN_TREE;
	if (!options->all)
		return add_named(dkms, entry, action, artifacts);
	for (guint i = 0; i < entry->artifacts->len; i++) {
		struct ks_artifact *artifact = g_ptr_array_index(entry->artifacts, i);

		if (artifact->module_files->len)
			g_ptr_array_add(artifacts, artifact);
	}
	g_ptr_array_sort(artifacts, compare_releases);
	if (artifacts->len)
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_INSTALL_FAILED,
			    "No modules built for any kernel.\n"
			    "Modules must already be in the built state before using %s.",
			    action);
}
