/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Are an artifact's files where they should be, as they should be? */
#include "core/inventory/inventory-private.h"

enum placed { PLACED_OK, PLACED_MISSING, PLACED_CHANGED };

/* --- with a manifest: it says where, how large and what */

static enum placed check_file(const struct ks_inventory_taking *taking,
			      const struct ks_manifest_file *file)
{
	g_autofree char *path = ks_manifest_file_path(file);
	g_autofree char *sha256 = NULL;
	g_autofree char *link = ks_root_readlink(taking->system->root, path);
	struct stat st;

	if (!ks_root_stat(taking->system->root, path, &st))
		return PLACED_MISSING;
	/*
	 * a copy instead of a link, or a link instead of a copy, differs from
	 * the record
	 */
	if (g_strcmp0(link, file->link) != 0)
		return PLACED_CHANGED;
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size != file->size_bytes)
		return PLACED_CHANGED;
	sha256 = ks_digest_file(taking->cache, path, NULL);
	return sha256 && g_str_equal(sha256, file->sha256) ? PLACED_OK : PLACED_CHANGED;
}

static bool any_file_is_there(const struct ks_inventory_taking *taking,
			      const struct ks_manifest *manifest)
{
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];
		g_autofree char *path = ks_manifest_file_path(file);

		if (ks_root_exists(taking->system->root, path))
			return true;
	}
	return false;
}

/*
 * --- built by dkms: T has a copy of each file that dkms installed, in one of a
 * few places
 */

static char *find_placed(const struct ks_inventory_taking *taking,
			 const struct ks_target *target, const char *name)
{
	static const char *const usual[] = {"updates/dkms", "extra", "updates"};
	const struct ks_system *system = taking->system;
	const struct ks_conf *conf = target->conf;

	for (size_t i = 0; i < G_N_ELEMENTS(usual); i++) {
		g_autofree char *path =
			g_build_filename(system->install_tree, target->kernel->release,
					 usual[i], name, NULL);

		if (ks_root_exists(system->root, path))
			return g_steal_pointer(&path);
	}
	for (guint i = 0; conf && conf->modules && i < conf->modules->len; i++) {
		const struct ks_conf_module *module = conf->modules->pdata[i];
		g_autofree char *path =
			g_build_filename(system->install_tree, target->kernel->release,
					 module->dest_location, name, NULL);

		if (ks_root_exists(system->root, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static enum placed check_adopted_file(const struct ks_inventory_taking *taking,
				      const struct ks_target *target, const char *name)
{
	g_autofree char *copy =
		g_build_filename(target->artifact->dir, "module", name, NULL);
	g_autofree char *path = find_placed(taking, target, name);
	g_autofree char *placed = NULL;
	g_autofree char *built = NULL;

	if (!path)
		return PLACED_MISSING;
	placed = ks_digest_file(taking->cache, path, NULL);
	built = ks_digest_file(taking->cache, copy, NULL);
	return placed && built && g_str_equal(placed, built) ? PLACED_OK : PLACED_CHANGED;
}

/* --- the whole artifact */

static enum placed check_one(const struct ks_inventory_taking *taking,
			     const struct ks_target *target, guint index)
{
	const struct ks_artifact *artifact = target->artifact;

	if (artifact->manifest)
		return check_file(taking, artifact->manifest->files->pdata[index]);
	return check_adopted_file(taking, target, artifact->module_files->pdata[index]);
}

static enum ks_installed check_all(const struct ks_inventory_taking *taking,
				   const struct ks_target *target)
{
	const struct ks_artifact *artifact = target->artifact;
	guint n_files = artifact->manifest ? artifact->manifest->files->len
					   : artifact->module_files->len;
	enum ks_installed installed = KS_INSTALLED_OK;

	/* the link leads to nothing: something was installed, nobody knows what */
	if (!artifact->manifest && n_files == 0)
		return KS_INSTALLED_MISSING;
	for (guint i = 0; i < n_files; i++) {
		enum placed placed = check_one(taking, target, i);

		if (placed == PLACED_MISSING)
			return KS_INSTALLED_MISSING;
		if (placed == PLACED_CHANGED)
			installed = KS_INSTALLED_CHANGED;
	}
	return installed;
}

enum ks_installed ks_inventory_check_installed(const struct ks_inventory_taking *taking,
					       const struct ks_target *target)
{
	const struct ks_artifact *artifact = target->artifact;

	if (!artifact || !artifact->active)
		return KS_INSTALLED_NO;
	/* on a removed kernel it only matters whether there is something to take away */
	if (!target->kernel->alive)
		return artifact->manifest && any_file_is_there(taking, artifact->manifest)
			       ? KS_INSTALLED_MISSING
			       : KS_INSTALLED_NO;
	return check_all(taking, target);
}
