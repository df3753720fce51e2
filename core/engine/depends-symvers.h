/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module.symvers of the modules that a build depends on. */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

/*
 * Paths of Module.symvers of the target's BUILD_DEPENDS that are built for the
 * same kernel. Never NULL; free with g_strfreev.
 */
KS_NONNULL(1)
char **ks_symvers_find(const struct ks_system *system,
		       const struct ks_inventory *inventory,
		       const struct ks_target *target);
