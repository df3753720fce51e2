/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The package managers: which recorder and which package format belong to each, and what
 * marks a tree that uses it. A tree may have several; then the first of them counts.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

struct ks_manager {
	const char *name;     /* as people call it: "apt and dpkg" */
	const char *recorder; /* program in libexec, see core/record/record.h */
	const char *format;   /* of its packages: libexec/package-FORMAT writes them */
	const char *databases[3]; /* the manager is there when any of these paths is */
};

/* All of them, the first one first; the last one has no name. */
extern const struct ks_manager ks_managers[];

/* Does the tree have a database of this one? */
KS_NONNULL(1, 2)
bool ks_manager_is_used(const struct ks_manager *manager, const struct ks_system *system);
