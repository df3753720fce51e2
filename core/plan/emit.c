/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actions that follow from the verdicts, their order and their edges. */
#include "core/plan/planner.h"

struct emitter {
	struct ks_planner *planner;
	GPtrArray *actions;
	GHashTable *adds;	 /* source -> index + 1 of its ADD */
	GHashTable *last_builds; /* source -> index + 1 of its latest BUILD */
};

static int append(struct emitter *emitter, enum ks_action_kind kind,
		  enum ks_reason reason, const char *detail)
{
	ks_planner_append(emitter->planner, kind, reason, detail);
	return (int)emitter->actions->len - 1;
}

static struct ks_action *last_action(struct emitter *emitter)
{
	return emitter->actions->pdata[emitter->actions->len - 1];
}

static void add_index(GArray *indices, int index)
{
	guint value = (guint)index;

	if (index >= 0)
		g_array_append_val(indices, value);
}

static int append_for_target(struct emitter *emitter, enum ks_action_kind kind,
			     struct ks_plan_cell *cell, enum ks_reason reason)
{
	int index = append(emitter, kind, reason, cell->verdict->detail);

	last_action(emitter)->target = cell->target;
	last_action(emitter)->second_choice = cell->second_choice;
	last_action(emitter)->kernel = cell->target->kernel;
	return index;
}

static int lookup_index(GHashTable *table, const struct ks_source *source)
{
	return GPOINTER_TO_INT(g_hash_table_lookup(table, source)) - 1;
}

/* --- sources that are not in T yet */

static bool is_source_in_scope(const struct ks_planner *planner,
			       const struct ks_source *source)
{
	const struct ks_plan_request *request = planner->request;

	return (!request->module || g_str_equal(request->module, source->name)) &&
	       (!request->version || g_str_equal(request->version, source->version));
}

static bool is_being_built(const struct ks_planner *planner,
			   const struct ks_source *source)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];

		if (cell->target->source == source && cell->build)
			return true;
	}
	return false;
}

static void emit_adds(struct emitter *emitter)
{
	const struct ks_planner *planner = emitter->planner;

	for (guint i = 0; i < planner->inventory->sources->len; i++) {
		struct ks_source *source = planner->inventory->sources->pdata[i];
		int index;

		if (!source->present || source->problem || source->added ||
		    ks_goal_takes_away(planner->request->goal) ||
		    planner->request->goal == KS_GOAL_PREPARE ||
		    !(is_source_in_scope(planner, source) ||
		      is_being_built(planner, source)))
			continue;
		index = append(emitter, KS_ACTION_ADD, KS_REASON_NEVER_BUILT, NULL);
		last_action(emitter)->source = source;
		g_hash_table_insert(emitter->adds, source, GINT_TO_POINTER(index + 1));
	}
}

/* --- one group */

static void need_depends(struct emitter *emitter, const struct ks_plan_cell *cell,
			 GArray *needs)
{
	const struct ks_planner *planner = emitter->planner;
	char **depends = cell->target->build_depends;

	for (; depends && *depends; depends++) {
		const struct ks_plan_group *group =
			ks_planner_find_depend(planner, cell, *depends);

		for (guint i = 0; group && i < group->cells->len; i++) {
			const struct ks_plan_cell *other = group->cells->pdata[i];

			/* its conf names itself, and it was forced nevertheless */
			if (other == cell)
				continue;
			if (other->install_index >= 0)
				add_index(needs, other->install_index);
			else if (ks_goal_only_builds(planner->request->goal))
				add_index(needs, other->build_index);
		}
	}
}

static void emit_build(struct emitter *emitter, struct ks_plan_cell *cell)
{
	const struct ks_source *source = cell->target->source;
	struct ks_action *action;
	int last;

	cell->build_index =
		append_for_target(emitter, KS_ACTION_BUILD, cell, cell->verdict->reason);
	action = last_action(emitter);
	add_index(action->needs, lookup_index(emitter->adds, source));
	need_depends(emitter, cell, action->needs);
	last = lookup_index(emitter->last_builds, source);
	if (last >= 0)
		emitter->planner->plan->has_shared_build = true;
	if (emitter->planner->request->no_shared_build)
		add_index(action->after, last);
	g_hash_table_insert(emitter->last_builds, (gpointer)source,
			    GINT_TO_POINTER(cell->build_index + 1));
}

static void emit_uninstall(struct emitter *emitter, struct ks_plan_cell *cell)
{
	const struct ks_plan_cell *chosen = cell->group->chosen;

	cell->uninstall_index = append_for_target(emitter, KS_ACTION_UNINSTALL, cell,
						  cell->removal_reason);
	if (chosen)
		add_index(last_action(emitter)->needs, chosen->install_index);
}

/*
 * Another source's module of the same name goes first: both have one place. If it goes
 * only for this it stays until what is to come is built.
 */
