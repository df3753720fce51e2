/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a target is built upon: is it there, or will it be? */
#include "core/plan/planner.h"

/* Will this module be there on the kernel for others to build upon? */
static bool is_provided(const struct ks_planner *planner,
			const struct ks_plan_group *group)
{
	if (group->chosen && group->chosen->verdict->state == KS_TARGET_SATISFIED)
		return true;
	for (guint i = 0; i < group->cells->len; i++) {
		const struct ks_plan_cell *cell = group->cells->pdata[i];

		if (cell->install ||
		    (planner->request->goal == KS_GOAL_BUILD && cell->build))
			return true;
		if (!cell->uninstall && (cell->target->installed == KS_INSTALLED_OK ||
					 cell->target->installed == KS_INSTALLED_CHANGED))
			return true;
	}
	return false;
}

/* Somebody else has put a module of that name in place. */
static bool is_ready_made(const struct ks_target *target, const char *name)
{
	const char *const *names = (const char *const *)target->depends_installed;

	return names && g_strv_contains(names, name);
}

char **ks_planner_find_missing_depends(const struct ks_planner *planner,
				       const struct ks_plan_cell *cell)
{
	g_autoptr(GPtrArray) missing = g_ptr_array_new();
	char **depends = cell->target->build_depends;

	for (; depends && *depends; depends++) {
		struct ks_plan_group *group =
			ks_planner_find_depend(planner, cell, *depends);

		if (group ? !is_provided(planner, group)
			  : !is_ready_made(cell->target, *depends))
			g_ptr_array_add(missing, g_strdup(*depends));
	}
	if (!missing->len)
		return NULL;
	g_ptr_array_add(missing, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&missing), FALSE);
}
