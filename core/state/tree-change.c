/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing T. Each step leaves a tree that dkms and the next run read without
 * harm: an entry to be removed is first renamed to a name that dkms itself
 * cleans up (".tmp_*"), so that no half-removed artifact is ever seen as one.
 */
#include "core/state/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/state/failure.h"
#include "core/state/snapshot.h"
#include "core/state/tree-private.h"
#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MAX_DEPTH 16

/* --- adding */

static bool make_source_link(const struct ks_system *system, const char *link,
			     const char *source_dir, GError **error)
{
	struct stat st;

	if (ks_root_is_same(system->root, link, source_dir))
		return true;
	/* A link to nothing is what a removed package leaves; anything else is in use. */
	if (ks_root_lstat(system->root, link, &st) &&
	    (!S_ISLNK(st.st_mode) || ks_root_stat(system->root, link, &st))) {
		ks_error_set(error, KS_ERROR_FAILED,
			     "cannot add '%s': '%s' leads to another source", source_dir,
			     link);
		return false;
	}
	return ks_durable_symlink(system->root, source_dir, link, error);
}

bool ks_tree_add(const struct ks_system *system, const char *name, const char *version,
		 const char *source_dir, GError **error)
{
	g_autofree char *dir = ks_tree_entry_path(system, name, version);
	g_autofree char *build = g_build_filename(dir, "build", NULL);
	g_autofree char *link = g_build_filename(dir, "source", NULL);

	return ks_root_mkdir_p(system->root, build, 0755, error) &&
	       make_source_link(system, link, source_dir, error);
}

/* --- publishing */

static bool sync_fd(int fd, const char *path, GError **error)
{
	if (fsync(fd) == 0)
		return true;
	ks_error_set_errno(error, errno, "cannot sync '%s'", path);
	return false;
}

/* The data must be on disk before the rename that makes it the artifact. */
static bool sync_tree(const struct ks_system *system, const char *path,
		      unsigned int depth, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	ks_autofd int fd = -1;
	struct stat st;

	if (depth > MAX_DEPTH || !ks_root_lstat(system->root, path, &st) ||
	    !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return true;
	fd = ks_root_openat(system->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
			    error);
	if (fd < 0)
		return false;
	if (S_ISREG(st.st_mode))
		return sync_fd(fd, path, error);
	names = ks_root_list(system->root, path, error);
	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *child = g_build_filename(path, names->pdata[i], NULL);

		if (!sync_tree(system, child, depth + 1, error))
			return false;
	}
	return sync_fd(fd, path, error);
}

/* renameat2(2) with its flags. False with its errno. */
static bool rename_with(const struct ks_system *system, const char *a, const char *b,
			unsigned int flags)
{
	const char *name_a = NULL, *name_b = NULL;
	ks_autofd int dir_a = ks_root_open_parent(system->root, a, &name_a, NULL);
	ks_autofd int dir_b = ks_root_open_parent(system->root, b, &name_b, NULL);

	if (dir_a < 0 || dir_b < 0) {
		errno = ENOENT;
		return false;
	}
	if (renameat2(dir_a, name_a, dir_b, name_b, flags) != 0)
		return false;
	/* It is done; a failing sync only makes it less certain after a power cut. */
	(void)!fsync(dir_b);
	(void)!fsync(dir_a);
	return true;
}

static char *doomed_path(const char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *doomed = g_strdup_printf(".tmp_%s_old", name);

	return g_build_filename(dir, doomed, NULL);
}

/*
 * Rename path to doomed, or, where it cannot be renamed, remove it there and then:
 * overlayfs refuses with EXDEV to rename a directory that a lower layer has, as the
 * layers of a container's image are (filesystems/overlayfs.rst, "Renaming directories").
 * A kill in between then leaves a part of an artifact.
 */
static bool hide(const struct ks_system *system, const char *path, const char *doomed,
		 bool *hidden, GError **error)
{
	g_autoptr(GError) failure = NULL;

	*hidden = ks_durable_rename(system->root, path, doomed, &failure) ||
		  rename_with(system, path, doomed, 0);
	if (*hidden)
		return true;
	if (errno != EXDEV) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return false;
	}
	return ks_treeop_remove(system->root, path, error);
}

/* For file systems without RENAME_EXCHANGE (old overlayfs), or not of that directory. */
static bool replace_in_two(const struct ks_system *system, const char *staged,
			   const char *dest, GError **error)
{
	g_autofree char *doomed = doomed_path(dest);
	bool hidden;

	if (!ks_treeop_remove(system->root, doomed, error) ||
	    !hide(system, dest, doomed, &hidden, error))
		return false;
	if (!ks_durable_rename(system->root, staged, dest, error)) {
		/* Undo; what went wrong first is what the caller must hear. */
		if (hidden)
			ks_ignore(ks_durable_rename(system->root, doomed, dest, NULL));
		return false;
	}
	if (hidden)
		ks_ignore(ks_treeop_remove(system->root, doomed, NULL));
	return true;
}

