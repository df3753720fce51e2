/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading T. Everything in it may be half made, left by a killed dkms, or put there by
 * hand: any entry but a plain directory with a valid name is passed over.
 */
#include "core/state/tree.h"

#include <string.h>

#include "core/conf/conf.h"
#include "core/kernel/arch.h"
#include "core/state/tree-private.h"
#include "core/support/error.h"
#include "core/support/name.h"

static void artifact_free(struct ks_artifact *artifact)
{
	g_free(artifact->release);
	g_free(artifact->arch);
	g_free(artifact->dir);
	g_ptr_array_unref(artifact->module_files);
	ks_manifest_free(artifact->manifest);
	g_free(artifact->problem);
	g_free(artifact);
}

static void entry_free(struct ks_tree_entry *entry)
{
	g_free(entry->name);
	g_free(entry->version);
	g_free(entry->source_dir);
	g_ptr_array_unref(entry->artifacts);
	g_free(entry);
}

char *ks_tree_entry_path(const struct ks_system *system, const char *name,
			 const char *version)
{
	return g_build_filename(system->dkms_tree, name, version, NULL);
}

char *ks_tree_artifact_path(const struct ks_system *system, const char *name,
			    const char *version, const char *release, const char *arch)
{
	return g_build_filename(system->dkms_tree, name, version, release, arch, NULL);
}

static char *link_name(const char *release, const char *arch)
{
	return g_strdup_printf("kernel-%s-%s", release, arch);
}

char *ks_tree_link_path(const struct ks_system *system, const char *name,
			const char *release, const char *arch)
{
	g_autofree char *link = link_name(release, arch);

	return g_build_filename(system->dkms_tree, name, link, NULL);
}

char *ks_tree_mark_path(const struct ks_system *system, const char *name,
			const char *version, const char *mark)
{
	return g_build_filename(system->state_dir, "marks", name, version, mark, NULL);
}

static bool is_real_directory(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_lstat(system->root, path, &st) && S_ISDIR(st.st_mode);
}

/* The real directories of valid names in dir; what cannot be listed holds none. */
static GPtrArray *list_directories(const struct ks_system *system, const char *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) all = ks_root_list_type(system->root, dir, S_IFDIR, NULL);

	for (guint i = 0; all && i < all->len; i++)
		if (ks_name_is_plain(all->pdata[i]))
			g_ptr_array_add(names, g_strdup(all->pdata[i]));
	return names;
}

/* --- artifacts */

static bool is_module_name(const char *name)
{
	return g_str_has_suffix(name, ".ko") || g_str_has_suffix(name, ".ko.xz") ||
	       g_str_has_suffix(name, ".ko.zst") || g_str_has_suffix(name, ".ko.gz");
}

static void read_module_files(const struct ks_system *system,
			      struct ks_artifact *artifact)
{
	g_autofree char *dir = g_build_filename(artifact->dir, "module", NULL);
	g_autoptr(GPtrArray) names = ks_root_list_type(system->root, dir, S_IFREG, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];

		if (g_str_equal(name, "Module.symvers"))
			artifact->has_symvers = true;
		else if (ks_name_is_plain(name) && is_module_name(name))
			g_ptr_array_add(artifact->module_files, g_strdup(name));
	}
}

static bool is_manifest_of(const struct ks_manifest *manifest,
			   const struct ks_tree_entry *entry,
			   const struct ks_artifact *artifact)
{
	return g_str_equal(manifest->module, entry->name) &&
	       g_str_equal(manifest->version, entry->version) &&
	       g_str_equal(manifest->release, artifact->release) &&
	       g_str_equal(manifest->arch, artifact->arch);
}

static void read_manifest(const struct ks_system *system,
			  const struct ks_tree_entry *entry, struct ks_artifact *artifact)
{
	g_autofree char *path = g_build_filename(artifact->dir, "manifest", NULL);
	ks_auto(ks_manifest) manifest = NULL;
	g_autoptr(GError) error = NULL;

	manifest = ks_manifest_load(system, path, &error);
	if (!manifest) {
		if (!g_error_matches(error, KS_ERROR, KS_ERROR_NOT_FOUND))
			artifact->problem = g_strdup(error->message);
		return;
	}
	if (!is_manifest_of(manifest, entry, artifact)) {
		artifact->problem = g_strdup_printf("'%s': belongs to %s/%s on %s", path,
						    manifest->module, manifest->version,
						    manifest->release);
		return;
	}
	artifact->manifest = g_steal_pointer(&manifest);
}

