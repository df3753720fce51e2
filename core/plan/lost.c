/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that works on the running kernel and will not be on the one that boots next.
 * Asked is what is in place now, not what the plan may bring: the machine can be booted
 * at any moment.
 */
#include "core/plan/planner.h"

static const struct ks_kernel *find_running(const struct ks_planner *planner)
{
	for (guint i = 0; i < planner->inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = planner->inventory->kernels->pdata[i];

		if (kernel->running)
			return kernel;
	}
	return NULL;
}

/* The one that the machine says it boots, else the newest that can be booted. */
static const struct ks_kernel *find_next(const struct ks_planner *planner)
{
	const struct ks_kernel *next = NULL;

	for (guint i = 0; i < planner->inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = planner->inventory->kernels->pdata[i];

		if (!kernel->alive || !kernel->has_image || kernel->is_foreign)
			continue;
		if (kernel->is_default)
			return kernel;
		if (!next)
			next = kernel;
	}
	return next;
}

static bool is_in_place(const struct ks_target *target)
{
	return target->installed == KS_INSTALLED_OK ||
	       target->installed == KS_INSTALLED_CHANGED;
}

static bool has_in_place(const struct ks_plan_group *group)
{
	for (guint i = 0; i < group->cells->len; i++) {
		const struct ks_plan_cell *cell = group->cells->pdata[i];

		if (is_in_place(cell->target))
			return true;
	}
	return false;
}

/* The kernel brings it, or somebody has said that it shall not be there. */
static bool is_no_loss(const struct ks_plan_cell *cell)
{
	return cell->verdict->state == KS_TARGET_SATISFIED ||
	       cell->verdict->reason == KS_REASON_OBSOLETE_BY ||
	       cell->verdict->reason == KS_REASON_DISMISSED ||
	       cell->target->kernel_has_it;
}

/* Another source's module of the same name is there: it has another driver. */
static bool has_rival_in_place(const struct ks_planner *planner,
			       const struct ks_plan_cell *cell)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *other = planner->cells->pdata[i];

		if (is_in_place(other->target) && ks_planner_are_rivals(cell, other))
			return true;
	}
	return false;
}

/* Of its versions the one whose state says why: the one to be used, else the highest. */
static struct ks_plan_cell *find_speaker(const struct ks_plan_group *group)
{
	for (guint i = 0; i < group->cells->len; i++) {
		struct ks_plan_cell *cell = group->cells->pdata[i];

		if (cell->passed_over)
			return cell;
	}
	return group->chosen ? group->chosen : group->cells->pdata[group->cells->len - 1];
}

void ks_planner_mark_lost(struct ks_planner *planner)
{
	const struct ks_kernel *running = find_running(planner);
	const struct ks_kernel *next = find_next(planner);

	for (guint i = 0; running && next && running != next && i < planner->groups->len;
	     i++) {
		struct ks_plan_group *group = planner->groups->pdata[i];
		struct ks_plan_group *there =
			ks_planner_find_group(planner, group->name, next);
		struct ks_plan_cell *speaker;

		if (group->kernel != running || !there || !has_in_place(group) ||
		    has_in_place(there))
			continue;
		speaker = find_speaker(there);
		if (!is_no_loss(speaker) && !has_rival_in_place(planner, speaker))
			speaker->verdict->lost_from = running;
	}
}
