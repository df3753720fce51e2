/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May the file where a module belongs give way to it? */
#include <string.h>

#include "core/install/occupant.h"
#include "core/install/original.h"
#include "core/support/error.h"

/* Ours and dkms's by convention: what lies here unrecorded was left by a killed dkms. */
#define OWN_DIR "/updates/dkms"

static bool refuse(const char *path, const char *whose, GError **error)
{
	ks_error_set(error, KS_ERROR_DENIED, "'%s' is there already and belongs to %s",
		     path, whose);
	ks_error_hint(error,
		      "find its owner, and remove the file or the module that put it "
		      "there");
	return false;
}

bool ks_occupant_may_go(const struct ks_system *system, const char *artifact_dir,
			const struct ks_manifest *manifest, const struct ks_manifest *old,
			const struct ks_manifest_file *file, const char *base,
			GError **error)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *own_dir = g_strconcat(base, OWN_DIR, NULL);
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *claim = NULL;
	struct stat st;

	if (!ks_root_lstat(system->root, path, &st) || ks_manifest_has_path(old, path))
		return true;
	if (S_ISDIR(st.st_mode))
		return refuse(path, "a directory", error);
	claim = ks_occupant_find_claim(system, manifest->module, path);
	if (claim)
		return refuse(path, claim, error);
	if (!strcmp(dir, own_dir) ||
	    ks_occupant_is_ours(system, artifact_dir, manifest, file) ||
	    ks_original_is_put_aside(system, manifest, path))
		return true;
	return refuse(path, "somebody else", error);
}
