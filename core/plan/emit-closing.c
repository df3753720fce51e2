/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actions that close a run: each comes after all before it. */
#include "core/plan/planner.h"
#include "core/settings/framework.h"

/* --- records */

/* Will it be there to be recorded when the plan has been carried out? */
static bool ends_recordable(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell)
{
	const struct ks_target *target = cell->target;

	if (!ks_planner_has_records(planner, target->kernel))
		return false;
	if (cell->install_index >= 0)
		return true;
	return target->kernel->alive && cell->uninstall_index < 0 &&
	       (target->installed == KS_INSTALLED_OK ||
		target->installed == KS_INSTALLED_CHANGED);
}

static bool is_record_right(const struct ks_planner *planner,
			    const struct ks_plan_cell *cell)
{
	bool ends = ends_recordable(planner, cell);

	switch (cell->target->recorded) {
	case KS_RECORDED_NO:
		return !ends;
	case KS_RECORDED_OK:
		/* new files want a new record, files taken away want none */
		return ends && cell->install_index < 0;
	case KS_RECORDED_STALE:
		return false;
	case KS_RECORDED_FOREIGN:
	case KS_RECORDED_UNKNOWN:
		break;
	}
	return true;
}

static bool has_installed_target(const struct ks_planner *planner,
				 const struct ks_record_entry *entry)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];

		if (ends_recordable(planner, cell) &&
		    g_strcmp0(cell->target->source->name, entry->module) == 0 &&
		    g_strcmp0(cell->target->kernel->release, entry->release) == 0)
			return true;
	}
	return false;
}

static bool is_record_needed(const struct ks_planner *planner)
{
	const struct ks_inventory *inventory = planner->inventory;

	/* with no kernel alive it is the file system of the modules that is missing */
	if (!inventory->has_recorder || !planner->any_alive)
		return false;
	if (inventory->records_are_stale)
		return true;
	for (guint i = 0; i < planner->cells->len; i++) {
		if (!is_record_right(planner, planner->cells->pdata[i]))
			return true;
	}
	for (guint i = 0; inventory->records && i < inventory->records->len; i++) {
		const struct ks_record_entry *entry = inventory->records->pdata[i];

		if (entry->ours &&
		    (!entry->complete || !has_installed_target(planner, entry)))
			return true;
	}
	return false;
}

static struct ks_action *append_after_all(struct ks_planner *planner,
					  enum ks_action_kind kind, enum ks_reason reason)
{
	guint n_before = planner->plan->actions->len;
	struct ks_action *action = ks_planner_append(planner, kind, reason, NULL);

	for (guint i = 0; i < n_before; i++)
		g_array_append_val(action->after, i);
	return action;
}

static void emit_record(struct ks_planner *planner)
{
	if (!planner->request->no_record && is_record_needed(planner))
		append_after_all(planner, KS_ACTION_RECORD, KS_REASON_NOT_RECORDED);
}

/* --- what follows from all that was changed */

/* The first action of the kind on a kernel that runs if is_running, or NULL. */
static const struct ks_action *find_first(const struct ks_planner *planner,
					  enum ks_action_kind kind, bool is_running)
{
	for (guint i = 0; i < planner->plan->actions->len; i++) {
		const struct ks_action *action = planner->plan->actions->pdata[i];

		if (action->kind == kind && (!is_running || action->kernel->running))
			return action;
	}
	return NULL;
}

/* After the index, by which modprobe finds the modules. */
static void emit_devices(struct ks_planner *planner)
{
	const struct ks_action *install = find_first(planner, KS_ACTION_INSTALL, true);

	if (!install || planner->request->no_depmod || !planner->inventory->has_devices)
		return;
	append_after_all(planner, KS_ACTION_DEVICES, install->reason)->kernel =
		install->kernel;
}

static void emit_post_transaction(struct ks_planner *planner)
{
	const struct ks_framework *framework = planner->settings->framework;
	const struct ks_action *change = find_first(planner, KS_ACTION_INSTALL, false);

	if (!change)
		change = find_first(planner, KS_ACTION_UNINSTALL, false);
	if (change && framework && framework->post_transaction)
		append_after_all(planner, KS_ACTION_POST_TRANSACTION, change->reason);
}

static bool is_left_empty(const struct ks_planner *planner,
			  const struct ks_kernel *kernel)
{
	const struct ks_upkeep *upkeep =
		ks_inventory_get_upkeep(planner->inventory, kernel);

	if (upkeep->is_prunable || !upkeep->is_prunable_without_ours)
		return upkeep->is_prunable;
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];

		if (cell->target->kernel == kernel &&
		    cell->target->installed != KS_INSTALLED_NO &&
		    cell->uninstall_index < 0)
			return false;
	}
	return true;
}

static void emit_prunes(struct ks_planner *planner)
{
	const GPtrArray *kernels = planner->inventory->kernels;

	for (guint i = 0; i < kernels->len; i++) {
		struct ks_kernel *kernel = kernels->pdata[i];

		if (kernel->alive || ks_planner_keeps(planner, KS_REASON_KERNEL_GONE) ||
		    !is_left_empty(planner, kernel))
			continue;
		append_after_all(planner, KS_ACTION_PRUNE, KS_REASON_KERNEL_GONE)
			->kernel = kernel;
	}
}

void ks_planner_emit_closing(struct ks_planner *planner)
{
	emit_devices(planner);
	emit_record(planner);
	emit_post_transaction(planner);
	emit_prunes(planner);
}
