/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the machine refuse modules without a valid signature? */
#pragma once

#include "core/kernel/kernel.h"

/*
 * What says so, for messages: "module.sig_enforce", "lockdown", "Secure Boot",
 * "CONFIG_MODULE_SIG_FORCE"; NULL when nothing does. Static.
 *
 * The first three are of the running machine, read below /sys of the tree (a
 * DIR of --root usually has none), and say what its next kernel will do too:
 * distributions turn lockdown on with Secure Boot. The last is of the kernel.
 * (Linux: Documentation/admin-guide/module-signing.rst; kernel_lockdown(7);
 * Documentation/filesystems/efivarfs.rst: four bytes of attributes, then the value.)
 */
const char *ks_sign_enforced_by(const struct ks_system *system, struct ks_kernel *kernel);
