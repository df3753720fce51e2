/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole directory trees: copy, remove, digest. None follows a symbolic link
 * that it meets inside a tree, and none leaves the tree's file system through
 * a mount point.
 */
#pragma once

#include "core/support/contract.h"
#include "core/support/root.h"

struct ks_treeop_copy_options {
	bool chown; /* give every entry to uid:gid; to root: writable by root alone */
	uid_t uid;
	gid_t gid;
	guint64 max_bytes; /* KS_ERROR_INVALID when the tree holds more; 0 = no limit */
	guint max_entries; /* likewise */
	/* Let the group read all of it, and enter and execute what its owner may. */
	bool group_reads;
	bool (*is_left_out)(const char *name); /* not to be copied; may be NULL */
};

/*
 * Copy the contents of directory from into the new directory to: regular
 * files (mode and mtime kept, set-id bits dropped; FICLONE or copy_file_range
 * when they work), directories, and symbolic links as they are. A device, a
 * socket or a FIFO is KS_ERROR_INVALID. On failure what was copied is left for
 * the caller to remove.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_treeop_copy(const struct ks_root *root, const char *from, const char *to,
		    const struct ks_treeop_copy_options *options, GError **error);

/* rm -rf; a path that is not there is success. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_treeop_remove(const struct ks_root *root, const char *path, GError **error);

/* Remove path and then its parents while they are empty, up to but without stop. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_treeop_prune_empty(const struct ks_root *root, const char *path, const char *stop,
			   GError **error);
