/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T/M/V/K/A/.dep_NAME: the version of each BUILD_DEPENDS that an artifact with
 * BUILD_DEPENDS_REBUILD was built upon (dkms 3.4.3). kmodsmith itself has this
 * in the fingerprint; the marks are for a dkms that takes its turn on the same
 * tree, which would build everything again without them.
 */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

/* Write those of the artifact that was published for target; a dependency that is not
 * installed on its kernel has none. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_dep_marks_write(const struct ks_system *system, const struct ks_target *target,
			GError **error);
