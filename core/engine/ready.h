/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which actions of a plan may begin: those whose inputs have all ended, or one of whose
 * needs has failed, since nothing is to be waited for then. Each action counts its inputs
 * that have not ended, as samurai and ninja do; the end of one is passed on to those that
 * wait for it, and nothing else is looked at.
 */
#pragma once

#include "core/plan/plan.h"
#include "core/support/contract.h"

struct ks_ready;

/* The plan is the caller's, and has to outlive it. */
KS_NONNULL(1)
struct ks_ready *ks_ready_new(const struct ks_plan *plan);
void ks_ready_free(struct ks_ready *ready);
KS_DEFINE_CLEANUP(ks_ready, ks_ready_free)

/* guint: indices of the actions that may begin, in the plan's order; valid until the next
 * call of another function. */
KS_NONNULL(1)
const GArray *ks_ready_list(const struct ks_ready *ready);
/* Has something that it needs not succeeded? Then it ends without being done. */
KS_NONNULL(1)
bool ks_ready_is_vain(const struct ks_ready *ready, guint index);

/* Take it off the list: it has begun. */
KS_NONNULL(1)
void ks_ready_take(struct ks_ready *ready, guint index);
/* It has ended. */
KS_NONNULL(1)
void ks_ready_end(struct ks_ready *ready, guint index, bool ok);
