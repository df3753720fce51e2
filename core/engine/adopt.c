/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests for artifacts that dkms built, and for those that have lost their own. */
#include "core/engine/adopt.h"

#include <string.h>

#include "core/install/install.h"

/* dkms --symlink-modules: the text of the link to the tree's copy that lies there. */
static char *find_link(const struct ks_system *system, const char *dir, const char *name,
		       const char *copy)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *link = ks_root_readlink(system->root, path);

	return g_strcmp0(link, copy) == 0 ? g_steal_pointer(&link) : NULL;
}

/*
 * dkms's own copy is what the file should be; the directory shows where it
 * is installed.
 */
static struct ks_manifest_file *describe_file(const struct ks_system *system,
					      struct ks_digest_cache *cache,
					      const struct ks_artifact *artifact,
					      const struct ks_conf *conf,
					      const char *name)
{
	g_autofree char *dir = ks_install_find_dir(system, artifact->release, conf, name);
	g_autofree char *copy = g_build_filename(artifact->dir, "module", name, NULL);
	g_autofree char *sha256 = ks_digest_file(cache, copy, NULL);
	g_autofree char *link = NULL;
	struct ks_manifest_file *file;
	struct stat st;

	if (!sha256 || !ks_root_stat(system->root, copy, &st))
		return NULL;
	if (dir)
		link = find_link(system, dir, name, copy);
	else
		dir = ks_install_expected_dir(system, artifact->release, conf, name);
	file = g_new0(struct ks_manifest_file, 1);
	file->name = g_strdup(name);
	file->dest_dir = g_steal_pointer(&dir);
	file->link = g_steal_pointer(&link);
	file->built_sha256 = g_strdup(sha256);
	file->sha256 = g_steal_pointer(&sha256);
	file->size_bytes = (guint64)st.st_size;
	file->aliases = g_new0(char *, 1);
	file->exports = g_new0(char *, 1);
	return file;
}

/*
 * dkms may have died between the copy and its depmod: its link says installed, and
 * modprobe does not know the module.
 */
static void mark_if_unindexed(const struct ks_system *system,
			      const struct ks_artifact *artifact,
			      const struct ks_manifest *manifest)
{
	g_autofree char *index = g_build_filename(system->install_tree, artifact->release,
						  "modules.dep", NULL);
	struct stat index_st, st;

	if (!artifact->active || !ks_root_stat(system->root, index, &index_st))
		return;
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path = ks_manifest_file_path(file);

		if (!ks_root_stat(system->root, path, &st) ||
		    st.st_ctim.tv_sec <= index_st.st_mtim.tv_sec)
			continue;
		ks_ignore(ks_install_mark_changed(system, artifact->release, NULL));
		return;
	}
}

/*
 * For an artifact whose manifest cannot be read: no input has this fingerprint,
 * so it is built again. Until that works the old one can be kept, recorded and
 * removed; without a manifest nobody would know which files are its.
 */
#define UNKNOWN_FINGERPRINT "unknown"

static bool adopt(const struct ks_system *system, struct ks_digest_cache *cache,
		  const struct ks_tree_entry *entry, const struct ks_artifact *artifact,
		  GError **error)
{
	ks_auto(ks_manifest) manifest = ks_manifest_new(
		entry->name, entry->version, artifact->release, artifact->arch);
	g_autofree char *path = g_build_filename(artifact->dir, "manifest", NULL);
	/* where the distribution has no place of its own, the conf has named one */
	ks_auto(ks_conf) conf =
		ks_install_dest_override(system)
			? NULL
			: ks_install_artifact_conf(system, entry, artifact);
	struct stat st;

	for (guint i = 0; i < artifact->module_files->len; i++) {
		const char *name = g_ptr_array_index(artifact->module_files, i);
		struct ks_manifest_file *file =
			describe_file(system, cache, artifact, conf, name);

		if (!file)
			return true; /* unreadable: the planner has it rebuilt */
		g_ptr_array_add(manifest->files, file);
	}
	if (ks_root_stat(system->root, artifact->dir, &st))
		manifest->built_at_us = (gint64)st.st_mtime * G_USEC_PER_SEC;
	if (artifact->active)
		manifest->installed_at_us = manifest->built_at_us;
	if (artifact->problem)
		manifest->build_fingerprint = g_strdup(UNKNOWN_FINGERPRINT);
	mark_if_unindexed(system, artifact, manifest);
	return ks_manifest_store(system, manifest, path, error);
}

