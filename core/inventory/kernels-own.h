/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dkms's version sanity: a kernel may ship the module itself, as new or newer.
 *
 * Only the "version" in its modinfo proves that, or without one on either side an equal
 * "srcversion"; its name does not: tp_smapi replaces in-tree modules on purpose. Of the
 * modules that were built the manifest has both, so one that was never built is never
 * taken for superfluous. Those of the kernel are read by the inspect worker, and
 * remembered by the identity of the file below state_dir/cache.
 */
#pragma once

#include "core/kernel/kernel.h"
#include "core/state/manifest.h"
#include "core/support/contract.h"

/*
 * The path of the kernel's own module when each of manifest's has one that is the same
 * or newer; NULL otherwise. Free with g_free. What cannot be read proves nothing.
 */
KS_NONNULL(1)
char *ks_in_tree_find(const struct ks_system *system, const struct ks_kernel *kernel,
		      const struct ks_manifest *manifest);
