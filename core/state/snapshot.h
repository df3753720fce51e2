/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source that others than root can change, in source_tree: one that a user owns or
 * may write, or a link to such a one. Nothing of it is used, until root asks for the
 * module by its name: then a copy is made, which only root can change and which is used
 * in its place from then on. It lies in state_dir/sources/M/V and goes with T/M/V, whose
 * source link leads to the source itself, as dkms's does.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * Why others than root can change dir or its dkms.conf: "'PATH': owned by uid 1000";
 * NULL when only root can. Free with g_free. In the tree of --root, who owns the tree is
 * its root.
 */
KS_NONNULL(1)
char *ks_snapshot_reason(const struct ks_system *system, const char *dir);

/* Free with g_free. */
KS_NONNULL(1)
char *ks_snapshot_path(const struct ks_system *system, const char *name,
		       const char *version);
KS_NONNULL(1)
bool ks_snapshot_exists(const struct ks_system *system, const char *name,
			const char *version);

/* Copy dir, in place of a copy that is there; under the lock. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_snapshot_take(const struct ks_system *system, const char *name,
		      const char *version, const char *dir, GError **error);
/* One that is not there is success. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_snapshot_drop(const struct ks_system *system, const char *name,
		      const char *version, GError **error);