static void clear_way(struct emitter *emitter, const struct ks_plan_cell *cell,
		      GArray *needs)
{
	GPtrArray *cells = emitter->planner->cells;

	for (guint i = 0; i < cells->len; i++) {
		struct ks_plan_cell *other = cells->pdata[i];

		if (!other->uninstall || !ks_planner_are_rivals(cell, other))
			continue;
		if (other->uninstall_index < 0) {
			emit_uninstall(emitter, other);
			if (other->removal_reason == KS_REASON_RIVAL) {
				GArray *wants = last_action(emitter)->needs;

				add_index(wants, cell->build_index);
				add_index(wants, cell->sign_index);
			}
		}
		add_index(needs, other->uninstall_index);
	}
}

static void emit_install(struct emitter *emitter, struct ks_plan_cell *cell)
{
	g_autoptr(GArray) needs = g_array_new(FALSE, FALSE, sizeof(guint));

	clear_way(emitter, cell, needs);
	cell->install_index = append_for_target(emitter, KS_ACTION_INSTALL, cell,
						cell->verdict->reason);
	add_index(last_action(emitter)->needs, cell->build_index);
	add_index(last_action(emitter)->needs, cell->sign_index);
	g_array_append_vals(last_action(emitter)->needs, needs->data, needs->len);
}

static void emit_unbuild(struct emitter *emitter, struct ks_plan_cell *cell)
{
	cell->unbuild_index =
		append_for_target(emitter, KS_ACTION_UNBUILD, cell, cell->removal_reason);
	add_index(last_action(emitter)->needs, cell->uninstall_index);
}

/* Installations first, then removals: the old version waits for the new one. */
static void emit_group(struct emitter *emitter, struct ks_plan_group *group)
{
	bool removes = !ks_goal_only_builds(emitter->planner->request->goal);

	for (guint i = 0; i < group->cells->len; i++) {
		struct ks_plan_cell *cell = group->cells->pdata[i];

		if (cell->build)
			emit_build(emitter, cell);
		if (cell->sign)
			cell->sign_index = append_for_target(emitter, KS_ACTION_SIGN,
							     cell, cell->verdict->reason);
		if (cell->install)
			emit_install(emitter, cell);
	}
	for (guint i = 0; removes && i < group->cells->len; i++) {
		struct ks_plan_cell *cell = group->cells->pdata[i];

		if (ks_planner_keeps(emitter->planner, cell->removal_reason))
			continue;
		if (cell->uninstall && cell->uninstall_index < 0)
			emit_uninstall(emitter, cell);
		if (cell->unbuild)
			emit_unbuild(emitter, cell);
	}
}

/* --- one kernel */

static bool is_change_of(const struct ks_action *action, const struct ks_kernel *kernel)
{
	return action->target && action->kernel == kernel &&
	       (action->kind == KS_ACTION_INSTALL || action->kind == KS_ACTION_UNINSTALL);
}

/* The installs and uninstalls on that kernel; *reason becomes that of the first. */
static GArray *find_changes(const struct emitter *emitter, const struct ks_kernel *kernel,
			    enum ks_reason *reason)
{
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < emitter->actions->len; i++) {
		const struct ks_action *action = emitter->actions->pdata[i];

		if (!is_change_of(action, kernel))
			continue;
		if (!changes->len)
			*reason = action->reason;
		g_array_append_val(changes, i);
	}
	return changes;
}

static int emit_depmod(struct emitter *emitter, struct ks_kernel *kernel,
		       const GArray *changes, enum ks_reason reason)
{
	const struct ks_planner *planner = emitter->planner;
	const bool no_depmod = planner->request->no_depmod;
	int index;

	if (!changes->len &&
	    (no_depmod ||
	     !ks_inventory_get_upkeep(planner->inventory, kernel)->index_is_stale))
		return -1;
	index = append(emitter, KS_ACTION_DEPMOD,
		       changes->len ? reason : KS_REASON_INDEX_STALE,
		       no_depmod ? "left to the caller" : NULL);
	last_action(emitter)->kernel = kernel;
	g_array_append_vals(last_action(emitter)->after, changes->data, changes->len);
	return index;
}

/* Is now the time for what a change of that kernel's modules asks of its images? */
static bool is_for_images(const struct ks_planner *planner, bool is_changed)
{
	const struct ks_plan_request *request = planner->request;

	return !request->no_initramfs && planner->settings->initramfs &&
	       (is_changed || !request->keep_all);
}

/* The index of the action, or -1. */
static int emit_initramfs(struct emitter *emitter, struct ks_kernel *kernel,
			  const GArray *after, bool is_changed, enum ks_reason reason)
{
	const struct ks_upkeep *upkeep =
		ks_inventory_get_upkeep(emitter->planner->inventory, kernel);
	int index;

	if (!(is_changed ? upkeep->has_image : upkeep->image_is_stale))
		return -1;
	index = append(emitter, KS_ACTION_INITRAMFS,
		       is_changed ? reason : KS_REASON_IMAGE_STALE, NULL);
	last_action(emitter)->kernel = kernel;
	g_array_append_vals(last_action(emitter)->after, after->data, after->len);
	return index;
}

