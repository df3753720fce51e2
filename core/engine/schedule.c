/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which action comes next, and doing or starting it. */
#include "core/engine/estimate.h"
#include "core/engine/executor-private.h"

static bool has_ended(enum ks_action_status status)
{
	return status != KS_STATUS_PENDING && status != KS_STATUS_RUNNING;
}

enum readiness { READY, NOT_YET, NEVER };

static enum readiness get_readiness(const struct ks_executor *executor,
				    const struct ks_action *action)
{
	for (guint i = 0; action->needs && i < action->needs->len; i++) {
		guint needed = g_array_index(action->needs, guint, i);

		if (!has_ended(executor->status[needed]))
			return NOT_YET;
		if (executor->status[needed] != KS_STATUS_DONE)
			return NEVER;
	}
	for (guint i = 0; action->after && i < action->after->len; i++)
		if (!has_ended(executor->status[g_array_index(action->after, guint, i)]))
			return NOT_YET;
	return READY;
}

/*
 * While a package manager runs, the other packages of the transaction may be half
 * unpacked: what looks gone may be back at its end.
 */
static bool is_left_to_later(const struct ks_executor *executor,
			     const struct ks_action *action)
{
	switch (action->kind) {
	case KS_ACTION_UNINSTALL:
	case KS_ACTION_UNBUILD:
	case KS_ACTION_REMOVE:
		/* what was asked for by name does not only look gone */
		return executor->context.options->no_record ||
		       (executor->keep_all && action->reason != KS_REASON_REQUESTED);
	case KS_ACTION_RECORD:
		return true; /* the engine's, after everything */
	default:
		return false;
	}
}

/* True when its end is to be waited for. */
static bool start_aside(struct ks_executor *executor, guint index, bool *ok,
			GError **error)
{
	const struct ks_action *action = ks_executor_action(executor, index);
	bool runs = false;

	*ok = ks_asides_start(executor->asides, index, action, &runs, error);
	if (runs)
		executor->status[index] = KS_STATUS_RUNNING;
	else if (action->kind == KS_ACTION_SIGN)
		ks_jobserver_give(executor->jobserver);
	return runs;
}

static void run_now(struct ks_executor *executor, guint index)
{
	const struct ks_action *action = ks_executor_action(executor, index);
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
	if (!ks_aside_is(action))
		ok = ks_action_run(&executor->context, action, &error);
	else if (start_aside(executor, index, &ok, &error))
		return;
	ks_executor_end_action(executor, index, ok ? KS_STATUS_DONE : KS_STATUS_FAILED,
			       error, NULL);
}

/* --- which build comes next */

static gint64 get_weight(const struct ks_executor *executor, guint index)
{
	return executor->weight_ms[index];
}

/*
 * From the end of the plan: an action needs only earlier ones. The longest chain
 * that begins with a build is what the whole run cannot be shorter than.
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

static bool is_startable(const struct ks_executor *executor, guint index)
{
	return executor->status[index] == KS_STATUS_PENDING &&
	       ks_executor_action(executor, index)->kind == KS_ACTION_BUILD &&
	       get_readiness(executor, ks_executor_action(executor, index)) == READY;
}

/*
 * The kernel that will boot comes first in the plan, and its modules before those of
 * others; of one kernel's the longest chain first, so that it is not what everything
 * waits for in the end.
 */
static guint choose_build(const struct ks_executor *executor, guint first)
{
	const struct ks_kernel *kernel = ks_executor_action(executor, first)->kernel;
	guint best = first;

	for (guint i = first + 1; i < executor->plan->actions->len; i++)
		if (ks_executor_action(executor, i)->kernel == kernel &&
		    is_startable(executor, i) &&
		    get_weight(executor, i) > get_weight(executor, best))
			best = i;
	return best;
}

/* Of what is ready: is there room for it now? A token that it needs is taken. */
static bool can_start(struct ks_executor *executor, const struct ks_action *action)
{
	if ((action->kind == KS_ACTION_BUILD || action->kind == KS_ACTION_SIGN) &&
	    executor->running->len + ks_asides_count(executor->asides) >=
		    executor->max_at_once)
		return false;
	if (action->kind == KS_ACTION_BUILD)
		return executor->running->len < executor->max_builds;
	if (!ks_asides_have_room(executor->asides, action))
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
	for (guint i = 0; i < executor->plan->actions->len; i++) {
		const struct ks_action *action = ks_executor_action(executor, i);

		if (executor->status[i] != KS_STATUS_PENDING)
			continue;
		if (is_left_to_later(executor, action)) {
			ks_executor_end_action(executor, i, KS_STATUS_SKIPPED, NULL,
					       NULL);
			return true;
		}
		switch (get_readiness(executor, action)) {
		case NEVER:
			ks_executor_end_action(executor, i, KS_STATUS_SKIPPED, NULL,
					       NULL);
			return true;
		case READY:
			if (!can_start(executor, action))
				break;
			if (action->kind == KS_ACTION_BUILD)
				i = choose_build(executor, i);
			run_now(executor, i);
			return true;
		case NOT_YET:
			break;
		}
	}
	return false;
}
