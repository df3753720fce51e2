/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the file system that survive a power cut: each function returns
 * only after the data and the directory entry are synced, and leaves either
 * the old state or the new one, never half of either.
 *
 * Paths are inside the tree, as in root.h; missing parent directories are
 * created with mode 0755.
 */
#pragma once

#include "core/support/contract.h"
#include "core/support/root.h"

/*
 * Names of temporaries begin so. One that is met without a running kmodsmith
 * was left by a power cut or kill -9 and may be removed.
 */
#define KS_DURABLE_TEMPORARY_PREFIX ".kmodsmith-tmp-"

/*
 * Replace the file at path: temporary beside it, fsync, rename, fsync of the
 * directory. The mode is exact, whatever the umask is. A link at path is
 * replaced, not followed; a directory is an error.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_durable_write(const struct ks_root *root, const char *path, const void *data,
		      size_t size_bytes, mode_t mode, GError **error);

/* Make path a link to target, replacing what link or file stands there. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_durable_symlink(const struct ks_root *root, const char *target, const char *path,
			GError **error);

/* rename(2) of from to to, then fsync of both directories. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_durable_rename(const struct ks_root *root, const char *from, const char *to,
		       GError **error);

/* unlink(2), then fsync of the directory; a file that is not there is success. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_durable_unlink(const struct ks_root *root, const char *path, GError **error);
