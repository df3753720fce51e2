/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The setting keep-running-modules: when a transaction replaces the running kernel in
 * place, what that kernel may still load stays until the next boot.
 *
 * Before the transaction kernel/ and modules.* of /usr/lib/modules/K are linked, file by
 * file, into /usr/lib/modules/.kmodsmith-kept/K, which costs no space; after it they are
 * moved back when the package manager has taken them away, and removed at the next boot
 * with another kernel. Headers, image and pkgbase do not come back: for pacman the kernel
 * is gone.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/* Before the transaction: keep copies. */
KS_MUST_CHECK
bool ks_kept_save(const struct ks_system *system, const char *release, GError **error);

/*
 * After it: give back what is gone, drop the rest. *restored (may be NULL): a
 * kernel was given back. When nothing was kept it succeeds.
 */
KS_MUST_CHECK
bool ks_kept_restore(const struct ks_system *system, bool *restored, GError **error);

/*
 * At boot: remove what was given back, for all kernels except the running one.
 * *n counts.
 */
KS_MUST_CHECK
bool ks_kept_clean(const struct ks_system *system, const char *running, unsigned int *n,
		   GError **error);
