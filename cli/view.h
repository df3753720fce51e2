/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeing a tree as it will be when kernels' packages are installed: what was unpacked of
 * them (core/incoming) is laid over the tree's own directories, read-only, in a mount
 * namespace of this process and its children. Nobody else sees it, and nothing is changed.
 */
#pragma once

#include "core/incoming/incoming.h"

/*
 * For the rest of the life of this process. system's tree is opened again; descriptors that
 * were opened before do not see the kernels. KS_ERROR_DENIED, with a hint: this process may make no mounts, or none
 * that nobody else would see; KS_ERROR_FAILED: something is mounted below a directory that
 * would have to be covered, and would be hidden.
 */
KS_MUST_CHECK
bool ks_view_enter(struct ks_system *system, const struct ks_incoming *incoming,
		   GError **error);
