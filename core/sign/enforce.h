/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the machine refuse modules without a valid signature? */
#pragma once

#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/*
 * What enforces signatures, for messages: "module.sig_enforce", "lockdown",
 * "Secure Boot", "CONFIG_MODULE_SIG_FORCE"; NULL when nothing does. Static.
 *
 * The first three are of the running machine, read below /sys of the tree (a
 * DIR of --root usually has none), and hold for its next kernel too:
 * distributions turn lockdown on with Secure Boot. The last is the kernel's
 * own. (Linux: Documentation/admin-guide/module-signing.rst;
 * kernel_lockdown(7); Documentation/filesystems/efivarfs.rst: four bytes of
 * attributes, then the value.)
 */
KS_NONNULL(1)
const char *ks_sign_enforced_by(const struct ks_system *system, struct ks_kernel *kernel);
