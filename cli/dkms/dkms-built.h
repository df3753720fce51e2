/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builds of the command line's module, for archives and packages. */
#pragma once

#include "cli/dkms/dkms.h"

/*
 * Add the builds (struct ks_artifact *, owned by entries of ks_tree_scan()) for
 * the kernels of the command line, or with --all for every kernel that has one,
 * oldest kernel first. KS_DKMS_OK, or the exit code after printing why not.
 */
int ks_dkms_find_built(const struct ks_dkms *dkms, const char *action, GPtrArray *entries,
		       GPtrArray *artifacts);
