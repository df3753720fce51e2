/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernels' indexes, images and directories need: the facts behind the planner's
 * DEPMOD, INITRAMFS, PRUNE and DEVICES.
 */
#pragma once

#include "core/inventory/inventory.h"
#include "core/support/contract.h"

/* Fill in inventory->upkeep and has_devices. Costs a few stats for each kernel, and a walk
 * through the directory of each that is gone. */
KS_NONNULL(1)
void ks_install_look_at_upkeep(const struct ks_system *system,
			       struct ks_inventory *inventory);
