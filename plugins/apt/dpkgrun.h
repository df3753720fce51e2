/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running dpkg, perhaps from inside a run of apt that waits for us.
 *
 * The environment is inherited: With DPKG_FRONTEND_LOCKED dpkg knows that an
 * ancestor of ours holds the frontend lock for it; the variable is removed
 * when that ancestor is gone (apt was killed; dpkg then takes the lock
 * itself). With KMODSMITH_NESTED=1 our own hooks do nothing.
 *
 * dpkg gets a session of its own, no standard input, and a log file for its
 * output: a broken pipe or ^C in the middle of unpacking would leave a package
 * that blocks all of apt.
 */
#pragma once

#include "core/platform/system.h"
#include "core/support/contract.h"

/*
 * Is the database free, or locked by an ancestor of ours on our behalf?
 * KS_ERROR_PENDING, naming the holder, when it is not.
 */
KS_MUST_CHECK
bool ks_dpkg_check_lock(const struct ks_system *system, GError **error);

/*
 * dpkg ARGUMENTS...; output goes to log_dir/dpkg.log. KS_ERROR_PENDING for
 * status 2 (the database could not be used now), KS_ERROR_FAILED with dpkg's
 * last words for any other.
 */
KS_MUST_CHECK
bool ks_dpkg_run(const struct ks_system *system, GPtrArray *arguments, GError **error);

/* True when a killed dpkg has left its journal to be merged. */
bool ks_dpkg_is_interrupted(const struct ks_system *system);

/* Merge it, and nothing else. */
KS_MUST_CHECK
bool ks_dpkg_merge_journal(const struct ks_system *system, GError **error);
