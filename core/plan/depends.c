/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a target is built upon: is it there, or will it be? */
#include <string.h>

#include "core/plan/planner.h"

/* Will this module be there on the kernel for others to build upon? */
static bool is_provided(const struct ks_planner *planner,
			const struct ks_plan_group *group)
{
	if (group->chosen && group->chosen->verdict->state == KS_TARGET_SATISFIED)
		return true;
	for (guint i = 0; i < group->cells->len; i++) {
		const struct ks_plan_cell *cell = group->cells->pdata[i];

		if (cell->install || ks_planner_is_prepared(planner, cell) ||
		    (ks_goal_only_builds(planner->request->goal) && cell->build))
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

/* Is this "NAME/VERSION" of another version than the one that is about to be installed? */
static bool is_changed(const struct ks_planner *planner, const struct ks_plan_cell *cell,
		       const char *upon)
{
	const char *slash = strchr(upon, '/');
	g_autofree char *name = g_strndup(upon, (size_t)(slash - upon));
	const struct ks_plan_group *group = ks_planner_find_depend(planner, cell, name);
	const struct ks_plan_cell *chosen = group ? group->chosen : NULL;

	return chosen && chosen->matched && chosen->install &&
	       !g_str_equal(chosen->target->source->version, slash + 1);
}

char *ks_planner_find_changed_depend(const struct ks_planner *planner,
				     const struct ks_plan_cell *cell)
{
	char **upon = cell->target->built_upon;

	if (!planner->request->rebuild_dependents || cell->matched)
		return NULL;
	for (; upon && *upon; upon++)
		if (is_changed(planner, cell, *upon))
			return g_strdup_printf("built upon %s", *upon);
	return NULL;
}
