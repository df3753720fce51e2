/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms status, byte for byte (dkms 3.4.3, lines 2552-2577): others parse it.
 * Read from the state tree and the installed files alone; no dkms.conf is executed.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-weak.h"
#include "core/install/install.h"
#include "core/platform/same.h"

/* What dkms takes for a kernel's directory when no kernel is given. */
#define KERNEL_PATTERN "+([0-9]).*"

static bool fits(const char *pattern, const char *text)
{
	return !pattern || !*pattern ||
	       fnmatch(pattern, text, FNM_EXTMATCH | FNM_PERIOD | FNM_PATHNAME) == 0;
}

/* Where dkms or kmodsmith has put it: by the manifest, or one of the usual places. */
static char *find_installed(const struct ks_system *system,
			    const struct ks_artifact *artifact, const char *name)
{
	g_autofree char *dir = NULL;
	const struct ks_manifest *manifest = artifact->manifest;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		if (g_str_equal(file->name, name))
			return g_build_filename(file->dest_dir, name, NULL);
	}
	dir = ks_install_find_dir(system, artifact->release, NULL, name);
	/* where the distribution has no place its conf would know, and is not executed */
	if (!dir && !ks_install_dest_override(system))
		dir = ks_install_find_indexed_dir(system, artifact->release, name);
	return dir ? g_build_filename(dir, name, NULL) : NULL;
}

static bool is_same(const struct ks_system *system, struct ks_digest_cache *cache,
		    const struct ks_artifact *artifact, const char *name)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	g_autofree char *installed = find_installed(system, artifact, name);
	g_autofree char *built = g_build_filename(artifact->dir, "module", name, NULL);
	ks_autofd int a =
		installed ? ks_root_openat(system->root, installed, flags, 0, NULL) : -1;
	ks_autofd int b = ks_root_openat(system->root, built, flags, 0, NULL);

	return a >= 0 && b >= 0 && ks_same_bytes(cache, a, b);
}

/* Is the tree's own copy of every module there? The manifest says which there are. */
static bool has_all_modules(const struct ks_system *system,
			    const struct ks_artifact *artifact)
{
	const struct ks_manifest *manifest = artifact->manifest;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path =
			g_build_filename(artifact->dir, "module", file->name, NULL);

		if (!ks_root_exists(system->root, path))
			return false;
	}
	return true;
}

/* dkms's words speak of the kernel's copy, but it compares the tree's. */
static const char *difference(const struct ks_system *system,
			      struct ks_digest_cache *cache,
			      const struct ks_artifact *artifact)
{
	if (!has_all_modules(system, artifact))
		return " (Built modules are missing in the kernel modules folder)";
	for (guint i = 0; artifact->active && i < artifact->module_files->len; i++)
		if (!is_same(system, cache, artifact,
			     g_ptr_array_index(artifact->module_files, i)))
			return " (Differences between built and installed modules)";
	return "";
}

static bool has_originals(const struct ks_system *system, const char *name,
			  const struct ks_artifact *artifact)
{
	g_autofree char *dir =
		g_build_filename(system->dkms_tree, name, "original_module",
				 artifact->release, artifact->arch, NULL);

	return ks_root_exists(system->root, dir);
}

static void print_artifact(const struct ks_system *system, struct ks_digest_cache *cache,
			   const struct ks_tree_entry *entry,
			   const struct ks_artifact *artifact)
{
	printf("%s/%s, %s, %s: %s%s%s\n", entry->name, entry->version, artifact->release,
	       artifact->arch, artifact->active ? "installed" : "built",
	       has_originals(system, entry->name, artifact) ? " (Original modules exist)"
							    : "",
	       difference(system, cache, artifact));
}

/* --- entries */

static bool is_directory(const struct ks_system *system, const char *path)
{
	struct stat st;

	return ks_root_stat(system->root, path, &st) && S_ISDIR(st.st_mode);
}

enum source { SOURCE_ADDED, SOURCE_BROKEN, SOURCE_NONE };

