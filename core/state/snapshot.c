/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state/snapshot.h"

#include "core/support/durable.h"
#include "core/support/error.h"
#include "core/support/treeop.h"

#define MAX_BYTES   (G_GUINT64_CONSTANT(4) << 30)
#define MAX_ENTRIES 200000

static bool is_trusted_owner(const struct ks_system *system, uid_t uid)
{
	struct stat st;

	if (uid == 0)
		return true;
	return !ks_root_is_host(system->root) &&
	       fstat(ks_root_fd(system->root), &st) == 0 && st.st_uid == uid;
}

static char *find_reason(const struct ks_system *system, const char *path)
{
	struct stat st;

	if (!ks_root_stat(system->root, path, &st))
		return g_strdup_printf("'%s': cannot be read", path);
	if (!is_trusted_owner(system, st.st_uid))
		return g_strdup_printf("'%s': owned by uid %u", path,
				       (unsigned int)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return g_strdup_printf(
			"'%s': writable by others than its owner (mode %04o)", path,
			(unsigned int)(st.st_mode & 07777));
	return NULL;
}

char *ks_snapshot_reason(const struct ks_system *system, const char *dir)
{
	g_autofree char *conf = g_build_filename(dir, "dkms.conf", NULL);
	char *reason = find_reason(system, dir);

	return reason ? reason : find_reason(system, conf);
}

static char *snapshots_dir(const struct ks_system *system)
{
	return g_build_filename(system->state_dir, "sources", NULL);
}

char *ks_snapshot_path(const struct ks_system *system, const char *name,
		       const char *version)
{
	return g_build_filename(system->state_dir, "sources", name, version, NULL);
}

bool ks_snapshot_exists(const struct ks_system *system, const char *name,
			const char *version)
{
	g_autofree char *path = ks_snapshot_path(system, name, version);
	g_autofree char *conf = g_build_filename(path, "dkms.conf", NULL);

	return ks_root_exists(system->root, conf);
}

/*
 * A user of this machine may have made it: the copy must not be readable by
 * more users than the original.
 */
static bool make_parent(const struct ks_system *system, const char *parent,
			GError **error)
{
	g_autofree char *top = snapshots_dir(system);

	return ks_root_mkdir_p(system->root, system->state_dir, 0755, error) &&
	       ks_root_mkdir_p(system->root, top, 0700, error) &&
	       ks_root_mkdir_p(system->root, parent, 0700, error);
}

bool ks_snapshot_take(const struct ks_system *system, const char *name,
		      const char *version, const char *dir, GError **error)
{
	const struct ks_treeop_copy_options options = {
		.chown = true,
		.max_bytes = MAX_BYTES,
		.max_entries = MAX_ENTRIES,
	};
	const struct ks_root *root = system->root;
	g_autofree char *path = ks_snapshot_path(system, name, version);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *staged =
		g_strdup_printf("%s/%s%s", parent, KS_DURABLE_TEMPORARY_PREFIX, version);

	if (make_parent(system, parent, error) && ks_treeop_remove(root, staged, error) &&
	    ks_treeop_copy(root, dir, staged, &options, error) &&
	    ks_treeop_remove(root, path, error) &&
	    ks_durable_rename(root, staged, path, error))
		return true;
	ks_ignore(ks_treeop_remove(root, staged, NULL));
	g_prefix_error(error, "cannot copy '%s': ", dir);
	return false;
}

bool ks_snapshot_drop(const struct ks_system *system, const char *name,
		      const char *version, GError **error)
{
	g_autofree char *path = ks_snapshot_path(system, name, version);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *top = snapshots_dir(system);

	if (!ks_root_exists(system->root, path))
		return true;
	return ks_treeop_remove(system->root, path, error) &&
	       ks_treeop_prune_empty(system->root, parent, top, error);
}