/* Are both on one file system? Then EXDEV means different overlay layers. */
static bool is_beside(const struct ks_system *system, const char *a, const char *b)
{
	struct stat a_st, b_st;

	return ks_root_lstat(system->root, a, &a_st) &&
	       ks_root_lstat(system->root, b, &b_st) && a_st.st_dev == b_st.st_dev;
}

static bool replace(const struct ks_system *system, const char *staged, const char *dest,
		    GError **error)
{
	int err;

	if (rename_with(system, staged, dest, RENAME_EXCHANGE)) {
		/* Published. What cannot be removed now is swept before the
		 * next build. */
		ks_ignore(ks_treeop_remove(system->root, staged, NULL));
		return true;
	}
	err = errno;
	if (err != EINVAL && err != ENOSYS && err != ENOTSUP &&
	    !(err == EXDEV && is_beside(system, staged, dest))) {
		ks_error_set_errno(error, err, "cannot exchange '%s' and '%s'", staged,
				   dest);
		return false;
	}
	return replace_in_two(system, staged, dest, error);
}

static bool keep_installed(const struct ks_system *system, const char *link,
			   const char *dest, const char *staged_dir, GError **error)
{
	return !ks_root_is_same(system->root, link, dest) ||
	       ks_tree_keep_installed(system, dest, staged_dir, error);
}

bool ks_tree_publish(const struct ks_system *system, const char *name,
		     const char *version, const char *release, const char *arch,
		     const char *staged_dir, GError **error)
{
	g_autofree char *dest =
		ks_tree_artifact_path(system, name, version, release, arch);
	g_autofree char *link = ks_tree_link_path(system, name, release, arch);
	g_autofree char *parent = g_path_get_dirname(dest);
	struct stat st;
	bool ok;

	ok = keep_installed(system, link, dest, staged_dir, error) &&
	     sync_tree(system, staged_dir, 0, error) &&
	     ks_tree_remove_beside(system, dest, error) &&
	     ks_root_mkdir_p(system->root, parent, 0755, error);
	if (ok && ks_root_lstat(system->root, dest, &st))
		ok = replace(system, staged_dir, dest, error);
	else if (ok)
		ok = ks_durable_rename(system->root, staged_dir, dest, error);
	if (ok && ks_tree_put_beside(system, dest, error))
		return true;
	g_prefix_error(error, "cannot publish %s/%s on %s: ", name, version, release);
	/* a disk that is full would stay so until the next build */
	ks_ignore(ks_treeop_remove(system->root, staged_dir, NULL));
	return false;
}

/* --- the active link */

bool ks_tree_activate(const struct ks_system *system, const char *name,
		      const char *version, const char *release, const char *arch,
		      GError **error)
{
	g_autofree char *link = ks_tree_link_path(system, name, release, arch);
	g_autofree char *target = g_build_filename(version, release, arch, NULL);
	g_autofree char *dir =
		ks_tree_artifact_path(system, name, version, release, arch);

	return ks_durable_symlink(system->root, target, link, error) &&
	       ks_tree_forget_installed(system, dir, error);
}

bool ks_tree_deactivate(const struct ks_system *system, const char *name,
			const char *release, const char *arch, GError **error)
{
	g_autofree char *link = ks_tree_link_path(system, name, release, arch);

	return ks_durable_unlink(system->root, link, error);
}

/* --- removing */

/* Rename out of sight, then remove: a kill in between leaves nothing that looks whole. */
static bool remove_hidden(const struct ks_system *system, const char *path,
			  GError **error)
{
	g_autofree char *doomed = doomed_path(path);
	struct stat st;
	bool hidden;

	if (!ks_treeop_remove(system->root, doomed, error))
		return false;
	if (!ks_root_lstat(system->root, path, &st))
		return true;
	return hide(system, path, doomed, &hidden, error) &&
	       ks_treeop_remove(system->root, doomed, error);
}

static bool drop_links_to(const struct ks_system *system, const char *name,
			  const char *prefix, GError **error)
{
	g_autofree char *dir = g_build_filename(system->dkms_tree, name, NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, dir, error);

	if (!names)
		return false;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *link = g_build_filename(dir, names->pdata[i], NULL);
		g_autofree char *target = NULL;

		if (!g_str_has_prefix(names->pdata[i], "kernel-"))
			continue;
		target = ks_root_readlink(system->root, link);
		if (target && g_str_has_prefix(target, prefix) &&
		    !ks_durable_unlink(system->root, link, error))
			return false;
	}
	return true;
}