/* Text comparison: a link that leads to nothing still shows which artifact was active. */
static bool is_active(const struct ks_system *system, const struct ks_tree_entry *entry,
		      const char *release, const char *arch)
{
	g_autofree char *link = ks_tree_link_path(system, entry->name, release, arch);
	g_autofree char *target = ks_root_readlink(system->root, link);
	g_autofree char *relative = NULL;
	g_autofree char *absolute = NULL;
	size_t length;

	if (!target)
		return false;
	length = strlen(target);
	while (length > 1 && target[length - 1] == '/')
		target[--length] = '\0';
	relative = g_build_filename(entry->version, release, arch, NULL);
	absolute =
		ks_tree_artifact_path(system, entry->name, entry->version, release, arch);
	return g_str_equal(target, relative) || g_str_equal(target, absolute);
}

static struct ks_artifact *add_artifact(const struct ks_system *system,
					struct ks_tree_entry *entry, const char *release,
					const char *arch)
{
	struct ks_artifact *artifact = g_new0(struct ks_artifact, 1);

	artifact->release = g_strdup(release);
	artifact->arch = g_strdup(arch);
	artifact->dir =
		ks_tree_artifact_path(system, entry->name, entry->version, release, arch);
	artifact->module_files = g_ptr_array_new_with_free_func(g_free);
	artifact->active = is_active(system, entry, release, arch);
	g_ptr_array_add(entry->artifacts, artifact);
	return artifact;
}

static void read_artifacts(const struct ks_system *system, struct ks_tree_entry *entry,
			   const char *dir)
{
	g_autoptr(GPtrArray) releases = list_directories(system, dir);

	for (guint i = 0; i < releases->len; i++) {
		const char *release = releases->pdata[i];
		g_autofree char *release_dir = g_build_filename(dir, release, NULL);
		g_autoptr(GPtrArray) arches = NULL;

		/* source/, build/ and tarball/ live here too; kernels begin with
		 * a digit */
		if (!g_ascii_isdigit(release[0]))
			continue;
		arches = list_directories(system, release_dir);
		for (guint j = 0; j < arches->len; j++) {
			struct ks_artifact *artifact =
				add_artifact(system, entry, release, arches->pdata[j]);

			read_module_files(system, artifact);
			read_manifest(system, entry, artifact);
		}
	}
}

/*
 * "dkms build --force" that failed leaves T/M/kernel-K-A leading to nothing
 * while the old file is still installed: kept as an artifact without modules.
 */
static void read_dangling_link(const struct ks_system *system,
			       struct ks_tree_entry *entry, const char *link)
{
	g_autofree char *target = ks_root_readlink(system->root, link);
	g_auto(GStrv) parts = target ? g_strsplit(target, "/", 4) : NULL;
	struct ks_artifact *artifact;

	if (!parts || g_strv_length(parts) != 3 ||
	    !g_str_equal(parts[0], entry->version) || !ks_name_is_plain(parts[1]) ||
	    !ks_name_is_plain(parts[2]) ||
	    ks_tree_find_artifact(entry, parts[1], parts[2]) ||
	    !is_active(system, entry, parts[1], parts[2]))
		return;
	artifact = add_artifact(system, entry, parts[1], parts[2]);
	artifact->problem = g_strdup_printf("'%s': leads to nothing", link);
}

/* Is it T/M/kernel-K-A of an artifact that is there? Whether it is active was
 * read then. */
static bool is_link_of_artifact(const struct ks_tree_entry *entry, const char *name)
{
	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact = entry->artifacts->pdata[i];
		g_autofree char *link = link_name(artifact->release, artifact->arch);

		if (g_str_equal(name, link))
			return true;
	}
	return false;
}

static void read_dangling_links(const struct ks_system *system,
				struct ks_tree_entry *entry, const GPtrArray *links)
{
	g_autofree char *dir = g_build_filename(system->dkms_tree, entry->name, NULL);

	for (guint i = 0; links && i < links->len; i++) {
		g_autofree char *link = NULL;

		if (!g_str_has_prefix(links->pdata[i], "kernel-") ||
		    is_link_of_artifact(entry, links->pdata[i]))
			continue;
		link = g_build_filename(dir, links->pdata[i], NULL);
		read_dangling_link(system, entry, link);
	}
}

/* --- entries */

/*
 * Not a directory of T that has nothing to do with dkms: an administrator keeps
 * it, and it is never touched.
 */
static bool is_entry(const struct ks_system *system, const char *dir,
		     const struct ks_tree_entry *entry)
{
	g_autofree char *build = g_build_filename(dir, "build", NULL);

	return entry->source != KS_TREE_SOURCE_NONE || entry->artifacts->len ||
	       is_real_directory(system, build);
}

static bool has_conf(const struct ks_system *system, const char *dir)
{
	g_autofree char *conf = g_build_filename(dir, "dkms.conf", NULL);
	struct stat st;

	return ks_root_stat(system->root, conf, &st) && S_ISREG(st.st_mode);
}

