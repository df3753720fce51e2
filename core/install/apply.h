/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effects of a journal's steps. Every function may be called again after
 * it has failed or died anywhere: what is done already is found done.
 */
#pragma once

#include "core/install/journal.h"
#include "core/support/contract.h"

/* ".foo.ko.kmodsmith-new", beside foo.ko. depmod takes no notice: it ends in no module
 * suffix. */
#define KS_APPLY_STAGED_PREFIX "."
#define KS_APPLY_STAGED_SUFFIX ".kmodsmith-new"

/*
 * Make the directories, and copy module_dir/NAME beside each destination:
 * 0644, root's, with the digest that the step says (KS_ERROR_INVALID
 * otherwise), synced with its directory. Or make the link there that the step says.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_apply_stage(const struct ks_system *system, const struct ks_journal *journal,
		    const char *module_dir, GError **error);

/*
 * Give the staged files their names, then remove the files to be removed that
 * are still as the step says; sync the directories and drop the empty ones. A
 * step without a staged file counts as done, and with recovering an incomplete
 * staged file is dropped: then the old file stays.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_apply_commit(const struct ks_system *system, const struct ks_journal *journal,
		     bool recovering, GError **error);

/* Remove the staged files, and the directories that are empty now. */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_apply_undo(const struct ks_system *system, const struct ks_journal *journal,
		   GError **error);

/*
 * SHA-256 of a regular file, links not followed; NULL when it is something else
 * or unreadable.
 */
KS_NONNULL(1)
char *ks_apply_digest(const struct ks_system *system, const char *path);
