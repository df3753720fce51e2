/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose file lies where a module belongs: an installation would be refused for
 * it, and it is known before that is tried, so that it is a state of the target
 * and not an error of every run.
 */
#pragma once

#include "core/state/manifest.h"
#include "core/support/contract.h"

/*
 * "'PATH' belongs to X" for the first of the manifest's files whose place is
 * taken by a file that is no module of ours; or NULL. Files below the kernel's
 * own modules are no obstacle: they are put aside.
 */
KS_NONNULL(1)
char *ks_occupants_find(const struct ks_system *system,
			const struct ks_manifest *manifest);