/* Not when the images that can be made were not: the next run tries that again first. */
static void emit_unrenewed(struct emitter *emitter, struct ks_kernel *kernel,
			   const GArray *after, bool is_changed, int initramfs)
{
	const struct ks_upkeep *upkeep =
		ks_inventory_get_upkeep(emitter->planner->inventory, kernel);

	if (!upkeep->unrenewed || (!is_changed && !upkeep->unrenewed_is_due))
		return;
	append(emitter, KS_ACTION_UNRENEWED, KS_REASON_IMAGE_LEFT, upkeep->unrenewed);
	last_action(emitter)->kernel = kernel;
	if (initramfs >= 0)
		add_index(last_action(emitter)->needs, initramfs);
	else
		g_array_append_vals(last_action(emitter)->after, after->data, after->len);
}

/* What was changed here, or by a run that died before it came to the index and the image. */
static void emit_upkeep(struct emitter *emitter, struct ks_kernel *kernel)
{
	enum ks_reason reason = KS_REASON_NOT_INSTALLED;
	g_autoptr(GArray) changes = find_changes(emitter, kernel, &reason);
	const bool is_changed = changes->len > 0;
	int depmod, initramfs;

	if (!kernel->alive || emitter->planner->request->goal == KS_GOAL_PREPARE)
		return;
	depmod = emit_depmod(emitter, kernel, changes, reason);
	if (!is_for_images(emitter->planner, is_changed))
		return;
	if (depmod >= 0) {
		g_array_set_size(changes, 0);
		add_index(changes, depmod);
	}
	initramfs = emit_initramfs(emitter, kernel, changes, is_changed, reason);
	emit_unrenewed(emitter, kernel, changes, is_changed, initramfs);
}

static void emit_kernels(struct emitter *emitter)
{
	const GPtrArray *kernels = emitter->planner->inventory->kernels;
	GPtrArray *judged = emitter->planner->judged;
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < judged->len; i++) {
		struct ks_plan_group *group = judged->pdata[i];
		struct ks_plan_group *next =
			i + 1 < judged->len ? judged->pdata[i + 1] : NULL;

		emit_group(emitter, group);
		if (next && next->kernel == group->kernel)
			continue;
		emit_upkeep(emitter, group->kernel);
		g_hash_table_add(seen, group->kernel);
	}
	/* those that this run is not about may have been left by one that died */
	for (guint i = 0; i < kernels->len; i++)
		if (!g_hash_table_contains(seen, kernels->pdata[i]))
			emit_upkeep(emitter, kernels->pdata[i]);
}

/* --- sources whose package is gone */

static bool is_artifact_dropped(const struct ks_planner *planner,
				const struct ks_artifact *artifact)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];

		if (cell->target->artifact == artifact)
			return cell->unbuild_index >= 0;
	}
	return false; /* of a kernel this inventory was not about */
}

static bool is_emptied(const struct ks_planner *planner, const struct ks_source *source)
{
	for (guint i = 0; i < planner->cells->len; i++) {
		const struct ks_plan_cell *cell = planner->cells->pdata[i];

		if (cell->target->source == source && cell->unbuild_index < 0 &&
		    (cell->target->artifact ||
		     cell->target->installed != KS_INSTALLED_NO))
			return false;
	}
	for (guint i = 0; source->entry && i < source->entry->artifacts->len; i++) {
		if (!is_artifact_dropped(planner, source->entry->artifacts->pdata[i]))
			return false;
	}
	return true;
}

static void emit_removes(struct emitter *emitter)
{
	const struct ks_planner *planner = emitter->planner;

	for (guint i = 0; i < planner->inventory->sources->len; i++) {
		struct ks_source *source = planner->inventory->sources->pdata[i];
		enum ks_reason reason =
			source->dismissed ? KS_REASON_REQUESTED : KS_REASON_SOURCE_GONE;

		if (!source->added || ks_goal_takes_away(planner->request->goal) ||
		    ks_goal_only_builds(planner->request->goal) ||
		    !is_source_in_scope(planner, source) ||
		    !ks_planner_is_removable(planner, source) ||
		    ks_planner_keeps(planner, reason) || !is_emptied(planner, source))
			continue;
		append(emitter, KS_ACTION_REMOVE, reason, NULL);
		last_action(emitter)->source = source;
		for (guint j = 0; j < planner->cells->len; j++) {
			const struct ks_plan_cell *cell = planner->cells->pdata[j];

			if (cell->target->source == source)
				add_index(last_action(emitter)->needs,
					  cell->unbuild_index);
		}
	}
}

void ks_planner_emit(struct ks_planner *planner)
{
	struct emitter emitter = {
		.planner = planner,
		.actions = planner->plan->actions,
		.adds = g_hash_table_new(NULL, NULL),
		.last_builds = g_hash_table_new(NULL, NULL),
	};

	emit_adds(&emitter);
	emit_kernels(&emitter);
	emit_removes(&emitter);
	if (planner->request->goal != KS_GOAL_PREPARE)
		ks_planner_emit_closing(planner);
	g_hash_table_unref(emitter.adds);
	g_hash_table_unref(emitter.last_builds);
}
