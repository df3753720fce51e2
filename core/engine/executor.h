/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the actions of a plan: builds at the same time, sharing one jobserver
 * with those that sign again; depmods and initramfs updates beside them;
 * everything else one after another, each as soon as what it needs is done. A
 * failure stops only the actions that need the failed one.
 */
#pragma once

#include "core/jobs/jobserver.h"
#include "core/engine/engine.h"
#include "core/support/contract.h"

struct ks_executor;

/*
 * Nothing is copied: all seven outlive the executor, and the plan is of this inventory. What
 * happens is counted in outcome.
 */
KS_NONNULL(1)
struct ks_executor *ks_executor_new(const struct ks_system *system,
				    const struct ks_settings *settings,
				    const struct ks_run_options *options,
				    const struct ks_inventory *inventory,
				    const struct ks_plan *plan,
				    struct ks_digest_cache *cache,
				    struct ks_outcome *outcome);
void ks_executor_free(struct ks_executor *executor);
KS_DEFINE_CLEANUP(ks_executor, ks_executor_free)

/*
 * Run all actions. Failures are reported to the observer and
 * counted in the outcome. False only when the run was cancelled or its
 * machinery (the jobserver) could not be made.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_executor_run(struct ks_executor *executor, GError **error);
