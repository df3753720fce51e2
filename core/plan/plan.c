/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrange, choose, judge, emit. */
#include "core/plan/plan.h"

#include "core/plan/planner.h"

static const char *const kind_ids[] = {
	[KS_ACTION_SIGN] = "sign",
	[KS_ACTION_ADD] = "add",
	[KS_ACTION_BUILD] = "build",
	[KS_ACTION_INSTALL] = "install",
	[KS_ACTION_UNINSTALL] = "uninstall",
	[KS_ACTION_UNBUILD] = "unbuild",
	[KS_ACTION_REMOVE] = "remove",
	[KS_ACTION_DEPMOD] = "depmod",
	[KS_ACTION_INITRAMFS] = "initramfs",
	[KS_ACTION_UNRENEWED] = "unrenewed",
	[KS_ACTION_DEVICES] = "devices",
	[KS_ACTION_RECORD] = "record",
	[KS_ACTION_POST_TRANSACTION] = "post-transaction",
	[KS_ACTION_PRUNE] = "prune",
};

const char *ks_action_kind_id(enum ks_action_kind kind)
{
	g_return_val_if_fail((size_t)kind < G_N_ELEMENTS(kind_ids), "");
	return kind_ids[kind];
}

static void verdict_free(gpointer data)
{
	struct ks_verdict *verdict = data;

	g_free(verdict->detail);
	g_strfreev(verdict->missing_depends);
	g_free(verdict);
}

static void action_free(gpointer data)
{
	struct ks_action *action = data;

	g_free(action->detail);
	g_array_unref(action->needs);
	g_array_unref(action->after);
	g_free(action);
}

void ks_plan_free(struct ks_plan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->verdicts);
	g_ptr_array_unref(plan->actions);
	g_free(plan);
}

/* --- arranging */

static void group_free(gpointer data)
{
	struct ks_plan_group *group = data;

	g_ptr_array_unref(group->cells);
	g_free(group);
}

static struct ks_plan_group *find_or_add_group(struct ks_planner *planner,
					       const struct ks_target *target)
{
	struct ks_plan_group *group =
		ks_planner_find_group(planner, target->source->name, target->kernel);

	if (group)
		return group;
	group = g_new0(struct ks_plan_group, 1);
	group->name = target->source->name;
	group->kernel = target->kernel;
	group->cells = g_ptr_array_new();
	g_ptr_array_add(planner->groups, group);
	g_hash_table_insert(planner->by_name,
			    ks_planner_group_key(group->name, group->kernel), group);
	return group;
}

static void add_cell(struct ks_planner *planner, struct ks_target *target)
{
	struct ks_plan_cell *cell = g_new0(struct ks_plan_cell, 1);
	struct ks_verdict *verdict = g_new0(struct ks_verdict, 1);

	verdict->target = target;
	g_ptr_array_add(planner->plan->verdicts, verdict);
	cell->target = target;
	cell->verdict = verdict;
	cell->build_index = cell->sign_index = cell->install_index = -1;
	cell->uninstall_index = cell->unbuild_index = -1;
	cell->matched = ks_planner_matches(planner, target);
	cell->in_scope = cell->matched;
	cell->group = find_or_add_group(planner, target);
	if (target->installed != KS_INSTALLED_NO && !cell->group->incumbent)
		cell->group->incumbent = cell;
	g_ptr_array_add(cell->group->cells, cell);
	g_ptr_array_add(planner->cells, cell);
}

/* The kernel that boots next matters most, then the running one, then the rest. */
static int kernel_rank(const struct ks_kernel *kernel)
{
	if (!kernel->alive)
		return 4;
	if (kernel->is_default)
		return 0;
	if (kernel->newest)
		return 1;
	return kernel->running ? 2 : 3;
}

static guint kernel_position(const struct ks_planner *planner,
			     const struct ks_kernel *kernel)
{
	guint position = 0;

	if (!g_ptr_array_find(planner->inventory->kernels, kernel, &position))
		return G_MAXUINT;
	return position;
}

static int compare_groups(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct ks_plan_group *left = *(struct ks_plan_group *const *)a;
	const struct ks_plan_group *right = *(struct ks_plan_group *const *)b;
	const struct ks_planner *planner = data;
	int by_rank = kernel_rank(left->kernel) - kernel_rank(right->kernel);
	guint left_position, right_position;

	if (by_rank)
		return by_rank;
	left_position = kernel_position(planner, left->kernel);
	right_position = kernel_position(planner, right->kernel);
	if (left_position != right_position)
		return left_position < right_position ? -1 : 1;
	return g_strcmp0(left->name, right->name);
}

static void arrange(struct ks_planner *planner)
{
	const struct ks_inventory *inventory = planner->inventory;

	for (guint i = 0; i < inventory->kernels->len; i++) {
		const struct ks_kernel *kernel = inventory->kernels->pdata[i];

		planner->any_alive |= kernel->alive;
	}
	for (guint i = 0; i < inventory->targets->len; i++)
		add_cell(planner, inventory->targets->pdata[i]);
	g_ptr_array_sort_with_data(planner->groups, compare_groups, planner);
}

/* --- the whole */

struct ks_plan *ks_plan_make(const struct ks_inventory *inventory,
			     const struct ks_settings *settings,
			     const struct ks_plan_request *request)
{
	struct ks_planner planner = {
		.inventory = inventory,
		.settings = settings,
		.request = request,
		.plan = g_new0(struct ks_plan, 1),
		.cells = g_ptr_array_new_with_free_func(g_free),
		.groups = g_ptr_array_new_with_free_func(group_free),
		.by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.judged = g_ptr_array_new(),
	};

	planner.plan->verdicts = g_ptr_array_new_with_free_func(verdict_free);
	planner.plan->actions = g_ptr_array_new_with_free_func(action_free);
	arrange(&planner);
	for (guint i = 0; i < planner.groups->len; i++)
		ks_planner_choose(&planner, planner.groups->pdata[i]);
	ks_planner_settle_rivals(&planner);
	ks_planner_mark_scope(&planner);
	for (guint i = 0; i < planner.groups->len; i++)
		ks_planner_judge(&planner, planner.groups->pdata[i]);
	ks_planner_mark_lost(&planner);
	ks_planner_emit(&planner);
	g_ptr_array_unref(planner.judged);
	g_hash_table_unref(planner.by_name);
	g_ptr_array_unref(planner.groups);
	g_ptr_array_unref(planner.cells);
	return planner.plan;
}
