/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a cell, its source and its group before anything is decided. */
#include "core/plan/planner.h"

bool ks_planner_matches(const struct ks_planner *planner, const struct ks_target *target)
{
	const struct ks_plan_request *request = planner->request;

	if (request->goal == KS_GOAL_PREPARE && !target->kernel->incoming)
		return false;
	return (!request->module || g_str_equal(request->module, target->source->name)) &&
	       (!request->version ||
		g_str_equal(request->version, target->source->version)) &&
	       (!request->release ||
		g_str_equal(request->release, target->kernel->release));
}

bool ks_planner_is_requested(const struct ks_planner *planner,
			     const struct ks_plan_cell *cell)
{
	return ks_goal_asks_for(planner->request->goal) && cell->matched;
}

bool ks_planner_is_gone(const struct ks_source *source)
{
	return !source->present && !source->problem;
}

bool ks_planner_is_removable(const struct ks_planner *planner,
			     const struct ks_source *source)
{
	if (!ks_planner_is_gone(source))
		return false;
	if (source->dismissed)
		return true;
	/* Outside source_tree nothing is a package's: it may be on a disk not mounted
	 * now. */
	if (source->outside)
		return source->removal_asked;
	return planner->inventory->source_tree_present;
}

bool ks_planner_is_wanted(const struct ks_planner *planner,
			  const struct ks_plan_cell *cell)
{
	const struct ks_source *source = cell->target->source;

	return (source->autoinstall && !planner->settings->no_autoinstall) ||
	       source->asked || ks_planner_is_requested(planner, cell);
}

bool ks_planner_is_fresh(const struct ks_target *target)
{
	if (!target->built)
		return false;
	/* Built by dkms: accepted as it is, until its package was upgraded or
	 * reinstalled, which only the prerm shows. An artifact with a damaged manifest is
	 * not dkms's. */
	if (!target->built_fingerprint)
		return !(target->artifact && target->artifact->problem) &&
		       !target->source->removal_asked && !target->failure;
	return !target->fingerprint ||
	       g_str_equal(target->built_fingerprint, target->fingerprint);
}

bool ks_planner_is_known_failure(const struct ks_planner *planner,
				 const struct ks_plan_cell *cell)
{
	const struct ks_plan_request *request = planner->request;
	const struct ks_target *target = cell->target;

	if (!target->failure || target->is_retry_due)
		return false;
	if (cell->matched && (request->force || request->retry_failed))
		return false;
	return !target->fingerprint || !target->failure->fingerprint ||
	       g_str_equal(target->failure->fingerprint, target->fingerprint);
}

bool ks_planner_is_prepared(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell)
{
	return planner->request->goal == KS_GOAL_PREPARE && cell->target->in_store;
}

/* Another version is there to take its place some day: the package was upgraded. */
static bool has_successor(const struct ks_plan_cell *cell)
{
	for (guint i = 0; i < cell->group->cells->len; i++) {
		const struct ks_plan_cell *other = cell->group->cells->pdata[i];
		const struct ks_source *source = other->target->source;

		if (other != cell && !ks_planner_is_gone(source) &&
		    (source->autoinstall || source->asked || source->problem))
			return true;
	}
	return false;
}

bool ks_planner_stays_gone(const struct ks_planner *planner,
			   const struct ks_plan_cell *cell)
{
	const struct ks_source *source = cell->target->source;

	return !ks_planner_is_removable(planner, source) || has_successor(cell) ||
	       ks_settings_is_held(planner->settings, source->name);
}

char *ks_planner_group_key(const char *name, const struct ks_kernel *kernel)
{
	return g_strdup_printf("%s %s", name, kernel->release);
}

struct ks_plan_group *ks_planner_find_group(const struct ks_planner *planner,
					    const char *name,
					    const struct ks_kernel *kernel)
{
	g_autofree char *key = ks_planner_group_key(name, kernel);

	return g_hash_table_lookup(planner->by_name, key);
}

static bool makes(const struct ks_plan_cell *cell, const char *name)
{
	char **names = cell->target->makes;

	for (; names && *names; names++)
		if (g_str_equal(*names, name))
			return true;
	return false;
}

struct ks_plan_group *ks_planner_find_depend(const struct ks_planner *planner,
					     const struct ks_plan_cell *cell,
					     const char *name)
{
	struct ks_plan_group *group =
		ks_planner_find_group(planner, name, cell->group->kernel);
	g_autofree char *module = g_strdelimit(g_strdup(name), "-", '_');

	for (guint i = 0; !group && i < planner->cells->len; i++) {
		const struct ks_plan_cell *other = planner->cells->pdata[i];

		if (other->group->kernel == cell->group->kernel &&
		    other->group != cell->group &&
		    !ks_planner_is_gone(other->target->source) && makes(other, module))
			group = other->group;
	}
	return group;
}

bool ks_planner_has_records(const struct ks_planner *planner,
			    const struct ks_kernel *kernel)
{
	return planner->inventory->has_recorder && kernel->has_image;
}

bool ks_planner_keeps(const struct ks_planner *planner, enum ks_reason reason)
{
	const struct ks_plan_request *request = planner->request;

	return request->keep_all || (request->keep_gone && reason != KS_REASON_REQUESTED);
}
