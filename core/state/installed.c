/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest of the installed files, when the artifact is newer: "build"
 * replaces it and leaves the installed files alone, and a run may die between
 * the two. The manifest is kept with the new artifact until that is installed.
 */
#include <string.h>

#include "core/state/tree-private.h"
#include "core/platform/digest.h"
#include "core/support/durable.h"

static char *kept_path(const char *dir)
{
	return g_build_filename(dir, "installed", NULL);
}

static struct ks_manifest *load(const struct ks_system *system, const char *dir,
				const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return ks_manifest_load(system, path, NULL);
}

static bool is_in_place(const struct ks_system *system,
			const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *link = ks_root_readlink(system->root, path);
	g_autofree char *sha256 = NULL;
	struct stat st;
	size_t size_bytes;
	g_autofree char *data = NULL;

	if (g_strcmp0(link, file->link) != 0 || !ks_root_stat(system->root, path, &st) ||
	    !S_ISREG(st.st_mode) || (guint64)st.st_size != file->size_bytes)
		return false;
	data = ks_root_read_file(system->root, path, file->size_bytes, &size_bytes, NULL);
	sha256 = data ? ks_digest_data(data, size_bytes) : NULL;
	return g_strcmp0(sha256, file->sha256) == 0;
}

static bool all_are_in_place(const struct ks_system *system,
			     const struct ks_manifest *manifest)
{
	for (guint i = 0; i < manifest->files->len; i++)
		if (!is_in_place(system, manifest->files->pdata[i]))
			return false;
	return true;
}

struct ks_manifest *ks_tree_load_installed(const struct ks_system *system,
					   const char *dir, const struct ks_manifest *own)
{
	g_autofree char *path = kept_path(dir);

	/* all files are its own: a run has died after placing them */
	if (!own || !ks_root_exists(system->root, path) || all_are_in_place(system, own))
		return NULL;
	return load(system, dir, "installed");
}

bool ks_tree_keep_installed(const struct ks_system *system, const char *dir,
			    const char *staged_dir, GError **error)
{
	g_autofree char *to = kept_path(staged_dir);
	ks_auto(ks_manifest) own = load(system, dir, "manifest");
	ks_auto(ks_manifest) kept = ks_tree_load_installed(system, dir, own);

	/* without a manifest it is dkms's, whose files are looked for */
	return !own || ks_manifest_store(system, kept ? kept : own, to, error);
}

bool ks_tree_forget_installed(const struct ks_system *system, const char *dir,
			      GError **error)
{
	g_autofree char *path = kept_path(dir);

	return !ks_root_exists(system->root, path) ||
	       ks_durable_unlink(system->root, path, error);
}
