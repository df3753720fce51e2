/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T/M/V/K/amd64 and its like; and T/M/V/K/x86_64 of a kernel that is an i686 one, for dkms
 * takes the name of the machine. Each step is a rename, so the next run finds a
 * half-done one: the entries that exist show what was moved.
 */
#include "core/kernel/arch.h"
#include "core/kernel/kernel.h"
#include "core/state/manifest.h"
#include "core/state/tree-private.h"
#include "core/support/durable.h"
#include "core/support/treeop.h"

struct settling {
	const struct ks_system *system;
	char *machine;
	GPtrArray *kernels; /* NULL until they are needed */
};

/* The name that the directory of this kernel should have instead of arch, or NULL. */
static const char *better_name(struct settling *settling, const char *release,
			       const char *arch)
{
	const struct ks_kernel *kernel = NULL;
	const char *own;

	if (!settling->kernels)
		settling->kernels = ks_kernel_list(settling->system, NULL);
	if (settling->kernels)
		kernel = ks_kernel_find(settling->kernels, release);
	own = kernel ? kernel->arch : settling->machine;
	if (g_str_equal(own, arch))
		return NULL;
	return ks_arch_is_named(own, arch) || g_str_equal(arch, settling->machine) ? own
										   : NULL;
}

/* --- artifacts */

/* A manifest says where it lies. One that cannot be read is dealt with as ever. */
static bool rename_manifest(const struct ks_system *system, const char *dir,
			    const char *name, const char *arch, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	ks_auto(ks_manifest) manifest = ks_manifest_load(system, path, NULL);

	if (!manifest)
		return true;
	g_free(manifest->arch);
	manifest->arch = g_strdup(arch);
	return ks_manifest_store(system, manifest, path, error);
}

static bool rename_artifact(const struct ks_system *system, const char *from,
			    const char *to, const char *arch, GError **error)
{
	return rename_manifest(system, from, "manifest", arch, error) &&
	       rename_manifest(system, from, "installed", arch, error) &&
	       ks_durable_rename(system->root, from, to, error);
}

static bool settle_artifact(struct settling *settling, struct ks_tree_entry *entry,
			    const struct ks_artifact *artifact, GError **error)
{
	const struct ks_system *system = settling->system;
	const char *arch = better_name(settling, artifact->release, artifact->arch);
	g_autofree char *to = NULL;
	struct ks_artifact *other;

	if (!arch || !ks_root_exists(system->root, artifact->dir))
		return true;
	to = ks_tree_artifact_path(system, entry->name, entry->version, artifact->release,
				   arch);
	other = ks_tree_find_artifact(entry, artifact->release, arch);
	if (other && g_str_equal(other->arch, arch) &&
	    (other->active || !artifact->active))
		return ks_treeop_remove(system->root, artifact->dir, error);
	return ks_treeop_remove(system->root, to, error) &&
	       rename_artifact(system, artifact->dir, to, arch, error);
}

/* --- links */

/* "V/K/A", also below another directory, as its last three names. */
static char **split_target(const char *target)
{
	g_auto(GStrv) parts = g_strsplit(target, "/", -1);
	guint n = g_strv_length(parts);
	char **last;

	while (n && !*parts[n - 1])
		n--;
	if (n < 3)
		return NULL;
	last = g_new0(char *, 4);
	for (guint i = 0; i < 3; i++)
		last[i] = g_strdup(parts[n - 3 + i]);
	return last;
}

/* After the artifacts: it leads to where one has moved, or to nothing. */
static bool settle_link(struct settling *settling, const char *name, const char *link,
			GError **error)
{
	const struct ks_system *system = settling->system;
	g_autofree char *target = ks_root_readlink(system->root, link);
	g_auto(GStrv) parts = target ? split_target(target) : NULL;
	const char *arch = parts ? better_name(settling, parts[1], parts[2]) : NULL;
	g_autofree char *artifact = NULL;
	g_autofree char *better = NULL;
	struct stat st;

	if (!arch)
		return true;
	artifact = ks_tree_artifact_path(system, name, parts[0], parts[1], arch);
	better = ks_tree_link_path(system, name, parts[1], arch);
	if (ks_root_exists(system->root, artifact) &&
	    !ks_root_lstat(system->root, better, &st) &&
	    !ks_tree_activate(system, name, parts[0], parts[1], arch, error))
		return false;
	return ks_durable_unlink(system->root, link, error);
}

static bool settle_links(struct settling *settling, const char *name, GError **error)
{
	const struct ks_system *system = settling->system;
	g_autofree char *dir = g_build_filename(system->dkms_tree, name, NULL);
	g_autoptr(GPtrArray) links = ks_root_list_type(system->root, dir, S_IFLNK, error);

	for (guint i = 0; links && i < links->len; i++) {
		g_autofree char *link = g_build_filename(dir, links->pdata[i], NULL);

		if (g_str_has_prefix(links->pdata[i], "kernel-") &&
		    !settle_link(settling, name, link, error))
			return false;
	}
	return links != NULL;
}

/* --- modules put aside */

/* The copy that is there already is older, and the kernel's own. */
static bool move_originals(const struct ks_root *root, const char *from, const char *to,
			   GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(root, from, error);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *file = g_build_filename(from, names->pdata[i], NULL);
		g_autofree char *moved = g_build_filename(to, names->pdata[i], NULL);
		struct stat st;

		if (!ks_root_lstat(root, moved, &st) &&
		    !ks_durable_rename(root, file, moved, error))
			return false;
	}
	return names && ks_treeop_remove(root, from, error);
}

static bool settle_originals(struct settling *settling, const char *name, GError **error)
{
	const struct ks_root *root = settling->system->root;
	g_autofree char *dir = g_build_filename(settling->system->dkms_tree, name,
						"original_module", NULL);
	g_autoptr(GPtrArray) releases = ks_root_list_type(root, dir, S_IFDIR, error);

	for (guint i = 0; releases && i < releases->len; i++) {
		g_autofree char *of = g_build_filename(dir, releases->pdata[i], NULL);
		g_autoptr(GPtrArray) arches = ks_root_list_type(root, of, S_IFDIR, error);

		for (guint j = 0; arches && j < arches->len; j++) {
			const char *arch = better_name(settling, releases->pdata[i],
						       arches->pdata[j]);
			g_autofree char *from =
				g_build_filename(of, arches->pdata[j], NULL);
			g_autofree char *to =
				arch ? g_build_filename(of, arch, NULL) : NULL;

			if (to && !move_originals(root, from, to, error))
				return false;
		}
		if (!arches)
			return false;
	}
	return releases != NULL;
}

/* --- all */

static bool settle_entry(struct settling *settling, struct ks_tree_entry *entry,
			 GError **error)
{
	for (guint i = 0; i < entry->artifacts->len; i++)
		if (!settle_artifact(settling, entry, entry->artifacts->pdata[i], error))
			return false;
	return settle_links(settling, entry->name, error) &&
	       settle_originals(settling, entry->name, error);
}

bool ks_tree_settle_arches(const struct ks_system *system, GError **error)
{
	g_autofree char *machine = ks_kernel_machine_arch(system);
	g_autoptr(GPtrArray) entries = ks_tree_scan(system, error);
	struct settling settling = {.system = system, .machine = machine};
	bool ok = entries != NULL;

	for (guint i = 0; ok && i < entries->len; i++)
		ok = settle_entry(&settling, entries->pdata[i], error);
	g_clear_pointer(&settling.kernels, g_ptr_array_unref);
	return ok;
}
