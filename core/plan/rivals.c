/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel knows a module by its name alone, and two sources may bring one of the same
 * name (a vendor's package and a checkout, two forks). One of them is used on a kernel:
 *
 *	the one that this run was asked for by name,
 *	else the one that is installed there,
 *	else one that can be built before one that is known to fail,
 *	else the one that an administrator asked for last,
 *	else the higher version, else the first by name.
 *
 * The other is excluded there as a whole: parts of two drivers do not make one.
 */
#include "core/plan/planner.h"

#include "core/support/version.h"

bool ks_planner_are_rivals(const struct ks_plan_cell *a, const struct ks_plan_cell *b)
{
	char **names = a->target->makes;
	const char *const *others = (const char *const *)b->target->makes;

	if (a->group == b->group || a->group->kernel != b->group->kernel || !others)
		return false;
	for (; names && *names; names++)
		if (g_strv_contains(others, *names))
			return true;
	return false;
}

static bool is_in_place(const struct ks_plan_cell *cell)
{
	return cell->target->installed != KS_INSTALLED_NO;
}

static bool is_asked_for_by_name(const struct ks_planner *planner,
				 const struct ks_plan_cell *cell)
{
	return planner->request->module && ks_planner_is_requested(planner, cell);
}

/* What will be in its place at the end, if nothing else claims it; or NULL. */
static struct ks_plan_cell *find_occupier(const struct ks_planner *planner,
					  const struct ks_plan_group *group)
{
	struct ks_plan_cell *incumbent = group->incumbent;

	if (group->chosen || !incumbent)
		return group->chosen;
	if (!group->kernel->alive || incumbent->target->source->dismissed ||
	    (ks_goal_takes_away(planner->request->goal) && incumbent->matched))
		return NULL;
	return !ks_planner_is_gone(incumbent->target->source) ||
			       ks_planner_stays_gone(planner, incumbent)
		       ? incumbent
		       : NULL;
}

/* Is the group itself installed: another version of it is replaced by the chosen one. */
static bool holds_place(const struct ks_plan_cell *cell)
{
	return is_in_place(cell) ||
	       (cell->group->incumbent && cell->group->chosen == cell);
}

static int compare_bools(bool left, bool right)
{
	return (int)right - (int)left;
}

/* The stronger one first. */
static int compare_strength(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct ks_plan_cell *left = *(struct ks_plan_cell *const *)a;
	const struct ks_plan_cell *right = *(struct ks_plan_cell *const *)b;
	const struct ks_source *source = left->target->source;
	const struct ks_source *other = right->target->source;
	const struct ks_planner *planner = data;
	int order = compare_bools(is_asked_for_by_name(planner, left),
				  is_asked_for_by_name(planner, right));

	if (!order)
		order = compare_bools(holds_place(left), holds_place(right));
	if (!order)
		order = compare_bools(!ks_planner_is_known_failure(planner, left),
				      !ks_planner_is_known_failure(planner, right));
	if (!order && source->asked_at_us != other->asked_at_us)
		order = source->asked_at_us > other->asked_at_us ? -1 : 1;
	if (!order)
		order = ks_version_compare(other->version, source->version);
	return order ? order : g_strcmp0(source->name, other->name);
}

static struct ks_plan_cell *find_rival(const GPtrArray *accepted,
				       const struct ks_plan_cell *cell)
{
	for (guint i = 0; i < accepted->len; i++)
		if (ks_planner_are_rivals(accepted->pdata[i], cell))
			return accepted->pdata[i];
	return NULL;
}

/* Both in place already, in different directories: that is nothing to be undone. */
static bool may_stay_beside(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell,
			    const struct ks_plan_cell *rival)
{
	return holds_place(cell) && !is_asked_for_by_name(planner, rival);
}

static void settle(struct ks_planner *planner, GPtrArray *occupiers)
{
	g_autoptr(GPtrArray) accepted = g_ptr_array_new();

	g_ptr_array_sort_with_data(occupiers, compare_strength, planner);
	for (guint i = 0; i < occupiers->len; i++) {
		struct ks_plan_cell *cell = occupiers->pdata[i];
		struct ks_plan_cell *rival = find_rival(accepted, cell);

		if (!rival || may_stay_beside(planner, cell, rival)) {
			g_ptr_array_add(accepted, cell);
			continue;
		}
		rival->second_choice |= ks_planner_is_known_failure(planner, cell);
		cell->group->rival = rival;
		cell->group->chosen = NULL;
	}
}

void ks_planner_settle_rivals(struct ks_planner *planner)
{
	g_autoptr(GPtrArray) occupiers = g_ptr_array_new();

	/* the groups of one kernel are beside each other */
	for (guint i = 0; i < planner->groups->len; i++) {
		struct ks_plan_group *group = planner->groups->pdata[i];
		struct ks_plan_cell *occupier = find_occupier(planner, group);

		if (i && group->kernel !=
				 ((struct ks_plan_group *)planner->groups->pdata[i - 1])
					 ->kernel) {
			settle(planner, occupiers);
			g_ptr_array_set_size(occupiers, 0);
		}
		if (occupier)
			g_ptr_array_add(occupiers, occupier);
	}
	settle(planner, occupiers);
}
