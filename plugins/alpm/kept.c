/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See kept.h. */
#include "plugins/alpm/kept.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MODULES "/usr/lib/modules"
#define KEPT	MODULES "/.kmodsmith-kept"
#define MARKS	"/var/lib/kmodsmith/kept"

static bool is_kept_name(const char *name)
{
	return strcmp(name, "kernel") == 0 || g_str_has_prefix(name, "modules.");
}

static bool fail(const char *act, const char *path, GError **error)
{
	ks_error_set_errno(error, errno, "cannot %s '%s'", act, path);
	return false;
}

static bool link_tree(const struct ks_root *root, const char *from, const char *to,
		      GError **error);

/* A regular file is linked, a directory walked; nothing else belongs to a kernel. */
static bool link_entry(const struct ks_root *root, const char *from, const char *to,
		       GError **error)
{
	const char *from_name, *to_name;
	ks_autofd int from_dir = -1;
	ks_autofd int to_dir = -1;
	struct stat st;

	if (!ks_root_lstat(root, from, &st))
		return fail("read", from, error);
	if (S_ISDIR(st.st_mode))
		return link_tree(root, from, to, error);
	if (!S_ISREG(st.st_mode))
		return true;
	from_dir = ks_root_open_parent(root, from, &from_name, error);
	to_dir = from_dir < 0 ? -1 : ks_root_open_parent(root, to, &to_name, error);
	if (to_dir < 0)
		return false;
	return linkat(from_dir, from_name, to_dir, to_name, 0) == 0 ||
	       fail("keep", from, error);
}

static bool link_tree(const struct ks_root *root, const char *from, const char *to,
		      GError **error)
{
	g_autoptr(GPtrArray) names = ks_root_list(root, from, error);

	if (!names || !ks_root_mkdir_p(root, to, 0755, error))
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target = g_build_filename(to, name, NULL);

		if (!link_entry(root, source, target, error))
			return false;
	}
	return true;
}

static bool is_release(const char *release)
{
	return *release && *release != '.' && !strchr(release, '/');
}

bool ks_kept_save(const struct ks_system *system, const char *release, GError **error)
{
	const struct ks_root *root = system->root;
	g_autofree char *from = g_build_filename(MODULES, release, NULL);
	g_autofree char *to = g_build_filename(KEPT, release, NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!is_release(release) || !ks_root_exists(root, from))
		return true;
	names = ks_root_list(root, from, error);
	if (!names || !ks_treeop_remove(root, KEPT, error) ||
	    !ks_root_mkdir_p(root, to, 0755, error))
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target = g_build_filename(to, name, NULL);

		if (is_kept_name(name) && !link_entry(root, source, target, error))
			return false;
	}
	return true;
}

/* Still pacman's: the image is there, or was put there again. */
static bool is_owned_kernel(const struct ks_system *system, const char *release)
{
	g_autofree char *image = g_build_filename(MODULES, release, "vmlinuz", NULL);

	return ks_root_exists(system->root, image);
}

static bool give_back(const struct ks_system *system, const char *release, GError **error)
{
	g_autofree char *from = g_build_filename(KEPT, release, NULL);
	g_autofree char *mark = g_build_filename(MARKS, release, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, from, error);

	/* the mark first: a file given back without a mark would stay for ever */
	if (!names || !ks_durable_write(system->root, mark, "", 0, 0644, error))
		return false;
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *source = g_build_filename(from, name, NULL);
		g_autofree char *target = g_build_filename(MODULES, release, name, NULL);

		/* depmod's files of the emptied directory, or a directory left over */
		if (!ks_treeop_remove(system->root, target, error) ||
		    !ks_durable_rename(system->root, source, target, error))
			return false;
	}
	return true;
}

bool ks_kept_restore(const struct ks_system *system, bool *restored, GError **error)
{
	g_autoptr(GPtrArray) releases = ks_root_list(system->root, KEPT, error);

	if (!releases)
		return false;
	for (guint i = 0; i < releases->len; i++) {
		const char *release = g_ptr_array_index(releases, i);

		if (is_owned_kernel(system, release))
			continue;
		if (!give_back(system, release, error))
			return false;
		if (restored)
			*restored = true;
	}
	return ks_treeop_remove(system->root, KEPT, error);
}

static bool take_away(const struct ks_system *system, const char *release, GError **error)
{
	g_autofree char *dir = g_build_filename(MODULES, release, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (is_kept_name(name) && !ks_treeop_remove(system->root, path, error))
			return false;
	}
	return names != NULL;
}

bool ks_kept_clean(const struct ks_system *system, const char *running, unsigned int *n,
		   GError **error)
{
	g_autoptr(GPtrArray) releases = ks_root_list(system->root, MARKS, error);

	for (guint i = 0; releases && i < releases->len; i++) {
		const char *release = g_ptr_array_index(releases, i);
		g_autofree char *mark = g_build_filename(MARKS, release, NULL);

		if (strcmp(release, running) == 0)
			continue;
		if (!is_owned_kernel(system, release)) {
			if (!take_away(system, release, error))
				return false;
			(*n)++;
		}
		if (!ks_durable_unlink(system->root, mark, error))
			return false;
	}
	return releases != NULL;
}
