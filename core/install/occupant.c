/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose is the file where a module belongs? */
#include "core/install/occupant.h"

#include <string.h>

#include "core/install/apply.h"
#include "core/support/error.h"

#define MAX_COMPARED_BYTES (256u << 20)

bool ks_occupant_is_link(const struct ks_system *system, const char *path,
			 const char *text)
{
	g_autofree char *there = ks_root_readlink(system->root, path);

	return there && text && !strcmp(there, text);
}

bool ks_occupant_is_placed(const struct ks_system *system,
			   const struct ks_manifest *manifest,
			   const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *dir =
		ks_tree_artifact_path(system, manifest->module, manifest->version,
				      manifest->release, manifest->arch);
	g_autofree char *own = g_build_filename(dir, "module", file->name, NULL);
	g_autofree char *sha256 = ks_apply_digest(system, path);

	if (sha256)
		return file->sha256 && !strcmp(sha256, file->sha256);
	return ks_occupant_is_link(system, path, file->link) ||
	       ks_occupant_is_link(system, path, own);
}

static bool is_begun_copy(const struct ks_system *system, const char *artifact_dir,
			  const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *source =
		artifact_dir ? g_build_filename(artifact_dir, "module", file->name, NULL)
			     : NULL;
	g_autofree char *whole = NULL;
	g_autofree char *part = NULL;
	size_t whole_bytes = 0, part_bytes = 0;

	if (!source)
		return false;
	part = ks_root_read_file(system->root, path, MAX_COMPARED_BYTES, &part_bytes,
				 NULL);
	whole = ks_root_read_file(system->root, source, MAX_COMPARED_BYTES, &whole_bytes,
				  NULL);
	return part && whole && part_bytes < whole_bytes &&
	       memcmp(part, whole, part_bytes) == 0;
}

bool ks_occupant_is_ours(const struct ks_system *system, const char *artifact_dir,
			 const struct ks_manifest *manifest,
			 const struct ks_manifest_file *file)
{
	return ks_occupant_is_placed(system, manifest, file) ||
	       is_begun_copy(system, artifact_dir, file);
}

char *ks_occupant_find_claim(const struct ks_system *system, const char *module,
			     const char *path)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(system, NULL);

	for (guint i = 0; entries && i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (!strcmp(entry->name, module))
			continue;
		for (guint j = 0; j < entry->artifacts->len; j++) {
			const struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);

			if (artifact->active &&
			    ks_manifest_has_path(artifact->manifest, path))
				return g_strdup_printf("%s/%s", entry->name,
						       entry->version);
		}
	}
	return NULL;
}