/* The installed file of a module of the conf, as it is; NULL when there is none. */
static struct ks_manifest_file *describe_orphan(const struct ks_system *system,
						struct ks_digest_cache *cache,
						const struct ks_artifact *artifact,
						const struct ks_conf *conf,
						const char *name)
{
	static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file_name = g_strconcat(name, suffixes[i], NULL);
		g_autofree char *dir =
			ks_install_find_dir(system, artifact->release, conf, file_name);
		g_autofree char *path =
			dir ? g_build_filename(dir, file_name, NULL) : NULL;
		struct ks_manifest_file *file;
		struct stat st;

		if (!path || !ks_root_lstat(system->root, path, &st) ||
		    !S_ISREG(st.st_mode))
			continue;
		file = g_new0(struct ks_manifest_file, 1);
		file->name = g_steal_pointer(&file_name);
		file->dest_dir = g_steal_pointer(&dir);
		file->sha256 = ks_digest_file(cache, path, NULL);
		file->size_bytes = (guint64)st.st_size;
		file->aliases = g_new0(char *, 1);
		file->exports = g_new0(char *, 1);
		return file;
	}
	return NULL;
}

/*
 * A failed "dkms build --force" has deleted the artifact and left the link and the
 * installed files, which nothing would ever remove. The conf has their names.
 */
static void adopt_orphans(const struct ks_system *system, struct ks_digest_cache *cache,
			  const struct ks_tree_entry *entry,
			  const struct ks_artifact *artifact)
{
	ks_auto(ks_manifest) manifest = ks_manifest_new(
		entry->name, entry->version, artifact->release, artifact->arch);
	g_autofree char *path = g_build_filename(artifact->dir, "manifest", NULL);
	ks_auto(ks_conf) conf = ks_install_artifact_conf(system, entry, artifact);

	for (guint i = 0; conf && i < conf->modules->len; i++) {
		const struct ks_conf_module *module = g_ptr_array_index(conf->modules, i);
		struct ks_manifest_file *file =
			describe_orphan(system, cache, artifact, conf, module->dest_name);

		if (file)
			g_ptr_array_add(manifest->files, file);
	}
	if (!manifest->files->len)
		return;
	manifest->installed_at_us = g_get_real_time();
	manifest->build_fingerprint = g_strdup(UNKNOWN_FINGERPRINT);
	ks_ignore(ks_manifest_store(system, manifest, path, NULL));
}

/* True without an effect when there is nothing to do, or the damage cannot be mended. */
static bool adopt_if_needed(const struct ks_system *system, struct ks_digest_cache *cache,
			    const struct ks_tree_entry *entry,
			    const struct ks_artifact *artifact, unsigned int *n_adopted,
			    GError **error)
{
	if (artifact->manifest)
		return true;
	if (!artifact->module_files->len) {
		if (artifact->active)
			adopt_orphans(system, cache, entry, artifact);
		return true;
	}
	if (artifact->problem) {
		(void)adopt(system, cache, entry, artifact, NULL);
		return true;
	}
	if (!adopt(system, cache, entry, artifact, error)) {
		g_prefix_error(error, "cannot adopt %s/%s on %s: ", entry->name,
			       entry->version, artifact->release);
		return false;
	}
	++*n_adopted;
	return true;
}

bool ks_adopt_artifacts(const struct ks_system *system, struct ks_digest_cache *cache,
			unsigned int *n_adopted, GError **error)
{
	g_autoptr(GPtrArray) entries = ks_tree_scan(system, error);
	unsigned int n = 0;

	if (!entries)
		return false;
	for (guint i = 0; i < entries->len; i++) {
		struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		for (guint j = 0; j < entry->artifacts->len; j++) {
			struct ks_artifact *artifact =
				g_ptr_array_index(entry->artifacts, j);

			if (!adopt_if_needed(system, cache, entry, artifact, &n, error))
				return false;
		}
	}
	*n_adopted = n;
	return true;
}
