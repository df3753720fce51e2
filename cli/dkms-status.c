/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms status, byte for byte (dkms 3.4.3, lines 2552-2577): others parse it.
 * Read from the state tree and the installed files alone.
 */
#include <fnmatch.h>
#include <string.h>

#include "cli/dkms.h"
#include "core/install/install.h"
#include "core/support/digest.h"

static bool is_filtered(const char *pattern, const char *text)
{
	return pattern && *pattern && fnmatch(pattern, text, 0) != 0;
}

/* Where dkms or kmodsmith has put it: the manifest's word, or the usual places. */
static char *find_installed(const struct ks_system *system,
			    const struct ks_artifact *artifact, const char *name)
{
	const char *places[] = {ks_install_dest_override(system), "/updates/dkms",
				"/extra", "/updates", "/kernel/extra"};
	const struct ks_manifest *manifest = artifact->manifest;

	for (guint i = 0; manifest && i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);

		if (g_str_equal(file->name, name))
			return g_build_filename(file->dest_dir, name, NULL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = places[i]
						? g_build_filename(system->install_tree,
								   artifact->release,
								   places[i], name, NULL)
						: NULL;

		if (path && ks_root_exists(system->root, path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

static const char *difference(const struct ks_system *system,
			      struct ks_digest_cache *cache,
			      const struct ks_artifact *artifact)
{
	bool differs = false;

	for (guint i = 0; i < artifact->module_files->len; i++) {
		const char *name = g_ptr_array_index(artifact->module_files, i);
		g_autofree char *installed = find_installed(system, artifact, name);
		g_autofree char *built =
			g_build_filename(artifact->dir, "module", name, NULL);
		g_autofree char *installed_digest = NULL;
		g_autofree char *built_digest = NULL;

		if (!installed || !ks_root_exists(system->root, installed))
			return " (Built modules are missing in the kernel modules "
			       "folder)";
		installed_digest = ks_digest_file(cache, installed, NULL);
		built_digest = ks_digest_file(cache, built, NULL);
		differs |= g_strcmp0(installed_digest, built_digest) != 0;
	}
	return differs ? " (Differences between built and installed modules)" : "";
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
	printf("%s/%s, %s, %s: %s", entry->name, entry->version, artifact->release,
	       artifact->arch, artifact->active ? "installed" : "built");
	if (artifact->active)
		printf("%s%s",
		       has_originals(system, entry->name, artifact)
			       ? " (Original modules exist)"
			       : "",
		       difference(system, cache, artifact));
	putchar('\n');
}

static bool source_dir_exists(const struct ks_system *system,
			      const struct ks_tree_entry *entry)
{
	g_autofree char *dir = g_strdup_printf("%s/%s-%s", system->source_tree,
					       entry->name, entry->version);

	return ks_root_exists(system->root, dir);
}

static void print_broken(const struct ks_tree_entry *entry)
{
	printf("%s/%s: broken\n", entry->name, entry->version);
	fflush(stdout);
	fprintf(stderr,
		"\nError! %s/%s: Missing the module source directory or the symbolic "
		"link "
		"pointing to it.\nManual intervention is required!\n",
		entry->name, entry->version);
}

static bool has_modules(const struct ks_artifact *artifact)
{
	return artifact->module_files->len > 0;
}

/* One entry under one kernel filter (NULL: none). */
static void print_entry(const struct ks_dkms *dkms, struct ks_digest_cache *cache,
			const struct ks_tree_entry *entry, const char *kernel,
			const char *arch)
{
	const struct ks_system *system = dkms->cli.system;
	guint n_printed = 0;

	if (entry->source == KS_TREE_SOURCE_GONE ||
	    (entry->source == KS_TREE_SOURCE_NONE && source_dir_exists(system, entry))) {
		print_broken(entry);
		return;
	}
	for (guint i = 0; i < entry->artifacts->len; i++) {
		const struct ks_artifact *artifact =
			g_ptr_array_index(entry->artifacts, i);

		if (!has_modules(artifact) || is_filtered(kernel, artifact->release) ||
		    is_filtered(arch, artifact->arch))
			continue;
		print_artifact(system, cache, entry, artifact);
		n_printed++;
	}
	/* dkms says so too of one that is built, but not for the filtered kernel */
	if (!n_printed && entry->source == KS_TREE_SOURCE_OK)
		printf("%s/%s: added\n", entry->name, entry->version);
}

static void print_list(const struct ks_dkms *dkms, struct ks_digest_cache *cache,
		       GPtrArray *entries, const char *kernel, const char *arch)
{
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_tree_entry *entry = g_ptr_array_index(entries, i);

		if (!is_filtered(dkms->options.module, entry->name) &&
		    !is_filtered(dkms->options.version, entry->version))
			print_entry(dkms, cache, entry, kernel, arch);
	}
}

int ks_dkms_status(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = &dkms->options;
	ks_auto(ks_digest_cache) cache = NULL;
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	guint n_arches = options->arches->len;

	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return ks_dkms_die(KS_DKMS_NOT_ALLOWED, "%s", error->message);
	cache = ks_digest_cache_open(dkms->cli.system);
	if (!options->kernels->len)
		print_list(dkms, cache, entries, NULL,
			   n_arches ? g_ptr_array_index(options->arches, 0) : NULL);
	for (guint i = 0; i < options->kernels->len; i++)
		print_list(dkms, cache, entries, g_ptr_array_index(options->kernels, i),
			   n_arches ? g_ptr_array_index(options->arches,
							MIN(i, n_arches - 1))
				    : NULL);
	return KS_DKMS_OK;
}
