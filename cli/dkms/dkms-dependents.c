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

/* "NAME/VERSION" */
static GPtrArray *list_dependents(const struct ks_dkms *dkms, const char *release)
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

/* As with --force: dkms builds it whether or not the result would differ. */
static int rebuild(struct ks_dkms *dkms, const char *name, const char *release)
{
	const bool force = dkms->options.force;
	int code;

	printf("\nRebuilding module %s due to updated dependencies\n\n", name);
	fflush(stdout);
	ks_dkms_options_set_module(&dkms->options, name);
	dkms->options.force = true;
	code = ks_dkms_build_on(dkms, release);
	code = code ? code : ks_dkms_install_on(dkms, release);
	dkms->options.force = force;
	return code;
}

int ks_dkms_rebuild_dependents(struct ks_dkms *dkms, const char *release)
{
	g_autoptr(GPtrArray) names = list_dependents(dkms, release);
	g_autofree char *own =
		g_strdup_printf("%s/%s", dkms->options.module, dkms->options.version);
	int code = KS_DKMS_OK;

	for (guint i = 0; i < names->len; i++) {
		int one = rebuild(dkms, g_ptr_array_index(names, i), release);

		code = code ? code : one;
	}
	ks_dkms_options_set_module(&dkms->options, own);
	return code;
}
