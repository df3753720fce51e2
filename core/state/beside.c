/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a build has put beside its artifact, into T/M/V/K and T/M/V: notes
 * for the next step, files for other modules. The artifact holds them; copies
 * lie where scripts look for them, and go with the last artifact of that
 * version that has the name.
 */
#include <string.h>

#include "core/state/tree-private.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MAX_FILE_BYTES (256u << 20)

static const char *const levels[] = {KS_TREE_BESIDE_RELEASE, KS_TREE_BESIDE_ENTRY};

/* T/M/V/K, or T/M/V, of the artifact T/M/V/K/A. */
static char *directory_of(const char *artifact_dir, const char *level)
{
	g_autofree char *release_dir = g_path_get_dirname(artifact_dir);

	return strcmp(level, KS_TREE_BESIDE_RELEASE) == 0
		       ? g_steal_pointer(&release_dir)
		       : g_path_get_dirname(release_dir);
}

/* A directory of the tree's own is never in the way of a note, nor replaced by one. */
static bool may_be_there(const struct ks_root *root, const char *path, const char *level,
			 bool is_directory)
{
	static const char *const names[] = {"build", "source", "tarball", NULL};
	g_autofree char *name = g_path_get_basename(path);
	const bool is_release = strcmp(level, KS_TREE_BESIDE_RELEASE) == 0;
	struct stat st;

	if (*name == '.' || g_strv_contains(names, name) ||
	    (is_directory && (is_release || g_ascii_isdigit(*name))))
		return false;
	return !ks_root_lstat(root, path, &st) ||
	       (S_ISDIR(st.st_mode) != 0) == is_directory;
}

static bool put_file(const struct ks_root *root, const char *from, const char *to,
		     const struct stat *st, GError **error)
{
	size_t size;
	g_autofree char *data =
		ks_root_read_file(root, from, MAX_FILE_BYTES, &size, error);

	return data && ks_durable_write(root, to, data, size,
					st->st_mode & 0111 ? 0755 : 0644, error);
}

static bool put(const struct ks_root *root, const char *from, const char *to,
		const char *level, GError **error)
{
	const struct ks_treeop_copy_options options = {.max_bytes = MAX_FILE_BYTES};
	struct stat st;

	if (!ks_root_lstat(root, from, &st) ||
	    !may_be_there(root, to, level, S_ISDIR(st.st_mode)))
		return true;
	if (!S_ISDIR(st.st_mode))
		return put_file(root, from, to, &st, error);
	return ks_treeop_remove(root, to, error) &&
	       ks_treeop_copy(root, from, to, &options, error);
}

bool ks_tree_put_beside(const struct ks_system *system, const char *artifact_dir,
			GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		g_autofree char *from = g_build_filename(artifact_dir, levels[i], NULL);
		g_autofree char *to = directory_of(artifact_dir, levels[i]);
		g_autoptr(GPtrArray) names = ks_root_list(system->root, from, error);

		if (!names)
			return false;
		for (guint j = 0; j < names->len; j++) {
			g_autofree char *source =
				g_build_filename(from, names->pdata[j], NULL);
			g_autofree char *target =
				g_build_filename(to, names->pdata[j], NULL);

			if (!put(system->root, source, target, levels[i], error))
				return false;
		}
	}
	return true;
}

/* Another artifact below dir, at a depth of directories, that has it? */
static bool is_had_by_another(const struct ks_system *system, const char *dir,
			      guint depth, const char *artifact_dir, const char *level,
			      const char *name)
{
	g_autoptr(GPtrArray) names = ks_root_list_type(system->root, dir, S_IFDIR, NULL);

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *path = g_build_filename(dir, names->pdata[i], NULL);
		g_autofree char *note = g_build_filename(path, level, name, NULL);

		if (*(const char *)names->pdata[i] == '.' ||
		    strcmp(path, artifact_dir) == 0)
			continue;
		if (depth ? is_had_by_another(system, path, depth - 1, artifact_dir,
					      level, name)
			  : ks_root_exists(system->root, note))
			return true;
	}
	return false;
}

bool ks_tree_remove_beside(const struct ks_system *system, const char *artifact_dir,
			   GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		g_autofree char *from = g_build_filename(artifact_dir, levels[i], NULL);
		g_autofree char *to = directory_of(artifact_dir, levels[i]);
		g_autoptr(GPtrArray) names = ks_root_list(system->root, from, error);

		if (!names)
			return false;
		for (guint j = 0; j < names->len; j++) {
			const char *name = names->pdata[j];
			g_autofree char *source = g_build_filename(from, name, NULL);
			g_autofree char *target = g_build_filename(to, name, NULL);
			struct stat st;

			if (!ks_root_lstat(system->root, source, &st) ||
			    !may_be_there(system->root, target, levels[i],
					  S_ISDIR(st.st_mode)) ||
			    is_had_by_another(system, to, i, artifact_dir, levels[i],
					      name))
				continue;
			if (!ks_treeop_remove(system->root, target, error))
				return false;
		}
	}
	return true;
}
