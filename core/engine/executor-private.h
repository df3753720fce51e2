/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the executor: the loop (executor.c), the next action (schedule.c,
 * ready.c), the running builds (builds.c), and their events (events.c).
 */
#pragma once

#include "core/compile/build.h"
#include "core/engine/action.h"
#include "core/engine/background.h"
#include "core/engine/executor.h"
#include "core/engine/memos.h"
#include "core/engine/ready.h"
#include "core/support/contract.h"

/* A build that runs. */
struct ks_running {
	guint index; /* of the action */
	struct ks_build *build;
	struct ks_build_request request;
	char *dest_dir;
	char *source_digest; /* see the request, when it is not the inventory's */
	char **extra_symvers;
	struct ks_memos *memos;
	guint files_known;
	const char *step; /* description, or name */
};

void ks_running_free(gpointer running);

struct ks_executor {
	struct ks_action_context context;
	const struct ks_plan *plan;
	struct ks_ready *ready;
	gint64 *weight_ms; /* of builds: how long everything that depends on its end is
	                    * known to take, itself included */
	struct ks_jobserver *jobserver;
	struct ks_digest_cache *cache;
	struct ks_memos *memos;
	struct ks_background *background;
	struct ks_system *host; /* its store serves other roots; NULL when it is ours */
	GPtrArray *running;	/* struct ks_running */
	unsigned int max_builds;
	unsigned int max_at_once; /* of builds and what goes on beside them */
	GHashTable
		*numbers; /* struct ks_target -> its number, from 1, once it has begun */
	unsigned int n_targets; /* that the plan changes */
	bool wants_token;	/* something that signs waits for one */
	bool can_mount;
	bool is_sandbox_told;
	gint64 limits_checked_us;
};

static inline const struct ks_action *ks_executor_action(
	const struct ks_executor *executor, guint index)
{
	return g_ptr_array_index(executor->plan->actions, index);
}

/* events.c: an event, with how far the run is. */
KS_NONNULL(1)
void ks_executor_notify(const struct ks_executor *executor, struct ks_event event);
/* Give the action this status and report it. result is a build's, or NULL. */
KS_NONNULL(1)
void ks_executor_end_action(struct ks_executor *executor, guint index,
			    enum ks_action_status status, const GError *error,
			    const struct ks_build_result *result);
/* Report details of a build besides how it ended. */
KS_NONNULL(1)
void ks_executor_report_ended(struct ks_executor *executor,
			      const struct ks_running *running,
			      const struct ks_build_result *result);
KS_NONNULL(1)
void ks_executor_report_progress(const struct ks_executor *executor,
				 const struct ks_running *running);

/* builds.c */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_executor_start_build(struct ks_executor *executor, guint index, GError **error);
/* Its descriptor is readable. When it is over it is no longer among the running. */
KS_NONNULL(1)
void ks_executor_advance_build(struct ks_executor *executor, struct ks_running *running);
/* Once a tick, however busy the loop is. */
KS_NONNULL(1)
void ks_executor_check_limits(struct ks_executor *executor);

/* schedule.c: before the first action. */
KS_NONNULL(1)
void ks_executor_weigh(struct ks_executor *executor);
/* Start or run the first action that can. False when none can now. */
KS_NONNULL(1)
bool ks_executor_schedule_one(struct ks_executor *executor);
