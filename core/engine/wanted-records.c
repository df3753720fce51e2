/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The desired set of records, and whether the database has it. */
#include "core/engine/wanted-records.h"

#include <string.h>

static bool files_are_there(const struct ks_system *system,
			    const struct ks_manifest *manifest)
{
	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file =
			g_ptr_array_index(manifest->files, i);
		g_autofree char *path = ks_manifest_file_path(file);

		if (!ks_root_exists(system->root, path))
			return false;
	}
	return manifest->files->len > 0;
}

bool ks_wanted_records_are_known(GPtrArray *kernels)
{
	for (guint i = 0; i < kernels->len; i++)
		if (((struct ks_kernel *)g_ptr_array_index(kernels, i))->alive)
			return true;
	return false;
}

/*
 * Without its image a kernel has no package that a record could depend on and go with: the
 * record is made when the image comes.
 */
static bool can_have_records(GPtrArray *kernels, const char *release)
{
	const struct ks_kernel *kernel = ks_kernel_find(kernels, release);

	return kernel && kernel->alive && kernel->has_image;
}

static void record_free(gpointer data)
{
	ks_record_free(data);
}

/* A record describes the installed files, even where the artifact is newer. */
static void add_record(const struct ks_system *system, GPtrArray *kernels,
		       const struct ks_artifact *artifact, GPtrArray *records)
{
	ks_auto(ks_manifest) replaced = NULL;
	const struct ks_manifest *manifest;

	if (!artifact->active || !artifact->manifest ||
	    !can_have_records(kernels, artifact->release))
		return;
	replaced = ks_tree_load_installed(system, artifact->dir, artifact->manifest);
	manifest = replaced ? replaced : artifact->manifest;
	if (files_are_there(system, manifest))
		g_ptr_array_add(records, ks_record_new(manifest));
}

GPtrArray *ks_wanted_records_list(const struct ks_system *system, GPtrArray *kernels,
				  GPtrArray *entries, GError **error)
{
	g_autoptr(GPtrArray) modules = ks_tree_scan(system, error);
	GPtrArray *records;

	if (!modules)
		return NULL;
	records = g_ptr_array_new_with_free_func(record_free);
	for (guint i = 0; i < modules->len; i++) {
		struct ks_tree_entry *module = g_ptr_array_index(modules, i);

		for (guint j = 0; j < module->artifacts->len; j++) {
			add_record(system, kernels,
				   g_ptr_array_index(module->artifacts, j), records);
		}
	}
	ks_record_name_apart(records, entries);
	return records;
}

static const struct ks_record_entry *find_entry(GPtrArray *entries,
						const struct ks_record *record)
{
	for (guint i = 0; i < entries->len; i++) {
		const struct ks_record_entry *entry = g_ptr_array_index(entries, i);

		if (entry->ours && g_strcmp0(entry->module, record->module) == 0 &&
		    g_strcmp0(entry->release, record->release) == 0)
			return entry;
	}
	return NULL;
}

bool ks_wanted_records_are_there(GPtrArray *entries, GPtrArray *records)
{
	guint n_ours = 0;

	for (guint i = 0; i < entries->len; i++)
		n_ours += ((struct ks_record_entry *)g_ptr_array_index(entries, i))->ours;
	if (n_ours != records->len)
		return false;
	for (guint i = 0; i < records->len; i++) {
		const struct ks_record *record = g_ptr_array_index(records, i);
		const struct ks_record_entry *entry = find_entry(entries, record);

		if (!entry || !entry->complete ||
		    g_strcmp0(entry->digest, record->digest))
			return false;
	}
	return true;
}

bool ks_wanted_records_differ(const struct ks_system *system, GPtrArray *entries)
{
	g_autoptr(GPtrArray) kernels = entries ? ks_kernel_list(system, NULL) : NULL;
	g_autoptr(GPtrArray) records = NULL;

	if (!kernels || !ks_wanted_records_are_known(kernels))
		return false;
	records = ks_wanted_records_list(system, kernels, entries, NULL);
	return records && !ks_wanted_records_are_there(entries, records);
}
