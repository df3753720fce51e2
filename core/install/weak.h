/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weak modules: on distributions with a stable kernel ABI a program links the modules
 * of one kernel to others that they fit. It is the distribution's own; it compares
 * the symbols' CRCs itself, and depmod takes what it has linked.
 */
#pragma once

#include "core/install/install.h"
#include "core/support/distro.h"

/* That of the tree's distribution, or NULL when there is none. */
const struct ks_distro_weak *ks_install_weak_tool(const struct ks_system *system);

/*
 * Tell it of the manifest's files, on its standard input, that they are there or
 * (before they are removed) that they go. Nothing where there is no such program.
 */
bool ks_install_weak_modules(const struct ks_system *system,
			     const struct ks_manifest *manifest, bool add,
			     GError **error);
