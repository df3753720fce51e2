/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module of one small file that builds on every kernel, if anything does: when a module
 * has failed to build, whether this one builds shows whose fault that is, the module's or
 * the machine's (a full disk, no compiler, headers that are damaged). make(1) exits with
 * the same status for all of these.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/support/contract.h"

/*
 * Build it for the kernel, in the sandbox in which modules are built; nothing of it is
 * kept. Needs the lock. False with an error that says why it does not build, or
 * KS_ERROR_CANCELLED.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_canary_build(const struct ks_system *system, const struct ks_settings *settings,
		     struct ks_kernel *kernel, const volatile sig_atomic_t *cancelled,
		     GError **error);