static void read_source(const struct ks_system *system, struct ks_tree_entry *entry,
			const char *dir)
{
	g_autofree char *link = g_build_filename(dir, "source", NULL);
	g_autofree char *target = ks_root_readlink(system->root, link);

	entry->source = KS_TREE_SOURCE_NONE;
	if (target) {
		entry->source_dir = g_path_is_absolute(target)
					    ? g_strdup(target)
					    : g_build_filename(dir, target, NULL);
		entry->source =
			has_conf(system, link) ? KS_TREE_SOURCE_OK : KS_TREE_SOURCE_GONE;
	} else if (is_real_directory(system, link) && has_conf(system, link)) {
		/* "dkms ldtarball" of binaries only puts a directory here */
		entry->source_dir = g_strdup(link);
		entry->source = KS_TREE_SOURCE_OK;
	}
}

static bool has_mark(const struct ks_system *system, const struct ks_tree_entry *entry,
		     const char *mark)
{
	g_autofree char *path =
		ks_tree_mark_path(system, entry->name, entry->version, mark);

	return ks_root_exists(system->root, path);
}

bool ks_tree_is_dismissed(const struct ks_system *system, const char *name,
			  const char *version)
{
	g_autofree char *path =
		ks_tree_mark_path(system, name, version, KS_TREE_MARK_DISMISSED);

	return ks_root_exists(system->root, path);
}

static gint64 get_asked_at_us(const struct ks_system *system,
			      const struct ks_tree_entry *entry)
{
	g_autofree char *path = ks_tree_mark_path(system, entry->name, entry->version,
						  KS_TREE_MARK_ASKED);
	struct stat st;

	if (!ks_root_lstat(system->root, path, &st))
		return 0;
	return st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
}

/* NULL when it is no entry at all. */
static struct ks_tree_entry *read_entry(const struct ks_system *system, const char *name,
					const char *version, const GPtrArray *links)
{
	struct ks_tree_entry *entry = g_new0(struct ks_tree_entry, 1);
	g_autofree char *dir = ks_tree_entry_path(system, name, version);

	entry->name = g_strdup(name);
	entry->version = g_strdup(version);
	entry->artifacts = g_ptr_array_new_with_free_func((GDestroyNotify)artifact_free);
	entry->asked = has_mark(system, entry, KS_TREE_MARK_ASKED);
	entry->asked_at_us = get_asked_at_us(system, entry);
	entry->removal_asked = has_mark(system, entry, KS_TREE_MARK_REMOVAL_ASKED);
	read_source(system, entry, dir);
	read_artifacts(system, entry, dir);
	read_dangling_links(system, entry, links);
	if (!is_entry(system, dir, entry))
		g_clear_pointer(&entry, entry_free);
	return entry;
}

GPtrArray *ks_tree_scan(const struct ks_system *system, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)entry_free);
	g_autoptr(GPtrArray) readable =
		ks_root_list(system->root, system->dkms_tree, error);
	g_autoptr(GPtrArray) names = NULL;

	if (!readable) {
		g_prefix_error(error, "cannot read '%s': ", system->dkms_tree);
		return NULL;
	}
	names = list_directories(system, system->dkms_tree);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *dir = g_build_filename(system->dkms_tree, name, NULL);
		g_autoptr(GPtrArray) versions = list_directories(system, dir);
		g_autoptr(GPtrArray) links =
			ks_root_list_type(system->root, dir, S_IFLNK, NULL);

		for (guint j = 0; j < versions->len; j++) {
			struct ks_tree_entry *entry;

			/* dkms's store of in-tree modules it moved away: no version */
			if (g_str_equal(versions->pdata[j], "original_module"))
				continue;
			entry = read_entry(system, name, versions->pdata[j], links);
			if (entry)
				g_ptr_array_add(entries, entry);
		}
	}
	return g_steal_pointer(&entries);
}

struct ks_tree_entry *ks_tree_find(GPtrArray *entries, const char *name,
				   const char *version)
{
	for (guint i = 0; i < entries->len; i++) {
		struct ks_tree_entry *entry = entries->pdata[i];

		if (g_str_equal(entry->name, name) &&
		    g_str_equal(entry->version, version))
			return entry;
	}
	return NULL;
}

struct ks_artifact *ks_tree_find_artifact(struct ks_tree_entry *entry,
					  const char *release, const char *arch)
{
	struct ks_artifact *found = NULL;

	for (guint i = 0; i < entry->artifacts->len; i++) {
		struct ks_artifact *artifact = entry->artifacts->pdata[i];

		if (!g_str_equal(artifact->release, release))
			continue;
		if (g_str_equal(artifact->arch, arch))
			return artifact;
		if (!found && ks_arch_is_named(arch, artifact->arch))
			found = artifact;
	}
	return found;
}
