/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run for incoming kernels (KS_GOAL_PREPARE) has besides its plan: what the store
 * has is marked in the picture; and failures for which the machine is to blame are
 * forgotten.
 */
#pragma once

#include "core/engine/engine.h"
#include "core/support/contract.h"

/*
 * Fill in struct ks_target's in_store: of what is in the store of this tree or, for a tree
 * that is not the machine's, of the machine; and of what this run has built.
 */
KS_NONNULL(1)
void ks_prepare_mark(const struct ks_system *system, const struct ks_outcome *outcome,
		     struct ks_inventory *inventory);

/*
 * Of the failures since since_us (real time) keep those that are the module's: on each
 * kernel where there is one, the canary is built. Where it does not build either, the
 * failures are forgotten, and outcome's unsound says why. False with KS_ERROR_CANCELLED
 * only.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_prepare_try_failures(const struct ks_system *system,
			     const struct ks_settings *settings,
			     const struct ks_inventory *inventory, gint64 since_us,
			     const volatile sig_atomic_t *cancelled,
			     struct ks_outcome *outcome, GError **error);

/*
 * Take the artifacts that were lent to builds upon them (outcome's lent) out of T again. If
 * the process dies before, a later run does it: their kernel is gone.
 */
KS_NONNULL(1)
void ks_prepare_give_back(const struct ks_system *system, struct ks_outcome *outcome);

/* Remove the places in T that builds of sources not registered there had. */
KS_NONNULL(1)
void ks_prepare_tidy(const struct ks_system *system,
		     const struct ks_inventory *inventory);
