/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparing the modules to be installed with those that the kernel has. */
#include "cli/dkms/dkms-sanity.h"

#include <string.h>

#include "core/install/apply.h"
#include "core/install/install.h"
#include "core/module/inspect.h"
#include "core/support/version.h"

#define FORCE_DIR      "/usr/share/dkms/modules_to_force_install"
#define MAX_LIST_BYTES 65536
#define MAX_DEPTH      32

enum ks_sanity_force ks_sanity_is_forced(const struct ks_dkms *dkms)
{
	const struct ks_root *root = dkms->cli.system->root;
	g_autofree char *override =
		g_strconcat(dkms->options.module, "_version-override", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(root, FORCE_DIR, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path =
			g_build_filename(FORCE_DIR, g_ptr_array_index(names, i), NULL);
		g_autofree char *text =
			ks_root_read_file(root, path, MAX_LIST_BYTES, NULL, NULL);
		g_auto(GStrv) words = text ? g_strsplit_set(text, " \t\n", -1) : NULL;

		if (words &&
		    g_strv_contains((const char *const *)words, dkms->options.module))
			return KS_SANITY_FORCE;
		if (words && g_strv_contains((const char *const *)words, override))
			return KS_SANITY_FORCE_VERSION;
	}
	return KS_SANITY_NO_FORCE;
}

/* "m" for m.ko, m.ko.xz and so on. */
static char *module_name(const char *file)
{
	const char *suffix = strstr(file, ".ko");

	return suffix ? g_strndup(file, (size_t)(suffix - file)) : g_strdup(file);
}

static bool is_file_of(const char *file, const char *name)
{
	size_t length = strlen(name);

	return g_str_has_prefix(file, name) && g_str_has_prefix(file + length, ".ko") &&
	       (!file[length + 3] || file[length + 3] == '.');
}

/* Regular files of that name anywhere below dir. */
static void find_files(const struct ks_root *root, const char *dir, const char *name,
		       unsigned int depth, GPtrArray *found)
{
	g_autoptr(GPtrArray) names = ks_root_list(root, dir, NULL);

	for (guint i = 0; names && depth < MAX_DEPTH && i < names->len; i++) {
		const char *entry = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, entry, NULL);
		struct stat st;

		if (!ks_root_lstat(root, path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			find_files(root, path, name, depth + 1, found);
		else if (S_ISREG(st.st_mode) && is_file_of(entry, name))
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
}

static bool is_same_file(const struct ks_system *system, const char *a, const char *b)
{
	g_autofree char *digest_a = ks_apply_digest(system, a);
	g_autofree char *digest_b = ks_apply_digest(system, b);

	return digest_a && g_strcmp0(digest_a, digest_b) == 0;
}

/*
 * A file that a killed installation has left, where this system puts modules. A
 * file with the same bytes among the kernel's own modules is the kernel's.
 */
static bool is_left_over(const struct ks_system *system, const char *modules_dir,
			 const char *found, const char *built)
{
	const char *override = ks_install_dest_override(system);
	g_autofree char *dest =
		g_strconcat(modules_dir, override ? override : "", "/", NULL);

	return g_str_has_prefix(found, dest) && is_same_file(system, found, built);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* False, after printing why, when the kernel's module is to stay. */
static bool compare(const struct ks_dkms *dkms, const char *kernels, const char *built,
		    const char *file, const char *release)
{
	const char *paths[] = {kernels, built, NULL};
	g_autoptr(GPtrArray) infos =
		ks_module_inspect(dkms->cli.system, paths, NULL, NULL, NULL);
	const struct ks_module_info *theirs, *ours;
	bool versioned;

	if (!infos || infos->len != 2)
		return true;
	theirs = g_ptr_array_index(infos, 0);
	ours = g_ptr_array_index(infos, 1);
	if (g_strcmp0(or_empty(theirs->version), or_empty(ours->version)) != 0) {
		if (!theirs->version || !ours->version ||
		    ks_version_compare(theirs->version, ours->version) < 0)
			return true;
		ks_dkms_error_line(
			"Module version %s for %s\n"
			"is not newer than what is already found in kernel %s (%s).\n"
			"You may override by specifying --force.",
			ours->version, file, release, theirs->version);
		return false;
	}
	/* without either only the bytes can be compared */
	versioned = ours->version || ours->srcversion;
	if (g_strcmp0(theirs->srcversion, ours->srcversion) != 0 ||
	    (!versioned && !is_same_file(dkms->cli.system, kernels, built)))
		return true;
	fflush(stdout);
	if (ours->version)
		fprintf(stderr,
			"Module %s already installed at version %s, override by "
			"specifying --force\n",
			kernels, ours->version);
	else
		fprintf(stderr,
			"Module %s already installed (unversioned module), override by "
			"specifying --force\n",
			kernels);
	return false;
}

static bool check_file(const struct ks_dkms *dkms, const char *dir, const char *file,
		       const char *release)
{
	const struct ks_system *system = dkms->cli.system;
	g_autofree char *modules_dir =
		g_build_filename(system->install_tree, release, NULL);
	g_autofree char *name = module_name(file);
	g_autofree char *built = g_build_filename(dir, file, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	find_files(system->root, modules_dir, name, 0, found);
	if (!found->len)
		return true;
	if (found->len > 1) {
		ks_dkms_warn("Cannot do version sanity checking because multiple %s "
			     "modules were found in kernel %s.",
			     file, release);
		return true;
	}
	if (is_left_over(system, modules_dir, g_ptr_array_index(found, 0), built))
		return true;
	return compare(dkms, g_ptr_array_index(found, 0), built, file, release);
}

int ks_sanity_check(const struct ks_dkms *dkms, const char *release, const char *arch,
		    GPtrArray *refused)
{
	const struct ks_dkms_options *options = &dkms->options;
	g_autofree char *artifact = ks_tree_artifact_path(
		dkms->cli.system, options->module, options->version, release, arch);
	g_autofree char *dir = g_build_filename(artifact, "module", NULL);
	g_autoptr(GPtrArray) names = NULL;
	guint n_files = 0;

	if (options->force || options->force_version_override)
		return KS_DKMS_OK;
	names = ks_root_list(dkms->cli.system->root, dir, NULL);
	for (guint i = 0; names && i < names->len; i++) {
		const char *file = g_ptr_array_index(names, i);

		if (!strstr(file, ".ko"))
			continue;
		n_files++;
		if (!check_file(dkms, dir, file, release))
			g_ptr_array_add(refused, g_strdup(file));
	}
	if (!refused->len || refused->len < n_files)
		return KS_DKMS_OK;
	return ks_dkms_fail(KS_DKMS_INSTALL_FAILED, "Installation aborted.");
}
