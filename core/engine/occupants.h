/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose file lies where a module belongs: an installation would be refused for
 * it, and it is known before that is tried, so that it is a state of the target
 * and not an error of every run.
 */
#pragma once

#include "core/state/manifest.h"

/*
 * "'PATH' belongs to X" of the first of the manifest's files whose place is taken by what
 * is no module of ours; or NULL. Below the kernel's own modules nothing is in the way: it
 * is put aside.
 */
char *ks_occupants_find(const struct ks_system *system,
			const struct ks_manifest *manifest);
