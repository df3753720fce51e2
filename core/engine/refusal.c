/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/engine/refusal.h"

#include <string.h>

#include "core/install/apply.h"
#include "core/install/install.h"
#include "core/module/inspect.h"
#include "core/support/version.h"

#define MAX_DEPTH 32

struct asking {
	const struct ks_system *system;
	const struct ks_manifest *manifest;
	const char *dir;
	ks_refusal_report report;
	void *data;
};

/* Is it name.ko, name.ko.xz and so on? */
static bool is_file_of(const char *file, const char *name, size_t length)
{
	return strncmp(file, name, length) == 0 &&
	       g_str_has_prefix(file + length, ".ko") &&
	       (!file[length + 3] || file[length + 3] == '.');
}

/* Regular files of the module's name anywhere below dir. */
static void find_files(const struct ks_root *root, const char *dir, const char *file,
		       unsigned int depth, GPtrArray *found)
{
	g_autoptr(GPtrArray) names = ks_root_list(root, dir, NULL);
	const char *suffix = strstr(file, ".ko");
	const size_t length = suffix ? (size_t)(suffix - file) : strlen(file);

	for (guint i = 0; names && depth < MAX_DEPTH && i < names->len; i++) {
		const char *entry = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, entry, NULL);
		struct stat st;

		if (!ks_root_lstat(root, path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			find_files(root, path, file, depth + 1, found);
		else if (S_ISREG(st.st_mode) && is_file_of(entry, file, length))
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
}

static bool is_same_file(const struct asking *asking, const char *path, const char *file)
{
	g_autofree char *built = g_build_filename(asking->dir, "module", file, NULL);
	g_autofree char *theirs = ks_apply_digest(asking->system, path);
	g_autofree char *ours = ks_apply_digest(asking->system, built);

	return theirs && g_strcmp0(theirs, ours) == 0;
}

/*
 * A file that a killed installation has left, where this system puts modules. A
 * file with the same bytes among the kernel's own modules is the kernel's.
 */
static bool is_left_over(const struct asking *asking, const char *modules_dir,
			 const char *path, const char *file)
{
	const char *override = ks_install_dest_override(asking->system);
	g_autofree char *dest =
		g_strconcat(modules_dir, override ? override : "", "/", NULL);

	return g_str_has_prefix(path, dest) && is_same_file(asking, path, file);
}

static void report(const struct asking *asking, enum ks_refusal_kind kind,
		   const char *file, const char *path, const char *ours,
		   const char *theirs)
{
	const struct ks_refusal refusal = {kind, file, path, ours, theirs};

	asking->report(&refusal, asking->data);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Without version and srcversion only the bytes can be compared. */
static bool is_same_module(const struct asking *asking, const char *path,
			   const struct ks_module_info *theirs,
			   const struct ks_manifest_file *ours)
{
	const bool versioned = ours->version || ours->srcversion;

	return g_strcmp0(theirs->srcversion, ours->srcversion) == 0 &&
	       (versioned || is_same_file(asking, path, ours->name));
}

/* Is ours refused for the one at path? */
static bool is_refused_for(const struct asking *asking, const char *path,
			   const struct ks_manifest_file *ours)
{
	const char *const paths[] = {path, NULL};
	g_autoptr(GPtrArray) infos =
		ks_module_inspect(asking->system, paths, NULL, NULL, NULL);
	const struct ks_module_info *theirs;

	if (!infos || infos->len != 1)
		return false;
	theirs = g_ptr_array_index(infos, 0);
	if (g_strcmp0(or_empty(theirs->version), or_empty(ours->version)) != 0) {
		if (!theirs->version || !ours->version ||
		    ks_version_compare(theirs->version, ours->version) < 0)
			return false;
		report(asking, KS_REFUSAL_NOT_NEWER, ours->name, path, ours->version,
		       theirs->version);
		return true;
	}
	if (!is_same_module(asking, path, theirs, ours))
		return false;
	report(asking, KS_REFUSAL_SAME, ours->name, path, ours->version, theirs->version);
	return true;
}

static bool is_refused(const struct asking *asking, const struct ks_manifest_file *ours)
{
	g_autofree char *modules_dir = g_build_filename(asking->system->install_tree,
							asking->manifest->release, NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	find_files(asking->system->root, modules_dir, ours->name, 0, found);
	if (found->len > 1)
		report(asking, KS_REFUSAL_UNCLEAR, ours->name, NULL, NULL, NULL);
	if (found->len != 1)
		return false;
	return !is_left_over(asking, modules_dir, found->pdata[0], ours->name) &&
	       is_refused_for(asking, found->pdata[0], ours);
}

GPtrArray *ks_refusal_find(const struct ks_system *system,
			   const struct ks_manifest *manifest, const char *dir,
			   ks_refusal_report report_one, void *data)
{
	const struct asking asking = {system, manifest, dir, report_one, data};
	GPtrArray *refused = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < manifest->files->len; i++) {
		const struct ks_manifest_file *file = manifest->files->pdata[i];

		if (is_refused(&asking, file))
			g_ptr_array_add(refused, g_strdup(file->name));
	}
	if (refused->len && refused->len == manifest->files->len)
		report(&asking, KS_REFUSAL_ALL, NULL, NULL, NULL, NULL);
	return refused;
}
