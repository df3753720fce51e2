/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving the kernel back its own modules. */
#include "core/engine/original.h"

#include <string.h>

#include "core/install/journal.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define ORIGIN_SUFFIX	 ".origin"
#define MAX_ORIGIN_BYTES 8192
#define MAX_MODULE_BYTES (256 * 1024 * 1024)

/* Where the file was: a path below the kernel's own modules, or NULL. */
static char *read_origin(const struct ks_system *system, const char *release,
			 const char *stored)
{
	g_autofree char *path = g_strconcat(stored, ORIGIN_SUFFIX, NULL);
	g_autofree char *base =
		g_build_filename(system->install_tree, release, "kernel", NULL);
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_ORIGIN_BYTES, NULL, NULL);
	const char *origin = text;

	if (!text)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	/* one directory by two names on a merged /usr */
	if (g_str_has_prefix(text, "/usr/lib/") &&
	    !g_str_has_prefix(system->install_tree, "/usr/"))
		origin += strlen("/usr");
	return ks_journal_is_path_below(origin, base) ? g_strdup(origin) : NULL;
}

static bool restore_one(const struct ks_system *system, const char *stored,
			const char *origin, GError **error)
{
	g_autofree char *data = NULL;
	size_t size_bytes = 0;
	struct stat st;

	/* the kernel's package has brought its own again */
	if (ks_root_lstat(system->root, origin, &st))
		return true;
	data = ks_root_read_file(system->root, stored, MAX_MODULE_BYTES, &size_bytes,
				 error);
	return data &&
	       ks_durable_write(system->root, origin, data, size_bytes, 0644, error);
}

bool ks_original_restore(const struct ks_system *system, const char *module,
			 const char *release, const char *arch, GError **error)
{
	g_autofree char *top = g_build_filename(system->dkms_tree, module, NULL);
	g_autofree char *dir =
		g_build_filename(top, "original_module", release, arch, NULL);
	g_autofree char *parent = g_path_get_dirname(dir);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);
	bool all = true;

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *stored = g_build_filename(dir, name, NULL);
		g_autofree char *origin = NULL;

		if (g_str_has_suffix(name, ORIGIN_SUFFIX))
			continue;
		origin = read_origin(system, release, stored);
		all &= origin != NULL;
		if (origin && !restore_one(system, stored, origin, error)) {
			g_prefix_error(error, "cannot put '%s' back: ", origin);
			return false;
		}
	}
	if (!names)
		return false;
	if (!names->len || !all)
		return true;
	return ks_treeop_remove(system->root, dir, error) &&
	       ks_treeop_prune_empty(system->root, parent, top, error);
}