/* dkms 3.4.3, is_module_broken() and is_module_added() */
static enum source find_source(const struct ks_system *system,
			       const struct ks_tree_entry *entry)
{
	g_autofree char *dir = ks_tree_entry_path(system, entry->name, entry->version);
	g_autofree char *link = g_build_filename(dir, "source", NULL);
	g_autofree char *source = g_strdup_printf("%s/%s-%s", system->source_tree,
						  entry->name, entry->version);
	struct stat st;

	if (is_directory(system, link))
		return SOURCE_ADDED;
	if (ks_root_lstat(system->root, link, &st) && S_ISLNK(st.st_mode))
		return SOURCE_BROKEN;
	return is_directory(system, source) ? SOURCE_BROKEN : SOURCE_NONE;
}

static void print_broken(const struct ks_tree_entry *entry)
{
	printf("%s/%s: broken\n", entry->name, entry->version);
	fflush(stdout);
	fprintf(stderr,
		"\nError! %s/%s: Missing the module source directory or the symbolic "
		"link pointing to it.\nManual intervention is required!\n",
		entry->name, entry->version);
}

/* "built" is this directory, also with no module in it. */
static bool is_built(const struct ks_system *system, const struct ks_artifact *artifact)
{
	g_autofree char *dir = g_build_filename(artifact->dir, "module", NULL);

	return is_directory(system, dir);
}

/* In the order of a shell's glob, which is that of the caller's locale. */
static int compare_artifacts(gconstpointer a, gconstpointer b)
{
	const struct ks_artifact *left = *(struct ks_artifact *const *)a;
	const struct ks_artifact *right = *(struct ks_artifact *const *)b;
	int order = strcoll(left->dir, right->dir);

	return order ? order : strcmp(left->dir, right->dir);
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	const struct ks_tree_entry *left = *(struct ks_tree_entry *const *)a;
	const struct ks_tree_entry *right = *(struct ks_tree_entry *const *)b;
	g_autofree char *left_path = g_build_filename(left->name, left->version, NULL);
	g_autofree char *right_path = g_build_filename(right->name, right->version, NULL);
	int order = strcoll(left_path, right_path);

	return order ? order : strcmp(left_path, right_path);
}

static void sort_as_shell(GPtrArray *entries)
{
	setlocale(LC_COLLATE, "");
	g_ptr_array_sort(entries, compare_entries);
	for (guint i = 0; i < entries->len; i++) {
		struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		g_ptr_array_sort(entry->artifacts, compare_artifacts);
	}
	setlocale(LC_COLLATE, "C");
}

/* One entry under one kernel filter (NULL: none). */
static void print_entry(const struct ks_dkms *dkms, struct ks_digest_cache *cache,
			const struct ks_tree_entry *entry, const char *kernel,
			const char *arch)
{
	const struct ks_system *system = dkms->cli.system;
	enum source source = find_source(system, entry);
	guint n_printed = 0;

	if (source == SOURCE_BROKEN)
		print_broken(entry);
	if (source != SOURCE_ADDED)
		return;
	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (!is_built(system, artifact) || !fits(kernel, artifact->release) ||
		    !fits(arch, artifact->arch))
			continue;
		print_artifact(system, cache, entry, artifact);
		n_printed++;
	}
	/*
	 * dkms also prints this for a module that is built, but not for the
	 * filtered kernel
	 */
	if (!n_printed)
		printf("%s/%s: added\n", entry->name, entry->version);
}

static void print_list(const struct ks_dkms *dkms, struct ks_digest_cache *cache,
		       GPtrArray *entries, const char *kernel, const char *arch)
{
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (fits(dkms->options->module, entry->name) &&
		    fits(dkms->options->version, entry->version))
			print_entry(dkms, cache, entry,
				    kernel && *kernel ? kernel : KERNEL_PATTERN, arch);
	}
	ks_dkms_weak_print(dkms, entries, kernel, arch);
}

static const char *nth(const GPtrArray *texts, guint i)
{
	return i < texts->len ? g_ptr_array_index(texts, i) : NULL;
}

int ks_dkms_status(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	ks_auto(ks_digest_cache) cache = ks_digest_cache_open(dkms->cli.system);
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;

	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return ks_dkms_fail(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	sort_as_shell(entries);
	/* each kernel has the architecture at its place, or none */
	for (guint i = 0; i < MAX(options->kernels->len, 1); i++)
		print_list(dkms, cache, entries, nth(options->kernels, i),
			   nth(options->arches, i));
	return KS_DKMS_OK;
}
