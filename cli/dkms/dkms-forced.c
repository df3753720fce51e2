/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/dkms/dkms-forced.h"

#define FORCE_DIR      "/usr/share/dkms/modules_to_force_install"
#define MAX_LIST_BYTES 65536

enum ks_dkms_forced ks_dkms_find_forced(const struct ks_dkms *dkms, const char *module)
{
	const struct ks_root *root = dkms->cli.system->root;
	g_autofree char *override = g_strconcat(module, "_version-override", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(root, FORCE_DIR, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(FORCE_DIR, g_ptr_array_index(names, i), NULL);
		g_autofree char *text =
			ks_root_read_file(root, path, MAX_LIST_BYTES, NULL, NULL);
		g_auto(GStrv) words = text ? g_strsplit_set(text, " \t\n", -1) : NULL;

		if (words && g_strv_contains((const char *const *)words, module))
			return KS_DKMS_FORCED;
		if (words && g_strv_contains((const char *const *)words, override))
			return KS_DKMS_FORCED_VERSION;
	}
	return KS_DKMS_NOT_FORCED;
}
