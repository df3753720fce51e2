/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which version of a module is to be installed on a kernel. */
#include "core/plan/planner.h"

#include "core/support/version.h"

static void block(struct ks_plan_group *group, enum ks_reason reason)
{
	group->blocked = true;
	group->block = reason;
}

static bool any_requested(const struct ks_planner *planner,
			  const struct ks_plan_group *group)
{
	for (guint i = 0; i < group->cells->len; i++) {
		if (ks_planner_is_requested(planner, group->cells->pdata[i]))
			return true;
	}
	return false;
}

static bool any_matched(const struct ks_plan_group *group)
{
	for (guint i = 0; i < group->cells->len; i++) {
		const struct ks_plan_cell *cell = group->cells->pdata[i];

		if (cell->matched)
			return true;
	}
	return false;
}

/* Is this source installed on any kernel; any source of the module if version is NULL? */
static bool is_installed_anywhere(const struct ks_planner *planner, const char *name,
				  const char *version)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];
		const struct ks_source *source = cell->target->source;

		if (cell->target->installed != KS_INSTALLED_NO &&
		    g_str_equal(source->name, name) &&
		    (!version || g_str_equal(source->version, version)))
			return true;
	}
	return false;
}

/* "hold" means no other version: on a new kernel, the version that is used elsewhere. */
static bool is_held_back(const struct ks_planner *planner,
			 const struct ks_plan_cell *cell)
{
	const struct ks_source *source = cell->target->source;

	return ks_settings_is_held(planner->settings, source->name) &&
	       is_installed_anywhere(planner, source->name, NULL) &&
	       !is_installed_anywhere(planner, source->name, source->version);
}

static bool is_candidate(const struct ks_planner *planner,
			 const struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;

	return target->source->present && !target->source->problem &&
	       !target->conf_problem && target->exclusion == KS_CONF_NOT_EXCLUDED &&
	       ks_planner_is_wanted(planner, cell) && !is_held_back(planner, cell);
}

/* The highest candidate; with only_requested, among those asked for by name. */
static struct ks_plan_cell *find_highest(const struct ks_planner *planner,
					 const struct ks_plan_group *group,
					 bool only_requested)
{
	struct ks_plan_cell *best = NULL;

	for (guint i = 0; i < group->cells->len; i++) {
		struct ks_plan_cell *cell = group->cells->pdata[i];

		if (!is_candidate(planner, cell) ||
		    (only_requested && !ks_planner_is_requested(planner, cell)))
			continue;
		if (!best || ks_version_compare(cell->target->source->version,
						best->target->source->version) > 0)
			best = cell;
	}
	return best;
}

/*
 * A newer conf may exclude a kernel, or become unreadable, while the module
 * works there: it is not replaced by an older version for that.
 */
static bool is_downgrade(const struct ks_planner *planner,
			 const struct ks_plan_cell *best,
			 const struct ks_plan_cell *incumbent)
{
	return incumbent && incumbent != best &&
	       !ks_planner_is_gone(incumbent->target->source) &&
	       ks_version_compare(incumbent->target->source->version,
				  best->target->source->version) > 0;
}

void ks_planner_choose(struct ks_planner *planner, struct ks_plan_group *group)
{
	const struct ks_settings *settings = planner->settings;
	bool requested = any_requested(planner, group);
	struct ks_plan_cell *best;

	if (!group->kernel->alive)
		block(group, KS_REASON_KERNEL_GONE);
	else if (ks_goal_takes_away(planner->request->goal) && any_matched(group))
		block(group, KS_REASON_REQUESTED);
	else if (ks_settings_is_skipped(settings, group->name))
		block(group, KS_REASON_SKIPPED);
	else if (ks_settings_is_held(settings, group->name) && group->incumbent &&
		 !(requested && planner->request->force))
		block(group, KS_REASON_HELD);
	else if (!ks_settings_wants_kernel(settings, group->name, group->kernel) &&
		 !requested)
		block(group, KS_REASON_KERNEL_NOT_SELECTED);
	if (group->blocked)
		return;
	if (requested && planner->request->version) {
		group->chosen = find_highest(planner, group, true);
		if (group->chosen)
			return;
	}
	best = find_highest(planner, group, false);
	if (best && !is_downgrade(planner, best, group->incumbent))
		group->chosen = best;
}

struct ks_plan_cell *ks_planner_find_lower(const struct ks_planner *planner,
					   const struct ks_plan_group *group,
					   const struct ks_plan_cell *than)
{
	struct ks_plan_cell *best = NULL;

	for (guint i = 0; i < group->cells->len; i++) {
		struct ks_plan_cell *cell = group->cells->pdata[i];
		const char *version = cell->target->source->version;

		if (is_candidate(planner, cell) &&
		    ks_version_compare(version, than->target->source->version) < 0 &&
		    (!best ||
		     ks_version_compare(version, best->target->source->version) > 0))
			best = cell;
	}
	/* what is installed works, although it may not be a candidate any more */
	if (best && group->incumbent && group->incumbent != best &&
	    ks_version_compare(best->target->source->version,
			       group->incumbent->target->source->version) < 0)
		return NULL;
	return best;
}

/* --- scope: what the request is about, and what that is built upon */

static void add_to_scope(struct ks_planner *planner, struct ks_plan_group *group);

static void add_depends_to_scope(struct ks_planner *planner,
				 const struct ks_plan_cell *cell)
{
	char **depends = cell->target->build_depends;

	for (; depends && *depends; depends++) {
		struct ks_plan_group *group =
			ks_planner_find_depend(planner, cell, *depends);

		if (group)
			add_to_scope(planner, group);
	}
}

/* Another version of it works: nobody has asked for a newer version of the dependency. */
static bool serves(const struct ks_plan_group *group)
{
	const struct ks_plan_cell *incumbent = group->incumbent;

	return incumbent && incumbent != group->chosen && !incumbent->in_scope &&
	       !ks_planner_is_gone(incumbent->target->source) &&
	       incumbent->target->installed == KS_INSTALLED_OK;
}

static void add_to_scope(struct ks_planner *planner, struct ks_plan_group *group)
{
	if (!group->chosen || group->chosen->in_scope || serves(group))
		return;
	group->chosen->in_scope = true;
	add_depends_to_scope(planner, group->chosen);
}

/* What the request takes away for good; what is only uninstalled may be back soon. */
static bool leaves(const struct ks_planner *planner, const struct ks_plan_cell *cell)
{
	const struct ks_plan_request *request = planner->request;

	if (!cell->matched || cell->target->installed == KS_INSTALLED_NO)
		return false;
	return ks_goal_takes_away(request->goal)
		       ? request->goal == KS_GOAL_UNBUILD
		       : ks_planner_is_gone(cell->target->source) &&
				 !ks_planner_stays_gone(planner, cell);
}

/* Another source's module of the same name takes the place that becomes free. */
static bool takes_place(const struct ks_planner *planner, const struct ks_plan_cell *cell)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *other = planner->cells->pdata[i];

		if (leaves(planner, other) && ks_planner_are_rivals(cell, other))
			return true;
	}
	return false;
}

void ks_planner_mark_scope(struct ks_planner *planner)
{
	for (guint i = 0; i < planner->groups->len; i++) {
		struct ks_plan_group *group = planner->groups->pdata[i];

		if (group->chosen && !group->chosen->matched &&
		    takes_place(planner, group->chosen))
			add_to_scope(planner, group);
		if (group->chosen && group->chosen->matched)
			add_depends_to_scope(planner, group->chosen);
	}
}
