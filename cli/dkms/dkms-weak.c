/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of weak-updates, and whose modules they lead to. */
#include "cli/dkms/dkms-weak.h"

#include <fnmatch.h>
#include <string.h>

#include "core/install/weak.h"

static bool fits(const char *pattern, const char *text)
{
	return !pattern || !*pattern ||
	       fnmatch(pattern, text, FNM_EXTMATCH | FNM_PERIOD | FNM_PATHNAME) == 0;
}

/* Do the links of the kernel lead to every installed file of the artifact? */
static bool is_linked(const struct ks_system *system, const char *release,
		      const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *link =
			ks_install_find_weak_link(system, release, manifest, file);

		if (!link)
			return false;
	}
	return manifest && manifest->files->len;
}

static void print_of_kernel(const struct ks_dkms *dkms, GPtrArray *entries,
			    const char *release, const char *arch)
{
	const struct ks_dkms_options *options = dkms->options;

	for (guint i = 0; i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (!fits(options->module, entry->name) ||
		    !fits(options->version, entry->version))
			continue;
		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);

			if (artifact->active && fits(arch, artifact->arch) &&
			    !g_str_equal(artifact->release, release) &&
			    is_linked(dkms->cli.system, release, artifact))
				printf("%s, %s, %s, %s: installed-weak from %s\n",
				       entry->name, entry->version, release,
				       artifact->arch, artifact->release);
		}
	}
}

void ks_dkms_weak_print(const struct ks_dkms *dkms, GPtrArray *entries,
			const char *kernel, const char *arch)
{
	const struct ks_system *system = dkms->cli.system;
	g_autoptr(GPtrArray) releases =
		ks_root_list(system->root, system->install_tree, NULL);

	for (guint i = 0; releases && i < releases->len; i++) {
		const char *release = g_ptr_array_index(releases, i);
		g_autofree char *dir = g_build_filename(system->install_tree, release,
							"weak-updates", NULL);

		if (fits(kernel, release) && ks_root_exists(system->root, dir))
			print_of_kernel(dkms, entries, release, arch);
	}
}
