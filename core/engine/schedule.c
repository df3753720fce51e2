/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which action comes next, and doing or starting it. */
#include "core/engine/estimate.h"
#include "core/engine/executor-private.h"
#include "core/install/install.h"

/* Nothing of what it was for has come about, or somebody else has done it meanwhile. */
static bool is_moot(const struct ks_executor *executor, const struct ks_action *action)
{
	const struct ks_system *system = executor->context.system;

	if (action->kind == KS_ACTION_DEPMOD)
		return !ks_outcome_has_changed(executor->context.outcome,
					       action->kernel->release) &&
		       !ks_install_depmod_is_stale(system, action->kernel);
	return action->kind == KS_ACTION_INITRAMFS &&
	       !ks_install_initramfs_is_stale(system, action->kernel);
}

/* True when the caller has to wait for its end. */
static bool start_in_background(struct ks_executor *executor, guint index, bool *ok,
				GError **error)
{
	const struct ks_action *action = ks_executor_action(executor, index);
	bool runs = false;

	*ok = ks_background_start(executor->background, index, action, &runs, error);
	if (!runs && action->kind == KS_ACTION_SIGN)
		ks_jobserver_give(executor->jobserver);
	return runs;
}

static void run_now(struct ks_executor *executor, guint index)
{
	const struct ks_action *action = ks_executor_action(executor, index);
	enum ks_action_status status;
	g_autoptr(GError) error = NULL;
	bool ok;

	if (action->kind == KS_ACTION_BUILD) {
		if (!ks_executor_start_build(executor, index, &error))
			ks_executor_end_action(executor, index, KS_STATUS_FAILED, error,
					       NULL);
		return;
	}
	ks_executor_notify(executor, (struct ks_event){.kind = KS_EVENT_ACTION_START,
						       .action = action});
	if (!ks_background_is(action))
		status = ks_action_run(&executor->context, action, &error);
	else if (start_in_background(executor, index, &ok, &error))
		return;
	else
		status = ok ? KS_STATUS_DONE : KS_STATUS_FAILED;
	ks_executor_end_action(executor, index, status, error, NULL);
}

/* --- which build comes next */

static gint64 get_weight(const struct ks_executor *executor, guint index)
{
	return executor->weight_ms[index];
}

/*
 * From the end of the plan: an action needs only earlier ones. The whole run
 * cannot be shorter than the longest chain that begins with a build.
 */
void ks_executor_weigh(struct ks_executor *executor)
{
	const guint n = executor->plan->actions->len;

	executor->weight_ms = g_new0(gint64, n);
	for (guint i = n; i-- > 0;) {
		const struct ks_action *action = ks_executor_action(executor, i);

		if (action->kind == KS_ACTION_BUILD)
			executor->weight_ms[i] += ks_estimate_duration_ms(
				executor->context.inventory, action->target);
		for (guint j = 0; action->needs && j < action->needs->len; j++) {
			guint needed = g_array_index(action->needs, guint, j);

			executor->weight_ms[needed] =
				MAX(executor->weight_ms[needed], executor->weight_ms[i]);
		}
	}
}

/*
 * The kernel that will boot comes first in the plan, and its modules before
 * those of others; for one kernel the longest chain comes first, so that not
 * everything waits for it in the end.
 */
static guint choose_build(const struct ks_executor *executor, guint first)
{
	const GArray *ready = ks_ready_list(executor->ready);
	guint best = first;

	for (guint i = 0; i < ready->len; i++) {
		guint index = g_array_index(ready, guint, i);
		const struct ks_action *action = ks_executor_action(executor, index);

		if (action->kind == KS_ACTION_BUILD &&
		    action->kernel == ks_executor_action(executor, first)->kernel &&
		    !ks_ready_is_vain(executor->ready, index) &&
		    get_weight(executor, index) > get_weight(executor, best))
			best = index;
	}
	return best;
}

/* Is there room to start this ready action? Takes the job token it needs. */
static bool can_start(struct ks_executor *executor, const struct ks_action *action)
{
	if ((action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_SIGN) &&
	    executor->running->len + ks_background_count(executor->background) >=
		    executor->max_at_once)
		return false;
	if (action->kind == KS_ACTION_BUILD)
		return executor->running->len < executor->max_builds;
	if (!ks_background_have_room(executor->background, action))
		return false;
	if (action->kind != KS_ACTION_SIGN || ks_jobserver_try_take(executor->jobserver))
		return true;
	/* they may be lost, when nobody has any */
	if (ks_jobserver_refill(executor->jobserver) &&
	    ks_jobserver_try_take(executor->jobserver))
		return true;
	executor->wants_token = true;
	return false;
}

/* Start or run the first action that can. False when none can now. */
bool ks_executor_schedule_one(struct ks_executor *executor)
{
	const GArray *ready = ks_ready_list(executor->ready);

	for (guint i = 0; i < ready->len; i++) {
		guint index = g_array_index(ready, guint, i);
		const struct ks_action *action = ks_executor_action(executor, index);
		const bool is_skipped = ks_ready_is_vain(executor->ready, index) ||
					is_moot(executor, action);

		if (!is_skipped && !can_start(executor, action))
			continue;
		if (!is_skipped && action->kind == KS_ACTION_BUILD)
			index = choose_build(executor, index);
		ks_ready_take(executor->ready, index);
		if (is_skipped)
			ks_executor_end_action(executor, index, KS_STATUS_SKIPPED, NULL,
					       NULL);
		else
			run_now(executor, index);
		return true;
	}
	return false;
}
