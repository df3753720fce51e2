/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that the reading and the changing half of the state tree share. */
#pragma once

#include "core/state/tree.h"
#include "core/support/contract.h"

/* state_dir/marks/M/V/MARK */
KS_NONNULL(1)
char *ks_tree_mark_path(const struct ks_system *system, const char *name,
			const char *version, const char *mark);

#define KS_TREE_MARK_ASKED	   "asked"
#define KS_TREE_MARK_REMOVAL_ASKED "removal-asked"
#define KS_TREE_MARK_DISMISSED	   "dismissed"
#define KS_TREE_MARK_LOADED	   "loaded"

/* installed.c: put the manifest of the installed artifact beside that of a newer one. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_keep_installed(const struct ks_system *system, const char *dir,
			    const char *staged_dir, GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_forget_installed(const struct ks_system *system, const char *dir,
			      GError **error);

/* beside.c: copy what the artifact in artifact_dir has for T/M/V/K and T/M/V there; or
 * remove it, where no other artifact has it. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_put_beside(const struct ks_system *system, const char *artifact_dir,
			GError **error);
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_tree_remove_beside(const struct ks_system *system, const char *artifact_dir,
			   GError **error);
