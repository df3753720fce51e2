/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The depmods of a run, which go on beside the builds for other kernels. One for
 * a kernel; each takes about a second of one processor, and no job of the pool.
 */
#pragma once

#include "core/plan/plan.h"
#include "core/support/system.h"

struct pollfd;
struct ks_indexing;

struct ks_indexing *ks_indexing_new(const struct ks_system *system);
/* Waits for those that run. */
void ks_indexing_free(struct ks_indexing *indexing);
KS_DEFINE_CLEANUP(ks_indexing, ks_indexing_free)

/*
 * Start the depmod of action, the plan's index-th. *runs is false when there was
 * nothing to do: it is done already.
 */
bool ks_indexing_start(struct ks_indexing *indexing, guint index,
		       const struct ks_action *action, bool *runs, GError **error);

guint ks_indexing_count(const struct ks_indexing *indexing);
/* ks_indexing_count() descriptors to poll. */
void ks_indexing_poll(const struct ks_indexing *indexing, struct pollfd *fds);

/*
 * Finish one that has ended, or with wait any. False when there is none; else
 * its *index, and in *failure (to be freed) why it failed, or NULL.
 */
bool ks_indexing_take(struct ks_indexing *indexing, bool wait, guint *index,
		      GError **failure);
