/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan/planner.h"

struct ks_action *ks_planner_append(struct ks_planner *planner, enum ks_action_kind kind,
				    enum ks_reason reason, const char *detail)
{
	struct ks_action *action = g_new0(struct ks_action, 1);

	action->kind = kind;
	action->reason = reason;
	action->detail = g_strdup(detail);
	action->needs = g_array_new(FALSE, FALSE, sizeof(guint));
	action->after = g_array_new(FALSE, FALSE, sizeof(guint));
	g_ptr_array_add(planner->plan->actions, action);
	return action;
}