bool ks_tree_unbuild(const struct ks_system *system, const char *name,
		     const char *version, const char *release, const char *arch,
		     GError **error)
{
	g_autofree char *dir =
		ks_tree_artifact_path(system, name, version, release, arch);
	g_autofree char *link = ks_tree_link_path(system, name, release, arch);
	g_autofree char *active = g_build_filename(version, release, arch, NULL);
	g_autofree char *target = ks_root_readlink(system->root, link);
	g_autofree char *parent = g_path_get_dirname(dir);
	g_autofree char *entry = ks_tree_entry_path(system, name, version);

	if (target && g_str_equal(target, active) &&
	    !ks_durable_unlink(system->root, link, error))
		return false;
	if (!ks_tree_remove_beside(system, dir, error) ||
	    !remove_hidden(system, dir, error))
		return false;
	if (!ks_root_exists(system->root, parent))
		return true;
	return ks_treeop_prune_empty(system->root, parent, entry, error);
}

bool ks_tree_remove(const struct ks_system *system, const char *name, const char *version,
		    GError **error)
{
	g_autofree char *dir = ks_tree_entry_path(system, name, version);
	g_autofree char *parent = g_path_get_dirname(dir);
	g_autofree char *prefix = g_strconcat(version, "/", NULL);

	if (!drop_links_to(system, name, prefix, error) ||
	    !remove_hidden(system, dir, error) ||
	    !ks_tree_set_asked(system, name, version, false, error) ||
	    !ks_tree_set_removal_asked(system, name, version, false, error) ||
	    !ks_tree_set_loaded(system, name, version, false, error) ||
	    !ks_snapshot_drop(system, name, version, error) ||
	    !ks_failure_clear(system, name, version, NULL, NULL, error)) {
		g_prefix_error(error, "cannot remove %s/%s: ", name, version);
		return false;
	}
	if (!ks_root_exists(system->root, parent))
		return true;
	return ks_treeop_prune_empty(system->root, parent, system->dkms_tree, error);
}

/* --- marks */

static bool set_mark(const struct ks_system *system, const char *name,
		     const char *version, const char *mark, bool on, GError **error)
{
	g_autofree char *path = ks_tree_mark_path(system, name, version, mark);
	g_autofree char *top = g_build_filename(system->state_dir, "marks", NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	if (on)
		return ks_durable_write(system->root, path, "", 0, 0644, error);
	if (!ks_root_exists(system->root, path))
		return true;
	return ks_durable_unlink(system->root, path, error) &&
	       ks_treeop_prune_empty(system->root, parent, top, error);
}

bool ks_tree_set_asked(const struct ks_system *system, const char *name,
		       const char *version, bool on, GError **error)
{
	return set_mark(system, name, version, KS_TREE_MARK_ASKED, on, error);
}

bool ks_tree_set_removal_asked(const struct ks_system *system, const char *name,
			       const char *version, bool on, GError **error)
{
	return set_mark(system, name, version, KS_TREE_MARK_REMOVAL_ASKED, on, error);
}

bool ks_tree_set_loaded(const struct ks_system *system, const char *name,
			const char *version, bool on, GError **error)
{
	return set_mark(system, name, version, KS_TREE_MARK_LOADED, on, error);
}

bool ks_tree_is_loaded(const struct ks_system *system, const char *name,
		       const char *version)
{
	g_autofree char *path =
		ks_tree_mark_path(system, name, version, KS_TREE_MARK_LOADED);

	return ks_root_exists(system->root, path);
}

bool ks_tree_set_dismissed(const struct ks_system *system, const char *name,
			   const char *version, bool on, GError **error)
{
	return set_mark(system, name, version, KS_TREE_MARK_DISMISSED, on, error);
}

static bool forget_one(const struct ks_system *system, const char *name,
		       const char *version, GError **error)
{
	g_autofree char *entry = ks_tree_entry_path(system, name, version);
	g_autofree char *source =
		g_strdup_printf("%s/%s-%s", system->source_tree, name, version);

	if (!ks_tree_is_dismissed(system, name, version) ||
	    ks_root_exists(system->root, entry) || ks_root_exists(system->root, source))
		return true;
	return ks_tree_set_dismissed(system, name, version, false, error);
}

bool ks_tree_forget_dismissed(const struct ks_system *system, GError **error)
{
	g_autofree char *top = g_build_filename(system->state_dir, "marks", NULL);
	g_autoptr(GPtrArray) names = ks_root_list(system->root, top, error);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *dir = g_build_filename(top, name, NULL);
		g_autoptr(GPtrArray) versions = ks_root_list(system->root, dir, error);

		if (!versions)
			return false;
		for (guint j = 0; j < versions->len; j++)
			if (!forget_one(system, name, g_ptr_array_index(versions, j),
					error))
				return false;
	}
	return names != NULL;
}
